package calendar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/seed42aab489/belfry/plugin/trigger"
)

// The ways in which the start of an event is written.
const (
	localForm   = "2006-01-02T15:04:05"
	instantForm = "2006-01-02T15:04:05Z"
)

// occurrences expands events: days in local seconds, times in Unix seconds.
func occurrences(d Definition, zone *time.Location) (days, times []span, err error) {
	from, through, err := d.limits()
	if err != nil {
		return nil, nil, err
	}
	x := expansion{from: from, through: through}
	for i := range d.Events {
		if err := x.event(&d.Events[i], zone); err != nil {
			return nil, nil, wrong(entry("events", i), err)
		}
	}
	return x.days, x.times, nil
}

// limits are the instants between which rules are followed, taken as of UTC.
func (d Definition) limits() (from, through time.Time, err error) {
	read := func(field, text, otherwise string) time.Time {
		if text == "" {
			text = otherwise
		}
		t, failed := parseDate(text)
		if failed != nil {
			err = wrong(field, fmt.Errorf("%q: write a date like 2026-12-31", text))
		}
		return t
	}
	from = read("from", d.From, DefaultFrom)
	through = read("through", d.Through, DefaultThrough).Add(time.Duration(day)*time.Second - time.Second)
	if err == nil && through.Before(from) {
		err = wrong("through", errors.New("it is before the start of the calendar"))
	}
	return from, through, err
}

// expansion collects the occurrences of events.
type expansion struct {
	from, through time.Time
	days, times   []span
}

func (x *expansion) event(e *Event, zone *time.Location) error {
	if len(e.Except)+len(e.Also) > MaxMoved {
		return fmt.Errorf("more than %d exceptions and additions", MaxMoved)
	}
	zone, err := zoneOf(e, zone)
	if err != nil {
		return err
	}
	start, whole, err := parseStart(e.Start, zone)
	if err != nil {
		return err
	}
	length, err := e.length(whole)
	if err != nil {
		return err
	}
	except := make(map[int64]bool)
	for _, text := range e.Except {
		t, err := like(text, zone, whole)
		if err != nil {
			return fmt.Errorf("except %w", err)
		}
		except[t.Unix()] = true
	}
	put := func(t time.Time) error {
		if except[t.Unix()] {
			return nil
		}
		return x.put(t, length, whole)
	}
	for _, text := range e.Also {
		t, err := like(text, zone, whole)
		if err != nil {
			return fmt.Errorf("also %w", err)
		}
		if err := put(t); err != nil {
			return err
		}
	}
	if e.Rule == "" {
		return put(start)
	}
	return x.follow(e.Rule, start, length, put)
}

// follow calls put with each occurrence of a rule within the limits.
func (x *expansion) follow(text string, start time.Time, length int64, put func(time.Time) error) error {
	o, err := rrule.StrToROptionInLocation(text, start.Location())
	if err != nil {
		return fmt.Errorf("rule %q: %w", text, err)
	}
	if o.Freq > rrule.DAILY {
		return fmt.Errorf("rule %q: a calendar recurs at most daily", text)
	}
	if o.Interval < 0 || o.Count < 0 {
		return fmt.Errorf("rule %q: INTERVAL and COUNT are positive", text)
	}
	o.Dtstart = start
	if o.Until.IsZero() || o.Until.After(x.through) {
		o.Until = x.through
	}
	rule, err := rrule.NewRRule(*o)
	if err != nil {
		return fmt.Errorf("rule %q: %w", text, err)
	}
	next := rule.Iterator()
	for n := 0; ; n++ {
		t, ok := next()
		switch {
		case !ok && n == 0: // looking for what never comes is slow: not twice
			return fmt.Errorf("rule %q: it names no date up to %s", text, x.through.Format(time.DateOnly))
		case !ok:
			return nil
		case n > MaxOccurrences*10:
			return fmt.Errorf("rule %q: too many occurrences before the calendar begins", text)
		}
		if t.Unix()+length < x.from.Unix() {
			continue
		}
		if err := put(t); err != nil {
			return err
		}
	}
}

// put adds an occurrence; the start of a whole day is its midnight in UTC.
func (x *expansion) put(start time.Time, length int64, whole bool) error {
	s := span{start.Unix(), start.Unix() + length}
	if whole {
		x.days = append(x.days, s)
	} else {
		x.times = append(x.times, s)
	}
	if len(x.days)+len(x.times) > MaxOccurrences {
		return fmt.Errorf("more than %d occurrences in all: let it end sooner (through)", MaxOccurrences)
	}
	return nil
}

// length is how long the event lasts, in seconds.
func (e *Event) length(whole bool) (int64, error) {
	switch {
	case whole && e.For != "":
		return 0, errors.New("an event of whole days has days, not for")
	case whole && (e.Days < 0 || int64(e.Days)*day > int64(MaxLength/time.Second)):
		return 0, fmt.Errorf("days %d: at most %d", e.Days, int64(MaxLength/time.Second)/day)
	case whole:
		return int64(max(e.Days, 1)) * day, nil
	case e.Days != 0:
		return 0, errors.New("an event with a time of the day has for, not days")
	}
	long, err := parseLength(e.For)
	return int64(long / time.Second), err
}

func zoneOf(e *Event, otherwise *time.Location) (*time.Location, error) {
	if e.Zone == "" {
		return otherwise, nil
	}
	zone, err := trigger.LoadZone(e.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone: %w", errors.Unwrap(err))
	}
	return zone, nil
}

// like reads a text that must be written like the start of its event.
func like(text string, zone *time.Location, whole bool) (time.Time, error) {
	t, isDate, err := parseStart(text, zone)
	if err == nil && isDate != whole {
		err = fmt.Errorf("%q: write it like the start of the event", text)
	}
	return t, err
}

// parseStart reads the start of an event; whole: it is a date, given as its
// midnight in UTC.
func parseStart(text string, zone *time.Location) (t time.Time, whole bool, err error) {
	switch {
	case len(text) == len(time.DateOnly):
		whole = true
		t, err = time.Parse(time.DateOnly, text)
	case strings.HasSuffix(text, "Z"):
		t, err = time.Parse(instantForm, text)
	default:
		t, err = time.ParseInLocation(localForm, text, zone)
	}
	if err != nil || t.Year() < minYear || t.Year() > maxYear {
		return t, whole, fmt.Errorf("start %q: write 2026-12-25, 2026-12-25T09:00:00, or the latter with a Z for UTC", text)
	}
	return t, whole, nil
}
