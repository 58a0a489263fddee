package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// However often and by how many it is asked for, an instant is asked for once.
func TestFill(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := opened(t, p, Options{})
		info := created(t, s, "watch")
		var instants []time.Time
		for i := range 40 {
			instants = append(instants, time.UnixMilli(int64(1_700_000_000_000+i*1000)))
		}
		var all sync.WaitGroup
		asked := make([][]time.Time, 4)
		for i := range asked {
			all.Go(func() {
				var err error
				if asked[i], err = s.Fill(ctx, info.Key, instants[i*8:16+i*8], "why"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		seen := map[int64]bool{}
		for _, some := range asked {
			for _, at := range some {
				if seen[at.UnixMilli()] {
					t.Errorf("%v was asked for twice", at)
				}
				seen[at.UnixMilli()] = true
			}
		}
		b, err := s.HomeOf(ctx, info.Key)
		if err != nil {
			t.Fatal(err)
		}
		requests, err := s.Requests(ctx, b)
		if err != nil || len(seen) != 40 || len(requests) != 40 {
			t.Errorf("%d asked for, %d requests, %v", len(seen), len(requests), err)
		}
		for _, r := range requests {
			if r.Kind != task.RequestRun || r.UID != info.UID || r.Reason != "why" || r.ID != task.FillID(info.UID, r.Scheduled) {
				t.Errorf("%+v", r)
			}
		}
		if again, err := s.Fill(ctx, info.Key, instants, ""); err != nil || again != nil {
			t.Errorf("again: %v, %v", again, err)
		}
		if there, err := s.Filled(ctx, info.UID, append(instants, time.UnixMilli(1))); err != nil || len(there) != 40 {
			t.Errorf("%d remembered, %v", len(there), err)
		}
		if _, err := s.Fill(ctx, info.Key, make([]time.Time, MaxFill+1), ""); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Errorf("too many: %v", err)
		}
		if _, err := s.Fill(ctx, task.Key{Name: "none"}, instants, ""); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("of no task: %v", err)
		}
		if err := s.ForgetGone(ctx); err != nil {
			t.Fatal(err)
		}
		if there, err := s.Filled(ctx, info.UID, instants); err != nil || len(there) != 40 {
			t.Errorf("forgotten of a task that is there: %d, %v", len(there), err)
		}
	})
}

// What is remembered is bounded, on the safe side.
func TestFilledIsBounded(t *testing.T) {
	t.Parallel()
	var f filled
	for i := range 3 * maxFilled {
		f.add([]int64{int64(i)})
	}
	if len(f.Instants) != maxFilled || !f.has(0) || !f.has(3*maxFilled-1) || f.has(3*maxFilled) {
		t.Errorf("%d after %d", len(f.Instants), f.Floor)
	}
	value, err := encode(f, coordclient.MaxValue)
	if err != nil || len(value) > 128<<10 {
		t.Errorf("%d bytes, %v", len(value), err)
	}
}
