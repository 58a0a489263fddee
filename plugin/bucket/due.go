package bucket

import "github.com/seed42aab489/belfry/plugin/task"

// instants decides what is due after base, oldest first, and stops where no
// worker is to be had: what comes later stays undecided too.
func (r *round) instants(e *entry, base int64) {
	at := e.nextFrom(base)
	if horizon := r.now - r.s.rules.Misfire.Milliseconds(); at < horizon {
		var ok bool
		if base, ok = r.missed(e, base, horizon-1); !ok {
			return
		}
		at = nextAfter(e.sched, base)
	}
	switch e.info.Overlap {
	case task.OverlapSkip:
		r.dueSkipping(e, at)
	case task.OverlapQueue:
		r.dueQueueing(e, at)
	default:
		for at <= r.now && r.claim(e, at) {
			at = nextAfter(e.sched, at)
		}
	}
}

// dueSkipping fires one instant if nothing of the task runs, and skips the rest
// as one range.
func (r *round) dueSkipping(e *entry, at int64) {
	if at > r.now {
		return
	}
	if !r.running(e) {
		if !r.claim(e, at) {
			return
		}
		at = nextAfter(e.sched, at)
	}
	if at > r.now || r.over() {
		return
	}
	r.skipRange(e, at-1, r.now, task.ReasonOverlap)
}

// dueQueueing fires one instant if nothing of the task runs or waits, and
// defers the rest, as many as may wait.
func (r *round) dueQueueing(e *entry, at int64) {
	free := r.queued(e) == 0 && !r.running(e)
	for at <= r.now && !r.over() {
		switch {
		case free:
			if !r.claim(e, at) {
				return
			}
			free = false
		case r.queued(e) < r.s.rules.Queue:
			r.deferTo(e, at, at, task.ReasonQueued)
		default:
			r.skipRange(e, at-1, r.now, task.ReasonOverlap)
			return
		}
		at = nextAfter(e.sched, at)
	}
}

// missed applies the misfire policy to the instants after base and up to end,
// which are too late to simply fire. It gives the new base; false: the rest has
// to wait for the next round.
func (r *round) missed(e *entry, base, end int64) (int64, bool) {
	switch e.info.Misfire {
	case task.MisfireSkip:
		return r.skipRange(e, base, end, task.ReasonMissed), !r.over()
	case task.MisfireFireAll:
		return r.catchUp(e, base, end)
	default:
		return r.merge(e, base, end)
	}
}

// skipRange skips what is due after base and up to end, as one record, and
// gives the new base.
func (r *round) skipRange(e *entry, base, end int64, why task.Reason) int64 {
	first := nextAfter(e.sched, base)
	if first > end || r.over() {
		return base
	}
	last := lastUpTo(e.sched, base, end)
	r.skip(e, first, last, countUpTo(e.sched, base, end), why)
	return last
}

// merge is fire-once: the last missed instant fires, and stands for those
// before it.
func (r *round) merge(e *entry, base, end int64) (int64, bool) {
	last := lastUpTo(e.sched, base, end)
	r.skipRange(e, base, last-1, task.ReasonReplaced)
	switch {
	case r.over():
		return base, false
	case e.info.Overlap == task.OverlapSkip && r.running(e):
		r.skip(e, last, last, 1, task.ReasonOverlap)
	case e.info.Overlap == task.OverlapQueue && (r.running(e) || r.queued(e) > 0):
		r.deferTo(e, last, last, task.ReasonQueued)
	default:
		return last, r.claim(e, last)
	}
	return last, !r.over()
}

// catchUp is fire-all: the oldest missed instants within the window are
// deferred, to fire spread out; the others are skipped.
func (r *round) catchUp(e *entry, base, end int64) (int64, bool) {
	rules := r.s.rules
	if oldest := r.now - rules.Window.Milliseconds(); oldest <= end {
		base = r.skipRange(e, base, oldest-1, task.ReasonCatchUp)
	}
	start := r.now
	if n := len(e.cur.Deferred); n > 0 {
		start = max(start, e.cur.Deferred[n-1].NotBefore+rules.Spread.Milliseconds())
	}
	for r.queued(e) < rules.CatchUp && !r.over() {
		at := nextAfter(e.sched, base)
		if at > end {
			return base, true
		}
		r.deferTo(e, at, start, task.ReasonMissed)
		start += rules.Spread.Milliseconds()
		base = at
	}
	return r.skipRange(e, base, end, task.ReasonCatchUp), !r.over()
}
