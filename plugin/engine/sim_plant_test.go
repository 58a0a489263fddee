package engine_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/task"
)

// plantSeeds bounds the histories in which a planted fault must show. The rarest
// shows in about one of two hundred.
const plantSeeds = 2000

// A judge that never complains proves nothing: each rule of the protocol that
// is left out on purpose must be missed.
func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		plant func(*world)
		by    []error // any of them
	}{
		{"run first, claim after", func(w *world) { w.plant.RunFirst = true }, []error{firecheck.ErrRunWithoutClaim}},
		{
			"open claims missing from the page", func(w *world) { w.plant.Page = closePage },
			[]error{firecheck.ErrUnsettled, firecheck.ErrBadLog},
		},
		{
			"skips do not move the cursor", func(w *world) { w.plant.Replay = replayWithoutSkips },
			[]error{firecheck.ErrDoubleDecision},
		},
		{
			"replay without folded_to", func(w *world) { w.ghosts, w.plant.Replay = true, replayAll },
			[]error{firecheck.ErrRunAfterSettle, firecheck.ErrDoubleDecision, firecheck.ErrRanTwice},
		},
		{
			"no check of the bucket's version", func(w *world) { w.noFence = true },
			[]error{firecheck.ErrFiredAfterPause, firecheck.ErrNotScheduled},
		},
		{
			"no check of the calendars' version", func(w *world) { w.noCalendars = true },
			[]error{firecheck.ErrOutsideWindow},
		},
		{"a task moves without its cursor", func(w *world) { w.log = newStale }, []error{firecheck.ErrDoubleDecision, firecheck.ErrBadLog, firecheck.ErrUnsettled}},
		{
			"WAITING is forgotten with its owner", func(w *world) { w.plant.Replay = replayWithoutWaiting },
			[]error{firecheck.ErrWaitingRerun},
		},
		{"replies are not stored", func(w *world) { w.deaf = true }, []error{firecheck.ErrLostReply}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= plantSeeds; seed++ {
				_, faults := simulate(t, seed, c.plant)
				for _, promise := range c.by {
					if errors.Is(errors.Join(faults...), promise) {
						t.Logf("seed %d: %v", seed, promise)
						return
					}
				}
			}
			t.Errorf("%d histories, and nobody noticed", plantSeeds)
		})
	}
}

// closePage leaves the open claims out.
func closePage(data []byte) []byte {
	page, err := bucket.DecodePage(data)
	if err != nil {
		panic(err)
	}
	for i := range page.Cursors {
		page.Cursors[i].Open = nil
	}
	return page.Encode()
}

// replayWithoutSkips lets skips be forgotten with the memory of their owner.
func replayWithoutSkips(l bucket.Loaded, compile bucket.Compile, rules bucket.Rules) (*bucket.State, error) {
	for i, entry := range l.Log {
		b, err := bucket.DecodeBatch(entry.Data)
		if err != nil {
			return nil, err
		}
		var kept []bucket.Record
		for _, r := range b.Records {
			if r.Kind != bucket.Skip {
				kept = append(kept, r)
			}
		}
		b.Records = kept
		l.Log[i].Data = b.Encode()
	}
	return bucket.Replay(l, compile, rules)
}

// replayWithoutWaiting forgets that requests were sent.
func replayWithoutWaiting(l bucket.Loaded, compile bucket.Compile, rules bucket.Rules) (*bucket.State, error) {
	for i, entry := range l.Log {
		b, err := bucket.DecodeBatch(entry.Data)
		if err != nil {
			return nil, err
		}
		b.Records = slices.DeleteFunc(b.Records, func(r bucket.Record) bool { return r.Outcome == task.Waiting })
		l.Log[i].Data = b.Encode()
	}
	return bucket.Replay(l, compile, rules)
}

// replayAll plays entries again that the page holds already.
func replayAll(l bucket.Loaded, compile bucket.Compile, rules bucket.Rules) (*bucket.State, error) {
	if l.Page.Version >= 0 && len(l.Log) > 0 {
		page, err := bucket.DecodePage(l.Page.Data)
		if err != nil {
			return nil, err
		}
		page.Folded = l.Log[0].Seq - 1
		l.Page.Data = page.Encode()
	}
	return bucket.Replay(l, compile, rules)
}
