package trigger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// from is the instant at which the tasks of these tests were created.
var from = time.Date(2026, 11, 23, 12, 0, 0, 250e6, time.UTC)

func compile(tb testing.TB, info task.TriggerInfo) Trigger {
	tb.Helper()
	var c Compiler
	tr, err := c.Compile(info, from, "u1")
	if err != nil {
		tb.Fatalf("%+v: %v", info, err)
	}
	return tr
}

func every(d time.Duration) task.Duration { return task.Duration(d) }

// after gives the instants as their distance from `from`.
func after(tr Trigger, at time.Time, n int) string {
	var out []string
	for range n {
		next, ok := tr.Next(at)
		if !ok {
			out = append(out, "end")
			break
		}
		out = append(out, next.Sub(from).String())
		at = next
	}
	return strings.Join(out, " ")
}

func TestInstants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		info task.TriggerInfo
		want string
	}{
		{"at once and for ever", task.TriggerInfo{Interval: every(time.Second), Count: -1}, "1ms 1.001s 2.001s 3.001s 4.001s"},
		{"once", task.TriggerInfo{Interval: every(time.Second)}, "1ms end"},
		{"once without an interval", task.TriggerInfo{}, "1ms end"},
		{"n more", task.TriggerInfo{Interval: every(time.Second), Count: 2}, "1ms 1.001s 2.001s end"},
		{"start", task.TriggerInfo{Interval: every(time.Second), Count: 1, Start: from.Add(20 * time.Second)}, "20s 21s end"},
		{"start in the past keeps the grid and the count", task.TriggerInfo{Interval: every(time.Minute), Count: 4, Start: from.Add(-150 * time.Second)}, "30s 1m30s end"},
		{"start now is past", task.TriggerInfo{Interval: every(time.Minute), Count: 1, Start: from}, "1m0s end"},
		{"end is inclusive", task.TriggerInfo{Interval: every(time.Second), Count: -1, Start: from.Add(time.Second), End: from.Add(3 * time.Second)}, "1s 2s 3s end"},
		{"end just before", task.TriggerInfo{Interval: every(time.Second), Count: -1, Start: from.Add(time.Second), End: from.Add(3*time.Second - 1)}, "1s 2s end"},
		{"at", task.TriggerInfo{At: from.Add(time.Hour)}, "1h0m0s end"},
		{"at in the past", task.TriggerInfo{At: from}, "end"},
		{"cron", task.TriggerInfo{Cron: "0/2 * * * * ?"}, "1.75s 3.75s 5.75s 7.75s 9.75s"},
		{"cron, count for ever", task.TriggerInfo{Cron: "0/2 * * * * ?", Count: -1}, "1.75s 3.75s 5.75s 7.75s 9.75s"},
		{"cron, start is inclusive", task.TriggerInfo{Cron: "* * * * * ?", Start: from.Add(1750 * time.Millisecond), End: from.Add(3750 * time.Millisecond)}, "1.75s 2.75s 3.75s end"},
		{"cron in a zone", task.TriggerInfo{Cron: "0 0 18 * * ?", TZ: "Asia/Kolkata"}, "29m59.75s 24h29m59.75s 48h29m59.75s 72h29m59.75s 96h29m59.75s"},
		{"every, from creation", task.TriggerInfo{Cron: "@every 5m"}, "5m0s 10m0s 15m0s 20m0s 25m0s"},
		{"every, from start", task.TriggerInfo{Cron: "@every 5m", Start: from.Add(time.Second), End: from.Add(6 * time.Minute)}, "1s 5m1s end"},
		{"the horizon", task.TriggerInfo{Interval: every(250 * 365 * 24 * time.Hour), Count: -1, Start: from.Add(time.Second)}, "1s 2190000h0m1s end"},
	} {
		if got := after(compile(t, c.info), from, 5); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		// Nothing is due before from either, whatever the cursor says.
		if got := after(compile(t, c.info), time.Time{}, 5); got != c.want {
			t.Errorf("%s, from the beginning of time: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestZeroTriggerNeverFires(t *testing.T) {
	t.Parallel()
	var tr Trigger
	if at, ok := tr.Next(time.Unix(-5, 0)); ok {
		t.Errorf("fires at %s", at)
	}
	if _, ok := tr.Last(time.Unix(-5, 0), from); ok || tr.Count(time.Unix(-5, 0), from) != 0 {
		t.Error("has fired")
	}
}

// TestPinnedIntervalSurvivesResume: resuming moves from, and neither the
// instants nor their number may move with it.
func TestPinnedIntervalSurvivesResume(t *testing.T) {
	t.Parallel()
	later := from.Add(2500 * time.Millisecond)
	for _, info := range []task.TriggerInfo{
		{Interval: every(time.Second), Count: 4},
		{Cron: "@every 1s"},
		{},
	} {
		pinned := Pin(info, from)
		if got, want := after(compile(t, pinned), from, 4), after(compile(t, info), from, 4); got != want {
			t.Errorf("%+v: pinning changes the instants from %s to %s", info, want, got)
		}
		if !Pin(pinned, later).Start.Equal(pinned.Start) {
			t.Errorf("%+v: pinned twice", info)
		}
		var c Compiler
		resumed, err := c.Compile(pinned, later, "u1")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := after(resumed, later, 10), after(compile(t, pinned), later, 10); got != want {
			t.Errorf("%+v: resumed: %s, want %s", info, got, want)
		}
	}
	for _, info := range []task.TriggerInfo{{Cron: "0 0 12 * * ?"}, {Cron: "nonsense"}, {At: from}, {Interval: 1e9, Start: from}} {
		if got := Pin(info, later); got != info {
			t.Errorf("Pin changes %+v to %+v", info, got)
		}
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	const limit = 30 * time.Second
	var c Compiler
	info := task.TriggerInfo{Cron: "0 * * * * ?", Jitter: every(limit), TZ: "America/New_York"}
	bucket := make([]int, 10)
	for n := range 10_000 {
		uid := fmt.Sprintf("task-%d", n)
		tr, err := c.Compile(info, from, uid)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := c.Compile(info, from, uid)
		j := tr.Jitter()
		if j < 0 || j >= limit || again.Jitter() != j {
			t.Fatalf("%s: jitter %s, then %s", uid, j, again.Jitter())
		}
		bucket[j*10/limit]++
		next, _ := tr.Next(from)
		if want := from.Truncate(time.Minute).Add(j); !next.Equal(want) && !next.Equal(want.Add(time.Minute)) || !next.After(from) {
			t.Fatalf("%s: next is %s with jitter %s", uid, next, j)
		}
		if second, _ := tr.Next(next); second.Sub(next) != time.Minute {
			t.Fatalf("%s: %s follows %s", uid, second, next)
		}
	}
	if slices.Min(bucket) < 850 || slices.Max(bucket) > 1150 {
		t.Errorf("uneven: %v", bucket)
	}
	// End holds for the moved instant too.
	info.Start, info.End = from, from.Truncate(time.Minute).Add(time.Minute)
	for n := range 100 {
		tr, _ := c.Compile(info, from, fmt.Sprint(n))
		if at, ok := tr.Next(info.End.Add(-time.Millisecond)); ok && at.After(info.End) {
			t.Fatalf("fires at %s, after its end", at)
		}
	}
}

// TestNoteOfATask: the note is about the time before jitter.
func TestNoteOfATask(t *testing.T) {
	t.Parallel()
	tr := compile(t, task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "America/New_York", Jitter: every(20 * time.Minute)})
	if tr.Jitter() == 0 {
		t.Fatal("this uid has no jitter: take another")
	}
	at, _ := tr.Next(time.Date(2027, 3, 14, 0, 30, 0, 0, tr.Zone()))
	if got, want := tr.Note(at), "02:30 does not exist (clock +1h): fires at 03:00"; got != want {
		t.Errorf("at %s: got %q, want %q", at, got, want)
	}
	if got := compile(t, task.TriggerInfo{Interval: every(time.Hour), Count: -1}).Note(at); got != "" {
		t.Errorf("an interval: %q", got)
	}
}

// TestRanges compares Last, Count and All with each other over random
// triggers and ranges.
func TestRanges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var c Compiler
	for range 1500 {
		zone := mustZone(t, judgedZones[r.IntN(len(judgedZones))])
		begin := time.Date(1995+r.IntN(60), 1, 1, 0, 0, 0, 0, zone).Add(time.Duration(r.Int64N(366*86400)) * time.Second)
		if _, end := begin.ZoneBounds(); r.IntN(2) == 0 && !end.IsZero() {
			begin = end.Add(-time.Duration(r.Int64N(48*3600)) * time.Second)
		}
		span := time.Duration(r.Int64N(int64(72 * time.Hour)))
		info := task.TriggerInfo{TZ: zone.String()}
		switch r.IntN(4) {
		case 0:
			info.Interval, info.Count = every(time.Duration(1+r.IntN(600))*time.Second), r.IntN(100)-1
		case 1:
			info.Cron, span = draw(r), span*20
		default:
			info.Cron, info.Jitter = draw(r), every(time.Duration(r.IntN(90))*time.Second)
		}
		if r.IntN(4) == 0 {
			info.End = begin.Add(span / 2)
		}
		tr, err := c.Compile(info, begin.Add(-time.Duration(r.IntN(2))*time.Hour), "u")
		if err != nil {
			var wrongField *FieldError
			if errors.As(err, &wrongField) && wrongField.Field == "jitter" {
				continue
			}
			t.Fatal(err)
		}
		upTo := begin.Add(span)
		var want []time.Time
		for at := range tr.All(begin, upTo) {
			if want = append(want, at); len(want) > 20_000 {
				upTo = at
				break
			}
		}
		if got := tr.Count(begin, upTo); got != len(want) {
			t.Fatalf("%+v from %s to %s: counts %d, want %d", info, begin, upTo, got, len(want))
		}
		last, ok := tr.Last(begin, upTo)
		if ok != (len(want) > 0) || ok && !last.Equal(want[len(want)-1]) {
			t.Fatalf("%+v from %s to %s: last is %s %v, want %d: %v", info, begin, upTo, last, ok, len(want), want[max(0, len(want)-1):])
		}
	}
}

// TestRangesOfYears: what a long outage left behind is told without visiting
// it.
func TestRangesOfYears(t *testing.T) {
	t.Parallel()
	tr := compile(t, task.TriggerInfo{Cron: "* * * * * ?", TZ: "America/New_York"})
	end := from.AddDate(200, 0, 0)
	if got, want := tr.Count(from, end), int(end.Unix()-from.Unix()); got != want {
		t.Errorf("counts %d seconds, want %d", got, want)
	}
	if last, ok := tr.Last(from, end); !ok || end.Sub(last) != 250*time.Millisecond {
		t.Errorf("last is %s", last)
	}
	tr = compile(t, task.TriggerInfo{Cron: "0 0 0 29 2 ?", TZ: "America/New_York"})
	if got := tr.Count(from, end); got != 48 { // 2100 and 2200 are no leap years
		t.Errorf("counts %d leap days, want 48", got)
	}
	if last, _ := tr.Last(from, end); last.Year() != 2224 {
		t.Errorf("the last leap day is %s", last)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	hour := every(time.Hour)
	past, soon, later := from.Add(-time.Hour), from.Add(time.Minute), from.Add(2*time.Minute)
	for _, c := range []struct {
		info task.TriggerInfo
		want string // "": accepted
	}{
		{task.TriggerInfo{}, ""},
		{task.TriggerInfo{Interval: hour, Count: -1}, ""},
		{task.TriggerInfo{Interval: hour, Count: 3, Jitter: every(59 * time.Minute), Start: soon, End: later.Add(time.Hour)}, ""},
		{task.TriggerInfo{Cron: "0 0 12 * * ?", Count: -1, TZ: "Europe/London", Jitter: every(23 * time.Hour)}, ""},
		{task.TriggerInfo{Cron: "0 0 12 * * ?", Interval: hour}, "trigger: has more than one of cron, interval and at"},
		{task.TriggerInfo{At: soon, Interval: hour}, "trigger: has more than one of cron, interval and at"},
		{task.TriggerInfo{Interval: -hour}, "interval: -1h0m0s is not a number of milliseconds above 0"},
		{task.TriggerInfo{Interval: 1500}, "interval: 1.5µs is not a number of milliseconds above 0"},
		{task.TriggerInfo{Interval: hour, Count: -2}, "count: -2 is below -1: -1 is for ever, 0 once, n is n+1 times"},
		{task.TriggerInfo{At: soon, Count: 2}, "count: 2 goes with an interval: at fires once"},
		{task.TriggerInfo{Cron: "0 0 12 * * ?", Count: 2}, "count: 2 goes with an interval: a cron expression fires until end"},
		{task.TriggerInfo{Count: 2}, "interval: is needed for count 2; a count of 0 without it fires once"},
		{task.TriggerInfo{Count: -1}, "interval: is needed for count -1; a count of 0 without it fires once"},
		{task.TriggerInfo{Interval: hour, Start: later, End: soon}, "end: 2026-11-23T12:01:00Z is before start 2026-11-23T12:02:00Z"},
		{task.TriggerInfo{Interval: hour, Count: 1, Jitter: hour}, "jitter: 1h0m0s is not below the interval of 1h0m0s"},
		{task.TriggerInfo{Cron: "0 0/5 12 * * ?", Jitter: every(5 * time.Minute)}, "jitter: 5m0s is not below the 5m0s between two firings"},
		{task.TriggerInfo{Cron: "@every 5m", Jitter: every(5 * time.Minute)}, "jitter: 5m0s is not below the 5m0s between two firings"},
		{task.TriggerInfo{Jitter: every(25 * time.Hour)}, "jitter: 25h0m0s is not a number of milliseconds up to 24h0m0s"},
		{task.TriggerInfo{TZ: "Mars/Olympus"}, `tz: "Mars/Olympus" is no time zone: give an IANA name, as UTC or Europe/London`},
		{task.TriggerInfo{TZ: "Local"}, `tz: "Local" is a different zone on every machine: give its IANA name, as Europe/London`},
		{task.TriggerInfo{TZ: "../etc/passwd"}, `tz: "../etc/passwd" is no time zone: give an IANA name, as UTC or Europe/London`},
		{task.TriggerInfo{Cron: "0 0 25 * * ?"}, `cron: hours, column 5: found "25", want 0-23, * / - ,`},
		{task.TriggerInfo{Cron: "0 0 0 30 2 ?"}, "cron: never fires again: no such date lies ahead"},
		{task.TriggerInfo{Cron: "0 0 0 1 1 ? 2020"}, "cron: never fires again: no such date lies ahead"},
		{task.TriggerInfo{Cron: "0 0 12 * * ?", End: soon}, "end: 2026-11-23T12:01:00Z is before the first firing, 2026-11-24T12:00:00Z: it never fires"},
		{task.TriggerInfo{Cron: "0 0 12 * * ?", End: past}, "end: 2026-11-23T11:00:00Z is past: it never fires"},
		{task.TriggerInfo{At: past}, "at: 2026-11-23T11:00:00Z is past: it never fires"},
		{task.TriggerInfo{At: soon, Start: later}, "at: 2026-11-23T12:01:00Z is before start 2026-11-23T12:02:00Z: it never fires"},
		{task.TriggerInfo{Interval: every(time.Minute), Count: 3, Start: past}, "start: 2026-11-23T11:00:00Z and the count lie in the past: it never fires"},
	} {
		var compiler Compiler
		err := compiler.Validate(c.info, from)
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%+v:\n got %s\nwant %s", c.info, got, c.want)
		}
		var field *FieldError
		if err != nil && !errors.As(err, &field) {
			t.Errorf("%+v: %T is no *FieldError", c.info, err)
		}
		var syntax *SyntaxError
		if strings.Contains(c.want, "column") != errors.As(err, &syntax) {
			t.Errorf("%+v: the *SyntaxError is lost, or none was due", c.info)
		}
	}
}

// TestCompilerShares: tasks of one expression and zone hold them once, also
// when many goroutines ask.
func TestCompilerShares(t *testing.T) {
	t.Parallel()
	var c Compiler
	var wg sync.WaitGroup
	got := make([]Trigger, 32)
	for i := range got {
		wg.Go(func() {
			got[i], _ = c.Compile(task.TriggerInfo{Cron: "0 0 12 * * ?", TZ: "Europe/Paris"}, from, fmt.Sprint(i))
		})
	}
	wg.Wait()
	for _, tr := range got {
		if tr.cron == nil || tr.cron != got[0].cron || tr.zone != got[0].zone {
			t.Fatal("two copies of one expression or zone")
		}
	}
	for i := range maxCached + 10 {
		if _, err := c.Compile(task.TriggerInfo{Cron: fmt.Sprintf("%d %d %d 1 %d ?", i%60, i/60%60, i/3600%24, 1+i/86400)}, from, ""); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(c.crons); n > maxCached {
		t.Errorf("%d expressions are kept", n)
	}
}
