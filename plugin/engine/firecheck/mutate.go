package firecheck

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Mutation breaks one promise in a history that breaks none.
type Mutation struct {
	Name string
	// Want is what Verdict must find in it then.
	Want error

	at    func(h history, i int) bool // whether it can be done at event i
	apply func(h history, i int) history
}

type history = []Event

// Apply gives a copy of the history, mutated at the first place that allows it
// from the event on which pick chooses of so many. False: there is none.
func (m Mutation) Apply(h []Event, pick func(n int) int) ([]Event, bool) {
	start := pick(len(h))
	for k := range h {
		if i := (start + k) % len(h); m.at(h, i) {
			return m.apply(slices.Clone(h), i), true
		}
	}
	return nil, false
}

// Mutations are one for each way in which firing is feared to go wrong.
func Mutations() []Mutation {
	return slices.Concat(mutatedDecisions(), mutatedEdits(), mutatedRuns())
}

func mutatedDecisions() []Mutation {
	return []Mutation{
		{"a firing is claimed twice", ErrDoubleDecision, claims, func(h history, i int) history {
			again := clone(h[i])
			again.Batch.Seq, again.Batch.Op = again.Batch.Seq+1, again.Batch.Op+1e6
			return slices.Insert(h, i+1, again)
		}},
		{"a claim is not written down", ErrLostFiring, followed, func(h history, i int) history {
			h[i] = without(h[i], plainClaim)
			return h
		}},
		{"a claim is early", ErrEarlyFiring, claims, func(h history, i int) history {
			h[i] = clone(h[i])
			h[i].Batch.Time = h[i].Batch.Records[find(h[i], plainClaim)].At - 6
			return h
		}},
		{"a claim is for no instant", ErrNotScheduled, claims, func(h history, i int) history {
			h[i] = clone(h[i])
			h[i].Batch.Records[find(h[i], plainClaim)].At++
			return h
		}},
		{"a firing that was hardly late is skipped as missed", ErrWrongMisfire, claims, func(h history, i int) history {
			h[i] = clone(h[i])
			r := &h[i].Batch.Records[find(h[i], plainClaim)]
			h[i].Batch.Time = r.At
			*r = bucket.Record{Kind: bucket.Skip, UID: r.UID, At: r.At, Until: r.At, Count: 1, Reason: task.ReasonMissed}
			return h
		}},
		{"an entry of the log is gone", ErrBadLog, continued, func(h history, i int) history { return slices.Delete(h, i, i+1) }},
		{"another bucket decides too", ErrTwoBuckets, followed, func(h history, i int) history {
			h[i] = clone(h[i])
			h[i].Bucket += 1 << 20
			return h
		}},
		{"a claim is never settled", ErrUnsettled, settlesOK, func(h history, i int) history {
			h[i] = without(h[i], finalOK)
			return h
		}},
	}
}

func mutatedEdits() []Mutation {
	edit := func(change func(*task.Info)) func(history, int) history {
		return func(h history, i int) history {
			uid := h[i].Batch.Records[find(h[i], plainClaim)].UID
			k := lastIndex(h[:i], func(e Event) bool { return e.What == Defined && e.Info.UID == uid })
			e := h[k]
			e.At = h[i].At
			e.Info.Revision++
			change(&e.Info)
			return slices.Insert(h, i, e)
		}
	}
	return []Mutation{
		{"fired after a pause", ErrFiredAfterPause, claims, edit(func(i *task.Info) { i.Paused, i.PauseUntil = true, nil })},
		{"fired after a delete", ErrFiredAfterPause, claims, edit(func(i *task.Info) { i.Deleted = true })},
		{"fired after it was rescheduled", ErrNotScheduled, claims, edit(func(i *task.Info) {
			i.Trigger = task.TriggerInfo{At: i.From.Add(100 * time.Hour)}
		})},
	}
}

func mutatedRuns() []Mutation {
	double := func(h history, i int) history { return slices.Insert(h, i+1, h[i]) }
	drop := func(h history, i int) history { return slices.Delete(h, i, i+1) }
	return []Mutation{
		{"an effectively-once effect happens twice", ErrDoubleEffect, effectOf(task.EffectivelyOnce), double},
		{"an at-most-once effect happens twice", ErrRanTwice, effectOf(task.AtMostOnce), double},
		{"an effect is lost", ErrLostEffect, soleEffect, drop},
		{"a run has no claim", ErrRunWithoutClaim, began, func(h history, i int) history {
			return slices.Insert(h, 0, h[i])
		}},
		{"a run is repeated after its end", ErrRunAfterSettle, settledRun, func(h history, i int) history {
			return append(h, h[i])
		}},
		{"a run is early", ErrEarlyFiring, beganScheduled, func(h history, i int) history {
			h[i].At = instantOf(h[i]).Add(-time.Hour)
			return h
		}},
		{"a run is late", ErrLateFiring, firstRun, func(h history, i int) history {
			h[i].At = h[i].At.Add(10 * time.Hour)
			return h
		}},
	}
}

// clone is a copy of an event whose records may be changed.
func clone(e Event) Event {
	b := *e.Batch
	b.Records = slices.Clone(b.Records)
	e.Batch = &b
	return e
}

func find(e Event, is func(bucket.Record) bool) int {
	if e.What != Committed {
		return -1
	}
	return slices.IndexFunc(e.Batch.Records, is)
}

// without is an event less its first record of a kind.
func without(e Event, is func(bucket.Record) bool) Event {
	i := find(e, is)
	e = clone(e)
	e.Batch.Records = slices.Delete(e.Batch.Records, i, i+1)
	return e
}

func lastIndex(h history, is func(Event) bool) int {
	for i, e := range slices.Backward(h) {
		if is(e) {
			return i
		}
	}
	return -1
}
