package tui

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control"
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

// paused gives the definition of a task, which must be paused.
func (w *world) paused(name string) task.Info {
	w.Helper()
	_, info, err := w.control.Defined(w.ctx, task.Key{Name: name})
	if err != nil || !info.Paused {
		w.Fatalf("%+v, %v", info, err)
	}
	return info
}

// A pause that is on gets another end and another reason, shorter or longer, and the
// old ones back.
func TestPauseAnew(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		paused := func() task.Info { t.Helper(); return w.paused("orders-archive") }
		d.Press("u")
		d.Shows("u is off: nightly-sync is not paused")
		d.Press("j")
		d.Shows("resume", "u until")
		d.Press("u")
		d.Shows("Change the pause of task orders-archive?", "orders-archive is paused until it is resumed", "the pause is like that already", "tab other line")
		d.Press("enter")
		d.Type("5h")
		d.Shows("it does not fire until 2026-11-23T17:12", "5 instants of it until then; the first after it is Mon 2026-11-23 18:00:00 +0000",
			"belfry task pause orders-archive --reason 'database upgrade' --for 5h")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("task orders-archive paused until 2026-11-23T17:12", "z undoes it: belfry", "‖4h59m")
		first := paused()
		if left := time.Until(*first.PauseUntil); left.Round(time.Minute) != 5*time.Hour || first.PauseReason != "database upgrade" {
			t.Errorf("%+v", first)
		}
		// From the task's own screen: another reason, a nearer end.
		d.Press("enter")
		d.Shows("u until")
		d.Press("u")
		d.Shows("orders-archive is paused until 2026-11-23T17:12", "is off: the pause is like that already")
		d.Press("ctrl+u")
		d.Type("+30m")
		d.Press("shift+tab", "ctrl+w")
		d.Type("patch")
		d.Shows("reason: database upgrade → database patch", "--reason 'database patch' --until +30m", "0 instants of it until then; the first after it is Mon 2026-11-23 13:00:00 +0000")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("z undoes it", "‖ paused until 2026-11-23T12:42")
		if i := paused(); time.Until(*i.PauseUntil).Round(time.Minute) != 30*time.Minute || i.PauseReason != "database patch" {
			t.Errorf("%+v", i)
		}
		d.Press("!", "G")
		d.Shows("z       undo", "belfry task pause orders-archive --reason 'database upgrade' --until 2026-11-23T17:12")
		d.Press("esc", "z")
		d.Shows("reason: database patch → database upgrade", "until 2026-11-23T17:12")
		d.Press("enter")
		d.Pass(time.Second)
		if i := paused(); !i.PauseUntil.Equal(*first.PauseUntil) || i.PauseReason != first.PauseReason {
			t.Errorf("%+v", i)
		}
	})
}

// A pause loses its end again; and who resumes a task in error gets back what it was.
func TestPauseWithoutEnd(t *testing.T) {
	play(t, windowed, func(t *testing.T, w *world, d *tuitest.Driver) {
		paused := func() task.Info { t.Helper(); return w.paused("weekly-report") }
		d.Press("G", "enter", "u", "ctrl+u", "shift+tab")
		d.Type("audit")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("paused until resumed")
		if i := paused(); i.PauseUntil != nil {
			t.Errorf("%+v", i)
		}
		d.Press("!")
		d.Shows("u       pause anew", "belfry task pause weekly-report --reason audit")
		d.Press("esc", "p")
		d.Pass(time.Second)
		d.Shows("task weekly-report resumed; z undoes it: belfry task pause weekly-report --reason")
		d.Press("z", "enter")
		d.Pass(time.Second)
		if i := paused(); i.PauseUntil != nil || i.PauseReason != "audit" {
			t.Errorf("%+v", i)
		}
		d.Press("esc", "2", "z")
		d.Pass(time.Second)
		d.Shows("task weekly-report resumed")
	})
}

// Several pauses are given one end together.
func TestPausesAnew(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("/")
		d.Type("!state=finished")
		d.Press("enter", "a", "u")
		d.Shows("u is off: nightly-sync is not paused")
		d.Press("p", "enter")
		d.Pass(2 * time.Second)
		d.Press("u")
		d.Shows("Change the pause of 5 tasks?", "! the reason of each is replaced by the one below")
		d.Type("1h")
		d.Press("enter")
		d.Pass(2 * time.Second)
		d.Shows("5 tasks paused until 2026-11-23T13:12")
		d.ShowsNot("z undoes")
		tasks, err := w.control.Tasks(t.Context(), control.TaskFilter{States: []contract.State{contract.Paused}})
		if err != nil || len(tasks) != 5 {
			t.Fatalf("%d paused, %v", len(tasks), err)
		}
		for _, v := range tasks {
			if v.PausedUntil == nil {
				t.Errorf("%s has no end", v.Name)
			}
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
