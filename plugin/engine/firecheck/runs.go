package firecheck

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func (j *judge) begin(e Event) {
	t := j.task(e.Fire.UID())
	f := t.fires[e.Fire]
	if f == nil || e.Attempt != f.attempt && f.final == "" {
		j.fault(ErrRunWithoutClaim, e, e.Fire, "attempt %d", e.Attempt)
		return
	}
	if f.final != "" || e.Attempt <= f.settled {
		j.fault(ErrRunAfterSettle, e, e.Fire, "attempt %d after %s", e.Attempt, f.final)
	}
	// Its own clock may have been set back since the claim: the judge's was not.
	if at, ok := scheduledAt(e.Fire); ok && e.At.Add(j.rules.Skew).UnixMilli() < at-5 {
		j.fault(ErrEarlyFiring, e, e.Fire, "it started then")
	}
	if !f.begun && !f.deferred {
		j.late(e)
	}
	f.begun = true
	policy := t.def().Overlap
	for id, other := range t.fires {
		if other.waiting && id != e.Fire && (policy == task.OverlapQueue || policy == task.OverlapSkip) {
			j.fault(ErrOverlap, e, e.Fire, "%s still waits for its reply", Stamp(id))
		}
	}
	for id, r := range j.running {
		if id.UID() == t.uid && (policy == task.OverlapQueue || policy == task.OverlapSkip) {
			j.fault(ErrOverlap, e, e.Fire, "%s still runs in p%d", Stamp(id), r.Proc)
		}
	}
	j.running[e.Fire] = e
}

func (j *judge) effect(e Event) {
	f := j.task(e.Fire.UID()).fires[e.Fire]
	if f == nil {
		j.fault(ErrRunWithoutClaim, e, e.Fire, "it had an effect")
		return
	}
	f.effects++
	if f.effects > 1 {
		switch f.delivery {
		case task.EffectivelyOnce:
			j.fault(ErrDoubleEffect, e, e.Fire, "%d times", f.effects)
		case task.AtMostOnce:
			j.fault(ErrRanTwice, e, e.Fire, "%d effects", f.effects)
		}
	}
}

// rest checks a task when all has come to rest.
func (j *judge) rest(t *judged) {
	end := j.rules.End
	j.lapse(t, end.Add(-2*time.Second-j.rules.Skew).UnixMilli())
	def := t.def()
	e := Event{At: end}
	if t.gone {
		return
	}
	if t.away {
		j.fault(ErrLostFiring, e, task.FireID(t.uid), "its task never arrived")
		return
	}
	if def.Deleted {
		j.fault(ErrLostFiring, e, task.FireID(t.uid), "a deleted task is not dealt with")
		return
	}
	for id, f := range t.fires {
		waits := def.Paused && (f.delivery != task.AtMostOnce || f.settled == f.attempt)
		if f.waiting && !f.overdue(end) {
			continue
		}
		if f.final == "" && !waits && end.UnixMilli()-f.at > 2000 {
			j.fault(ErrUnsettled, e, id, "attempt %d, settled %d", f.attempt, f.settled)
		}
	}
	if def.Paused || !j.calendars.known(def.Windows) {
		return
	}
	due := Instants(def, t.cursor, end.Add(-2*time.Second-j.rules.Skew).UnixMilli())
	for _, at := range slices.Concat(due, t.owed) {
		j.fault(ErrLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "undecided at rest")
	}
	for at := range t.deferred {
		if end.UnixMilli()-at > 20_000 && j.calendars.hadTime(def.Windows, at, j.rules.End) {
			j.fault(ErrLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "deferred, and never claimed")
		}
	}
}

// late checks that a firing which was not deferred reached its target in time.
func (j *judge) late(e Event) {
	at, scheduled := scheduledAt(e.Fire)
	if j.rules.Late == 0 || !scheduled {
		return
	}
	instant := time.UnixMilli(at)
	due := instant
	for _, t := range j.rules.Troubles { // in order: one may begin before another is over
		if !due.Before(t.From) && t.To.After(due) {
			due = t.To
		}
	}
	if by := e.At.Sub(due) - j.rules.Skew; by > j.rules.Late {
		j.fault(ErrLateFiring, e, e.Fire, "%s after its instant, %s after what may have held it up", e.At.Sub(instant), by)
	}
}

// Delay is by how much the first run of a firing came after its instant.
type Delay struct {
	Fire    task.FireID
	Instant time.Time
	By      time.Duration
}

// Delays lists the first runs of all firings that were scheduled, by their
// instants.
func Delays(h []Event) []Delay {
	var all []Delay
	seen := make(map[task.FireID]bool)
	for _, e := range h {
		at, scheduled := scheduledAt(e.Fire)
		if e.What != Began || seen[e.Fire] || !scheduled {
			continue
		}
		seen[e.Fire] = true
		instant := time.UnixMilli(at)
		all = append(all, Delay{e.Fire, instant, e.At.Sub(instant)})
	}
	slices.SortFunc(all, func(a, b Delay) int { return cmp.Or(a.Instant.Compare(b.Instant), cmp.Compare(a.Fire, b.Fire)) })
	return all
}
