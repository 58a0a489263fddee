package zk

import (
	"testing"
	"time"
)

func TestRollover(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const epoch = 7 << 32
	for name, c := range map[string]struct {
		marks  []writeMark
		used   float64
		perDay float64
		days   float64
	}{
		"nothing is known": {},
		"one write":        {[]writeMark{{epoch | 1<<31, now}}, 0.5, 0, 0},
		"a quarter in two days": {
			[]writeMark{{epoch | 1<<30, ago(48 * time.Hour)}, {epoch | 1<<31, now}, {6<<32 | 5, ago(96 * time.Hour)}},
			0.5, 1 << 29, 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rollover(c.marks)
			if r.Used != c.used || r.PerDay != c.perDay || r.Days != c.days {
				t.Errorf("%+v", r)
			}
		})
	}
}
