package firecheck

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Instants says by trying every second (or every step of an interval) which
// instants of a definition lie after lo and not after hi, in Unix milliseconds.
// It shares nothing with package trigger.
func Instants(info task.Info, lo, hi int64) []int64 {
	t := info.Trigger
	lo = max(lo, info.From.UnixMilli())
	if !t.Start.IsZero() {
		lo = max(lo, t.Start.UnixMilli()-1)
	}
	if !t.End.IsZero() {
		hi = min(hi, t.End.UnixMilli())
	}
	var due []int64
	switch {
	case t.Cron != "":
		zone, err := time.LoadLocation(t.TZ)
		if err != nil {
			return nil
		}
		for s := lo/1000 + 1; s*1000 <= hi; s++ {
			if cronMatches(t.Cron, time.Unix(s, 0).In(zone)) {
				due = append(due, s*1000)
			}
		}
	case t.Interval > 0:
		step := time.Duration(t.Interval).Milliseconds()
		at := t.Start.UnixMilli()
		for k := 0; (t.Count < 0 || k <= t.Count) && at <= hi; k++ {
			if at > lo {
				due = append(due, at)
			}
			at += step
		}
	case !t.At.IsZero():
		if at := t.At.UnixMilli(); at > lo && at <= hi {
			due = append(due, at)
		}
	}
	return due
}

// cronMatches tells whether a second is one of a Quartz expression of stars,
// question marks, numbers, ranges, steps and lists.
func cronMatches(expr string, at time.Time) bool {
	values := []int{at.Second(), at.Minute(), at.Hour(), at.Day(), int(at.Month()), int(at.Weekday()) + 1}
	for i, field := range strings.Fields(expr) {
		if !fieldMatches(field, values[i]) {
			return false
		}
	}
	return true
}

func fieldMatches(field string, value int) bool {
	for part := range strings.SplitSeq(field, ",") {
		body, stepText, stepped := strings.Cut(part, "/")
		step, _ := strconv.Atoi(stepText)
		low, high := 0, 99
		switch {
		case body == "*" || body == "?":
		case strings.Contains(body, "-"):
			from, to, _ := strings.Cut(body, "-")
			low, _ = strconv.Atoi(from)
			high, _ = strconv.Atoi(to)
		default:
			low, _ = strconv.Atoi(body)
			if !stepped {
				high = low
			}
		}
		if value >= low && value <= high && (!stepped || (value-low)%step == 0) {
			return true
		}
	}
	return false
}
