package calendar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

var weekdays = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// parseWeekly reads "mon-fri 09:00-17:00", "sat,sun", "fri 22:00-06:00",
// "mon-fri 08:00-12:00,13:00-17:00" as seconds of the week.
func parseWeekly(text string) ([]span, error) {
	const form = `write it like "mon-fri 09:00-17:00" or "sat,sun"`
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) < 1 || len(fields) > 2 {
		return nil, fmt.Errorf("%q: %s", text, form)
	}
	days, err := parseDays(fields[0])
	if err != nil {
		return nil, fmt.Errorf("%q: %w; %s", text, err, form)
	}
	times := []span{{0, day}}
	if len(fields) == 2 {
		if times, err = parseTimes(fields[1]); err != nil {
			return nil, fmt.Errorf("%q: %w; %s", text, err, form)
		}
	}
	var all []span
	for d, on := range days {
		for _, s := range times {
			if !on {
				continue
			}
			s.from, s.to = s.from+int64(d)*day, s.to+int64(d)*day
			if s.to > week { // Sunday night
				all = append(all, span{0, s.to - week})
				s.to = week
			}
			all = append(all, s)
		}
	}
	return all, nil
}

func parseDays(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, ranged := strings.Cut(part, "-")
		if !ranged {
			last = first
		}
		from, to := weekdayOf(first), weekdayOf(last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("%q are no days of the week (mon, tue, wed, thu, fri, sat, sun)", part)
		}
		for d := from; ; d = (d + 1) % len(weekdays) {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func weekdayOf(name string) int {
	for i, short := range weekdays {
		if len(name) >= 3 && strings.HasPrefix([]string{
			"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
		}[i], name) && strings.HasPrefix(name, short) {
			return i
		}
	}
	return -1
}

// parseTimes reads "09:00-17:00,18:00-24:00". An end that is not later than its
// start is that of the next day.
func parseTimes(text string) ([]span, error) {
	var all []span
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			return nil, fmt.Errorf("%q has no end", part)
		}
		start, err := parseClock(from)
		if err != nil {
			return nil, err
		}
		end, err := parseClock(to)
		if err != nil {
			return nil, err
		}
		if start == day {
			return nil, errors.New("nothing starts at 24:00: write 00:00 of the next day")
		}
		if end <= start {
			end += day
		}
		all = append(all, span{start, end})
	}
	return all, nil
}

// parseClock reads "9:00", "09:00", "09:00:30" or "24:00" as seconds of the day.
func parseClock(text string) (int64, error) {
	if text == "24:00" {
		return day, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return int64(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
		}
	}
	return 0, fmt.Errorf("%q is no time of the day", text)
}

// parseDates reads "2026-12-25" or "2026-12-24..2027-01-01" into local seconds;
// or "12-25" into the days of every year.
func parseDates(text string, every yearly) ([]span, error) {
	if t, err := time.Parse("2006-01-02", "2000-"+text); err == nil {
		every[int(t.Month())*100+t.Day()] = true
		return nil, nil
	}
	first, last, ranged := strings.Cut(text, "..")
	if !ranged {
		last = first
	}
	from, errFrom := parseDate(first)
	to, errTo := parseDate(last)
	switch {
	case errFrom != nil || errTo != nil:
		return nil, fmt.Errorf("%q: write a date like 2026-12-25, a range like 2026-12-24..2027-01-01, or 12-25 for every year", text)
	case to.Before(from):
		return nil, fmt.Errorf("%q ends before it begins", text)
	}
	return []span{{from.Unix(), to.Unix() + day}}, nil
}

// parseDate reads a date as its midnight in UTC.
func parseDate(text string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	if err == nil && (t.Year() < minYear || t.Year() > maxYear) {
		err = fmt.Errorf("the year is not within %d to %d", minYear, maxYear)
	}
	return t, err
}

// cronRange opens when an expression fires.
type cronRange struct {
	opens trigger.Trigger
	long  int64
}

// parseCron reads "0 0 22 ? * SUN for 4h".
func parseCron(text, zone string) (cronRange, error) {
	at := strings.LastIndex(text, " for ")
	if at < 0 {
		return cronRange{}, fmt.Errorf(`%q: write an expression and for how long it opens, like "0 0 22 ? * SUN for 4h"`, text)
	}
	long, err := parseLength(strings.TrimSpace(text[at+len(" for "):]))
	if err != nil {
		return cronRange{}, fmt.Errorf("%q: %w", text, err)
	}
	expr := strings.TrimSpace(text[:at])
	cron, err := trigger.ParseCron(expr)
	if err != nil {
		return cronRange{}, err
	}
	if cron.Every() > 0 {
		return cronRange{}, fmt.Errorf("%q: an interval has no place in a calendar: name the times", expr)
	}
	var c trigger.Compiler
	opens, err := c.Compile(task.TriggerInfo{Cron: expr, TZ: zone}, time.Time{}, "")
	return cronRange{opens, int64(long / time.Second)}, err
}

func (c cronRange) at(t int64) (bool, int64) {
	// What opened after t-long is still open.
	next, ok := c.opens.Next(time.Unix(t-c.long, 0))
	switch {
	case !ok:
		return false, forever
	case next.Unix() > t:
		return false, next.Unix()
	}
	last, _ := c.opens.Last(next.Add(-time.Second), time.Unix(t, 0))
	return true, last.Unix() + c.long
}

func parseLength(text string) (time.Duration, error) {
	long, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no duration: write it like 4h or 90m", text)
	case long < time.Second || long > MaxLength || long%time.Second != 0:
		return 0, fmt.Errorf("%s: a range lasts whole seconds, at least one and at most %s", text, MaxLength)
	}
	return long, nil
}
