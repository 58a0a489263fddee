package trigger

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Describe says in English when the expression fires: "at 02:30, on Monday to
// Friday". It is for people; programs read Explain.
func (c *Cron) Describe() string {
	if c.every > 0 {
		return "every " + spell(c.every)
	}
	if c.secs == 0 {
		return "never"
	}
	clock := c.describeTime()
	phrases := []string{clock}
	if days := c.describeDays(); days != "" {
		phrases = append(phrases, days)
	} else if c.hours != allHours && !strings.HasPrefix(clock, "every") {
		phrases = append(phrases, "every day")
	}
	if c.months != allMonths && !c.oneDate() {
		phrases = append(phrases, "in "+c.describeMonths())
	}
	if years := c.yearValues(); len(years) <= MaxYear-MinYear {
		phrases = append(phrases, describeYears(years))
	}
	return strings.Join(phrases, ", ")
}

const (
	allMinutes = 1<<60 - 1
	allHours   = 1<<24 - 1
	allDates   = 1<<32 - 2
	allMonths  = 1<<13 - 2
	allWeek    = 1<<7 - 1
	// maxTimes bounds the times of day that are written out.
	maxTimes = 6
)

func (c *Cron) describeTime() string {
	secs, mins, hours := values(c.secs), values(c.mins), values(uint64(c.hours))
	if len(secs) == 1 && len(mins)*len(hours) <= maxTimes {
		var times []string
		for _, h := range hours {
			for _, m := range mins {
				times = append(times, clockText(int64(h*3600+m*60+secs[0])))
			}
		}
		return "at " + list(times)
	}
	var b strings.Builder
	if c.secs != 1 {
		b.WriteString(often("second", secs, 60))
		if c.mins != allMinutes || !strings.HasPrefix(b.String(), "every") {
			b.WriteString(" of " + each("minute", mins, 60))
		}
		b.WriteString(c.describeHours(c.mins == allMinutes))
		return b.String()
	}
	if c.mins == 1 && c.hours == allHours {
		return "every hour"
	}
	b.WriteString(often("minute", mins, 60))
	b.WriteString(c.describeHours(strings.HasPrefix(b.String(), "every")))
	return b.String()
}

// describeHours continues a phrase; through says that it goes on all the hour.
func (c *Cron) describeHours(through bool) string {
	hours := values(uint64(c.hours))
	lo, hi := hours[0], hours[len(hours)-1]
	switch {
	case c.hours == allHours && through:
		return ""
	case through && hi-lo+1 == len(hours):
		return fmt.Sprintf(" from %02d:00 to %02d:59", lo, hi)
	}
	return " of " + each("hour", hours, 24)
}

// often says when within something larger: "every 5 minutes", "at minute 3".
func often(unit string, vs []int, size int) string {
	if step, from, ok := periodic(vs, size); ok {
		switch {
		case step == 1:
			return "every " + unit
		case from == 0:
			return fmt.Sprintf("every %d %ss", step, unit)
		}
		return fmt.Sprintf("every %d %ss from %s %d", step, unit, unit, from)
	}
	return "at " + each(unit, vs, size)
}

// each names the values: "minute 3", "hours 9 to 17", "every 2nd hour".
func each(unit string, vs []int, size int) string {
	if step, from, ok := periodic(vs, size); ok {
		switch {
		case step == 1:
			return "every " + unit
		case from == 0:
			return fmt.Sprintf("every %s %s", ordinal(step), unit)
		}
		return fmt.Sprintf("every %s %s from %s %d", ordinal(step), unit, unit, from)
	}
	if len(vs) > 1 {
		unit += "s"
	}
	return unit + " " + list(runs(vs, func(v int) string { return fmt.Sprint(v) }))
}

// periodic tells whether the values come round evenly for ever, as 5, 20, 35
// and 50 do in 60.
func periodic(vs []int, size int) (step, from int, ok bool) {
	if size%len(vs) != 0 || len(vs) == 1 {
		return 0, 0, false
	}
	step = size / len(vs)
	for i, v := range vs {
		if v != vs[0]+i*step {
			return 0, 0, false
		}
	}
	return step, vs[0], step == 1 || len(vs) > 2
}

// oneDate tells whether the expression names a single date of the year.
func (c *Cron) oneDate() bool {
	return c.dateRule == dateSet && c.week == allWeek && bits.OnesCount32(c.dates) == 1 && bits.OnesCount16(c.months) == 1
}

// describeDays is empty for every day.
func (c *Cron) describeDays() string {
	dates, week := c.describeDates(), c.describeWeek()
	switch {
	case c.oneDate():
		return fmt.Sprintf("on %d %s", bits.TrailingZeros32(c.dates), time.Month(bits.TrailingZeros16(c.months)))
	case dates == "" || week == "":
		return dates + week
	case c.either:
		return dates + " or " + week
	}
	return dates + " when it is " + strings.TrimPrefix(week, "on ")
}

func (c *Cron) describeDates() string {
	n := int(c.dateN)
	switch {
	case c.dateRule == dateLast && n == 0:
		return "on the last day of the month"
	case c.dateRule == dateLast:
		return fmt.Sprintf("%s before the last day of the month", plural(n, "day"))
	case c.dateRule == dateLastW && n == 0:
		return "on the last working day (Monday to Friday) of the month"
	case c.dateRule == dateLastW:
		return fmt.Sprintf("on the working day nearest to %s before the last day of the month", plural(n, "day"))
	case c.dateRule == dateNearest:
		return fmt.Sprintf("on the working day nearest to day %d of the month", n)
	case c.dates == allDates:
		return ""
	}
	vs := values(uint64(c.dates))
	if step := evenly(vs, 31); step > 1 {
		return fmt.Sprintf("on every %s day of the month from day %d", ordinal(step), vs[0])
	}
	return "on " + each("day", vs, 99) + " of the month"
}

func (c *Cron) describeWeek() string {
	var vs []int // from Monday, 1, to Sunday, 7
	for d := 1; d <= 7; d++ {
		if c.week>>(d%7)&1 != 0 {
			vs = append(vs, d)
		}
	}
	days := list(runs(vs, func(d int) string { return time.Weekday(d % 7).String() }))
	switch {
	case c.weekRule == weekNth:
		return fmt.Sprintf("on the %s %s of the month", [...]string{"", "first", "second", "third", "fourth", "fifth"}[c.weekN], days)
	case c.weekRule == weekLast:
		return fmt.Sprintf("on the last %s of the month", days)
	case c.week == allWeek:
		return ""
	}
	return "on " + days
}

func (c *Cron) describeMonths() string {
	return list(runs(values(uint64(c.months)), func(m int) string { return time.Month(m).String() }))
}

func describeYears(vs []int) string {
	if step := evenly(vs, MaxYear); step > 1 {
		return fmt.Sprintf("in every %s year from %d", ordinal(step), vs[0])
	}
	return "in " + list(runs(vs, func(y int) string { return fmt.Sprint(y) }))
}

// evenly gives the step of values that go on by it to the end of their field,
// three of them at least; otherwise 0.
func evenly(vs []int, end int) int {
	if len(vs) < 3 || vs[len(vs)-1]+vs[1]-vs[0] <= end {
		return 0
	}
	for i := 2; i < len(vs); i++ {
		if vs[i]-vs[i-1] != vs[1]-vs[0] {
			return 0
		}
	}
	return vs[1] - vs[0]
}

func (c *Cron) yearValues() []int {
	var out []int
	for y, ok := c.years.next(MinYear); ok; y, ok = c.years.next(y + 1) {
		out = append(out, y)
	}
	return out
}

// values lists the bits of a set.
func values(set uint64) []int {
	out := make([]int, 0, bits.OnesCount64(set))
	for ; set != 0; set &= set - 1 {
		out = append(out, bits.TrailingZeros64(set))
	}
	return out
}

// runs writes three or more neighbours as "a to b".
func runs(vs []int, name func(int) string) []string {
	var out []string
	for len(vs) > 0 {
		n := 1
		for n < len(vs) && vs[n] == vs[n-1]+1 {
			n++
		}
		if n >= 3 {
			out = append(out, name(vs[0])+" to "+name(vs[n-1]))
		} else {
			for _, v := range vs[:n] {
				out = append(out, name(v))
			}
		}
		vs = vs[n:]
	}
	return out
}

func list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " and " + items[last]
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n) + suffix
}

// spell writes a duration in words: "1 hour 30 minutes", or "minute" for one.
func spell(d time.Duration) string {
	var out []string
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}, {"millisecond", time.Millisecond}} {
		if d == u.size && out == nil {
			return u.name
		}
		if n := d / u.size; n > 0 {
			out = append(out, plural(int(n), u.name))
			d %= u.size
		}
	}
	return strings.Join(out, " ")
}

// clockText writes a second of a day, without seconds where they are 0.
func clockText(s int64) string {
	s = s - floorDiv(s, secondsPerDay)*secondsPerDay
	text := fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
	if s%60 != 0 {
		text += fmt.Sprintf(":%02d", s%60)
	}
	return text
}
