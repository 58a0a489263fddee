package tui

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// play plays a test in a bubble with a world in which things happen.
func play(t *testing.T, begin func(testing.TB) *world, f func(t *testing.T, w *world, d *tuitest.Driver), change ...func(*Options)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := begin(t)
		d := w.open(100, 30, change...)
		d.Pass(2 * time.Second)
		f(t, w, d)
	})
}

// hosted is a world with a host and services, and no tasks.
func hosted(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 4)
	w.host("n1", 0, catalogue()...)
	return w
}

func TestEditPauseRunDelete(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		key := task.Key{Name: "stock-watch"}
		at := func() contract.TaskView {
			v, err := w.control.Task(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		d.Press("/")
		d.Type("stock-w")
		d.Press("enter", "e", "tab", "ctrl+u")
		d.Type("10m")
		d.Press("ctrl+s")
		d.Shows("trigger: every:1m0s → every:10m0s", "--if-revision 1")
		d.Press("y")
		d.Pass(time.Second)
		d.Shows("changed; z undoes it: belfry task set stock-watch --interval 1m0s")
		if v := at(); v.Trigger != "every:10m0s" || v.Revision != 2 {
			t.Errorf("edited: %+v", v)
		}
		d.Press("p")
		d.Type("db upgrade")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("paused; z undoes it: belfry task resume stock-watch", "PAUSED_BY_USER: db upgrade")
		d.Press("t")
		d.Shows("t is off: stock-watch is paused: resume it first")
		d.Press("p")
		d.Pass(time.Second)
		if v := at(); v.State != contract.Waiting {
			t.Errorf("resumed: %s", v.State)
		}
		fired := at().Fired
		d.Press("t")
		d.Pass(3 * time.Second)
		d.Shows("asked to run")
		if v := at(); v.Fired != fired+1 {
			t.Errorf("fired %d times, then %d", fired, v.Fired)
		}
		d.Press("D")
		d.Type("stock-watc")
		d.Press("enter")
		d.Shows("what is typed is not stock-watch")
		d.Type("h")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("deleted")
		if _, err := w.control.Task(t.Context(), key); err == nil {
			t.Error("it is still there")
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("/")
		d.Type("!state=paused !state=finished")
		d.Press("enter", "a", "p")
		d.Shows("Pause 4 tasks?")
		d.Press("enter")
		d.Pass(2 * time.Second)
		d.Shows("4 tasks paused")
		tasks, err := w.control.Tasks(t.Context(), control.TaskFilter{States: []contract.State{contract.Paused}})
		if err != nil || len(tasks) != 5 {
			t.Errorf("%d paused, %v", len(tasks), err)
		}
	})
}

// A run that goes can be cancelled, and the answer is seen without a key.
func TestCancelRun(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("/")
		d.Type("rebuild")
		d.Press("enter", "t")
		d.Pass(3 * time.Second)
		d.Press("enter")
		d.Shows("► running")
		d.Press("x")
		d.Shows("Cancel run")
		d.Press("y")
		d.Pass(5 * time.Second)
		d.Shows("× cancelled")
	})
}

func TestDrainAndSeeItMove(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("4")
		d.Shows("✓ healthy", "8 of 8 parts are owned")
		d.Press("d")
		d.Type("kernel")
		d.Press("enter")
		d.Pass(time.Minute) // what runs there ends first
		d.Shows("‖ drained", "kernel by ops@desk")
		d.Press("d")
		d.Pass(10 * time.Second)
		d.ShowsNot("drained")
		nodes, err := w.control.Nodes(t.Context())
		if err != nil || nodes[0].Drain != nil {
			t.Errorf("%+v, %v", nodes, err)
		}
	})
}

func TestOwnerDies(t *testing.T) {
	play(t, func(t testing.TB) *world {
		t.Helper()
		w := newWorld(t, 4)
		w.host("n1", 0, catalogue()...)
		return w
	}, func(t *testing.T, w *world, d *tuitest.Driver) {
		w.create("stock-watch", "getLowStock", every(time.Minute))
		d.Pass(2 * time.Second)
		d.Shows("n1")
		second := w.host("n2", 0, catalogue()...)
		d.Pass(5 * time.Second)
		d.Press("4")
		d.Shows("n2")
		second.Expire()
		d.Pass(20 * time.Second)
		d.Shows("4 of 4 parts are owned by whom they belong to")
		d.ShowsNot("n2 ")
	})
}

// When the connection goes, what is seen stays, says how old it is, and changes
// nothing until the connection is back.
func TestStale(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		before := w.client.commits.Load()
		w.client.Cut()
		d.Pass(3 * time.Second)
		d.Shows("reconnecting", "This is how it was", "Nothing can be changed", "nightly-sync", "p (pause)")
		d.Press("p")
		d.Shows("p is off: not connected")
		w.client.Heal()
		d.Pass(2 * time.Second)
		d.Shows("● live")
		d.ShowsNot("Nothing can be changed")
		if n := w.client.commits.Load() - before; n != 0 {
			t.Errorf("%d commits", n)
		}
		w.client.Close()
		d.Pass(2 * time.Second)
		d.Shows("✗ session lost")
	})
}

func TestCopySearchAndCommand(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("c")
		d.Shows("copied nightly-sync")
		d.Press("!")
		d.Shows("belfry --context prod-eu task run nightly-sync")
		d.Press("esc", ":")
		d.Type("hosts")
		d.Press("enter")
		d.Shows("Cluster")
		d.Press("1", ":")
		d.Type("pause")
		d.Press("enter")
		d.Shows("Pause task nightly-sync?")
		d.Press("esc", "5", "v", "v")
		d.Shows("events: errors")
		d.ShowsNot("DEPLOYED")
		d.Press("enter")
		d.Shows("Tasks › price-refresh")
		d.Press("q", "q", "q")
		if !d.Quit {
			t.Error("q does not quit where there is no way back")
		}
	}, func(o *Options) { o.Flags = "--context prod-eu" })
}

func TestTryOnce(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("2", "j", "j", "tab", "G")
		d.Press("T")
		d.Shows("T is off: setQuantity takes parameters")
		d.Press("enter")
		d.Shows("setQuantity cannot be scheduled: it takes parameters: code, quantity")
	})
}

func TestMouse(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Click(10, 7)
		d.Shows("▸ price-refresh")
		d.Click(10, 7)
		d.Shows("Tasks › price-refresh")
		d.Press("esc")
		d.Send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		d.Shows("▸ year-end")
		d.Press("2")
		d.Click(10, 5)
		d.Shows("▸ Stock")
		if d.Model().View().MouseMode == tea.MouseModeNone {
			t.Error("no mouse")
		}
		d.Press("m")
		if d.Model().View().MouseMode != tea.MouseModeNone {
			t.Error("the mouse is not left to the terminal")
		}
	})
}

func TestPasteAndThemes(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("/")
		d.Send(tea.PasteMsg{Content: "price\x1b[31m-refresh\n"})
		d.ShowsNot("\x1b[31m")
		d.Press("ctrl+u")
		d.Send(tea.PasteMsg{Content: "price-refresh\n"})
		d.Shows("1 of 6")
		d.Press("esc", "ctrl+t")
		d.Shows("theme auto")
		styled := d.Model().View().Content
		if !strings.Contains(styled, "\x1b[38;") {
			t.Error("a theme with colours draws none")
		}
	})
}

// Nothing that comes from the store writes to the terminal.
func TestHostileTexts(t *testing.T) {
	play(t, hosted, func(t *testing.T, w *world, d *tuitest.Driver) {
		w.create("evil", "getLowStock", every(time.Minute), func(i *task.Info) { i.Description = "\x1b]52;c;aGk=\x07\x1b[2Jgone\u202e" })
		d.Pass(2 * time.Second)
		for _, keys := range [][]string{nil, {"enter"}, {"tab", "tab"}, {"e"}} {
			d.Press(keys...)
			text := d.Model().View().Content
			if strings.Contains(text, "\x1b]52") || strings.Contains(text, "\x1b[2J") || strings.ContainsRune(text, 0x202e) {
				t.Fatalf("after %v: %q", keys, text)
			}
		}
	})
}

func TestResize(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		for width := 1; width < 210; width += 7 {
			for height := 1; height < 70; height += 6 {
				d.Resize(width, height)
				fits(t, d, size{width, height})
			}
		}
		d.Resize(40, 10)
		d.Shows("Enlarge the")
	})
}

// The leader tells what the loss of a host would do; more hosts can be lost, and
// a task that would move is a key away.
func TestSimulateLoss(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		before := w.client.commits.Load()
		there, err := w.control.Tasks(t.Context(), control.TaskFilter{Node: "n1"})
		if err != nil || len(there) == 0 {
			t.Fatalf("%d tasks, %v", len(there), err)
		}
		d.Press("4", "s")
		d.Shows("loss of n1", fmt.Sprintf("%d of 6 tasks would move", len(there)), "n2", there[0].Name)
		d.Press("j", "space")
		d.Shows("loss of n1, n2", "tasks without a place")
		d.Press("space", "tab", "enter")
		d.Shows("Tasks › " + there[0].Name)
		if n := w.client.commits.Load() - before; n != 0 {
			t.Errorf("%d commits", n)
		}
	})
}

// What is found can be gone to, and the command that helps copied.
func TestDoctorAndWhy(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("7")
		d.Shows("TASKS_IN_TROUBLE", "belfry explain task price-refresh", "3 to look at")
		d.Press("c")
		d.Shows("copied belfry explain task price-refresh")
		d.Press("j", "enter")
		d.Shows("· Services")
		d.Press("1", "j", "w")
		d.Shows("orders-archive › why", "PAUSED_BY_USER", "belfry task resume orders-archive")
		d.Press("r")
		d.Shows("PAUSED_BY_USER")
		d.Press("esc")
		d.Shows("▸ orders-archive")
	})
}

func TestTimeline(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("6", "+", "+", "+", "+")
		d.Shows("1h in all", "▼ now", "✗·✗✗", "✓✓✓", "○○○")
		d.Press("right")
		d.ShowsNot("✗·✗✗")
		d.Press(".")
		d.Shows("✗·✗✗")
		d.Press("/")
		d.Type("state=paused")
		d.Press("enter")
		d.Shows("orders-archive")
		d.ShowsNot("stock-watch ")
		d.Press("enter")
		d.Shows("Tasks › orders-archive")
	})
}

// What a run was answered is shown, line by line, and copied whole.
func TestRunOutput(t *testing.T) {
	play(t, full, func(t *testing.T, _ *world, d *tuitest.Driver) {
		d.Press("G", "enter", "enter")
		d.Shows("answered", `{"code": "S10", "left": 3}`, `{"code": "S12", "left": 0}`)
		d.Press("o")
		d.Shows("copied {")
		d.Press("1", "g", "t")
		d.Pass(2 * time.Second)
		d.Press("enter", "enter")
		d.Shows("answered", "S12") // by hand, although the task does not ask for it
	})
}
