package trigger

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustParse(tb testing.TB, expr string) *Cron {
	tb.Helper()
	c, err := ParseCron(expr)
	if err != nil {
		tb.Fatalf("%q: %v", expr, err)
	}
	return c
}

func mustZone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

const stampLayout = "2006-01-02T15:04:05Z07:00"

// firings lists the next n instants, in the zone, joined by blanks.
func firings(tb testing.TB, expr, zone, after string, n int) string {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, after)
	if err != nil {
		tb.Fatal(err)
	}
	c, loc := mustParse(tb, expr), mustZone(tb, zone)
	var out []string
	for range n {
		next, ok := c.Next(at, loc)
		if !ok {
			out = append(out, "end")
			break
		}
		out = append(out, next.Format(stampLayout))
		at = next
	}
	return strings.Join(out, " ")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"":                  `column 1: found nothing, want 6 or 7 fields (seconds minutes hours day-of-month month day-of-week [year]), 5 as in a crontab, or @daily`,
		"* * * *":           `column 8: found 4 fields, want 6 or 7 fields (seconds minutes hours day-of-month month day-of-week [year]), 5 as in a crontab, or @daily`,
		"0 0 25 * * ?":      `hours, column 5: found "25", want 0-23, * / - ,`,
		"0 60 2 * * ?":      `minutes, column 3: found "60", want 0-59, * / - ,`,
		"0 0 12 32 * ?":     `day of month, column 8: found "32", want 1-31, * / - , ? L L-3 LW 15W`,
		"0 0 12 1 13 ?":     `month, column 10: found "13", want 1-12, JAN-DEC, * / - ,`,
		"0 0 12 ? * 8":      `day of week, column 12: found "8", want 1-7, SUN-SAT, * / - , ? L 6L FRI#2`,
		"0 0 12 ? * 0":      `day of week, column 12: found "0", want 1-7, SUN-SAT, * / - , ? L 6L FRI#2; in six or seven fields Sunday is 1, or SUN`,
		"0 0 12 ? * FRI#6":  `day of week, column 16: found "6", want 1 to 5 after '#': which such day of the month`,
		"0 0 12 * * *":      `day of week, column 12: found "*", want '?' in one of day of month and day of week; Quartz takes one of them: put ? into the other`,
		"0 0 12 ? * ?":      `day of week, column 12: found a second '?', want '?' in one of day of month and day of week; write * in one of them for every day`,
		"0 0 ? * * ?":       `hours, column 5: found "?", want 0-23, * / - ,; '?' stands alone, in day of month or day of week`,
		"0 0 12 L,3 * ?":    `day of month, column 8: found "L", want L, W and # stand alone in their field, without a list`,
		"0 0 12 3,15W * ?":  `day of month, column 10: found "15W", want L, W and # stand alone in their field, without a list`,
		"0 0 12 L-31 * ?":   `day of month, column 10: found "31", want 0 to 30 after 'L-': days before the last`,
		"0 0 12 ? * MON-6":  `day of week, column 16: found "6", want both ends of a range are names, or both are numbers`,
		"0 0 12 ? * MON/2":  `day of week, column 12: found "MON/2", want Quartz ignores a step after a name: write numbers, or a list of names`,
		"0 */0 12 * * ?":    `minutes, column 5: found "0", want a step of 1 to 59 after '/'`,
		"0 0/ 12 * * ?":     `minutes, column 5: found nothing, want a step of 1 to 59 after '/'`,
		"0 1,,2 12 * * ?":   `minutes, column 5: found nothing, want 0-59, * / - ,`,
		"0 5- 12 * * ?":     `minutes, column 5: found nothing, want 0-59, * / - ,`,
		"0 0 12 * * ? 26":   `year, column 14: found "26", want 1970-2299, * / - ,; years have four digits`,
		"0 0 12 * * ? x":    `year, column 14: found "X", want 1970-2299, * / - ,`,
		"0 0 12 * FOO ?":    `month, column 10: found "FOO", want 1-12, JAN-DEC, * / - ,`,
		"0 0 12 * ANF ?":    `month, column 10: found "ANF", want 1-12, JAN-DEC, * / - ,`,
		"0 12 * * ?":        `day of week, column 10: found "?", want 0-7, SUN-SAT, * / - ,; 5 fields are read as a crontab's; for Quartz put the seconds first: "0 0 12 * * ?"`,
		"0 12 1 13 *":       `month, column 8: found "13", want 1-12, JAN-DEC, * / - ,; 5 fields are read as a crontab's: minutes hours day-of-month month day-of-week`,
		"TZ=UTC 0 12 * * *": `seconds, column 1: found "TZ=UTC", want 0-59, * / - ,; the time zone has a setting of its own`,
		"0 0 12 ? * ÄÖÜ":    `day of week, column 12: found "ÄÖÜ", want 1-7, SUN-SAT, * / - , ? L 6L FRI#2`,
		"@noon":             `column 1: found "@NOON", want @yearly, @monthly, @weekly, @daily, @hourly or @every 5m`,
		"@reboot":           `column 1: found "@REBOOT", want @yearly, @monthly, @weekly, @daily, @hourly or @every 5m; nothing fires at a restart: tasks go on where they were`,
		"@daily 5":          `column 8: found "5", want nothing after @daily`,
		"@every":            `column 7: found nothing after @every, want a duration as in @every 1h30m`,
		"@every 1d":         `column 8: found "1D", want a duration as in @every 1h30m; units are ms, s, m and h: a day is 24h`,
		"@every -5m":        `column 8: found "-5M", want a duration of whole milliseconds above 0`,
		"@every 5m 3":       `column 11: found "3", want a duration as in @every 1h30m`,
	} {
		_, err := ParseCron(expr)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: got %v, want a *SyntaxError", expr, err)
			continue
		}
		if err.Error() != want {
			t.Errorf("%q:\n got %s\nwant %s", expr, err, want)
		}
		if syntax.Expr != expr {
			t.Errorf("%q: Expr is %q", expr, syntax.Expr)
		}
	}
	if _, err := ParseCron("0 " + strings.Repeat("0,", 2000) + "0 * * * ?"); err == nil {
		t.Error("an expression of 4,000 characters was accepted")
	}
}

// TestHardDays holds dates that other schedulers get wrong. Every expression
// is asked at noon UTC after 2027-01-01.
func TestHardDays(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"0 0 12 29 2 ?":               "2028-02-29 2032-02-29 2036-02-29 2040-02-29",
		"0 0 12 29 FEB ? 2090-2110":   "2092-02-29 2096-02-29 2104-02-29 2108-02-29", // 2100 is no leap year
		"0 0 12 ? 2 TUE#5":            "2028-02-29 2056-02-29 2084-02-29 2124-02-29",
		"0 0 12 30 2 ?":               "end",
		"0 0 12 31 4,6,9,11 ?":        "end",
		"0 0 12 31 * ?":               "2027-01-31 2027-03-31 2027-05-31 2027-07-31",
		"0 0 12 L * ?":                "2027-01-31 2027-02-28 2027-03-31 2027-04-30",
		"0 0 12 L 2 ?":                "2027-02-28 2028-02-29 2029-02-28 2030-02-28",
		"0 0 12 L-3 * ?":              "2027-01-28 2027-02-25 2027-03-28 2027-04-27",
		"0 0 12 L-30 * ?":             "2027-01-01 2027-03-01 2027-05-01 2027-07-01",
		"0 0 12 LW * ?":               "2027-01-29 2027-02-26 2027-03-31 2027-04-30",
		"0 0 12 L-1W * ?":             "2027-01-29 2027-02-26 2027-03-30 2027-04-29",
		"0 0 12 15W * ?":              "2027-01-15 2027-02-15 2027-03-15 2027-04-15",
		"0 0 12 1W 5,8 ?":             "2027-05-03 2027-08-02 2028-05-01 2028-08-01", // Saturday and Sunday the 1st stay in the month
		"0 0 12 31W * ?":              "2027-01-29 2027-03-31 2027-05-31 2027-07-30", // no 31st, no firing
		"0 0 12 30W 2,4 ?":            "2027-04-30 2028-04-28 2029-04-30 2030-04-30",
		"0 0 12 ? * FRI#2":            "2027-01-08 2027-02-12 2027-03-12 2027-04-09",
		"0 0 12 ? * 6#5":              "2027-01-29 2027-04-30 2027-07-30 2027-10-29",
		"0 0 12 ? * 6L":               "2027-01-29 2027-02-26 2027-03-26 2027-04-30",
		"0 0 12 ? * FRIL":             "2027-01-29 2027-02-26 2027-03-26 2027-04-30",
		"0 0 12 ? * L":                "2027-01-02 2027-01-09 2027-01-16 2027-01-23", // L alone: Saturday
		"0 0 12 ? * FRI-MON":          "2027-01-01 2027-01-02 2027-01-03 2027-01-04",
		"0 0 12 ? NOV-FEB MON#1":      "2027-01-04 2027-02-01 2027-11-01 2027-12-06",
		"0 0 12 25-5 6 ?":             "2027-06-01 2027-06-02 2027-06-03 2027-06-04",
		"0 0 12 * * ? 2027/100":       "2027-01-01 2027-01-02 2027-01-03 2027-01-04",
		"0 0 12 1 1 ? 2027/100":       "2027-01-01 2127-01-01 2227-01-01 end",
		"0 0 12 31 12 ? 2299":         "2299-12-31 end",
		"0 0 12 1 1 ? 1999":           "end",
		"0 0 12 6 6 ? 2028 and so on": "2028-06-06 end",                              // Quartz ignores what follows the year
		"0 12 13 * FRI":               "2027-01-01 2027-01-08 2027-01-13 2027-01-15", // a crontab's or
		"0 12 */2 * FRI":              "2027-01-01 2027-01-15 2027-01-29 2027-02-05", // a star is no choice
		"0 12 * * 0":                  "2027-01-03 2027-01-10 2027-01-17 2027-01-24",
		"0 12 * * 7":                  "2027-01-03 2027-01-10 2027-01-17 2027-01-24",
		"0 12 * * sat-sun":            "2027-01-02 2027-01-03 2027-01-09 2027-01-10",
		"0 12 * * 5-7/2":              "2027-01-01 2027-01-03 2027-01-08 2027-01-10",
	} {
		got := firings(t, expr, "UTC", "2027-01-01T00:00:00Z", 4)
		if got = strings.ReplaceAll(got, "T12:00:00Z", ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, got, want)
		}
	}
}

func TestFormsAgree(t *testing.T) {
	t.Parallel()
	for expr, same := range map[string]string{
		"@yearly":                     "0 0 0 1 1 ?",
		"@Annually":                   "0 0 0 1 1 ?",
		"@monthly":                    "0 0 0 1 * ?",
		"@weekly":                     "0 0 0 ? * 1",
		"@daily":                      "0 0 0 * * ?",
		"@midnight":                   "0 0 0 ? * *",
		"@hourly":                     "0 0 * * * ?",
		"*/5 8-17 * * 1-5":            "0 0/5 8-17 ? * MON-FRI",
		"30 2 1,15 * *":               "0 30 2 15,1 * ?",
		"0 0 22-2 * * ?":              "0 0 22,23,0,1,2 * * ?",
		"0 0 22-2/2 * * ?":            "0 0 22,0,2 * * ?",
		"0 50-10/10 * * * ?":          "0 50,0,10 * * * ?",
		"/20 * * * * ?":               "0,20,40 * * * * ?",
		" 0\t0 12   * jan-Mar  ? ":    "0 0 12 * 1-3 ?",
		"0 0 12 * * ? *":              "0 0 12 * * ?",
		"0 0 12 *,5 * ?":              "0 0 12 * * ?",
		"0 0 12 ? NOV-FEB FRI-MON":    "0 0 12 ? 11,12,1,2 6,7,1,2",
		"0 0 12 1 1 ? 2030-2032,2040": "0 0 12 1 1 ? 2030,2031,2032,2040",
	} {
		got := firings(t, expr, "Europe/Paris", "2027-01-01T00:00:00Z", 50)
		if want := firings(t, same, "Europe/Paris", "2027-01-01T00:00:00Z", 50); got != want {
			t.Errorf("%q and %q differ:\n%s\n%s", expr, same, got, want)
		}
	}
}

func TestEveryHasNoCalendar(t *testing.T) {
	t.Parallel()
	c := mustParse(t, "@every 1m30s")
	if c.Every() != 90*time.Second || c.Form() != FormEvery {
		t.Errorf("every %s, form %s", c.Every(), c.Form())
	}
	if got, want := firings(t, "@every 1m30s", "UTC", "2027-01-01T00:00:07Z", 2), "2027-01-01T00:01:37Z 2027-01-01T00:03:07Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestFarAway asks from times that no expression can name.
func TestFarAway(t *testing.T) {
	t.Parallel()
	c := mustParse(t, "0 0 0 * * ?")
	for zone, want := range map[string]string{"UTC": "1970-01-01T00:00:00Z", "Asia/Tokyo": "1970-01-01T00:00:00+09:00"} {
		if got, ok := c.Next(time.Time{}, mustZone(t, zone)); !ok || got.Format(stampLayout) != want {
			t.Errorf("from the year 1 in %s: got %s %v, want %s", zone, got, ok, want)
		}
	}
	for _, year := range []int{MaxYear + 1, 9999, 200_000} {
		if got, ok := c.Next(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), mustZone(t, "Europe/Berlin")); ok {
			t.Errorf("from the year %d: %s", year, got)
		}
	}
	last := time.Date(MaxYear, 12, 31, 0, 0, 0, 0, time.UTC)
	if got, ok := c.Next(last.Add(-time.Second), time.UTC); !ok || !got.Equal(last) {
		t.Errorf("the last midnight: got %s %v", got, ok)
	}
	if got, ok := c.Next(last, time.UTC); ok {
		t.Errorf("after the last midnight: %s", got)
	}
}

func TestZeroCronNeverFires(t *testing.T) {
	t.Parallel()
	var c Cron
	if next, ok := c.Next(time.Unix(0, 0), time.UTC); ok {
		t.Errorf("fires at %s", next)
	}
	if got := c.Describe(); got != "never" {
		t.Errorf("described as %q", got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(mustParse(t, "0 0/30 9,10 ? * MON-WED 2028 x").Explain())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"expression":"0 0/30 9,10 ? * MON-WED 2028 x","form":"quartz",` +
		`"description":"at 09:00, 09:30, 10:00 and 10:30, on Monday to Wednesday, in 2028","fields":[` +
		`{"name":"seconds","text":"0","column":1,"values":[0]},` +
		`{"name":"minutes","text":"0/30","column":3,"values":[0,30]},` +
		`{"name":"hours","text":"9,10","column":8,"values":[9,10]},` +
		`{"name":"day of month","text":"?","column":13,"values":[]},` +
		`{"name":"month","text":"*","column":15,"values":[1,2,3,4,5,6,7,8,9,10,11,12]},` +
		`{"name":"day of week","text":"MON-WED","column":17,"values":[1,2,3]},` +
		`{"name":"year","text":"2028","column":25,"values":[2028]}],` +
		`"clock_change":"once","warnings":["the text after the year is ignored, as Quartz does"]}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}

	macro := mustParse(t, "@hourly").Explain()
	if len(macro.Fields) != 6 || macro.Fields[2].Text != "*" || macro.Fields[2].Column != 0 || macro.ClockChange != "elapsed" {
		t.Errorf("@hourly: %+v", macro)
	}
	if every := mustParse(t, "@every 5m").Explain(); len(every.Fields) != 0 || every.Description != "every 5 minutes" {
		t.Errorf("@every: %+v", every)
	}
	if w := mustParse(t, "0 0 0 30 2 ?").Warnings(); !slices.Equal(w, []string{"no such date exists: it never fires"}) {
		t.Errorf("30 February: %q", w)
	}
	if w := mustParse(t, "0 0 13 * 5").Warnings(); len(w) != 1 || !strings.Contains(w[0], "crontab") {
		t.Errorf("date or weekday: %q", w)
	}
}
