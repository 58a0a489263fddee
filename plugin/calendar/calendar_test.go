package calendar_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

func compile(t *testing.T, d calendar.Definition) *calendar.Calendar {
	t.Helper()
	c, err := calendar.Compile(d)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	return c
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// changes lists what a calendar does after a time.
func changes(c *calendar.Calendar, after time.Time, n int) []string {
	var out []string
	for range n {
		next, opens, ok := c.Next(after)
		if !ok {
			return append(out, "never")
		}
		sign := "-"
		if opens {
			sign = "+"
		}
		out = append(out, sign+next.Format("Mon 2006-01-02T15:04:05Z07:00"))
		after = next
	}
	return out
}

func TestWhenItOpensAndCloses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		d     calendar.Definition
		after string
		want  []string
	}{
		{
			"office hours",
			calendar.Definition{Zone: "Europe/London", Weekly: []string{"mon-fri 09:00-17:00"}},
			"2026-11-27T12:00:00Z",
			[]string{"-Fri 2026-11-27T17:00:00Z", "+Mon 2026-11-30T09:00:00Z", "-Mon 2026-11-30T17:00:00Z"},
		},
		{
			"a night over the end of the week",
			calendar.Definition{Weekly: []string{"sun 22:00-06:00"}},
			"2026-11-28T12:00:00Z",
			[]string{"+Sun 2026-11-29T22:00:00Z", "-Mon 2026-11-30T06:00:00Z"},
		},
		{
			"spring forward leaves out what is not shown",
			calendar.Definition{Zone: "America/New_York", Weekly: []string{"sun 02:15-03:15"}},
			"2026-03-08T00:00:00-05:00",
			[]string{"+Sun 2026-03-08T03:00:00-04:00", "-Sun 2026-03-08T03:15:00-04:00"},
		},
		{
			"fall back shows it twice",
			calendar.Definition{Zone: "America/New_York", Weekly: []string{"sun 01:00-01:30"}},
			"2026-11-01T00:00:00-04:00",
			[]string{
				"+Sun 2026-11-01T01:00:00-04:00", "-Sun 2026-11-01T01:30:00-04:00",
				"+Sun 2026-11-01T01:00:00-05:00", "-Sun 2026-11-01T01:30:00-05:00",
			},
		},
		{
			"dates, one of every year",
			calendar.Definition{Zone: "Europe/Berlin", Dates: []string{"2026-12-24..2026-12-25", "12-26"}},
			"2026-12-01T00:00:00Z",
			[]string{"+Thu 2026-12-24T00:00:00+01:00", "-Sun 2026-12-27T00:00:00+01:00", "+Sun 2027-12-26T00:00:00+01:00"},
		},
		{
			"a range from a cron expression lasts its length",
			calendar.Definition{Zone: "America/New_York", Cron: []string{"0 0 1 ? * SUN for 2h"}},
			"2026-10-31T00:00:00Z",
			[]string{"+Sun 2026-11-01T01:00:00-04:00", "-Sun 2026-11-01T02:00:00-05:00"},
		},
		{"nothing", calendar.Definition{}, "2026-01-01T00:00:00Z", []string{"never"}},
		{
			"always", calendar.Definition{Weekly: []string{"mon-sun"}}, "2026-01-01T00:00:00Z", []string{"never"},
		},
		{
			"an event of every other week, but one",
			calendar.Definition{Zone: "Europe/Paris", Events: []calendar.Event{{
				Start: "2026-03-14T22:00:00", For: "4h", Rule: "FREQ=WEEKLY;INTERVAL=2", Except: []string{"2026-03-28T22:00:00"},
			}}},
			"2026-03-14T00:00:00Z",
			[]string{
				"+Sat 2026-03-14T22:00:00+01:00", "-Sun 2026-03-15T02:00:00+01:00",
				"+Sat 2026-04-11T22:00:00+02:00",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := changes(compile(t, c.d), at(t, c.after), len(c.want))
			if !slices.Equal(got, c.want) {
				t.Errorf("after %s\n got %q\nwant %q", c.after, got, c.want)
			}
		})
	}
}

// random makes a definition of every kind of entry, and a judge of it that
// shares nothing with the package but the zone: it looks at what clocks show.
func random(r *rand.Rand, zone string, around time.Time) (calendar.Definition, func(time.Time) bool) {
	location, err := trigger.LoadZone(zone)
	if err != nil {
		panic(err)
	}
	d := calendar.Definition{Name: "c", Zone: zone}
	var parts []func(time.Time) bool
	for range 1 + r.IntN(2) {
		first, days := r.IntN(7), 1+r.IntN(3)
		from, long := r.IntN(96)*15, 15+15*r.IntN(60)
		names := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
		end := (from + long) % (24 * 60)
		long = (end - from + 24*60) % (24 * 60)
		if long == 0 {
			long = 24 * 60
		}
		d.Weekly = append(d.Weekly, fmt.Sprintf("%s-%s %02d:%02d-%02d:%02d",
			names[first], names[(first+days-1)%7], from/60, from%60, end/60, end%60))
		parts = append(parts, func(at time.Time) bool {
			shown := at.In(location)
			minute := (int(shown.Weekday())+6)%7*24*60 + shown.Hour()*60 + shown.Minute()
			for k := range days {
				if since := (minute - (first+k)%7*24*60 - from + 14*24*60) % (7 * 24 * 60); since < long {
					return true
				}
			}
			return false
		})
	}
	if r.IntN(2) == 0 {
		date := around.AddDate(0, 0, r.IntN(9)-2)
		d.Dates = append(d.Dates, date.Format(time.DateOnly))
		parts = append(parts, func(at time.Time) bool {
			return at.In(location).Format(time.DateOnly) == date.Format(time.DateOnly)
		})
	}
	if r.IntN(2) == 0 {
		hour, long := r.IntN(24), time.Duration(1+r.IntN(400))*time.Minute
		d.Cron = append(d.Cron, fmt.Sprintf("0 30 %d * * ? for %s", hour, long))
		var c trigger.Compiler
		opens, err := c.Compile(task.TriggerInfo{Cron: fmt.Sprintf("0 30 %d * * ?", hour), TZ: zone}, time.Time{}, "")
		if err != nil {
			panic(err)
		}
		fired := make(map[int64]bool)
		for x := range opens.All(around.AddDate(0, 0, -5), around.AddDate(0, 0, 12)) {
			fired[x.Unix()] = true
		}
		parts = append(parts, func(at time.Time) bool {
			for since := time.Duration(0); since < long; since += time.Minute {
				if fired[at.Add(-since).Unix()] {
					return true
				}
			}
			return false
		})
	}
	return d, func(at time.Time) bool {
		return slices.ContainsFunc(parts, func(open func(time.Time) bool) bool { return open(at) })
	}
}

// TestAgainstEveryMinute compares weeks around changes of clocks, minute by
// minute, with what clocks show; and the changes that Next names with those
// minutes.
func TestAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	places := []struct{ zone, around string }{
		{"America/New_York", "2026-03-07T00:00:00Z"},
		{"America/New_York", "2026-10-30T00:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-03T00:00:00Z"},
		{"Asia/Beirut", "2026-03-27T00:00:00Z"},
		{"Pacific/Apia", "2011-12-28T00:00:00Z"},
		{"Europe/London", "2044-12-29T00:00:00Z"},
		{"UTC", "2026-02-26T00:00:00Z"},
	}
	for n, place := range places {
		t.Run(place.zone+" "+place.around, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // a test
				around := at(t, place.around)
				d, open := random(r, place.zone, around)
				against(t, d, open, around)
				if t.Failed() {
					t.Fatalf("seed %d: %+v", seed, d)
				}
			}
		})
	}
}

func against(t *testing.T, d calendar.Definition, open func(time.Time) bool, from time.Time) {
	t.Helper()
	c := compile(t, d)
	next, opens, ok := c.Next(from)
	for minute := from; minute.Before(from.AddDate(0, 0, 7)); minute = minute.Add(time.Minute) {
		want := open(minute)
		if got := c.Open(minute); got != want {
			t.Errorf("%s: open %t, clocks say %t", minute.In(c.Zone()), got, want)
			return
		}
		before := open(minute.Add(-time.Minute))
		if minute.After(from) && before != want {
			if !ok || !next.Equal(minute) || opens != want {
				t.Errorf("%s: it changes to %t; Next says %s, %t, %t", minute.In(c.Zone()), want, next, opens, ok)
				return
			}
			next, opens, ok = c.Next(minute)
		}
	}
}

func TestWindowsAgainstEveryMinute(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a test
		from := at(t, "2026-10-23T00:00:00Z")
		d1, allowed := random(r, "Europe/London", from)
		d2, forbidden := random(r, "America/New_York", from)
		d1.Name, d2.Name = "a", "b"
		book := &calendar.Book{Calendars: map[string]*calendar.Calendar{"a": compile(t, d1), "b": compile(t, d2)}}
		w, err := book.Windows(&task.Windows{Allow: []string{"a"}, Forbid: []string{"b"}})
		if err != nil {
			t.Fatal(err)
		}
		open := func(at time.Time) bool { return allowed(at) && !forbidden(at) }
		end := from.AddDate(0, 0, 6)
		for minute := from; minute.Before(end); minute = minute.Add(time.Minute) {
			want := open(minute)
			if w.Open(minute) != want {
				t.Fatalf("seed %d: %s: open is not %t", seed, minute, want)
			}
			if why := w.Why(minute); (why == "") != want {
				t.Fatalf("seed %d: %s: why %q though open is %t", seed, minute, why, want)
			}
		}
		// Stretches follow one another without a gap, and each says what is so.
		for t0 := from; t0.Before(end); {
			was, last := w.Stretch(t0, end)
			if last.Before(t0) || !last.Equal(end) && w.Open(last.Add(time.Millisecond)) == was {
				t.Fatalf("seed %d: the stretch of %s ends at %s, where nothing changes", seed, t0, last)
			}
			for m := t0; !m.After(last); m = m.Add(time.Minute) {
				if open(m) != was {
					t.Fatalf("seed %d: within the stretch from %s to %s it is not %t at %s", seed, t0, last, was, m)
				}
			}
			t0 = last.Add(time.Millisecond)
		}
	}
}

func TestWindowsNameWhatIsMissing(t *testing.T) {
	t.Parallel()
	broken := errors.New("no such zone")
	book := &calendar.Book{Faults: map[string]error{"odd": broken}}
	for _, b := range []*calendar.Book{nil, book} {
		_, err := b.Windows(&task.Windows{Forbid: []string{"freeze"}})
		var missing *calendar.MissingError
		if !errors.As(err, &missing) || missing.Name != "freeze" || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("book %v: error %v", b, err)
		}
	}
	if _, err := book.Windows(&task.Windows{Allow: []string{"odd"}}); !errors.Is(err, broken) {
		t.Errorf("error %v does not say why the calendar cannot be read", err)
	}
	w, err := book.Windows(nil)
	if err != nil || !w.Open(time.Now()) || w.Outside() != task.OutsideSkip {
		t.Errorf("a task without windows: %v, %v", w, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	day := calendar.Event{Start: "2026-01-01"}
	for name, c := range map[string]struct {
		d    calendar.Definition
		want string
	}{
		"zone":            {calendar.Definition{Zone: "Mars/Olympus"}, "zone: "},
		"weekday":         {calendar.Definition{Weekly: []string{"mon-fri", "moonday 1:00-2:00"}}, "weekly[1]: "},
		"clock":           {calendar.Definition{Weekly: []string{"mon 25:00-26:00"}}, "no time of the day"},
		"no end":          {calendar.Definition{Weekly: []string{"mon 09:00"}}, "has no end"},
		"date":            {calendar.Definition{Dates: []string{"2026-02-30"}}, "dates[0]: "},
		"range":           {calendar.Definition{Dates: []string{"2026-02-03..2026-02-01"}}, "ends before it begins"},
		"cron":            {calendar.Definition{Cron: []string{"0 0 99 * * ? for 1h"}}, "cron[0]: "},
		"cron without":    {calendar.Definition{Cron: []string{"0 0 9 * * ?"}}, "for how long"},
		"cron too long":   {calendar.Definition{Cron: []string{"0 0 9 * * ? for 9999h"}}, "at most"},
		"interval":        {calendar.Definition{Cron: []string{"@every 5m for 1m"}}, "an interval has no place"},
		"start":           {calendar.Definition{Events: []calendar.Event{{Start: "tomorrow"}}}, "events[0]: start"},
		"no length":       {calendar.Definition{Events: []calendar.Event{{Start: "2026-01-01T09:00:00"}}}, "events[0]: "},
		"rule":            {calendar.Definition{Events: []calendar.Event{{Start: "2026-01-01", Rule: "FREQ=SOMETIMES"}}}, "rule"},
		"every minute":    {calendar.Definition{Events: []calendar.Event{{Start: "2026-01-01", Rule: "FREQ=MINUTELY"}}}, "at most daily"},
		"never":           {calendar.Definition{Events: []calendar.Event{{Start: "2026-01-01", Rule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}}}, "names no date"},
		"many":            {calendar.Definition{Events: slices.Repeat([]calendar.Event{day}, calendar.MaxEvents+1)}, "at most"},
		"too many in all": {calendar.Definition{Events: slices.Repeat([]calendar.Event{{Start: "2026-01-01", Rule: "FREQ=DAILY"}}, 5)}, "occurrences in all"},
		"mixed":           {calendar.Definition{Events: []calendar.Event{{Start: "2026-01-01", Except: []string{"2026-01-01T09:00:00"}}}}, "like the start"},
		"through":         {calendar.Definition{From: "2026-02-01", Through: "2026-01-01"}, "through: "},
	} {
		_, err := calendar.Compile(c.d)
		var field *calendar.FieldError
		if !errors.As(err, &field) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}
