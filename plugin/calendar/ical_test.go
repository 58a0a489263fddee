package calendar_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestImport reads a file with whole days, rules, exceptions, a moved occurrence,
// a cancelled one, and zones of three kinds.
func TestImport(t *testing.T) {
	t.Parallel()
	d, err := calendar.Import(read(t, "maintenance.ics"), "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Zone != "Europe/Berlin" || d.Description != "Maintenance" || len(d.Events) != 5 {
		t.Fatalf("imported %+v", d)
	}
	c := compile(t, d)
	want := []string{
		"+Sat 2026-03-07T22:00:00+01:00", "-Sun 2026-03-08T02:00:00+01:00",
		// The 14th is an exception, the 21st was moved to the 22nd.
		"+Sun 2026-03-22T20:00:00+01:00", "-Sun 2026-03-22T21:00:00+01:00",
		"+Sat 2026-03-28T22:00:00+01:00", "-Sun 2026-03-29T03:00:00+02:00",
		// A date in another zone's terms is one of the calendar's.
		"+Fri 2026-04-03T00:00:00+02:00", "-Sat 2026-04-04T00:00:00+02:00",
		// New York, and UTC.
		"+Tue 2026-04-07T15:00:00+02:00", "-Tue 2026-04-07T16:30:00+02:00",
		"+Fri 2026-05-01T12:00:00+02:00", "-Fri 2026-05-01T14:00:00+02:00",
		"+Fri 2026-12-25T00:00:00+01:00",
	}
	if got := changes(c, at(t, "2026-03-01T00:00:00Z"), len(want)); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	event := func(lines ...string) string {
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n" +
			strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	}
	for name, c := range map[string]struct {
		file, want string
		line       int
	}{
		"no calendar": {"hello", "no iCalendar file", 0},
		"empty":       {"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no event", 0},
		"a zone":      {event("DTSTART;TZID=Nowhere Standard Time:20260101T090000", "DURATION:PT1H"), "no IANA zone", 4},
		"no start":    {event("DURATION:PT1H"), "no DTSTART", 4},
		"backwards":   {event("DTSTART:20260101T090000Z", "DTEND:20260101T080000Z"), "before it begins", 4},
		"mixed":       {event("DTSTART:20260101T090000Z", "DTEND;VALUE=DATE:20260102"), "not written alike", 4},
		"period":      {event("DTSTART:20260101T090000Z", "DURATION:PT1H", "RDATE;VALUE=PERIOD:20260102T090000Z/PT1H"), "a period", 4},
		"no time":     {event("DTSTART:20260101T090000Z"), "takes time", 0},
		"two rules":   {event("DTSTART:20260101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "RRULE:FREQ=DAILY"), "more than one", 4},
		"long line":   {event("SUMMARY:" + strings.Repeat("x", 20_000)), "longer than", 0},
		"too long":    {strings.Repeat("x\n", calendar.MaxFile), "at most", 0},
		"cut param":   {"BEGIN:VCALENDAR\r\nX;Y=", "no iCalendar file", 0},
	} {
		_, err := calendar.Import([]byte(c.file), "")
		var e *calendar.ImportError
		if !errors.As(err, &e) || e.Line != c.line || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one of line %d with %q", name, err, c.line, c.want)
		}
	}
}

// FuzzImport: whatever the file holds, importing and compiling end within bounds
// and without a panic, and what compiles answers.
func FuzzImport(f *testing.F) {
	text, err := os.ReadFile("testdata/maintenance.ics")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("BEGIN:VCALENDAR\r\nX;Y="))
	f.Fuzz(func(t *testing.T, file []byte) {
		begun := time.Now()
		defer func() {
			if d := time.Since(begun); d > 30*time.Second {
				t.Errorf("it took %s", d)
			}
		}()
		d, err := calendar.Import(file, "UTC")
		if err != nil {
			return
		}
		c, err := calendar.Compile(d)
		if err != nil {
			return
		}
		now := time.Unix(1_800_000_000, 0)
		next, opens, ok := c.Next(now)
		if ok && (!next.After(now) || c.Open(next) != opens || c.Open(next.Add(-time.Second)) == opens) {
			t.Fatalf("%+v: next is %s, %t", d, next, opens)
		}
	})
}
