package bucket

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func pauseUntil(n int) func(*task.Info) {
	return func(i *task.Info) {
		until := second(n)
		i.Paused, i.PauseUntil = true, &until
	}
}

// edit gives the task another definition.
func (b *bench) edit(change func(*task.Info)) {
	b.info.Revision++
	change(&b.info)
	b.s.Edit(Changes{Definitions: []task.Info{b.info}})
}

// A pause that was to last until a time is over then: what fell into it is
// skipped, what comes at its end fires, whoever owns the bucket by then.
func TestAPauseEnds(t *testing.T) {
	t.Parallel()
	for _, died := range []bool{false, true} {
		b := newBench(t, nil)
		if got := b.at(second(1)); got != "SKIP 0 BEFORE_FROM, CLAIM 1" {
			t.Fatal(got)
		}
		b.edit(pauseUntil(5))
		if next, armed := b.s.Next(); !armed || !next.Equal(second(5)) {
			t.Errorf("armed for %v, %t", next, armed)
		}
		if got := b.at(second(4)); got != "" {
			t.Errorf("in the pause: %s", got)
		}
		if v, _ := b.s.View("u"); v.Phase != PhasePaused || !v.Next.Equal(second(5)) {
			t.Errorf("in the pause: %s, next %v", v.Phase, v.Next)
		}
		if died {
			b.restart() // and nobody was there when it ended
		}
		want := "SKIP 2-4.999 PAUSED_BY_USER, CLAIM 5, CLAIM 6"
		if died {
			want = "RECLAIM 1 #2, " + want
		}
		if got := b.at(second(6)); got != want {
			t.Errorf("died %t: %s, want %s", died, got, want)
		}
		b.restart()
		if got := b.at(second(6)); died && got != "RECLAIM 1 #3, RECLAIM 5 #2, RECLAIM 6 #2" {
			t.Errorf("decided again: %s", got)
		}
		if got := b.at(second(7)); got != "CLAIM 7" {
			t.Errorf("after it: %s", got)
		}
	}
}

// A clock that is set back does not begin the pause again for its owner, and
// gives the next owner nothing to decide twice.
func TestAPauseEndsOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, pauseUntil(3))
	b.at(dawn)
	if got := b.at(second(4)); got != "SKIP 1-2.999 PAUSED_BY_USER, CLAIM 3, CLAIM 4" {
		t.Error(got)
	}
	if got := b.at(second(2)); got != "" {
		t.Errorf("the clock was set back: %s", got)
	}
	b.restart()
	b.s.Edit(Changes{All: true, Definitions: []task.Info{b.info}})
	if got := b.at(second(5)); got != "RECLAIM 3 #2, RECLAIM 4 #2, CLAIM 5" {
		t.Errorf("another owner: %s", got)
	}
}

// What is asked for by hand at the very end of a pause is not refused.
func TestARunAfterAPause(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) {
		pauseUntil(3)(i)
		i.Trigger = task.TriggerInfo{At: second(600)}
	})
	b.at(dawn)
	ask := func(id string) {
		b.s.Edit(Changes{Requests: []task.Request{{ID: id, Kind: task.RequestRun, UID: "u", Asked: b.now}}})
	}
	b.now = second(2)
	ask("early")
	if got := b.at(second(2)); got != "SKIP early PAUSED_BY_USER" {
		t.Error(got)
	}
	ask("late")
	if got := b.at(second(3)); got != "CLAIM late" {
		t.Error(got)
	}
}

func TestStanding(t *testing.T) {
	t.Parallel()
	info := task.Info{From: dawn, Paused: true, PauseReason: "x", PausedAt: second(1)}
	if got := info.Standing(second(99)); !got.Paused {
		t.Error("it ended of itself")
	}
	pauseUntil(9)(&info)
	if got := info.Standing(second(9).Add(-time.Millisecond)); !got.Paused {
		t.Error("it ended too early")
	}
	if got := info.Standing(second(9)); got.Paused || got.PauseUntil != nil || got.PauseReason != "" || !got.PausedAt.IsZero() || !got.From.Equal(second(9).Add(-time.Millisecond)) {
		t.Errorf("%+v", got)
	}
	info.From = second(20)
	if got := info.Standing(second(30)); !got.From.Equal(second(20)) {
		t.Errorf("it fires what was past: %v", got.From)
	}
}
