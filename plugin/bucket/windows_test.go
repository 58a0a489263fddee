package bucket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// bookOf has one calendar "c", open from second to second of the day of dawn.
func bookOf(t *testing.T, revision int64, spans ...[2]int) *calendar.Book {
	t.Helper()
	d := calendar.Definition{Name: "c"}
	for _, s := range spans {
		d.Weekly = append(d.Weekly, "sat "+second(s[0]).Format(time.TimeOnly)+"-"+second(s[1]).Format(time.TimeOnly))
	}
	c, err := calendar.Compile(d)
	if err != nil {
		t.Fatal(err)
	}
	return &calendar.Book{Revision: revision, Calendars: map[string]*calendar.Calendar{"c": c}}
}

// windowed is a bench whose task may run in the spans alone.
func windowed(t *testing.T, outside task.Outside, change func(*task.Info), spans ...[2]int) *bench {
	t.Helper()
	b := newBench(t, func(i *task.Info) {
		i.Windows = &task.Windows{Allow: []string{"c"}, Outside: outside}
		if change != nil {
			change(i)
		}
	})
	b.book = bookOf(t, 1, spans...)
	b.restart()
	return b
}

func (b *bench) expect(now time.Time, want string) {
	b.t.Helper()
	if got := b.at(now); got != want {
		b.t.Errorf("at %s: %q, want %q", now.Format(time.TimeOnly), got, want)
	}
}

// wakes tells when the state wants to be asked again.
func (b *bench) wakes(want time.Time) {
	b.t.Helper()
	if next, ok := b.s.Next(); !ok || !next.Equal(want) {
		b.t.Errorf("next is %s, %t; want %s", next.UTC(), ok, want)
	}
}

func fired(n int) func(*task.Info) {
	return func(i *task.Info) { i.Trigger = task.TriggerInfo{Cron: fmt.Sprintf("0/%d * * * * ?", n)} }
}

func TestOutsideIsSkipped(t *testing.T) {
	t.Parallel()
	b := windowed(t, "", nil, [2]int{3, 5})
	b.expect(dawn, "SKIP 0 BEFORE_FROM")
	b.expect(second(1), "SKIP 1 CALENDAR_EXCLUDED")
	if v, _ := b.s.View("u"); !v.Next.Equal(second(3)) {
		t.Errorf("the next that is not skipped is %s", v.Next)
	}
	b.expect(second(2), "SKIP 2 CALENDAR_EXCLUDED")
	b.expect(second(3), "CLAIM 3")
	b.expect(second(4), "CLAIM 4")
	b.expect(second(5), "SKIP 5 CALENDAR_EXCLUDED")
	b.expect(second(7), "SKIP 6-7 CALENDAR_EXCLUDED")
	b.restart()
	b.expect(second(8), "RECLAIM 3 #2, RECLAIM 4 #2, SKIP 8 CALENDAR_EXCLUDED")
	var skips []string
	for _, r := range b.s.Runs("u") {
		if r.Reason == task.ReasonWindow {
			skips = append(skips, fmt.Sprint(r.Skips))
		}
	}
	if got := strings.Join(skips, " "); got != "2 4" {
		t.Errorf("history tells of %s skips, want a line for each time that it was closed: 2 4", got)
	}
}

func TestOutsideIsDeferred(t *testing.T) {
	t.Parallel()
	b := windowed(t, task.OutsideDefer, fired(2), [2]int{5, 7}, [2]int{20, 30})
	b.at(dawn)
	b.expect(second(2), "DEFER 2 CALENDAR_EXCLUDED")
	b.expect(second(4), "DEFER 4 CALENDAR_EXCLUDED")
	b.wakes(second(5))
	b.restart()
	b.wakes(second(5))
	b.expect(second(5), "CLAIM 2, CLAIM 4")
	b.expect(second(6), "CLAIM 6")
	b.expect(second(8), "DEFER 8 CALENDAR_EXCLUDED")
	// An edit opens it sooner.
	b.s.Edit(Changes{Calendars: bookOf(t, 2, [2]int{9, 30})})
	b.wakes(second(9))
	b.expect(second(9), "CLAIM 8")
	b.expect(second(10), "CLAIM 10")
}

func TestOutsideRunsOnce(t *testing.T) {
	t.Parallel()
	b := windowed(t, task.OutsideOnce, nil, [2]int{4, 6}, [2]int{9, 30})
	b.at(dawn)
	b.expect(second(1), "DEFER 1 CALENDAR_EXCLUDED")
	b.expect(second(3), "SKIP 2-3 CALENDAR_EXCLUDED")
	b.expect(second(4), "CLAIM 1, CLAIM 4")
	b.expect(second(5), "CLAIM 5")
	b.expect(second(8), "DEFER 6 CALENDAR_EXCLUDED, SKIP 7-8 CALENDAR_EXCLUDED")
	b.expect(second(9), "CLAIM 6, CLAIM 9")
}

// What was missed is for the misfire policy, and what then is to run for the
// windows.
func TestMissedOutside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		misfire task.Misfire
		outside task.Outside
		now     int
		want    string
	}{
		{"the last one inside", task.MisfireFireOnce, "", 205, "SKIP 10-20 MISFIRE_MERGED, CLAIM 30, SKIP 40-140 CALENDAR_EXCLUDED, SKIP 150-190 CALENDAR_EXCLUDED, CLAIM 200"},
		{"the last one, put off", task.MisfireFireOnce, task.OutsideDefer, 195, "SKIP 10-120 MISFIRE_MERGED, DEFER 130 CALENDAR_EXCLUDED, DEFER 140 CALENDAR_EXCLUDED, DEFER 150 CALENDAR_EXCLUDED, DEFER 160 CALENDAR_EXCLUDED, DEFER 170 CALENDAR_EXCLUDED, DEFER 180 CALENDAR_EXCLUDED, DEFER 190 CALENDAR_EXCLUDED"},
		{"all that are inside", task.MisfireFireAll, "", 195, "DEFER 10 MISFIRE_SKIPPED, DEFER 20 MISFIRE_SKIPPED, DEFER 30 MISFIRE_SKIPPED, SKIP 40-130 CALENDAR_EXCLUDED, SKIP 140-190 CALENDAR_EXCLUDED"},
		{"none", task.MisfireSkip, "", 195, "SKIP 10-130 MISFIRE_SKIPPED, SKIP 140-190 CALENDAR_EXCLUDED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := windowed(t, c.outside, func(i *task.Info) {
				fired(10)(i)
				i.Trigger = task.TriggerInfo{Interval: task.Duration(10 * time.Second), Count: -1, Start: dawn}
				i.Misfire = c.misfire
			}, [2]int{0, 35}, [2]int{200, 300})
			b.at(dawn)
			if got := b.at(second(c.now)); got != c.want {
				t.Errorf("at %d:\n got %s\nwant %s", c.now, got, c.want)
			}
		})
	}
}

func TestWithoutItsCalendarNothingIsDecided(t *testing.T) {
	t.Parallel()
	b := windowed(t, "", nil, [2]int{0, 30})
	b.at(dawn)
	b.expect(second(1), "CLAIM 1")
	b.s.Edit(Changes{Calendars: &calendar.Book{Revision: 2}})
	b.expect(second(3), "")
	v, _ := b.s.View("u")
	if v.Fault == nil || !strings.Contains(v.Fault.Error(), "calendar c does not exist") || !v.Next.IsZero() {
		t.Errorf("view %+v", v)
	}
	if next, ok := b.s.Next(); ok {
		t.Errorf("it wakes at %s for nothing", next)
	}
	b.s.Edit(Changes{Calendars: bookOf(t, 3, [2]int{0, 30})})
	b.expect(second(4), "CLAIM 2, CLAIM 3, CLAIM 4")
}

// A run by hand is not held up; one that follows another is.
func TestRequestsOutside(t *testing.T) {
	t.Parallel()
	ask := func(id string, follows bool) Changes {
		return Changes{Requests: []task.Request{{ID: id, Kind: task.RequestRun, UID: "u", Asked: dawn, Follows: follows}}}
	}
	rare := func(i *task.Info) { i.Trigger = task.TriggerInfo{Cron: task.Never} }
	b := windowed(t, "", rare, [2]int{5, 30})
	b.at(dawn)
	b.s.Edit(ask("hand", false))
	b.expect(second(1), "CLAIM hand")
	b.s.Edit(ask("after", true))
	b.expect(second(2), "SKIP after CALENDAR_EXCLUDED")

	b = windowed(t, task.OutsideDefer, rare, [2]int{5, 30})
	b.at(dawn)
	b.s.Edit(ask("after", true))
	b.expect(second(2), "")
	if !b.s.Parked() {
		t.Error("nobody looks at the request again")
	}
	b.expect(second(5), "CLAIM after")
}

// A call that carries the window is made at any time.
func TestTheAgentKeepsToTheWindow(t *testing.T) {
	t.Parallel()
	b := windowed(t, task.OutsideAgent, nil, [2]int{5, 30})
	b.at(dawn)
	d := b.s.Decide(second(1), b, 10)
	if len(d.Decisions) != 1 || d.Decisions[0].Kind != Claim {
		t.Fatalf("decided %+v", d.Decisions)
	}
	w, ok := d.Decisions[0].Windows.Window(second(1))
	if !ok || !w.From.Equal(second(5)) || !w.Until.Equal(second(30)) {
		t.Errorf("window %+v, %t", w, ok)
	}
}
