package bucket

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// consult lets the windows of all tasks follow a new book.
func (s *State) consult(book *calendar.Book) {
	s.book = book
	for _, e := range s.entries {
		if e.info != nil && e.info.Windows != nil {
			e.consult(book)
			s.rearm(e)
		}
	}
}

func (e *entry) consult(book *calendar.Book) {
	e.windows, e.shut = book.Windows(e.info.Windows)
}

// gate are the windows that the task itself is held to; nil: none.
func (e *entry) gate() *calendar.Windows {
	if e.windows.Outside() == task.OutsideAgent {
		return nil
	}
	return e.windows
}

// open tells whether a run may be claimed now.
func (e *entry) open(now int64) bool { return e.gate().Open(time.UnixMilli(now)) }

// stretch tells whether the task's windows are open at an instant, and up to when,
// at most limit, that is so.
func (e *entry) stretch(at, limit int64) (open bool, end int64) {
	w := e.gate()
	if w == nil {
		return true, limit
	}
	open, until := w.Stretch(time.UnixMilli(at), time.UnixMilli(limit))
	return open, until.UnixMilli()
}

// opening is when what must not run before an instant, and has not by lately, may.
func (e *entry) opening(notBefore, lately int64) int64 {
	w := e.gate()
	if w == nil {
		return notBefore
	}
	at, _ := w.Opening(time.UnixMilli(max(notBefore, lately)))
	if at.IsZero() {
		return never
	}
	return max(notBefore, at.UnixMilli())
}

// outside decides what is due from at up to end, outside the task's windows. What
// is deferred waits for the opening as the calendars say it then. False: the rest
// has to wait for the next round.
func (r *round) outside(e *entry, at, end int64) bool {
	most := 0
	switch e.windows.Outside() {
	case task.OutsideDefer:
		most = r.s.rules.Queue
	case task.OutsideOnce:
		most = 1
	}
	for at <= end && r.queued(e) < most && !r.over() {
		r.deferTo(e, at, r.now, task.ReasonWindow)
		at = nextAfter(e.sched, at)
	}
	if at <= end {
		r.skipRange(e, at-1, end, task.ReasonWindow)
	}
	return !r.over()
}

// maxInside bounds the search for an instant that is not skipped.
const maxInside = 1000

// nextInside is the first instant after base that is not skipped as outside the
// task's windows, or never.
func (e *entry) nextInside(base int64) int64 {
	if e.shut != nil {
		return never
	}
	at, w := e.nextFrom(base), e.gate()
	if w == nil || w.Outside() != task.OutsideSkip {
		return at
	}
	for range maxInside {
		if at == never || w.Open(time.UnixMilli(at)) {
			return at
		}
		opening, _ := w.Opening(time.UnixMilli(at))
		if opening.IsZero() {
			return never
		}
		at = nextAfter(e.sched, opening.UnixMilli()-1)
	}
	return at
}

// lookBack is the first step back in the search for an instant inside windows.
const lookBack = time.Hour

// lastToRun is the last instant after base and up to end that is to run: the last
// there is, unless what is outside never runs. False: there is none.
func (e *entry) lastToRun(base, end int64) (int64, bool) {
	last := lastUpTo(e.sched, base, end)
	w := e.gate()
	if w == nil || w.Outside() != task.OutsideSkip || last == base {
		return last, last != base
	}
	// Look through ever longer times, the latest first.
	for step := lookBack.Milliseconds(); end > base; step *= 4 {
		from := max(base, end-step)
		if found := lastInside(e.sched, w, from, end); found > from {
			return found, true
		}
		end = from
	}
	return 0, false
}

// lastInside is the last instant of a schedule inside windows, after base and up to
// end, or base.
func lastInside(s Schedule, w *calendar.Windows, base, end int64) int64 {
	found := base
	for at := base + 1; at <= end; {
		open, until := w.Stretch(time.UnixMilli(at), time.UnixMilli(end))
		if open {
			after := max(found, at-1)
			if last := lastUpTo(s, after, until.UnixMilli()); last > after {
				found = last
			}
		}
		at = until.UnixMilli() + 1
	}
	return found
}
