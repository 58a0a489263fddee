package calendar

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Book holds the calendars that there are, as of one revision. It is immutable.
type Book struct {
	// Revision grows with each edit of any calendar. Zero: none was ever made.
	Revision int64
	// Calendars by name, and why those that cannot be read cannot.
	Calendars map[string]*Calendar
	Faults    map[string]error
}

// MissingError says that a task names a calendar that cannot be consulted.
type MissingError struct {
	Name string
	Err  error // why it cannot be read; nil: there is none of that name
}

// Error says what to do.
func (e *MissingError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("calendar %s cannot be read, so nothing fires: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("calendar %s does not exist, so nothing fires: make it with belfry calendar set, or change the task", e.Name)
}

// Unwrap gives the cause.
func (e *MissingError) Unwrap() error { return e.Err }

// Windows are the calendars that a task names, taken together: open while one of
// those that allow is, or there are none, and none of those that forbid. Made by
// Book.Windows, immutable and safe for concurrent use. Nil: always open.
type Windows struct {
	allow, forbid union
	outside       task.Outside
}

// Windows finds the calendars that a task names; nil for none. Error: a
// *MissingError. A nil Book holds no calendars.
func (b *Book) Windows(w *task.Windows) (*Windows, error) {
	if w == nil {
		return nil, nil
	}
	out := &Windows{outside: w.Outside}
	var err error
	if out.allow, err = b.find(w.Allow); err != nil {
		return nil, err
	}
	if out.forbid, err = b.find(w.Forbid); err != nil {
		return nil, err
	}
	return out, nil
}

func (b *Book) find(names []string) (union, error) {
	var found union
	for _, name := range names {
		if b == nil {
			return nil, &MissingError{Name: name}
		}
		c := b.Calendars[name]
		if c == nil {
			return nil, &MissingError{name, b.Faults[name]}
		}
		found = append(found, c)
	}
	return found, nil
}

func (w *Windows) at(t int64) (bool, int64) {
	if w == nil {
		return true, forever
	}
	allowed, until := true, forever
	if len(w.allow) > 0 {
		allowed, until = w.allow.at(t)
	}
	forbidden, same := w.forbid.at(t)
	switch {
	case forbidden && !allowed:
		return false, max(until, same) // it is closed as long as either says so
	case forbidden:
		return false, same
	case !allowed:
		return false, until
	}
	return true, min(until, same)
}

// Outside says what becomes of a firing while they are closed.
func (w *Windows) Outside() task.Outside {
	if w == nil || w.outside == "" {
		return task.OutsideSkip
	}
	return w.outside
}

// Open tells whether a task may run at an instant.
func (w *Windows) Open(at time.Time) bool {
	if w == nil {
		return true
	}
	open, _ := w.at(at.Unix())
	return open
}

// Opening is the first instant at or after a time at which they are open. False:
// there is none up to the time that is given instead, which may be zero: never.
func (w *Windows) Opening(at time.Time) (time.Time, bool) {
	if w.Open(at) {
		return at, true
	}
	return w.Change(at)
}

// Change is the first instant after a time at which they open or close. False:
// there is none up to the time that is given instead; zero: never.
func (w *Windows) Change(after time.Time) (time.Time, bool) {
	t, ok := change(w, after.Unix())
	if t == forever {
		return time.Time{}, false
	}
	return time.Unix(t, 0), ok
}

// Stretch tells whether they are open at an instant, and the end of the time from
// there on, at most limit, throughout which that is so. The end is the last
// instant of that time, in whole milliseconds.
func (w *Windows) Stretch(at, limit time.Time) (open bool, end time.Time) {
	open, until := w.at(at.Unix())
	for range maxSteps {
		if until > limit.Unix() {
			return open, limit
		}
		now, next := w.at(until)
		if now != open {
			break
		}
		until = next
	}
	if until > limit.Unix() {
		return open, limit
	}
	return open, time.Unix(until, 0).Add(-time.Millisecond)
}

// Window is the time in which they are open at an instant, from then on; or if they
// are closed, the next in which they are. The zero window: at any time. False:
// they do not open again.
func (w *Windows) Window(at time.Time) (task.Window, bool) {
	if w == nil {
		return task.Window{}, true
	}
	opening, ok := w.Opening(at)
	if !ok {
		return task.Window{}, false
	}
	closing, ok := w.Change(opening)
	if !ok {
		closing = time.Time{}
	}
	return task.Window{From: opening, Until: closing}, true
}

// Why says, for a person, which calendars keep a task from running at an instant;
// empty: none does.
func (w *Windows) Why(at time.Time) string {
	if w.Open(at) {
		return ""
	}
	var closed []string
	for _, p := range w.forbid {
		if c, ok := p.(*Calendar); ok && c.Open(at) {
			return "calendar " + c.name + " forbids it"
		}
	}
	for _, p := range w.allow {
		if c, ok := p.(*Calendar); ok {
			closed = append(closed, c.name)
		}
	}
	return "outside calendar " + strings.Join(closed, ", ")
}
