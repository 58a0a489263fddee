package task

import "fmt"

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
)

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
		return fmt.Errorf("windows name no calendar: give allow or forbid")
	case len(w.Allow)+len(w.Forbid) > MaxWindows:
		return fmt.Errorf("windows name %d calendars, at most %d", len(w.Allow)+len(w.Forbid), MaxWindows)
	}
	switch w.Outside {
	case "", OutsideSkip, OutsideDefer, OutsideOnce:
	default:
		return fmt.Errorf("outside %q: use skip, defer or once", w.Outside)
	}
	for _, name := range w.Names() {
		if name == "" {
			return fmt.Errorf("windows name a calendar without a name")
		}
	}
	return nil
}
