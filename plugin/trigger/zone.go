package trigger

import (
	"math"
	"time"
)

// maxShift is more than any two offsets of one zone differ by, in seconds: a
// zone that crosses the date line moves by a day.
const maxShift = 27 * 3600

// span is a stretch of time in which a zone's clocks run on undisturbed. All
// in Unix seconds; end is the first instant after it.
type span struct {
	start, end int64 // math.MinInt64 and math.MaxInt64: no bound
	offset     int64 // local second minus instant
}

// spanAt gives the span that t lies in, or a part of it that holds t.
func spanAt(t int64, zone *time.Location) span {
	at := time.Unix(t, 0).In(zone)
	_, offset := at.Zone()
	s := span{math.MinInt64, math.MaxInt64, int64(offset)}
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		s.start = start.Unix()
	}
	if !end.IsZero() {
		s.end = end.Unix()
	}
	if s.end <= t {
		// Where a zone's rule takes over from its table, after 2037, package time
		// lets the year end after 365 days: on the last day of a leap year the
		// end it gives is past. Nothing changes on that day.
		s.end = (floorDiv(t, secondsPerDay) + 1) * secondsPerDay
	}
	return s
}

// shown is the first local second that no clock of the zone had passed when
// the span began. Above start+offset: the span begins with an overlap and
// shows what was shown before. Below: it begins with a gap.
func (s span) shown(zone *time.Location) int64 {
	if s.start == math.MinInt64 {
		return math.MinInt64
	}
	before := spanAt(s.start-1, zone)
	top := before.end + before.offset
	// More than one step back matters only where clocks were changed twice
	// within a day.
	for before.start > s.start-maxShift {
		before = spanAt(before.start-1, zone)
		top = max(top, before.end+before.offset)
	}
	return top
}

// last is the last local second of the span.
func (s span) last() int64 {
	if s.end == math.MaxInt64 {
		return math.MaxInt64
	}
	return s.end + s.offset - 1
}

// next gives the first instant after `after` at which the expression fires.
// Each turn of the loop either leaves a span for the next or jumps to a day
// before the next matching local time, of which there is one; so it ends.
func (c *Cron) next(after int64, zone *time.Location) (int64, bool) {
	if c.secs == 0 { // the zero value
		return 0, false
	}
	// Nothing matches before MinYear, and offsets beyond the horizon are never asked for.
	after = max(after, localUnix(MinYear, 1, 1)-maxShift)
	for t := after + 1; ; {
		s := spanAt(t, zone)
		from := t + s.offset
		if !c.elapsed && (s.start != math.MinInt64 && t < s.start+maxShift) {
			shown := s.shown(zone)
			if t == s.start && shown < from {
				if m, ok := c.nextLocal(shown); ok && m < from {
					return t, true // missing times fire at the end of their gap
				}
			}
			from = max(from, shown)
		}
		m, ok := c.nextLocal(from)
		if ok && m <= s.last() {
			return m - s.offset, true
		}
		if s.end == math.MaxInt64 {
			return 0, false
		}
		t = s.end
		if c.elapsed {
			// A clock that is put back may show a matching time again.
			if again, found := c.nextLocal(from - maxShift); found && (!ok || again != m) {
				continue
			}
		}
		if !ok {
			return 0, false
		}
		t = max(t, m-s.offset-maxShift)
	}
}

// count counts the firings after a and up to b. It looks once at each change
// of clocks and each month between them.
func (c *Cron) count(a, b int64, zone *time.Location) int64 {
	a = max(a, localUnix(MinYear, 1, 1)-maxShift)
	b = min(b, localUnix(MaxYear+1, 1, 1)+maxShift)
	var n int64
	for t := a + 1; t <= b; {
		s := spanAt(t, zone)
		from, to := t+s.offset, min(s.last(), b+s.offset)+1
		if !c.elapsed && (s.start != math.MinInt64 && t < s.start+maxShift) {
			shown := s.shown(zone)
			if t == s.start && shown < from && c.countLocal(shown, from) > 0 && c.countLocal(from, from+1) == 0 {
				n++
			}
			from = max(from, shown)
		}
		n += c.countLocal(from, to)
		if s.end == math.MaxInt64 {
			break
		}
		t = s.end
	}
	return n
}
