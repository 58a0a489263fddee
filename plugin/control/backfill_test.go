package control

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// What was missed while no host was up is made up for: each instant once, with
// its own time, in order and one at a time, beside what is due by the schedule.
func TestBackfill(t *testing.T) {
	t.Parallel()
	for _, overlap := range []task.Overlap{task.OverlapAllow, task.OverlapQueue, task.OverlapSkip} {
		synctest.Test(t, func(t *testing.T) {
			w, key := newWorld(t), task.Key{Name: "x"}
			ctx := t.Context()
			info := minutely("x")
			info.Misfire, info.Overlap = task.MisfireSkip, overlap
			info.Trigger = task.TriggerInfo{Cron: "0 * * * * ?"}
			w.create(info)
			start := time.Now()
			time.Sleep(10*time.Minute + 30*time.Second)
			var fired []string
			busy := 0
			w.does(func(ctx context.Context, call task.Call) task.Result {
				if call.FireID.Manual() {
					w.mu.Lock()
					fired = append(fired, call.Scheduled.Sub(start).String())
					busy++
					if busy > 1 {
						t.Error("two at once")
					}
					w.mu.Unlock()
					defer func() { w.mu.Lock(); busy--; w.mu.Unlock() }()
				}
				return until(20*time.Second, task.OK)(ctx, call)
			})
			w.serve("n1") // within half a minute of the last instant: that one still fires
			time.Sleep(time.Second)
			ask := Backfill{From: start.Add(3 * time.Minute), To: time.Now(), Max: 5, DryRun: true}
			v, err := w.control.Backfill(ctx, key, ask)
			if err != nil || len(v.Instants) != 5 || v.Ran != 1 || v.Left != 2 || v.Before != 0 || !v.Instants[0].Equal(ask.From) {
				t.Fatalf("%s: would ask for %+v, %v", overlap, v, err)
			}
			ask.DryRun = false
			asked, err := w.control.Backfill(ctx, key, ask)
			if err != nil || fmt.Sprint(asked.FireIDs) != fmt.Sprint(v.FireIDs) || asked.Left != 2 {
				t.Fatalf("%s: asked for %+v, %v", overlap, asked, err)
			}
			ask.To = start.Add(7 * time.Minute)
			if v, err = w.control.Backfill(ctx, key, ask); err != nil || len(v.Instants) != 0 || v.Before != 5 {
				t.Errorf("%s: again: %+v, %v", overlap, v, err)
			}
			time.Sleep(6 * time.Minute)
			w.mu.Lock()
			got := fmt.Sprint(fired)
			w.mu.Unlock()
			if got != "[3m0s 4m0s 5m0s 6m0s 7m0s]" {
				t.Errorf("%s: fired %s", overlap, got)
			}
			for _, id := range asked.FireIDs {
				if attempts, err := w.control.Run(ctx, id); err != nil || len(attempts) != 1 || attempts[0].Outcome != "OK" {
					t.Errorf("%s: %+v, %v", overlap, attempts, err)
				}
			}
			if v, err = w.control.Backfill(ctx, key, ask); err != nil || len(v.Instants) != 0 || v.Before != 5 {
				t.Errorf("%s: after it: %+v, %v", overlap, v, err)
			}
			if v := w.task("x"); overlap != task.OverlapSkip && v.Fired != 6+6 {
				t.Errorf("%s: the schedule was held up: %+v", overlap, v)
			}
		})
	}
}

// A pause that comes meanwhile holds a backfill up and refuses none of it.
func TestABackfillWaitsForAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, key := newWorld(t), task.Key{Name: "x"}
		ctx := t.Context()
		info := minutely("x")
		info.Misfire = task.MisfireSkip
		w.create(info)
		time.Sleep(10 * time.Minute)
		w.serve("n1")
		w.does(until(5*time.Second, task.OK))
		time.Sleep(time.Second)
		v, err := w.control.Backfill(ctx, key, Backfill{From: time.Now().Add(-time.Hour), To: time.Now(), Max: 4})
		if err != nil || len(v.Instants) != 4 || v.Unsure != 0 {
			t.Fatalf("%+v, %v", v, err)
		}
		time.Sleep(7 * time.Second) // one ran, and the next has begun
		if _, err := w.control.PauseTaskUntil(ctx, key, "", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		_, err = w.control.Backfill(ctx, key, Backfill{From: time.Now().Add(-time.Hour), To: time.Now()})
		refused(t, err, failure.CodeConflict)
		time.Sleep(30 * time.Minute)
		if waiting, err := w.control.Requests(ctx); err != nil || len(waiting) != 2 || waiting[0].FireID != v.FireIDs[2] {
			t.Errorf("waiting %+v, %v", waiting, err)
		}
		time.Sleep(31 * time.Minute)
		for _, id := range v.FireIDs {
			if attempts, err := w.control.Run(ctx, id); err != nil || len(attempts) != 1 || attempts[0].Outcome != "OK" {
				t.Errorf("%s: %+v, %v", id, attempts, err)
			}
		}
		for _, b := range []Backfill{{}, {From: time.Now().Add(time.Hour), To: time.Now().Add(2 * time.Hour)}, {From: time.Now(), To: time.Now(), Max: MaxBackfill + 1}} {
			_, err := w.control.Backfill(ctx, key, b)
			refused(t, err, failure.CodeInvalid)
		}
	})
}
