package preview

import (
	"maps"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// windows finds the calendars that a definition names. Nil: it names none, or
// what they do cannot be told.
func (p *View) windows(w *task.Windows, book *calendar.Book) *calendar.Windows {
	if w == nil || book == nil {
		return nil
	}
	fine := true
	for field, names := range map[string][]string{"allow": w.Allow, "forbid": w.Forbid} {
		for _, name := range names {
			if book.Calendars[name] != nil {
				continue
			}
			f := Fault{Field: field, Text: "there is no calendar " + name, Hint: failure.Nearest(name, slices.Sorted(maps.Keys(book.Calendars)))}
			if err := book.Faults[name]; err != nil {
				f = Fault{Field: field, Text: "calendar " + name + " cannot be read: " + err.Error()}
			}
			p.Faults, fine = append(p.Faults, f), false
			break
		}
	}
	if !fine {
		return nil
	}
	windows, err := book.Windows(w)
	if err != nil {
		return nil // all were found
	}
	return windows
}

// outside tells what the calendars do to what the trigger would do.
func (p *View) outside(t trigger.Trigger, w *calendar.Windows, now time.Time) {
	fates := Under(w)
	for i := range p.Next {
		fates.Of(&p.Next[i])
	}
	if p.Year == 0 {
		return
	}
	if n, ok := firings(t, w, now, now.Add(year)); ok {
		p.Year = n
	}
	if p.Year == 0 {
		p.Warnings = append(p.Warnings, "its calendars let none of the firings of a year run")
	}
}

// maxStretches bounds the openings and closings of a year that are gone through.
const maxStretches = 5000

// firings counts those after a time, up to and including another, that calendars
// do not skip. False: they open and close too often.
func firings(t trigger.Trigger, w *calendar.Windows, after, upTo time.Time) (int, bool) {
	outside := w.Outside()
	if outside == task.OutsideDefer || outside == task.OutsideAgent {
		return t.Count(after, upTo), true
	}
	n := 0
	for range maxStretches {
		if !after.Before(upTo) {
			return n, true
		}
		open, end := w.Stretch(after.Add(time.Millisecond), upTo)
		switch some := t.Count(after, end); {
		case open:
			n += some
		case some > 0 && outside == task.OutsideOnce:
			n++
		}
		after = end
	}
	return 0, false
}
