package engine_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// brute says by trying every second (or every step of an interval) which
// instants of a definition lie after lo and not after hi, in Unix milliseconds.
// It shares nothing with package trigger.
func brute(info task.Info, lo, hi int64) []int64 {
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
			fmt.Sscanf(body, "%d-%d", &low, &high)
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

// The judge's list of instants and the one that the engine goes by are written
// apart; where they differ, one of them is wrong.
func TestBruteForceAgrees(t *testing.T) {
	t.Parallel()
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	end := from.Add(3 * time.Minute)
	var compiler trigger.Compiler
	for _, info := range []task.TriggerInfo{
		{Cron: "* * * * * ?"},
		{Cron: "0/5 * * * * ?"},
		{Cron: "3,10-20/3,59 * * * * ?", TZ: "Asia/Kolkata"},
		{Cron: "15 1/2 * * * ?"},
		{Interval: task.Duration(1500 * time.Millisecond), Count: -1, Start: from.Add(-time.Minute)},
		{Interval: task.Duration(time.Second), Count: 9, Start: from.Add(20 * time.Second)},
		{At: from.Add(time.Minute)},
		{Cron: "* * * * * ?", Start: from.Add(9 * time.Second), End: from.Add(20 * time.Second)},
	} {
		tr, err := compiler.Compile(info, from, "uid")
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for at := range tr.All(from, end) {
			got = append(got, at.UnixMilli())
		}
		want := brute(task.Info{From: from, Trigger: info}, 0, end.UnixMilli())
		if fmt.Sprint(got) != fmt.Sprint(want) || len(want) == 0 {
			t.Errorf("%v: trigger %v, brute force %v", info, got, want)
		}
	}
}
