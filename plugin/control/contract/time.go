package contract

import (
	"fmt"
	"strings"
	"time"
)

// ParseTime reads RFC 3339, a date, or a distance from now such as +20s. Empty
// clears.
func ParseTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if ahead, ok := strings.CutPrefix(s, "+"); ok {
		d, err := time.ParseDuration(ahead)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q: write a distance like +20s", s)
		}
		return now.Add(d).Truncate(time.Millisecond), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Truncate(time.Millisecond), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: write it like 2027-01-31T06:00:00Z or +20s", s)
}
