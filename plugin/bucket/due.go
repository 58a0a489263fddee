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
	for at <= r.now {
		open, end := e.stretch(at, r.now)
		if !e.open(r.now) {
			open, end = false, r.now // nothing begins after they have closed
		}
		decide := r.inside
		if !open {
			decide = r.outside
		}
		if !decide(e, at, end) || end >= r.now {
			return
		}
		at = nextAfter(e.sched, end)
	}
}

// inside decides what is due from at up to end, within the task's windows. False:
// the rest has to wait for the next round.
func (r *round) inside(e *entry, at, end int64) bool {
	switch e.info.Overlap {
	case task.OverlapSkip:
		return r.dueSkipping(e, at, end)
	case task.OverlapQueue:
		return r.dueQueueing(e, at, end)
	}
	for at <= end {
		if !r.claim(e, at) {
			return false
		}
		at = nextAfter(e.sched, at)
	}
	return true
}

// dueSkipping fires one instant if nothing of the task runs, and skips the rest
// as one range.
func (r *round) dueSkipping(e *entry, at, end int64) bool {
	if !r.running(e) {
		if !r.claim(e, at) {
			return false
		}
		at = nextAfter(e.sched, at)
	}
	if at <= end {
		r.skipRange(e, at-1, end, task.ReasonOverlap)
	}
	return !r.over()
}

// dueQueueing fires one instant if nothing of the task runs or waits, and
// defers the rest, as many as may wait.
func (r *round) dueQueueing(e *entry, at, end int64) bool {
	free := r.queued(e) == 0 && !r.running(e)
	for at <= end && !r.over() {
		switch {
		case free:
			if !r.claim(e, at) {
				return false
			}
			free = false
		case r.queued(e) < r.s.rules.Queue:
			r.deferTo(e, at, at, task.ReasonQueued)
		default:
			r.skipRange(e, at-1, end, task.ReasonOverlap)
			return !r.over()
		}
		at = nextAfter(e.sched, at)
	}
	return !r.over()
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
	last, ok := e.lastToRun(base, end)
	if !ok {
		return r.skipRange(e, base, end, task.ReasonWindow), !r.over()
	}
	r.skipRange(e, base, last-1, task.ReasonReplaced)
	switch {
	case r.over():
		return base, false
	case !e.open(r.now):
		r.outside(e, last, last)
	case e.info.Overlap == task.OverlapSkip && r.running(e):
		r.skip(e, last, last, 1, task.ReasonOverlap)
	case e.info.Overlap == task.OverlapQueue && (r.running(e) || r.queued(e) > 0):
		r.deferTo(e, last, last, task.ReasonQueued)
	case !r.claim(e, last):
		return last, false
	}
	return r.skipRange(e, last, end, task.ReasonWindow), !r.over()
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
		if open, until := e.stretch(at, end); !open {
			if base = until; !r.outside(e, at, until) {
				return base, false
			}
			continue
		}
		r.deferTo(e, at, start, task.ReasonMissed)
		start += rules.Spread.Milliseconds()
		base = at
	}
	return r.skipRange(e, base, end, task.ReasonCatchUp), !r.over()
}
