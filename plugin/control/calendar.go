package control

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

func (c *Control) calendarView(s store.Calendar) contract.CalendarView {
	v := contract.CalendarView{Definition: s.Definition, Revision: s.Revision, By: s.Edit.By, Edited: s.Edit.At.UTC()}
	compiled, err := calendar.Compile(s.Definition)
	if err != nil {
		v.Fault = err.Error()
		return v
	}
	now := c.now()
	v.Open = compiled.Open(now)
	if at, _, ok := compiled.Next(now); ok {
		v.Changes = contract.Moment(at.UTC())
	}
	return v
}

// Calendars lists the calendars by name. Codes: unavailable.
func (c *Control) Calendars(ctx context.Context) ([]contract.CalendarView, error) {
	all, err := c.store.Calendars(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := make([]contract.CalendarView, 0, len(all))
	for _, s := range all {
		views = append(views, c.calendarView(s))
	}
	return views, nil
}

// Calendar tells of one, and of the tasks that name it. Codes: not_found,
// unavailable.
func (c *Control) Calendar(ctx context.Context, name string) (contract.CalendarView, error) {
	s, err := c.store.Calendar(ctx, name)
	if err != nil {
		return contract.CalendarView{}, c.noCalendar(ctx, name, err)
	}
	v := c.calendarView(s)
	v.Tasks = []string{}
	tasks, err := c.store.List(ctx)
	for i := range tasks {
		if slices.Contains(tasks[i].Windows.Names(), name) {
			v.Tasks = append(v.Tasks, tasks[i].Name)
		}
	}
	return v, failure.Wrap(err)
}

// noCalendar adds to a not-found error the names that are like the one asked for.
func (c *Control) noCalendar(ctx context.Context, name string, err error) error {
	if !errors.Is(err, coordclient.ErrNotFound) {
		return failure.Wrap(err)
	}
	e := &failure.Error{Code: failure.CodeNotFound, Message: "there is no calendar " + name, Err: err}
	if all, err := c.store.Calendars(ctx); err == nil {
		names := make([]string, 0, len(all))
		for _, s := range all {
			names = append(names, s.Name)
		}
		e.Hint = cmp.Or(failure.Nearest(name, names), "see calendar list")
	}
	return e
}

// SetCalendar makes or replaces a calendar. Revision is that of the one before;
// zero: whichever it is; negative: there must be none. It holds from the answer
// on, for all tasks that name it. Codes: invalid, exists, conflict, not_found,
// unavailable, unknown_outcome.
func (c *Control) SetCalendar(ctx context.Context, d calendar.Definition, revision int64) (contract.CalendarView, error) {
	if err := check.Calendar(d); err != nil {
		return contract.CalendarView{}, err
	}
	s, err := c.store.SetCalendar(ctx, d, revision)
	if err != nil {
		return contract.CalendarView{}, failure.Wrap(err)
	}
	return c.calendarView(s), nil
}

// DeleteCalendar forgets a calendar that no task names. Codes: conflict (tasks
// name it, or it was changed), not_found, unavailable, unknown_outcome.
func (c *Control) DeleteCalendar(ctx context.Context, name string, revision int64) error {
	err := c.store.DeleteCalendar(ctx, name, revision)
	if used, ok := errors.AsType[*store.InUseError](err); ok {
		return &failure.Error{
			Code: failure.CodeConflict, Message: used.Error(), Err: err,
			Hint: "let them name others first (belfry task set NAME --allow … --forbid …)",
		}
	}
	return c.noCalendar(ctx, name, err)
}

// Openings gives the next n times at which a calendar is open, after or at from, in
// its zone. Codes: invalid, not_found, unavailable.
func (c *Control) Openings(ctx context.Context, name string, n int, from time.Time) ([]contract.OpeningView, error) {
	if n < 1 || n > MaxNext {
		return nil, failure.Invalid("%d times: ask for 1 to %d", n, MaxNext)
	}
	s, err := c.store.Calendar(ctx, name)
	if err != nil {
		return nil, c.noCalendar(ctx, name, err)
	}
	compiled, err := calendar.Compile(s.Definition)
	if err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "calendar " + name + ": " + err.Error(), Err: err}
	}
	views := []contract.OpeningView{}
	at, open := from.In(compiled.Zone()), compiled.Open(from)
	for len(views) < n {
		if !open {
			next, _, ok := compiled.Next(at)
			if !ok {
				break
			}
			at = next
		}
		v := contract.OpeningView{Opens: at}
		closing, _, ok := compiled.Next(at)
		if ok {
			v.Closes = &closing
		}
		views = append(views, v)
		if !ok {
			break
		}
		at, open = closing, false
	}
	return views, nil
}
