package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of calendars.
const (
	MaxCalendars = 256
	MaxCalendar  = 256 << 10 // as it is stored, in bytes
)

// Calendar is a stored calendar.
type Calendar struct {
	calendar.Definition
	// Revision grows by one with each edit. Zero: not stored yet.
	Revision int64 `json:"revision"`
	// Edit is the last edit, its time that of the commit.
	Edit task.Edit `json:"edit"`
}

type calendarRecord struct {
	Format int `json:"format"`
	calendar.Definition
	Edit task.Edit `json:"edit"`
}

// calendarsRecord is the value of the key whose version every edit of any calendar
// moves. An owner's commits check it, if tasks of its bucket name calendars.
type calendarsRecord struct {
	Format int `json:"format"`
}

// InUseError says which tasks name a calendar that was to be deleted.
type InUseError struct {
	Name  string
	Tasks []task.Key
}

// Error names the first of the tasks.
func (e *InUseError) Error() string {
	names := make([]string, 0, len(e.Tasks))
	for _, k := range e.Tasks {
		names = append(names, k.Name)
	}
	const shown = 5
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(" and %d more", len(names)-shown)
		names = names[:shown]
	}
	return fmt.Sprintf("calendar %s is named by %s%s", e.Name, strings.Join(names, ", "), more)
}

func (k keys) calendars() string           { return string(k) + "/calendars" }
func (k keys) calendar(name string) string { return k.calendars() + "/" + Segment(name) }

// CheckCalendarName tells whether a new calendar may have the name: the rules are
// those of tasks.
func CheckCalendarName(name string) error {
	if fault := task.NameFault(name, MaxTenant); fault != "" {
		return fmt.Errorf("calendar %q: %s", name, fault)
	}
	return nil
}

func decodeCalendar(e coordclient.Entry) (Calendar, error) {
	var r calendarRecord
	if err := decode(e.Value, MaxCalendar, &r, &r.Format); err != nil {
		return Calendar{}, err
	}
	if r.Name == "" {
		return Calendar{}, errors.New("no name")
	}
	r.Edit.At = e.Modified
	return Calendar{r.Definition, e.Version + 1, r.Edit}, nil
}

// Calendars lists the calendars by name. Those that cannot be read are left out
// and reported. Error: coordclient.ErrUnavailable.
func (s *Store) Calendars(ctx context.Context) ([]Calendar, error) {
	all, err := read(ctx, s, s.keys.calendars(), func(_ string, e coordclient.Entry) (Calendar, error) { return decodeCalendar(e) })
	if err != nil {
		return nil, fmt.Errorf("calendars: %w", err)
	}
	slices.SortFunc(all, func(a, b Calendar) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// CalendarsMoved gives a channel that closes when a calendar may have changed.
// Errors: coordclient.ErrNotFound (nothing was prepared), ErrUnavailable.
func (s *Store) CalendarsMoved(ctx context.Context) (<-chan struct{}, error) {
	_, changed, err := s.kv.Get(ctx, s.keys.calendars())
	if err != nil {
		return nil, fmt.Errorf("watch calendars: %w", err)
	}
	return changed, nil
}

// Calendar reads one. Errors: coordclient.ErrNotFound, ErrUnavailable,
// *CorruptError.
func (s *Store) Calendar(ctx context.Context, name string) (Calendar, error) {
	e, err := s.peek(ctx, s.keys.calendar(name))
	if err != nil {
		return Calendar{}, fmt.Errorf("calendar %s: %w", name, err)
	}
	c, err := decodeCalendar(e)
	if err != nil {
		return Calendar{}, fmt.Errorf("calendar %s: %w", name, &CorruptError{e.Key, err})
	}
	return c, nil
}

// SetCalendar stores a calendar in the place of that of its name, or of none.
// Revision is that of the one before; zero: whichever it is; negative: there must
// be none. It takes effect with its acknowledgement: no owner decides by the one
// before any more. The same again commits nothing. The definition must compile.
// Errors: coordclient.ErrExists, ErrConflict, ErrTooLarge, ErrUnavailable,
// ErrUnknownOutcome.
func (s *Store) SetCalendar(ctx context.Context, d calendar.Definition, revision int64) (Calendar, error) {
	record := calendarRecord{Format, d, task.Edit{ID: s.newID(), By: s.by, Reason: s.why}}
	value, err := encode(record, MaxCalendar)
	if err != nil {
		return Calendar{}, fmt.Errorf("calendar %s: %w", d.Name, err)
	}
	e := Edit{Code: CalendarSet, By: s.by, Object: d.Name, ID: record.Edit.ID}
	err = s.editCalendars(ctx, d.Name, func(before *Calendar) ([]coordclient.Op, Edit, error) {
		switch {
		case before == nil && revision > 0:
			return nil, e, coordclient.ErrNotFound
		case before == nil:
			e.Revision = 1
			return []coordclient.Op{coordclient.Create(s.keys.calendar(d.Name), value)}, e, s.roomForCalendar(ctx)
		case before.Edit.ID == record.Edit.ID, revision >= 0 && same(before.Definition, d):
			return nil, e, nil // it is there
		case revision < 0:
			return nil, e, coordclient.ErrExists
		case revision > 0 && before.Revision != revision:
			return nil, e, fmt.Errorf("%w (it is at revision %d, not %d)", coordclient.ErrConflict, before.Revision, revision)
		}
		e.Revision = before.Revision + 1
		return []coordclient.Op{coordclient.Set(s.keys.calendar(d.Name), value, before.Revision-1)}, e, nil
	})
	if err != nil {
		return Calendar{}, fmt.Errorf("calendar %s: %w", d.Name, err)
	}
	return s.Calendar(ctx, d.Name)
}

func (s *Store) roomForCalendar(ctx context.Context) error {
	names, err := s.kv.List(ctx, s.keys.calendars())
	if err == nil && len(names) >= MaxCalendars {
		err = fmt.Errorf("%d calendars: %w", len(names), coordclient.ErrTooLarge)
	}
	return err
}

// DeleteCalendar forgets a calendar that no task names. Revision as of
// SetCalendar. Errors: *InUseError, coordclient.ErrNotFound, ErrConflict,
// ErrUnavailable, ErrUnknownOutcome.
func (s *Store) DeleteCalendar(ctx context.Context, name string, revision int64) error {
	doubt := false
	err := s.editCalendars(ctx, name, func(before *Calendar) ([]coordclient.Op, Edit, error) {
		e := Edit{Code: CalendarDeleted, By: s.by, Object: name}
		switch {
		case before == nil && doubt:
			return nil, e, nil // a copy whose answer was lost has landed
		case before == nil:
			return nil, e, coordclient.ErrNotFound
		case revision > 0 && before.Revision != revision:
			return nil, e, fmt.Errorf("%w (it is at revision %d, not %d)", coordclient.ErrConflict, before.Revision, revision)
		}
		doubt = true
		unused, err := s.unused(ctx, name)
		return append([]coordclient.Op{coordclient.Delete(s.keys.calendar(name), before.Revision-1)}, unused...), e, err
	})
	if err != nil {
		return fmt.Errorf("delete calendar %s: %w", name, err)
	}
	return nil
}

// unused looks for tasks that name a calendar, and makes checks that no task was
// edited since. Where there are more buckets than one commit can check, a task
// that begins to name it at this very moment may be left without: it does not
// fire, and says so. Errors: *InUseError, coordclient.ErrUnavailable.
func (s *Store) unused(ctx context.Context, name string) ([]coordclient.Op, error) {
	buckets, err := s.Span(ctx)
	if err != nil {
		return nil, err
	}
	const others = 8 // operations of the same commit
	checks := make([]coordclient.Op, min(buckets, coordclient.MaxOps-others))
	err = parallel.Each(ctx, len(checks), func(ctx context.Context, b int) error {
		e, err := s.peek(ctx, s.keys.bucket(b))
		checks[b] = coordclient.Check(s.keys.bucket(b), e.Version)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	used := &InUseError{Name: name}
	for i := range all {
		if slices.Contains(all[i].Windows.Names(), name) {
			used.Tasks = append(used.Tasks, all[i].Key)
		}
	}
	if len(used.Tasks) > 0 {
		return nil, used
	}
	return checks, nil
}

// editCalendars commits what change makes of a calendar as it is, nil if there is
// none, together with the move of the calendars' version; no operations: nothing.
// It asks again when anything moved meanwhile, or an answer was lost.
func (s *Store) editCalendars(ctx context.Context, name string, change func(before *Calendar) ([]coordclient.Op, Edit, error)) error {
	lost := 0
	for try := range maxMoves {
		head, err := s.calendarsKey(ctx)
		if err != nil {
			return err
		}
		before, err := s.calendarBefore(ctx, name)
		if err != nil {
			return err
		}
		ops, e, err := change(before)
		if err != nil || len(ops) == 0 {
			return err
		}
		audit, err := s.note(ctx, groupAudit, e)
		if err != nil {
			return err
		}
		err = s.kv.Commit(ctx, append(ops, coordclient.Set(head.Key, head.Value, head.Version), audit)...)
		var failed *coordclient.CommitError
		switch {
		case err == nil:
			return nil
		case errors.Is(err, coordclient.ErrUnknownOutcome):
			if lost++; lost > maxDoubts {
				return err
			}
			if err := s.kv.Sync(ctx, head.Key); err != nil {
				return fmt.Errorf("%w: %v", coordclient.ErrUnknownOutcome, err) //nolint:errorlint // the cause must not speak for the commit
			}
		case !errors.As(err, &failed) || errors.Is(err, coordclient.ErrTooLarge):
			return err
		}
		if err := backoff(ctx, try); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: calendars or tasks moved %d times meanwhile", coordclient.ErrUnavailable, maxMoves)
}

// calendarBefore reads a calendar; nil: there is none. One that cannot be read
// may be replaced and deleted.
func (s *Store) calendarBefore(ctx context.Context, name string) (*Calendar, error) {
	e, err := s.peek(ctx, s.keys.calendar(name))
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	c, fault := decodeCalendar(e)
	if fault != nil {
		s.corrupt(&CorruptError{e.Key, fault})
		c = Calendar{Revision: e.Version + 1}
	}
	return &c, nil
}

// calendarsKey reads the key whose version is that of all calendars, and makes it
// if need be.
func (s *Store) calendarsKey(ctx context.Context) (coordclient.Entry, error) {
	key := s.keys.calendars()
	e, err := s.peek(ctx, key)
	if !errors.Is(err, coordclient.ErrNotFound) {
		return e, err
	}
	value, err := json.Marshal(calendarsRecord{Format})
	if err != nil {
		return e, err
	}
	err = s.kv.Commit(ctx, coordclient.Create(key, value))
	if err != nil && !errors.Is(err, coordclient.ErrExists) && !errors.Is(err, coordclient.ErrUnknownOutcome) {
		return e, err
	}
	return s.peek(ctx, key)
}
