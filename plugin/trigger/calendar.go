package trigger

import "math/bits"

// Local time is counted here as if the zone were UTC: a "local second" is the
// number of seconds from 1970-01-01 00:00:00 on the wall to the time on the
// wall. Which instants show it is the business of zone.go.

const secondsPerDay = 86400

// nextLocal gives the first matching local second at or after l. It looks at
// each month of the expression's years at most once.
func (c *Cron) nextLocal(l int64) (int64, bool) {
	day := floorDiv(l, secondsPerDay)
	y, m, d := civil(day)
	if c.onDay(y, m, d) {
		if s, ok := c.nextInDay(int(l - day*secondsPerDay)); ok {
			return day*secondsPerDay + int64(s), true
		}
	}
	y, m, d, ok := c.nextDay(y, m, d+1)
	if !ok {
		return 0, false
	}
	return localUnix(y, m, d) + int64(c.first), true
}

// nextDay gives the first matching date at or after y-m-d, where d may be one
// past the end of its month.
func (c *Cron) nextDay(y, m, d int) (year, month, day int, ok bool) {
	for {
		year, ok := c.years.next(y)
		if !ok {
			return 0, 0, 0, false
		}
		if year > y {
			m, d = 1, 1
		}
		for left := uint32(c.months) >> m << m; left != 0; left &= left - 1 {
			month := bits.TrailingZeros32(left)
			if month > m {
				d = 1
			}
			if days := c.daysOf(year, month) >> d << d; days != 0 {
				return year, month, bits.TrailingZeros32(days), true
			}
		}
		y, m, d = year+1, 1, 1
	}
}

// onDay tells whether the expression fires on that date.
func (c *Cron) onDay(y, m, d int) bool {
	if year, ok := c.years.next(y); !ok || year != y {
		return false
	}
	return c.months>>m&1 != 0 && c.daysOf(y, m)>>d&1 != 0
}

// nextInDay gives the first matching second of a day at or after s.
func (c *Cron) nextInDay(s int) (int, bool) {
	hour, minute, second := s/3600, s/60%60, s%60
	if c.hours>>hour&1 != 0 {
		if c.mins>>minute&1 != 0 {
			if left := c.secs >> second << second; left != 0 {
				return hour*3600 + minute*60 + bits.TrailingZeros64(left), true
			}
		}
		if left := c.mins >> (minute + 1) << (minute + 1); left != 0 {
			return hour*3600 + bits.TrailingZeros64(left)*60 + bits.TrailingZeros64(c.secs), true
		}
	}
	left := c.hours >> (hour + 1) << (hour + 1)
	if left == 0 {
		return 0, false
	}
	return bits.TrailingZeros32(left)*3600 + int(c.first)%3600, true
}

// beforeInDay counts the matching seconds of a day below s, which may be the
// length of the day.
func (c *Cron) beforeInDay(s int) int64 {
	hour, minute, second := s/3600, s/60%60, s%60
	perMinute := bits.OnesCount64(c.secs)
	perHour := bits.OnesCount64(c.mins) * perMinute
	n := bits.OnesCount32(c.hours&(1<<hour-1)) * perHour
	if hour < 24 && c.hours>>hour&1 != 0 {
		n += bits.OnesCount64(c.mins&(1<<minute-1)) * perMinute
		if c.mins>>minute&1 != 0 {
			n += bits.OnesCount64(c.secs & (1<<second - 1))
		}
	}
	return int64(n)
}

// countLocal counts the matching local seconds from a up to, not including, b.
// It looks at each month between them once.
func (c *Cron) countLocal(a, b int64) int64 {
	if a >= b {
		return 0
	}
	dayA, dayB := floorDiv(a, secondsPerDay), floorDiv(b, secondsPerDay)
	ya, ma, da := civil(dayA)
	yb, mb, db := civil(dayB)
	days := 0
	y, m, d, ok := c.nextDay(ya, ma, da)
	for ok && (y < yb || y == yb && m < mb) {
		days += bits.OnesCount32(c.daysOf(y, m) >> d)
		y, m, d, ok = c.nextDay(y, m+1, 1)
	}
	if ok && y == yb && m == mb && d < db {
		days += bits.OnesCount32(c.daysOf(y, m) >> d << d & (1<<db - 1))
	}
	n := int64(days) * c.beforeInDay(secondsPerDay)
	if c.onDay(ya, ma, da) {
		n -= c.beforeInDay(int(a - dayA*secondsPerDay))
	}
	if c.onDay(yb, mb, db) {
		n += c.beforeInDay(int(b - dayB*secondsPerDay))
	}
	return n
}

// daysOf gives the matching days of a month: bit d is its day d.
func (c *Cron) daysOf(y, m int) uint32 {
	length := daysIn(y, m)
	all := uint32(1)<<(length+1) - 2
	firstDay := int(weekday(epochDay(y, m, 1)))

	var dates uint32
	switch c.dateRule {
	case dateSet:
		dates = c.dates
	case dateLast:
		if d := length - int(c.dateN); d >= 1 {
			dates = 1 << d
		}
	case dateLastW:
		dates = nearestWorkday(length-int(c.dateN), length, firstDay)
	case dateNearest:
		dates = nearestWorkday(int(c.dateN), length, firstDay)
	}

	// The bits of c.week, turned so that the weekday of the 1st comes first, and
	// repeated for every week.
	const oneWeek, weeks = 1<<7 - 1, 1<<1 | 1<<8 | 1<<15 | 1<<22 | 1<<29
	turned := uint64(c.week)>>firstDay | uint64(c.week)<<(7-firstDay)&oneWeek
	days := uint32(turned * weeks)
	switch c.weekRule {
	case weekNth:
		days &= oneWeek << (7*int(c.weekN) - 6)
	case weekLast:
		days &= oneWeek << (length - 6)
	}
	if c.either {
		return (dates | days) & all
	}
	return dates & days & all
}

// nearestWorkday gives, as a bit, the Monday to Friday nearest to a day and in
// the same month; nothing when the month has no such day.
func nearestWorkday(day, length, firstDay int) uint32 {
	if day < 1 || day > length {
		return 0
	}
	switch (firstDay + day - 1) % 7 {
	case 6: // Saturday
		if day == 1 {
			return 1 << 3
		}
		return 1 << (day - 1)
	case 0: // Sunday
		if day == length {
			return 1 << (day - 2)
		}
		return 1 << (day + 1)
	}
	return 1 << day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// epochDay counts the days from 1970-01-01 to a date of the proleptic
// Gregorian calendar. Years are taken to begin in March, so that the leap day
// is the last of its year.
func epochDay(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return int64(365*y + floorDivInt(y, 4) - floorDivInt(y, 100) + floorDivInt(y, 400) + (153*(m-3)+2)/5 + d - 719469)
}

// civil is the inverse of epochDay.
func civil(day int64) (y, m, d int) {
	day += 719468 // from 0000-03-01
	era := floorDiv(day, 146097)
	doe := int(day - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	y, m, d = yoe+int(era)*400, mp+3, doy-(153*mp+2)/5+1
	if m > 12 {
		y, m = y+1, m-12
	}
	return y, m, d
}

func floorDivInt(a, b int) int { return int(floorDiv(int64(a), int64(b))) }

// localUnix is the local second at which a date begins.
func localUnix(y, m, d int) int64 { return epochDay(y, m, d) * secondsPerDay }

// weekday counts from Sunday, 0.
func weekday(day int64) int64 { return (day%7 + 11) % 7 }

func daysIn(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
