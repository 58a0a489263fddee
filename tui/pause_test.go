package tui

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// A pause is given an end: what is typed is judged and shown as it is typed, and
// the task fires again by itself.
func TestPauseUntil(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		at := func() contract.TaskView {
			v, err := w.control.Task(t.Context(), task.Key{Name: "stock-watch"})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		d.Press("/")
		d.Type("stock-w")
		d.Press("enter", "p")
		d.Type("db")
		d.Press("tab")
		d.Type("2027-13")
		d.Shows("not clear yet until when", `enter is off: "2027-13": write it like`)
		d.Press("enter")
		d.Shows("Pause task stock-watch?")
		d.Press("ctrl+u")
		d.Type("2020-01-01")
		d.Shows("a pause until 2020-01-01T00:00:00Z is over already")
		d.Press("ctrl+u")
		d.Type("2036-01-01")
		d.Shows("it may last 1830 days")
		d.Press("ctrl+u")
		d.Type("2026-12-01T08:00:00Z")
		d.ShowsNot("enter is off")
		d.Shows("--reason db --until 2026-12-01T08:00:00Z", "it does not fire until 2026-12-01T08:00:00Z")
		d.Press("ctrl+u")
		d.Type("+10m")
		d.Shows("--until +10m")
		d.Press("ctrl+u")
		d.Type("10m")
		d.Press("shift+tab")
		d.Type(" patch")
		d.Shows("belfry task pause stock-watch --reason 'db patch' --for 10m", "in 10m0s, when it resumes by itself")
		if v := at(); v.State == contract.Paused {
			t.Fatal("it is paused before anybody said so")
		}
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("paused until 2026-11-23T", "‖9m", "PAUSED_BY_USER: db patch; until 2026-11-23T")
		if v := at(); v.State != contract.Paused || v.PausedUntil == nil || time.Until(*v.PausedUntil).Round(time.Minute) != 10*time.Minute {
			t.Fatalf("paused: %+v", v)
		}
		d.Press("enter")
		d.Shows("‖ paused until 2026-11-23T")
		d.Pass(12 * time.Minute)
		d.Shows("● waiting")
		if v := at(); v.State != contract.Waiting || v.PausedUntil != nil && v.Next == nil {
			t.Errorf("resumed: %+v", v)
		}
	})
}

// Read-only screens show until when a task is paused, and pause none.
func TestPauseReadOnly(t *testing.T) {
	play(t, windowed, func(t *testing.T, w *world, d *tuitest.Driver) {
		before := w.client.commits.Load()
		d.Press("p")
		d.Shows("p is off: these screens are read-only")
		d.Press("tab")
		d.Type("2h")
		d.Press("enter")
		d.Pass(time.Second)
		if n := w.client.commits.Load() - before; n != 0 {
			t.Errorf("%d commits", n)
		}
		d.Press("1", "G")
		d.Shows("‖23h59m", "PAUSED_BY_USER: until 2026-11-24T12:00:00Z")
	}, func(o *Options) { o.ReadOnly = true })
}

// What calendars do to the coming instants is what the group says, also after a
// calendar was changed.
func TestWindows(t *testing.T) {
	play(t, windowed, func(t *testing.T, w *world, d *tuitest.Driver) {
		agree := func(name string) {
			t.Helper()
			key := task.Key{Name: name}
			told, err := w.control.Next(t.Context(), key, 10, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			seen := d.Model().(Model).scene.Picture.Instants(key, time.Now(), 10)
			if len(seen) != len(told) {
				t.Fatalf("%s: %d instants, not %d", name, len(seen), len(told))
			}
			for i := range told {
				if a, b := told[i], seen[i]; !a.At.Equal(b.At) || a.Outcome() != b.Outcome() || a.Why != b.Why {
					t.Errorf("%s: it is shown %+v, and is %+v", name, b, a)
				}
			}
		}
		agree("stock-defer")
		agree("stock-skip")
		agree("weekly-report")
		d.Press("enter")
		d.Shows("runs in office, not in freeze; outside: defer", "next calendar freeze forbids it: deferred to the opening in 1d19h")
		d.Press("esc", "j", "enter", "tab")
		d.Shows("outside: skip", "next calendar freeze forbids it: skipped")
		d.Press("!")
		d.Shows("belfry task next stock-skip --calendar")
		d.Press("esc")
		for name, change := range map[string]func(*calendar.Definition){
			"office": func(c *calendar.Definition) { c.Weekly = []string{"mon-sun 00:00-04:00"} },
			"freeze": func(c *calendar.Definition) { c.Dates = []string{"2026-12-24"} },
		} {
			c, err := w.control.Calendar(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			change(&c.Definition)
			if _, err := w.control.SetCalendar(t.Context(), c.Definition, c.Revision); err != nil {
				t.Fatal(err)
			}
		}
		d.Pass(3 * time.Second)
		d.Shows("next 2026-11-24T02:00:00Z runs then", "outside calendar office: skip…")
		agree("stock-defer")
		agree("stock-skip")
	})
}
