package control

import (
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
	"github.com/seed42aab489/belfry/plugin/task"
)

// CalendarView is a named calendar as it stands.
type CalendarView struct {
	calendar.Definition
	Revision int64     `json:"revision"`
	By       string    `json:"by"` // who edited it last
	Edited   time.Time `json:"edited"`
	Open     bool      `json:"open"`
	// Changes is when it opens or closes next; null: never, as far as was looked.
	Changes *time.Time `json:"changes"`
	// Fault is why it does not compile, so that no task that names it fires.
	Fault string `json:"fault"`
	// Tasks that name it; of one calendar alone, in a list null.
	Tasks []string `json:"tasks"`
}

func (c *Control) calendarView(s store.Calendar) CalendarView {
	v := CalendarView{Definition: s.Definition, Revision: s.Revision, By: s.Edit.By, Edited: s.Edit.At.UTC()}
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
func (c *Control) Calendars(ctx context.Context) ([]CalendarView, error) {
	all, err := c.store.Calendars(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := make([]CalendarView, 0, len(all))
	for _, s := range all {
		views = append(views, c.calendarView(s))
	}
	return views, nil
}

// Calendar tells of one, and of the tasks that name it. Codes: not_found,
// unavailable.
func (c *Control) Calendar(ctx context.Context, name string) (CalendarView, error) {
	s, err := c.store.Calendar(ctx, name)
	if err != nil {
		return CalendarView{}, c.noCalendar(ctx, name, err)
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
		e.Hint = failure.Nearest(name, names)
	}
	return e
}

// SetCalendar makes or replaces a calendar. Revision is that of the one before;
// zero: whichever it is; negative: there must be none. It holds from the answer
// on, for all tasks that name it. Codes: invalid, exists, conflict, not_found,
// unavailable, unknown_outcome.
func (c *Control) SetCalendar(ctx context.Context, d calendar.Definition, revision int64) (CalendarView, error) {
	if err := check.Calendar(d); err != nil {
		return CalendarView{}, err
	}
	s, err := c.store.SetCalendar(ctx, d, revision)
	if err != nil {
		return CalendarView{}, failure.Wrap(err)
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

// OpeningView is a time at which a calendar is open.
type OpeningView struct {
	Opens  time.Time  `json:"opens"`
	Closes *time.Time `json:"closes"` // null: never
}

// Openings gives the next n times at which a calendar is open, after or at from, in
// its zone. Codes: invalid, not_found, unavailable.
func (c *Control) Openings(ctx context.Context, name string, n int, from time.Time) ([]OpeningView, error) {
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
	views := []OpeningView{}
	at, open := from.In(compiled.Zone()), compiled.Open(from)
	for len(views) < n {
		if !open {
			next, _, ok := compiled.Next(at)
			if !ok {
				break
			}
			at = next
		}
		v := OpeningView{Opens: at}
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

// fates tells what becomes of instants, one after another in their order.
type fates struct {
	w      *calendar.Windows
	merged time.Time // the opening at which one stands for others
	first  time.Time // that one
}

// of notes what the windows do to an instant.
func (f *fates) of(v *contract.NextView) {
	why := f.w.Why(v.At)
	if why == "" {
		v.Runs = &v.At
		return
	}
	opening, ok := f.w.Opening(v.At)
	at := opening.UTC()
	code := string(task.ReasonWindow)
	switch outside := f.w.Outside(); {
	case outside == task.OutsideAgent:
		v.Runs = &v.At
		v.Why = contract.Because(code, why+": called all the same, with the window")
	case outside == task.OutsideSkip:
		v.Why = contract.Because(code, why+": skipped")
	case !ok:
		v.Why = contract.Because(code, why+": deferred, and no opening is in sight")
	case outside == task.OutsideOnce && f.merged.Equal(opening):
		v.Why = contract.Because(code, why+": stood for by "+f.first.UTC().Format(time.RFC3339))
	default:
		v.Runs, v.Why = &at, contract.Because(code, why+": deferred to the opening")
		f.merged, f.first = opening, v.At
	}
}
