package task

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Windows say when a task may run, by calendars that have a name. It may while
// one of Allow is open, or none is named, and none of Forbid is.
type Windows struct {
	Allow  []string `json:"allow,omitempty"`
	Forbid []string `json:"forbid,omitempty"`
	// Outside says what becomes of a firing at any other time.
	Outside Outside `json:"outside,omitempty"`
}

// MaxWindows is the most calendars that a task names.
const MaxWindows = 16

// Outside says what becomes of a firing that falls outside the windows of its
// task.
type Outside string

// The policies. The zero value means OutsideSkip.
const (
	OutsideSkip  Outside = "skip"  // it never runs
	OutsideDefer Outside = "defer" // it runs at the opening, as each of them does
	OutsideOnce  Outside = "once"  // one runs at the opening, and stands for those that fell outside with it
	// OutsideAgent: it runs all the same, and its call carries the window, which
	// what it calls keeps to. For tasks with Reply.
	OutsideAgent Outside = "agent"
)

// Clone copies w; nil of nil.
func (w *Windows) Clone() *Windows {
	if w == nil {
		return nil
	}
	own := *w
	own.Allow, own.Forbid = slices.Clone(w.Allow), slices.Clone(w.Forbid)
	return &own
}

// Names are the calendars that w names, each once.
func (w *Windows) Names() []string {
	if w == nil {
		return nil
	}
	var names []string
	seen := make(map[string]bool)
	for _, list := range [][]string{w.Allow, w.Forbid} {
		for _, name := range list {
			if !seen[name] {
				names = append(names, name)
			}
			seen[name] = true
		}
	}
	return names
}

// Check tells what is wrong with w on its own; nil: nothing. Whether its
// calendars exist is not asked.
func (w *Windows) Check() error {
	switch {
	case w == nil:
		return nil
	case len(w.Allow)+len(w.Forbid) == 0:
		return errors.New("windows name no calendar: give allow or forbid")
	case len(w.Allow)+len(w.Forbid) > MaxWindows:
		return fmt.Errorf("windows name %d calendars, at most %d", len(w.Allow)+len(w.Forbid), MaxWindows)
	}
	switch w.Outside {
	case "", OutsideSkip, OutsideDefer, OutsideOnce, OutsideAgent:
	default:
		return fmt.Errorf("outside %q: use skip, defer, once or agent", w.Outside)
	}
	for _, name := range w.Names() {
		if name == "" {
			return errors.New("windows name a calendar without a name")
		}
	}
	return nil
}

// Window is a time in which what was asked for may be done. The zero value is any.
type Window struct {
	From, Until time.Time // Until is the first instant after it; zero: no end
}

// String writes the window as an interval of ISO 8601 in whole seconds of UTC.
func (w Window) String() string {
	until := ".."
	if !w.Until.IsZero() {
		until = w.Until.UTC().Format(time.RFC3339)
	}
	return w.From.UTC().Truncate(time.Second).Format(time.RFC3339) + "/" + until
}
