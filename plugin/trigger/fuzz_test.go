package trigger

import (
	"strings"
	"testing"
	"time"
)

// FuzzParse: no text makes ParseCron panic; what it accepts gives instants
// that end or go up strictly, lie on times that match when the text is read a
// second time, and can be described.
func FuzzParse(f *testing.F) {
	for i, expr := range []string{
		"0 30 2 * * ?", "0 0/5 9-17 ? * MON-FRI", "* * * * * ?", "0 0 0 29 2 ?", "0 0 0 30 2 ?", "0 0 12 L-3 * ?", "0 0 12 LW * ?",
		"0 0 12 15W * ?", "0 0 12 31W * ? 2030/3", "0 0 12 ? * FRI#2", "0 0 12 ? * 6L", "0 0 22-2 ? NOV-FEB FRI-MON", "0 50-10/10 * * * ?",
		"0 2,3 */2 1,15 JAN,5 ? 2024-2030,2040 x", "*/5 8-17 * * 1-5", "0 0 13 * 5-7", "0 0 */2 * SUN", "@daily", "@every 1h30m", "@every 1ns",
		"/20 * * * * ?", "0 0 12 ? * L", "0 0 12 L-30W * ?", "", "\x00", "@", "0 0 12 ? * ÄÖÜ", "0 60 * * * ?", "9999999999999999999 * * * * ?",
	} {
		f.Add(expr, uint8(i), int64(1_700_000_000+i*40_000_000))
	}
	f.Fuzz(func(t *testing.T, expr string, zoneIndex uint8, after int64) {
		c, err := ParseCron(expr)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Fatalf("%q: the error is not one plain line: %q", expr, err)
			}
			return
		}
		if c.Describe() == "" {
			t.Fatalf("%q: no description", expr)
		}
		e := c.Explain()
		if e.Expression != expr {
			t.Fatalf("%q is explained as %q", expr, e.Expression)
		}
		zone, err := LoadZone(judgedZones[int(zoneIndex)%len(judgedZones)])
		if err != nil {
			t.Fatal(err)
		}
		// From 1975 on, when all these zones had come to whole minutes.
		after = 157766400 + floorMod(after, 10_000_000_000)
		if c.Form() != FormQuartz && c.Form() != FormCrontab {
			return
		}
		j := newJudge(expr, zone)
		begin := after
		for range 3 {
			next, ok := c.next(after, zone)
			if !ok {
				break
			}
			if next <= after {
				t.Fatalf("%q in %s: %d after %d", expr, zone, next, after)
			}
			at := time.Unix(next, 0).In(zone)
			if !j.shows(at) && (c.elapsed || !j.gap(next)) {
				t.Fatalf("%q in %s fires at %s", expr, zone, at)
			}
			if n := c.count(after, next, zone); n != 1 {
				t.Fatalf("%q in %s: %d firings after %d up to the next, %d", expr, zone, n, after, next)
			}
			after = next
		}
		if after == begin && c.count(begin, begin+10*365*86400, zone) != 0 {
			t.Fatalf("%q in %s: never fires after %d, yet firings are counted", expr, zone, begin)
		}
	})
}
