package calendar

import (
	"math"
	"slices"
	"sort"
	"time"
)

// piece is what is open and closed by turns. at tells whether it is open at t,
// and a later instant before which that does not change; forever: it never does.
// All in Unix seconds.
type piece interface {
	at(t int64) (open bool, until int64)
}

const (
	forever = int64(math.MaxInt64)
	// maxSteps bounds the search for a change.
	maxSteps = 20_000
)

// change looks for the first instant after t at which p changes. False: it was
// looked up to then in vain.
func change(p piece, t int64) (int64, bool) {
	open, until := p.at(t)
	for range maxSteps {
		if until == forever {
			return forever, false
		}
		now, next := p.at(until)
		if now != open {
			return until, true
		}
		until = next
	}
	return until, false
}

// union is open while any of its pieces is.
type union []piece

func (u union) at(t int64) (bool, int64) {
	open, opens, closes := false, forever, t
	for _, p := range u {
		now, until := p.at(t)
		if now {
			open, closes = true, max(closes, until)
		}
		opens = min(opens, until)
	}
	if open {
		return true, closes
	}
	return false, opens
}

// span is a stretch of time, its end not included.
type span struct{ from, to int64 }

// spans are sorted and do not touch each other.
type spans []span

// merged sorts spans and joins those that touch.
func merged(all []span) spans {
	slices.SortFunc(all, func(a, b span) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	var out spans
	for _, s := range all {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
		} else if s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

func (s spans) at(t int64) (bool, int64) {
	i := sort.Search(len(s), func(i int) bool { return s[i].to > t })
	switch {
	case i == len(s):
		return false, forever
	case t < s[i].from:
		return false, s[i].from
	}
	return true, s[i].to
}

// local is a piece of what the clocks of a zone show: its seconds are those of
// local time.
type local struct {
	piece
	zone *time.Location
}

func (l local) at(t int64) (bool, int64) {
	shown := time.Unix(t, 0).In(l.zone)
	_, offset := shown.Zone()
	open, until := l.piece.at(t + int64(offset))
	if until != forever {
		until -= int64(offset)
	}
	if _, end := shown.ZoneBounds(); !end.IsZero() {
		turn := end.Unix()
		if turn <= t {
			turn = t + day - t%day // package time errs on the last day of some years after 2037
		}
		until = min(until, turn)
	}
	return open, until
}

const (
	day  = int64(24 * 60 * 60)
	week = 7 * day
)

// weekly is open at the same seconds of each week, counted from Monday.
type weekly struct{ spans }

func (w weekly) at(t int64) (bool, int64) {
	const monday = 4 * day // 1970-01-05
	second := (t - monday) % week
	if second < 0 {
		second += week
	}
	open, until := w.spans.at(second)
	if until == forever {
		if len(w.spans) == 0 {
			return false, forever
		}
		until = week // the next one begins afresh
	}
	return open, t - second + until
}

// yearly is open on the same days of each year: month*100 + day.
type yearly map[int]bool

func (y yearly) at(t int64) (bool, int64) {
	date := time.Unix(t, 0).UTC()
	begun := t - int64(date.Hour()*3600+date.Minute()*60+date.Second())
	return y[int(date.Month())*100+date.Day()], begun + day
}
