package trigger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// judge is a second reading of cron expressions that shares nothing with the
// first: it reads the text again for every value it is asked about, walks time
// minute by minute, and asks package time what the clocks of a zone show. It
// takes expressions that ParseCron accepted. The rule for changes of clocks is
// written here as in doc.go: an instant at which a named hour is shown fires
// unless some earlier instant showed the same; times that no instant shows
// fire, once, at the end of their gap.
type judge struct {
	field   []string // seconds to year
	crontab bool
	elapsed bool
	days    map[[3]int]bool
	minute  [60]bool
	hour    [24]bool
	secs    []int64
	zone    *time.Location
}

func newJudge(expr string, zone *time.Location) *judge {
	j := &judge{field: strings.Fields(strings.ToUpper(expr)), zone: zone, days: map[[3]int]bool{}}
	if len(j.field) == 5 {
		j.crontab = true
		j.field = append([]string{"0"}, j.field...)
	}
	if len(j.field) == 6 {
		j.field = append(j.field, "*")
	}
	hours := 0
	for v := range 60 {
		j.minute[v] = j.says(1, v, 0, 59)
		if j.says(0, v, 0, 59) {
			j.secs = append(j.secs, int64(v))
		}
		if v < 24 && j.says(2, v, 0, 23) {
			j.hour[v] = true
			hours++
		}
	}
	j.elapsed = strings.ContainsAny(j.field[2], "*/") || hours == 24
	return j
}

// says tells whether the list of a field names v.
func (j *judge) says(field, v, lo, hi int) bool {
	return slices.ContainsFunc(strings.Split(j.field[field], ","), func(item string) bool {
		item, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			step, _ = strconv.Atoi(stepText)
		}
		from, to := lo, hi
		if item != "*" && item != "" {
			a, b, ranged := strings.Cut(item, "-")
			from = number(field, a, j.crontab)
			to = from
			if ranged {
				to = number(field, b, j.crontab)
			} else if stepped {
				to = max(from, hi)
			}
		}
		// Walk on from the first, round the end of the field where there is need.
		for at := from; ; at += step {
			if wrapped := lo + (at-lo)%(hi-lo+1); wrapped == v && (at <= to || to < from && at <= to+hi-lo+1) {
				return true
			}
			if at > to+hi-lo+1 {
				return false
			}
		}
	})
}

func number(field int, text string, crontab bool) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	for i := range 12 {
		if field == 4 && strings.EqualFold(time.Month(i + 1).String()[:3], text) {
			return i + 1
		}
		if field == 5 && strings.EqualFold(time.Weekday(i % 7).String()[:3], text) {
			if crontab {
				return i % 7
			}
			return i%7 + 1
		}
	}
	panic("no number: " + text)
}

// day tells whether a date matches.
func (j *judge) day(y int, m time.Month, d int) bool {
	key := [3]int{y, int(m), d}
	known, ok := j.days[key]
	if !ok {
		date := time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
		known = j.says(6, y, MinYear, MaxYear) && j.says(4, int(m), 1, 12)
		if known && j.crontab {
			byDate, byWeek := j.says(3, d, 1, 31), j.says(5, int(date.Weekday()), 0, 6)
			if strings.HasPrefix(j.field[3], "*") || strings.HasPrefix(j.field[5], "*") {
				known = byDate && byWeek
			} else {
				known = byDate || byWeek
			}
		} else if known {
			known = j.date(date) && j.weekday(date)
		}
		j.days[key] = known
	}
	return known
}

func (j *judge) date(date time.Time) bool {
	text := j.field[3]
	last := date.AddDate(0, 1, -date.Day()) // the last of the month
	var wanted int
	switch body := strings.TrimSuffix(text, "W"); {
	case text == "?":
		return true
	case strings.HasPrefix(text, "L"):
		back, _ := strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(body, "L"), "-"))
		wanted = last.Day() - back
	case body != text:
		wanted, _ = strconv.Atoi(body)
	default:
		return j.says(3, date.Day(), 1, 31)
	}
	if wanted < 1 || wanted > last.Day() {
		return false
	}
	if !strings.HasSuffix(text, "W") {
		return date.Day() == wanted
	}
	// The nearest of the working days of this month.
	best := 0
	for d := 1; d <= last.Day(); d++ {
		w := time.Date(date.Year(), date.Month(), d, 12, 0, 0, 0, time.UTC).Weekday()
		if w != time.Saturday && w != time.Sunday && (best == 0 || abs(d-wanted) < abs(best-wanted)) {
			best = d
		}
	}
	return date.Day() == best
}

func (j *judge) weekday(date time.Time) bool {
	text, w := j.field[5], int(date.Weekday())+1
	switch name, nth, chosen := strings.Cut(text, "#"); {
	case text == "?":
		return true
	case text == "L":
		return w == 7
	case chosen:
		return w == number(5, name, false) && strconv.Itoa((date.Day()+6)/7) == nth
	case strings.HasSuffix(text, "L"):
		return w == number(5, strings.TrimSuffix(text, "L"), false) && date.AddDate(0, 0, 7).Month() != date.Month()
	}
	return j.says(5, w, 1, 7)
}

func abs(n int) int { return max(n, -n) }

// shows tells whether the wall time, given as a time in UTC, matches.
func (j *judge) shows(wall time.Time) bool {
	return j.minute[wall.Minute()] && j.hour[wall.Hour()] && slices.Contains(j.secs, int64(wall.Second())) && j.day(wall.Date())
}

func (j *judge) offset(t int64) int64 {
	_, offset := time.Unix(t, 0).In(j.zone).Zone()
	return int64(offset)
}

// shownBefore tells whether an instant before t, and not a day and a half
// before it, showed what t shows on the clock of offset.
func (j *judge) shownBefore(t, offset int64) bool {
	for _, age := range []int64{1, 6, 12, 18, 24, 30, 36} {
		other := j.offset(t - age*3600)
		if u := t + offset - other; u < t && j.offset(u) == other {
			return true
		}
	}
	return false
}

// gap tells whether t ends a gap in which a matching time is missing.
func (j *judge) gap(t int64) bool {
	before, now := j.offset(t-1), j.offset(t)
	for wall := t + before; wall < t+now; wall++ {
		at := time.Unix(wall, 0).UTC()
		if (at.Second() == 0 || slices.Contains(j.secs, int64(at.Second()))) && j.shows(at) && !j.shownBefore(t, wall-t) {
			return true
		}
	}
	return false
}

// next walks from after to limit. Zones change their clocks on whole minutes
// in the years that the tests ask about.
func (j *judge) next(after, limit int64) (int64, bool) {
	for t := after - floorMod(after, 60); t <= limit; t += 60 {
		wall := time.Unix(t, 0).In(j.zone)
		offset := j.offset(t)
		if t > after && !j.elapsed && j.offset(t-60) < offset && j.gap(t) {
			return t, true
		}
		on := j.day(wall.Date())
		if !on && wall.Hour() == 0 && wall.Minute() == 0 && j.still(t) {
			t += 86400 - 60
			continue
		}
		if !on || !j.hour[wall.Hour()] || !j.minute[wall.Minute()] || !j.elapsed && j.shownBefore(t, offset) {
			continue
		}
		for _, s := range j.secs {
			if t+s > after && t+s <= limit {
				return t + s, true
			}
		}
	}
	return 0, false
}

// still tells whether no clock is changed in the day after t. No zone undoes
// a change within six hours.
func (j *judge) still(t int64) bool {
	for h := int64(-1); h <= 29; h += 6 {
		if j.offset(t+h*3600) != j.offset(t) {
			return false
		}
	}
	return true
}

func floorMod(a, b int64) int64 { return (a%b + b) % b }

// draw makes up an expression.
func draw(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return strings.Join([]string{
			drawList(r, 0, 59, ""), drawList(r, 0, 23, ""), drawList(r, 1, 31, ""),
			drawList(r, 1, 12, monthNames), drawList(r, 0, 7, weekNames),
		}, " ")
	}
	f := []string{"0", drawList(r, 0, 59, ""), drawList(r, 0, 23, ""), "?", drawList(r, 1, 12, monthNames), "?"}
	if r.IntN(3) == 0 {
		f[0] = drawList(r, 0, 59, "")
	}
	if r.IntN(2) == 0 {
		f[3] = pick(r, drawList(r, 1, 31, ""), drawList(r, 1, 31, ""), "*", "L", "LW", fmt.Sprint("L-", r.IntN(31)),
			fmt.Sprint("L-", r.IntN(31), "W"), fmt.Sprint(1+r.IntN(31), "W"))
	} else {
		day := pick(r, fmt.Sprint(1+r.IntN(7)), weekNames[r.IntN(7)*3:][:3])
		f[5] = pick(r, drawList(r, 1, 7, weekNames), "*", "L", day+"L", fmt.Sprint(day, "#", 1+r.IntN(5)))
	}
	if r.IntN(5) == 0 {
		f = append(f, pick(r, "*", "2024-2031", "2020/3", "2026,2028,2032"))
	}
	return strings.Join(f, " ")
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func drawList(r *rand.Rand, lo, hi int, names string) string {
	if r.IntN(4) == 0 {
		return "*"
	}
	n := func() string { return strconv.Itoa(lo + r.IntN(hi-lo+1)) }
	name := func() string { return names[r.IntN(len(names)/3)*3:][:3] }
	items := make([]string, 1+r.IntN(3))
	for i := range items {
		items[i] = pick(r, n(), n(), n()+"-"+n(), n()+"-"+n()+"/"+strconv.Itoa(1+r.IntN(7)),
			"*/"+strconv.Itoa(1+r.IntN(7)), n()+"/"+strconv.Itoa(1+r.IntN(7)))
		if names != "" && r.IntN(3) == 0 {
			items[i] = pick(r, name(), name()+"-"+name())
		}
	}
	return strings.Join(items, ",")
}

var judgedZones = []string{
	"UTC", "America/New_York", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia",
	"Pacific/Kwajalein", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Africa/Cairo", "Antarctica/Troll",
	"Asia/Kathmandu", "America/Santiago", "Asia/Pyongyang", "America/Caracas",
}

// TestEqualsBruteForce asks the judge about random expressions, half of them
// within hours of a change of clocks.
func TestEqualsBruteForce(t *testing.T) {
	t.Parallel()
	total := 10_000
	if testing.Short() {
		total = 1_000
	}
	const workers = 4
	for w := range workers {
		t.Run(fmt.Sprint("seed ", w), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(w), 2))
			for range total / workers {
				judgeOne(t, r)
			}
		})
	}
}

func judgeOne(t *testing.T, r *rand.Rand) {
	t.Helper()
	expr, zoneName := draw(r), judgedZones[r.IntN(len(judgedZones))]
	zone, err := LoadZone(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	cron, err := ParseCron(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	after := time.Date(1990+r.IntN(120), 1, 1, 0, 0, 0, 0, zone).Unix() + r.Int64N(366*86400)
	if _, end := time.Unix(after, 0).In(zone).ZoneBounds(); r.IntN(2) == 0 && !end.IsZero() {
		after = end.Unix() - 36*3600 + r.Int64N(42*3600)
	}
	j := newJudge(expr, zone)
	limit := after + 2*365*86400
	for n := range 4 {
		want, found := j.next(after, limit)
		got, ok := cron.next(after, zone)
		if !found {
			if ok && got <= limit {
				t.Fatalf("%q in %s after %s, firing %d: got %s, want none before %s", expr, zoneName, show(after, zone), n, show(got, zone), show(limit, zone))
			}
			return
		}
		if !ok || got != want {
			t.Fatalf("%q in %s after %s, firing %d: got %s %v, want %s", expr, zoneName, show(after, zone), n, show(got, zone), ok, show(want, zone))
		}
		after = got
	}
}

func show(t int64, zone *time.Location) string {
	return time.Unix(t, 0).In(zone).Format("Mon 2006-01-02 15:04:05 -07:00")
}
