package trigger

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClockChanges holds the rule of doc.go at changes that are hard each in
// its own way.
func TestClockChanges(t *testing.T) {
	t.Parallel()
	const newYork, lordHowe, apia, casablanca = "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"
	for _, c := range []struct{ name, expr, zone, after, want string }{
		{
			"gap: a named hour fires at its end", "0 30 2 * * ?", newYork, "2026-03-07T03:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00",
		},
		{
			"gap: several missing times fire once", "0 0/10 2 * * ?", newYork, "2026-03-07T02:50:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:00:00-04:00",
		},
		{
			"gap: what is due at its end anyway fires once", "0 30 2,3 * * ?", newYork, "2026-03-08T01:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-08T03:30:00-04:00 2026-03-09T02:30:00-04:00",
		},
		{
			"gap: the same instant is not due twice", "0 0 2,3 * * ?", newYork, "2026-03-08T01:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:00:00-04:00",
		},
		{
			"gap: open hours go on by elapsed time", "0 0/30 * * * ?", newYork, "2026-03-08T01:00:00-05:00",
			"2026-03-08T01:30:00-05:00 2026-03-08T03:00:00-04:00 2026-03-08T03:30:00-04:00",
		},
		{
			"gap: a step fires when the clock shows its hours", "0 0 */2 * * ?", newYork, "2026-03-08T00:00:00-05:00",
			"2026-03-08T04:00:00-04:00 2026-03-08T06:00:00-04:00",
		},
		{
			"overlap: a named hour fires at the first", "0 30 1 * * ?", newYork, "2026-10-31T02:00:00-04:00",
			"2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00",
		},
		{
			"overlap: named hours pause while the hour is shown again", "0 0/20 0-1 * * ?", newYork, "2026-11-01T01:10:00-04:00",
			"2026-11-01T01:20:00-04:00 2026-11-01T01:40:00-04:00 2026-11-02T00:00:00-05:00",
		},
		{
			"overlap: open hours fire in both", "0 30 * * * ?", newYork, "2026-11-01T00:30:00-04:00",
			"2026-11-01T01:30:00-04:00 2026-11-01T01:30:00-05:00 2026-11-01T02:30:00-05:00",
		},
		{
			"overlap: asked in the second hour", "0 45 1 * * ?", newYork, "2026-11-01T01:10:00-05:00",
			"2026-11-02T01:45:00-05:00",
		},
		{
			"a crontab obeys the same rule", "30 2 * * *", newYork, "2026-03-07T03:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00",
		},
		{
			"half an hour forward", "0 15 2 * * ?", lordHowe, "2026-10-03T03:00:00+10:30",
			"2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00",
		},
		{
			"half an hour back, named", "0 45 1 * * ?", lordHowe, "2026-04-04T12:00:00+11:00",
			"2026-04-05T01:45:00+11:00 2026-04-06T01:45:00+10:30",
		},
		{
			"half an hour back, open", "0 0/15 * * * ?", lordHowe, "2026-04-05T01:30:00+11:00",
			"2026-04-05T01:45:00+11:00 2026-04-05T01:30:00+10:30 2026-04-05T01:45:00+10:30 2026-04-05T02:00:00+10:30",
		},
		{
			"Ramadan: back in its first night, forward after it", "0 30 2 * * ?", casablanca, "2026-02-14T12:00:00+01:00",
			"2026-02-15T02:30:00+01:00 2026-02-16T02:30:00Z",
		},
		{
			"Ramadan ends", "0 30 2 * * ?", casablanca, "2026-03-21T12:00:00Z",
			"2026-03-22T03:00:00+01:00 2026-03-23T02:30:00+01:00",
		},
		{
			"a missing day, named hour", "0 30 9 * * ?", apia, "2011-12-28T12:00:00-10:00",
			"2011-12-29T09:30:00-10:00 2011-12-31T00:00:00+14:00 2011-12-31T09:30:00+14:00",
		},
		{
			"a missing day that alone was meant", "0 0 12 30 12 ? 2011", apia, "2011-12-01T00:00:00-10:00",
			"2011-12-31T00:00:00+14:00 end",
		},
		{
			"a missing day, open hours", "0 0 */12 * * ?", apia, "2011-12-29T00:00:00-10:00",
			"2011-12-29T12:00:00-10:00 2011-12-31T00:00:00+14:00 2011-12-31T12:00:00+14:00",
		},
		{
			"a missing Friday", "0 0 12 ? * FRI", apia, "2011-12-29T00:00:00-10:00",
			"2011-12-31T00:00:00+14:00 2012-01-06T12:00:00+14:00",
		},
		{
			"a day that begins at one", "@daily", "America/Havana", "2026-03-07T12:00:00-05:00",
			"2026-03-08T01:00:00-04:00 2026-03-09T00:00:00-04:00",
		},
		{
			"beyond the table of the zone, by its rule", "0 30 2 * * ?", newYork, "2150-03-07T03:00:00-05:00",
			"2150-03-08T03:00:00-04:00 2150-03-09T02:30:00-04:00",
		},
	} {
		if got := firings(t, c.expr, c.zone, c.after, strings.Count(c.want, " ")+1); got != c.want {
			t.Errorf("%s: %s in %s after %s\n got %s\nwant %s", c.name, c.expr, c.zone, c.after, got, c.want)
		}
	}
}

// TestNewYearOfLeapYears: package time gives the last day of a leap year after
// 2037 an end that is past, in every zone with a rule.
func TestNewYearOfLeapYears(t *testing.T) {
	t.Parallel()
	for _, zone := range judgedZones {
		loc := mustZone(t, zone)
		for year := 2036; year < 2300; year += 4 {
			for at := time.Date(year, 12, 30, 12, 0, 0, 0, time.UTC).Unix(); at < time.Date(year+1, 1, 2, 0, 0, 0, 0, time.UTC).Unix(); at += 3600 {
				s := spanAt(at, loc)
				if s.end <= at || s.start > at {
					t.Fatalf("%s: the span of %d is %+v", zone, at, s)
				}
				if s.end-at < 86400 && spanAt(s.end-1, loc).offset != s.offset {
					t.Fatalf("%s: the clock changes within the span of %d, %+v", zone, at, s)
				}
			}
		}
	}
}

// twiceChanged is a zone that goes back by an hour at change, and half an hour
// later gives its time a new name, as zones do.
func twiceChanged(t *testing.T, change int64) *time.Location {
	t.Helper()
	var data []byte
	u32 := func(vs ...uint32) {
		for _, v := range vs {
			data = binary.BigEndian.AppendUint32(data, v)
		}
	}
	data = append(data, "TZif"...)
	data = append(data, make([]byte, 16)...)
	u32(0, 0, 0, 2, 3, 8) // two changes, three kinds of time, eight bytes of names
	u32(uint32(change), uint32(change+1800))
	data = append(data, 1, 2)
	for i, offset := range []uint32{3600, 0, 0} {
		u32(offset)
		data = append(data, 0, []byte{0, 4, 4}[i])
	}
	data = append(data, "ONE\x00TWO\x00"...)
	zone, err := time.LoadLocationFromTZData("Test/Twice", data)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestTwoChangesWithinAnOverlap(t *testing.T) {
	t.Parallel()
	change := time.Date(2026, 6, 1, 2, 0, 0, 0, time.UTC).Unix() // 03:00 becomes 02:00
	zone := twiceChanged(t, change)
	c := mustParse(t, "0 0/15 2 * * ?")
	var got []int64
	at := change - 3601
	for range 5 {
		at, _ = c.next(at, zone)
		got = append(got, (at-change)/60)
	}
	// 02:00 to 02:45 once, and then not before the next day.
	if want := []int64{-60, -45, -30, -15, 24 * 60}; !slices.Equal(got, want) {
		t.Errorf("fires at minutes %v of the change, want %v", got, want)
	}
	if n := c.count(change-3601, change+7200, zone); n != 4 {
		t.Errorf("counts %d, want 4", n)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, zone, at, want string }{
		{"0 30 2 * * ?", "America/New_York", "2026-03-08T03:00:00-04:00", "02:30 does not exist (clock +1h): fires at 03:00"},
		{"0 0/10 2 * * ?", "America/New_York", "2026-03-08T03:00:00-04:00", "02:00 and 5 more times do not exist (clock +1h): fires at 03:00"},
		{"0 30 2 * * ?", "America/New_York", "2026-03-09T02:30:00-04:00", ""},
		{"0 0 * * * ?", "America/New_York", "2026-03-08T03:00:00-04:00", ""},
		{"0 0 3 * * ?", "America/New_York", "2026-03-08T03:00:00-04:00", ""},
		{"0 30 1 * * ?", "America/New_York", "2026-11-01T01:30:00-04:00", "01:30 happens twice (clock -1h): fires at the first"},
		{"0 30 * * * ?", "America/New_York", "2026-11-01T01:30:00-04:00", "01:30 happens twice (clock -1h): this is the first"},
		{"0 30 * * * ?", "America/New_York", "2026-11-01T01:30:00-05:00", "01:30 happens twice (clock -1h): this is the second"},
		{"0 30 * * * ?", "America/New_York", "2026-11-01T02:30:00-05:00", ""},
		{"0 15 2 * * ?", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00", "02:15 does not exist (clock +30m): fires at 02:30"},
		{"0 30 9 * * ?", "Pacific/Apia", "2011-12-31T00:00:00+14:00", "2011-12-30 09:30 does not exist (clock +24h): fires at 00:00"},
		{"0 30 2 * * ?", "UTC", "2026-03-08T02:30:00Z", ""},
		{"@every 1h", "America/New_York", "2026-11-01T01:30:00-04:00", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustParse(t, c.expr).Note(at, mustZone(t, c.zone)); got != c.want {
			t.Errorf("%s at %s: got %q, want %q", c.expr, c.at, got, c.want)
		}
	}
}

// TestCalendar compares the calendar with that of package time, across the
// years that are leap years, those that are not, and those before the epoch.
func TestCalendar(t *testing.T) {
	t.Parallel()
	for at := time.Date(1890, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2310; at = at.AddDate(0, 0, 1) {
		y, m, d := at.Date()
		day := epochDay(y, int(m), d)
		if day*secondsPerDay != at.Unix() {
			t.Fatalf("%s is day %d", at, day)
		}
		if yy, mm, dd := civil(day); yy != y || mm != int(m) || dd != d {
			t.Fatalf("day %d is %d-%d-%d, want %s", day, yy, mm, dd, at)
		}
		if weekday(day) != int64(at.Weekday()) {
			t.Fatalf("%s is weekday %d", at, weekday(day))
		}
		if next := at.AddDate(0, 0, 1); next.Day() == 1 && daysIn(y, int(m)) != d {
			t.Fatalf("%s has %d days", at.Format("2006-01"), daysIn(y, int(m)))
		}
	}
}
