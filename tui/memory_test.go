package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// notebook is a memory of a test.
type notebook struct {
	mu    sync.Mutex
	known map[string]Remembered // guarded by mu
	saves int                   // guarded by mu
	err   error
}

func (n *notebook) Load(context string) Remembered {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.known[context]
}

func (n *notebook) Save(context string, r Remembered) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.saves++
	if n.known == nil {
		n.known = make(map[string]Remembered)
	}
	n.known[context] = r
	return n.err
}

// Filter, order and theme are as they were last, when screens are opened anew.
func TestRemembersTheList(t *testing.T) {
	var kept notebook
	play(t, full, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Pass(5 * time.Second)
		if kept.saves != 0 {
			t.Errorf("%d saves of nothing", kept.saves)
		}
		d.Press("/")
		d.Type("!state=paused")
		d.Pass(2 * time.Second)
		if kept.saves != 0 {
			t.Error("a filter that is being typed is saved")
		}
		d.Press("enter", "s", "s", "S", "ctrl+t", "ctrl+t", "ctrl+t")
		d.Pass(3 * time.Second)
		again := w.open(100, 30, func(o *Options) { o.Theme.Name, o.Memory = "", &kept })
		again.Pass(2 * time.Second)
		again.Shows("/!state=paused", "5 of 6", "NEXT ▼")
		if name := again.Model().(Model).scene.Theme.Name; name != "contrast" {
			t.Errorf("theme %s", name)
		}
		// What a flag says counts more.
		other := w.open(100, 30, func(o *Options) { o.Memory = &kept })
		if name := other.Model().(Model).scene.Theme.Name; name != "mono" {
			t.Errorf("theme %s in spite of a flag", name)
		}
		other.Pass(3 * time.Second)
		if r := kept.Load("prod-eu"); r.Theme != "contrast" {
			t.Errorf("a flag is remembered: %+v", r)
		}
	}, func(o *Options) { o.Theme.Name, o.Memory = "", &kept })
}

// What is typed into a form survives the end of the screens, whatever ends them, and
// is gone when it is stored, or left on purpose.
func TestDraft(t *testing.T) {
	var kept notebook
	play(t, hosted, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("n", "j", "j", "enter", "enter")
		d.Shows("New task")
		d.ShowsNot("take up the draft")
		d.Press("ctrl+u")
		d.Type("stock-draft")
		d.Pass(2 * time.Second) // and here they end
		again := w.open(100, 30, func(o *Options) { o.Memory = &kept })
		again.Pass(2 * time.Second)
		again.Press("n", "j", "j", "enter", "enter")
		again.Shows("ctrl-r take up the draft")
		again.ShowsNot("stock-draft")
		again.Press("ctrl+r")
		again.Shows("stock-draft", "this is what was typed")
		again.ShowsNot("take up the draft")
		again.Press("esc")
		again.Shows("esc once more leaves the form")
		again.Type("x")
		again.Press("esc", "backspace", "ctrl+s", "y")
		again.Pass(3 * time.Second)
		again.Shows("Tasks › stock-draft")
		if r := kept.Load("prod-eu"); r.Draft != nil {
			t.Errorf("what is stored is still a draft: %+v", r.Draft)
		}
		// Of an edit, for that task alone; left on purpose it is gone.
		again.Press("e", "tab", "ctrl+u")
		again.Type("7m")
		again.Pass(2 * time.Second)
		if r := kept.Load("prod-eu"); r.Draft == nil || r.Draft.Task != (task.Key{Name: "stock-draft"}).Normal() || r.Draft.Fields[fieldOf7m] != "7m" {
			t.Errorf("the draft of an edit: %+v", r.Draft)
		}
		again.Press("esc", "esc")
		again.Pass(2 * time.Second)
		again.ShowsNot("Edit stock-draft")
		if r := kept.Load("prod-eu"); r.Draft != nil {
			t.Errorf("what was left is still a draft: %+v", r.Draft)
		}
	}, func(o *Options) { o.Memory = &kept })
}

const fieldOf7m = "interval"

// Read-only screens write nothing, here either; and what cannot be saved is told
// once.
func TestRemembersNothing(t *testing.T) {
	refusing := notebook{err: errors.New("the disk is full")}
	var kept notebook
	play(t, hosted, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("s")
		d.Pass(5 * time.Second)
		if kept.saves > 0 {
			t.Errorf("%d saves from read-only screens", kept.saves)
		}
		other := w.open(100, 30, func(o *Options) { o.Memory = &refusing })
		other.Press("s")
		other.Pass(2 * time.Second)
		other.Shows("nothing more is remembered", "the disk is full")
		other.Press("s")
		other.Pass(5 * time.Second)
		if refusing.saves != 1 {
			t.Errorf("%d saves", refusing.saves)
		}
	}, func(o *Options) { o.Memory, o.ReadOnly = &kept, true })
}

// broken is a group that ends the screens by a fault.
type broken struct{ silent }

func (broken) Follow(context.Context, func(follow.Picture)) error { panic("no such bucket") }

// A panic is reported once, with where it was, and the screens end with an error that
// names the report.
func TestCrash(t *testing.T) {
	t.Parallel()
	var reports []string
	err := Run(t.Context(), broken{}, Options{Crashed: func(text string) string {
		reports = append(reports, text)
		return "/state/crash.txt"
	}}, strings.NewReader(""), io.Discard)
	crash, ok := errors.AsType[*CrashError](err)
	if !ok || crash.Report != "/state/crash.txt" || !strings.Contains(crash.Error(), "/state/crash.txt tells of it") {
		t.Errorf("the end: %v", err)
	}
	if len(reports) != 1 || !strings.Contains(reports[0], "no such bucket") || !strings.Contains(reports[0], "memory_test.go") {
		t.Errorf("reports: %q", reports)
	}
}
