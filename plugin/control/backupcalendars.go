package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// BackupItem is what a line of a backup holds: one of them.
type BackupItem struct {
	Task     *task.Info           `json:"task,omitempty"`
	Calendar *calendar.Definition `json:"calendar,omitempty"`
}

// calendarsFormat is the first format with calendars, which only a backup that has
// some uses.
const calendarsFormat = 2

// saveCalendars writes the calendars, which go before the tasks that name them.
func (c *Control) saveCalendars(out *summed, all []calendar.Definition) error {
	for i := range all {
		if err := out.line(BackupItem{Calendar: &all[i]}); err != nil {
			return fmt.Errorf("write backup: %w", err)
		}
	}
	return nil
}

func (c *Control) calendarDefinitions(ctx context.Context) ([]calendar.Definition, error) {
	all, err := c.store.Calendars(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	definitions := make([]calendar.Definition, 0, len(all))
	for i := range all {
		definitions = append(definitions, all[i].Definition)
	}
	return definitions, nil
}

// calendar counts what a restore would make of a calendar, and keeps it if it is to
// be made. There are at most store.MaxCalendars.
func (r *restorer) calendar(ctx context.Context, d calendar.Definition) error {
	if err := check.Calendar(d); err != nil {
		return err
	}
	there, err := r.c.store.Calendar(ctx, d.Name)
	switch {
	case unlessMissing(err) != nil:
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
