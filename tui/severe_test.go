package tui

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// What deleting does is told, and what is still followed is not deleted; pausing is
// offered in its place.
func TestDeletionIsSevere(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		w.create("stock-report", "getLowStock", task.TriggerInfo{Cron: task.Never}, func(i *task.Info) {
			i.After = &task.After{Tasks: []string{"stock-watch"}}
		})
		d.Pass(2 * time.Second)
		d.Press("/")
		d.Type("name=rebuild-index")
		d.Press("enter", "D")
		d.Shows("Delete task rebuild-index?", "262 800 firings a year stop", "it has fired", "earlier definitions go too", "nothing takes it back")
		d.Press("esc", "esc", "/")
		d.Type("name=stock-watch")
		d.Press("enter", "D")
		d.Type("stock-watch")
		d.Shows("! stock-report would lose what it follows", "enter is off: followed by stock-report")
		before := w.client.commits.Load()
		d.Press("enter")
		if n := w.client.commits.Load() - before; n != 0 {
			t.Errorf("%d commits", n)
		}
		d.Press("ctrl+p")
		d.Shows("Pause task stock-watch?")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("paused; z undoes it")
		d.Press("D")
		d.ShowsNot("pause instead")
		d.Press("ctrl+p")
		d.Shows("ctrl-p is off: there is nothing to pause")
	})
}

// Several are deleted by their number, each before what it follows.
func TestDeleteMarked(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		w.create("stock-zero", "getLowStock", task.TriggerInfo{Cron: task.Never}, func(i *task.Info) {
			i.After = &task.After{Tasks: []string{"stock-watch"}}
		})
		d.Pass(2 * time.Second)
		d.Press("/")
		d.Type("name=stock")
		d.Press("enter", "a", "D")
		d.Shows("Delete 2 tasks?", "Type 2 to delete")
		d.Type("3")
		d.Press("enter")
		d.Shows("enter is off: what is typed is not 2")
		d.Press("backspace")
		d.Type("2")
		d.Press("enter")
		d.Pass(time.Second)
		d.Shows("2 tasks deleted")
		if left, err := w.control.Tasks(t.Context(), control.TaskFilter{NamePrefix: "stock"}); err != nil || len(left) != 0 {
			t.Errorf("%d are left, %v", len(left), err)
		}
	})
}

// V marks from a line to the cursor, wherever that goes, until it is pressed again.
func TestMarkRange(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("j", "V", "j", "j")
		d.Shows("3 marked, V ends the range")
		d.Press("k")
		d.Shows("2 marked")
		d.Press("g")
		d.Shows("2 marked", "▸*")
		d.Press("V", "G")
		d.Shows("2 marked")
		d.ShowsNot("V ends")
		d.Press("V", "k")
		d.Shows("4 marked")
		d.Press("esc")
		d.Shows("2 marked") // as before the range
		d.Press("p")
		d.Shows("Pause task nightly-sync?") // of the two, one is paused already
		d.Press("enter")
		d.Pass(2 * time.Second)
		paused, err := w.control.Tasks(t.Context(), control.TaskFilter{States: []contract.State{contract.Paused}})
		if err != nil || len(paused) != 2 {
			t.Errorf("%d are paused, %v", len(paused), err)
		}
	})
}

// The task file is that of belfry export, is shown whole, and copied whole.
func TestTaskFile(t *testing.T) {
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("y")
		d.Shows("nightly-sync › task file", "# yaml-language-server", "format: 1", "cron: 0 30 2 * * ?", "tz: Europe/Berlin", "paused: false")
		info, err := w.control.Define(t.Context(), task.Key{Name: "nightly-sync"})
		if err != nil {
			t.Fatal(err)
		}
		text, err := definition.File(&info)
		if err != nil {
			t.Fatal(err)
		}
		d.Press("c")
		d.Shows("copied 1", " lines")
		if want := definition.FileHeader + string(text); d.Copied != want {
			t.Errorf("copied %q, want %q", d.Copied, want)
		}
		d.Press("esc", "a", "y")
		d.Shows("task file of 6 tasks", "name: orders-archive", "pause_reason: database upgrade", "more lines below")
		d.Press("G")
		d.Shows("name: year-end", "output: true")
		d.Press("esc", "a", "e", "tab", "tab", "ctrl+u")
		d.Type("Asia/Colombo")
		d.Press("ctrl+y")
		d.Shows("nightly-sync › task file, not stored", "tz: Asia/Colombo")
		d.Press("esc")
		d.Shows("Edit nightly-sync", "Asia/Colombo")
	})
}
