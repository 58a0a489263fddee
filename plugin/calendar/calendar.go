package calendar

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Calendar is open and closed by turns. It is made by Compile, immutable and
// safe for concurrent use.
type Calendar struct {
	name string
	zone *time.Location
	union
}

// Compile makes the calendar of a definition. Error: a *FieldError, of the first
// entry that is wrong.
func Compile(d Definition) (*Calendar, error) {
	zone, err := trigger.LoadZone(d.Zone)
	if err != nil {
		return nil, wrong("zone", errors.Unwrap(err))
	}
	if err := bounded(d); err != nil {
		return nil, err
	}
	c := &Calendar{name: d.Name, zone: zone}
	if err := c.dates(d); err != nil {
		return nil, err
	}
	var times []span
	for i, text := range d.Weekly {
		part, err := parseWeekly(text)
		if err != nil {
			return nil, wrong(entry("weekly", i), err)
		}
		times = append(times, part...)
	}
	c.add(len(times), local{weekly{merged(times)}, zone})
	for i, text := range d.Cron {
		part, err := parseCron(text, d.Zone)
		if err != nil {
			return nil, wrong(entry("cron", i), err)
		}
		c.add(1, part)
	}
	return c, nil
}

func bounded(d Definition) error {
	for _, part := range []struct {
		field       string
		size, limit int
	}{
		{"dates", len(d.Dates), MaxEntries},
		{"weekly", len(d.Weekly), MaxEntries},
		{"cron", len(d.Cron), MaxEntries},
		{"events", len(d.Events), MaxEvents},
	} {
		if part.size > part.limit {
			return wrong(part.field, fmt.Errorf("%d of them: at most %d", part.size, part.limit))
		}
	}
	return nil
}

// add adds a part that was made of n entries.
func (c *Calendar) add(n int, p piece) {
	if n > 0 {
		c.union = append(c.union, p)
	}
}

// dates adds dates and events.
func (c *Calendar) dates(d Definition) error {
	days, times, err := occurrences(d, c.zone)
	if err != nil {
		return err
	}
	every := yearly{}
	for i, text := range d.Dates {
		part, err := parseDates(text, every)
		if err != nil {
			return wrong(entry("dates", i), err)
		}
		days = append(days, part...)
	}
	c.add(len(days), local{merged(days), c.zone})
	c.add(len(every), local{every, c.zone})
	c.add(len(times), merged(times))
	return nil
}

// Name is that of the definition.
func (c *Calendar) Name() string { return c.name }

// Zone is where the calendar's clocks hang.
func (c *Calendar) Zone() *time.Location { return c.zone }

// Open tells whether the calendar is open at an instant.
func (c *Calendar) Open(at time.Time) bool {
	open, _ := c.at(at.Unix())
	return open
}

// Next is the first instant after a time at which the calendar opens or closes,
// in its zone. False: it does neither, or only after maxSteps parts of it have
// ended.
func (c *Calendar) Next(after time.Time) (at time.Time, opens, ok bool) {
	t, ok := change(c, after.Unix())
	if !ok {
		return time.Time{}, false, false
	}
	return time.Unix(t, 0).In(c.zone), !c.Open(after), true
}
