package tui

import (
	"reflect"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// Calendars are chosen in the form among those that there are, and what they do to
// the coming instants is told with each key.
func TestFormCalendars(t *testing.T) {
	play(t, windowed, func(t *testing.T, w *world, d *tuitest.Driver) {
		key := task.Key{Name: "weekly-report"}
		windows := func() *task.Windows {
			_, info, err := w.control.Defined(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			return info.Windows
		}
		d.Press("G", "e")
		for range 6 {
			d.Press("tab")
		}
		d.Shows("▸ Allow", "ctrl-n: freeze, office", "365 firings a year")
		d.ShowsNot("Outside")
		d.Type("ofice")
		d.Shows("✗ there is no calendar ofice", "did you mean office")
		d.Press("ctrl+s")
		d.Shows("ctrl-s is off: allow: there is no calendar ofice")
		d.Press("ctrl+u")
		d.Type("o")
		d.Press("ctrl+n")
		d.Shows("office", "0 firings a year", "its calendars let none of the firings of a year run", "skipped, outside calendar office", "Outside")
		d.Press("tab", "ctrl+n", "tab")
		d.Shows("freeze", "skipped, calendar freeze forbids it")
		d.Press("right")
		d.Shows("365 firings a year", "→ Wed 25 Nov 08:00, calendar freeze forbids it")
		d.Press("ctrl+s")
		d.Shows("runs only in: none → office", "never runs in: none → freeze", "outside: none → defer", "that first: calendar freeze forbids it: deferred to the opening, 2026-11-25T08:00:00Z")
		d.Shows("belfry task set weekly-report --allow office --forbid freeze --outside defer --if-revision 2")
		if windows() != nil {
			t.Fatal("it has windows before anybody said so")
		}
		d.Press("y")
		d.Pass(time.Second)
		d.Shows("z undoes it: belfry task set weekly-report")
		if w := windows(); !reflect.DeepEqual(w, &task.Windows{Allow: []string{"office"}, Forbid: []string{"freeze"}, Outside: task.OutsideDefer}) {
			t.Fatalf("%+v", w)
		}
		// An edit of something else leaves them, and one takes them away.
		d.Press("e", "ctrl+s")
		d.Shows("nothing differs")
		d.Press("n")
		for range 6 {
			d.Press("tab")
		}
		d.Press("ctrl+n")
		d.Shows("▸ Allow         freeze")
		d.Press("ctrl+u", "tab", "ctrl+u", "ctrl+s")
		d.Shows("runs only in: office → none", "outside: defer → none", "--allow '' --forbid ''")
		d.Press("y")
		d.Pass(time.Second)
		if w := windows(); w != nil {
			t.Errorf("%+v", w)
		}
	})
}
