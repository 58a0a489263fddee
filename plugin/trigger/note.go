package trigger

import (
	"fmt"
	"math"
	"time"
)

// Note says what a change of clocks does to an instant that Next gave: that
// the time on the wall is missing that day, or comes twice. Empty: nothing.
func (t Trigger) Note(at time.Time) string {
	if t.cron == nil {
		return ""
	}
	return t.cron.Note(at.Add(-t.Jitter()), t.Zone())
}

// Note says what a change of clocks does to an instant that Next gave in that
// zone: "02:30 does not exist (clock +1h): fires at 03:00". Empty: nothing.
func (c *Cron) Note(at time.Time, zone *time.Location) string {
	if c.every > 0 || c.secs == 0 {
		return ""
	}
	t := at.Unix()
	s := spanAt(t, zone)
	local := t + s.offset
	if s.start != math.MinInt64 && t < s.start+maxShift {
		before := spanAt(s.start-1, zone)
		shown := s.shown(zone)
		if t == s.start && shown < local && !c.elapsed {
			if missing := c.missing(shown, local); missing != "" {
				return fmt.Sprintf("%s (clock %s): fires at %s", missing, shift(before, s), clockText(local))
			}
		}
		if local < shown {
			return fmt.Sprintf("%s happens twice (clock %s): this is the second", clockText(local), shift(before, s))
		}
	}
	if s.end == math.MaxInt64 {
		return ""
	}
	after := spanAt(s.end, zone)
	if local < after.start+after.offset {
		return ""
	}
	which := "fires at the first"
	if c.elapsed {
		which = "this is the first"
	}
	return fmt.Sprintf("%s happens twice (clock %s): %s", clockText(local), shift(s, after), which)
}

// missing names the matching local seconds from a up to, not including, b; it
// is empty when there are none.
func (c *Cron) missing(a, b int64) string {
	n := c.countLocal(a, b)
	if n == 0 {
		return ""
	}
	first, _ := c.nextLocal(a)
	text := clockText(first)
	if floorDiv(first, secondsPerDay) != floorDiv(b, secondsPerDay) {
		text = time.Unix(first, 0).UTC().Format(time.DateOnly) + " " + text
	}
	switch n {
	case 1:
		return text + " does not exist"
	case 2:
		return text + " and another time do not exist"
	}
	return fmt.Sprintf("%s and %d more times do not exist", text, n-1)
}

// shift writes by how much the clock was moved: "+1h", "-30m".
func shift(from, to span) string {
	d := time.Duration(to.offset-from.offset) * time.Second
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	text := ""
	if h := d / time.Hour; h > 0 {
		text = fmt.Sprintf("%dh", h)
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		text += fmt.Sprintf("%dm", m)
	}
	if s := d % time.Minute / time.Second; s > 0 {
		text += fmt.Sprintf("%ds", s)
	}
	return sign + text
}
