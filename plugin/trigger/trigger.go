package trigger

import (
	"hash/fnv"
	"iter"
	"math"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Trigger answers when one task fires. It is a small value, made by a
// Compiler, immutable and safe for concurrent use. Its instants are whole
// milliseconds in the zone of the task, jitter included. The zero value never
// fires.
type Trigger struct {
	cron *Cron // nil: the instants are anchor + k*every for k from 0 to more
	zone *time.Location
	// Nothing fires before first or after last, jitter included.
	first, last int64
	anchor      int64
	every       int64 // above 0 where more is not 0
	more        int64 // firings after the one at anchor
	jitter      int64
}

// All times inside are Unix milliseconds.

const (
	dawn    = -2 * secondsPerDay * 1000 // before MinYear began anywhere
	horizon = 10_413_792_000_000 - 1    // the end of MaxYear, UTC
	never   = int64(math.MaxInt64)      // of a task that does not fire
)

// Next is the first scheduled instant strictly after `after`; false: never
// again.
func (t Trigger) Next(after time.Time) (time.Time, bool) {
	ms := t.next(milli(after))
	if ms == never {
		return time.Time{}, false
	}
	return t.time(ms), true
}

// All gives the scheduled instants after `after` and up to and including upTo,
// in order. There may be millions: the caller sets the limit by leaving the
// loop.
func (t Trigger) All(after, upTo time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		end := milli(upTo)
		for ms := t.next(milli(after)); ms <= end && ms != never; ms = t.next(ms) {
			if !yield(t.time(ms)) {
				return
			}
		}
	}
}

// Last is the last scheduled instant after `after` and up to and including
// upTo; false: there is none. It costs the logarithm of the time between the
// two, however many instants lie there.
func (t Trigger) Last(after, upTo time.Time) (time.Time, bool) {
	lo, end := max(milli(after), t.first-1), min(milli(upTo), t.last)
	found := never
	if lo < end {
		found = t.next(lo)
	}
	if found > end || found == never {
		return time.Time{}, false
	}
	if t.cron == nil {
		k := t.index(end)
		return t.time(t.anchor + k*t.every + t.jitter), true
	}
	// Search for the latest time after which something is still to come by end:
	// first in steps that double back from end, then by halves.
	lo = found
	hi := end
	for step := int64(1000); hi-step > lo; step *= 2 {
		if ms := t.next(hi - step); ms <= end {
			lo, found = ms, ms
			break
		}
		hi -= step
	}
	for lo < hi {
		mid := lo + (hi-lo)/2
		if ms := t.next(mid); ms <= end {
			lo, found = ms, ms
		} else {
			hi = mid
		}
	}
	return t.time(found), true
}

// Count is the number of scheduled instants after `after` and up to and
// including upTo. It does not visit them: an interval is arithmetic, and a
// cron expression costs a few nanoseconds for each month and a microsecond for
// each change of clocks between the two.
func (t Trigger) Count(after, upTo time.Time) int {
	lo, end := max(milli(after), t.first-1), min(milli(upTo), t.last)
	if lo >= end || t.zone == nil {
		return 0
	}
	if t.cron == nil {
		return int(t.index(end) - t.index(lo))
	}
	return int(t.cron.count(floorDiv(lo-t.jitter, 1000), floorDiv(end-t.jitter, 1000), t.zone))
}

// Zone is where the task's wall clock hangs.
func (t Trigger) Zone() *time.Location {
	if t.zone == nil {
		return time.UTC
	}
	return t.zone
}

// Jitter is by how much every instant lies later than the definition says.
func (t Trigger) Jitter() time.Duration { return time.Duration(t.jitter) * time.Millisecond }

func (t Trigger) next(after int64) int64 {
	after = max(after, t.first-1)
	ms := never
	switch {
	case after >= t.last || t.zone == nil:
		return never
	case t.cron != nil:
		if s, ok := t.cron.next(floorDiv(after-t.jitter, 1000), t.zone); ok {
			ms = s*1000 + t.jitter
		}
	default:
		if k := t.index(after) + 1; k <= t.more {
			ms = t.anchor + k*t.every + t.jitter
		}
	}
	if ms > t.last {
		return never
	}
	return ms
}

// index is the number of the last instant of an interval at or before ms; the
// one at anchor is 0, and -1 lies before it.
func (t Trigger) index(ms int64) int64 {
	since := ms - t.anchor - t.jitter
	switch {
	case since < 0:
		return -1
	case t.more == 0:
		return 0
	}
	return min(since/t.every, t.more)
}

func (t Trigger) time(ms int64) time.Time { return time.UnixMilli(ms).In(t.Zone()) }

// milli cuts to milliseconds, within what a trigger can mean.
func milli(at time.Time) int64 {
	if at.Before(time.UnixMilli(dawn)) {
		return dawn
	}
	if at.After(time.UnixMilli(horizon)) {
		return horizon
	}
	return at.UnixMilli()
}

// jitterOf draws from the uid an amount from 0 up to, not including, limit.
func jitterOf(uid string, limit task.Duration) int64 {
	ms := time.Duration(limit).Milliseconds()
	if ms <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(uid))
	// The low bits of FNV are poor for short texts: mix them (splitmix64).
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return int64((x ^ x>>31) % uint64(ms))
}
