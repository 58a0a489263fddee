package bucket

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Next is when Decide has something to decide, by the wall clock. False:
// nothing is armed. It may be in the past.
func (s *State) Next() (time.Time, bool) {
	if !s.asked {
		if _, idle := s.idleRequests(); !idle {
			return time.Time{}, true
		}
	}
	if len(s.wakes) == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(s.wakes[0].wake), true
}

// rearm puts the entry on the heap at the time at which it needs attention.
func (s *State) rearm(e *entry) {
	if !e.dead {
		s.wakes.set(e, s.wakeOf(e))
	}
}

func (s *State) wakeOf(e *entry) int64 {
	if e.arriving() {
		return 0
	}
	if end, over := e.ended(); over {
		return e.wakeEnded(end)
	}
	wake := never
	for _, o := range e.cur.Open {
		wake = min(wake, o.wake(e.info.Paused))
	}
	if e.overdue() || e.info.Paused && len(e.cur.Deferred) > 0 {
		return 0
	}
	if e.leaving() {
		if e.held() {
			return wake
		}
		return 0
	}
	if e.info.Paused {
		if until := e.info.PauseUntil; until != nil {
			wake = min(wake, until.UnixMilli())
		}
		return wake
	}
	start := from(e.info)
	if len(e.cur.Deferred) > 0 {
		head := e.cur.Deferred[0]
		switch {
		case head.At <= start:
			return 0
		case e.shut == nil && (e.info.Overlap != task.OverlapQueue || len(e.cur.Open) == 0):
			wake = min(wake, e.opening(head.NotBefore, s.lately))
		}
	}
	if e.shut == nil {
		wake = min(wake, e.nextFrom(max(e.cur.Decided, start)))
	}
	if _, deadline := e.silence(); deadline > 0 {
		wake = min(wake, deadline)
	}
	return wake
}

// wakeEnded is when a deleted or replaced task needs attention: at once, unless
// all that is left are open claims.
func (e *entry) wakeEnded(end int64) int64 {
	if len(e.cur.Deferred) > 0 || len(e.cur.Open) == 0 {
		return 0
	}
	if first, _ := e.unfinished(end); first != 0 {
		return 0
	}
	wake := never
	for _, o := range e.cur.Open {
		wake = min(wake, o.wake(false))
	}
	return wake
}

// wake is when the claim can be attempted again, or given up.
func (o *Open) wake(paused bool) int64 {
	switch {
	case o.held:
		return never
	case o.awaits():
		return o.RetryAt // a pause does not move a deadline
	case o.Settled && !paused:
		return o.RetryAt
	case o.Settled:
		return never
	case paused && o.Delivery != task.AtMostOnce:
		return never
	default:
		return o.due
	}
}

// overdue tells whether instants up to the definition's From are undecided.
func (e *entry) overdue() bool { return e.past != nil && e.cur.Decided < from(e.info) }

// unfinished gives the first and the number of the undecided instants up to the
// task's end; zeros if there are none.
func (e *entry) unfinished(end int64) (first int64, n int) {
	base := e.cur.Decided
	if base >= end {
		return 0, 0
	}
	if e.overdue() {
		first, base = min(nextAfter(e.past, base), from(e.info)), from(e.info)
		n = countUpTo(e.past, e.cur.Decided, base)
	}
	if next := nextAfter(e.sched, base); next <= end {
		n = min(n+countUpTo(e.sched, base, end), MaxCount)
		if first == 0 {
			first = next
		}
	}
	return first, n
}

// nextFrom is the first instant after base, or never.
func (e *entry) nextFrom(base int64) int64 {
	if e.sched == nil {
		return never
	}
	if e.nextOf != base || e.next == 0 {
		e.nextOf, e.next = base, nextAfter(e.sched, base)
	}
	return e.next
}

// silence is the After of the next silent alert that is not raised yet, and
// when it is to be, in milliseconds; zeros if there is none.
func (e *entry) silence() (after, deadline int64) {
	for _, a := range e.info.Alerts {
		ms := time.Duration(a.After).Milliseconds()
		if a.On == task.AlertSilent && ms > e.cur.Alerted && (after == 0 || ms < after) {
			after = ms
		}
	}
	if after == 0 || e.info.Paused {
		return 0, 0
	}
	since := max(e.cur.LastOK, from(e.info))
	if len(e.cur.Open) == 0 && e.nextFrom(max(e.cur.Decided, from(e.info))) == never {
		return 0, 0 // finished: it is silent for good
	}
	return after, since + after
}

// Parked tells whether something that is due waits for a reason outside the
// state, such as a worker. Next does not report it: Decide looks at it again.
func (s *State) Parked() bool { return len(s.parked) > 0 }
