package control

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// calendar counts what a restore would make of a calendar, and keeps it if it is to
// be made. There are at most store.MaxCalendars.
func (r *restorer) calendar(ctx context.Context, d calendar.Definition) error {
	if err := check.Calendar(d); err != nil {
		return err
	}
	there, err := r.c.store.Calendar(ctx, d.Name)
	switch {
	case failure.UnlessMissing(err) != nil:
		return err
	case err != nil:
		r.out.Created++
	case sameCalendar(d, there.Definition):
		r.out.Unchanged++
		return nil
	default:
		if r.out.Replaced++; len(r.out.Different) <= maxListed {
			r.out.Different = append(r.out.Different, "calendar "+d.Name)
		}
	}
	r.calendars = append(r.calendars, d)
	return nil
}

func sameCalendar(a, b calendar.Definition) bool {
	one, err := json.Marshal(a)
	other, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && bytes.Equal(one, other)
}

// restoreCalendars makes the calendars that are missing or different.
func (r *restorer) restoreCalendars(ctx context.Context) error {
	for _, d := range r.calendars {
		if _, err := r.c.store.SetCalendar(ctx, d, 0); err != nil {
			return err
		}
	}
	return nil
}
