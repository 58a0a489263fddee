package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/cluster"
	"github.com/seed42aab489/belfry/tui/dialog"
	"github.com/seed42aab489/belfry/tui/findings"
	"github.com/seed42aab489/belfry/tui/form"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/runs"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/tuitest"
	"github.com/seed42aab489/belfry/tui/widget"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// When a picture was last known to be so depends on when a host last compared its
// clock, to the millisecond.
var (
	known = regexp.MustCompile(`(as of )\d\d:\d\d:\d\d`)
	aged  = regexp.MustCompile(`(This is how it was )\ds ago`)
)

// Ids are random; their width is kept.
var random = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// golden compares what the screen shows with what it showed before.
func golden(t *testing.T, d *tuitest.Driver, name string) {
	t.Helper()
	frame := random.ReplaceAllString(d.Frame(), "01234567-89ab-cdef-0123-456789abcdef")
	frame = known.ReplaceAllString(frame, "${1}12:12:44")
	frame = aged.ReplaceAllString(frame, "${1}8s ago")
	file := filepath.Join("testdata", "frames", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(frame), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./tui -update makes it", err)
	}
	if diff := cmp.Diff(string(want), frame); diff != "" {
		t.Errorf("%s is another (-want +got):\n%s", name, diff)
	}
}

type size struct{ width, height int }

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

var sizes = []size{{80, 24}, {120, 40}, {200, 60}}

// fits fails unless each line of the frame fits into the window.
func fits(t *testing.T, d *tuitest.Driver, s size) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(d.Frame(), "\n"), "\n")
	if len(lines) > s.height {
		t.Errorf("%d lines in a window of %s", len(lines), s)
	}
	for _, l := range lines {
		if widget.Width(l) > s.width {
			t.Errorf("a line of %d cells in a window of %s: %s", widget.Width(l), s, l)
		}
	}
}

// shot is a screen as it is reached.
type shot struct {
	name string
	kind string // the type of the screen
	// keys lead to it from the list of tasks, in a world in which there is something
	// to show.
	keys []string
	// make makes it where there is nothing yet that keys could lead to. Nil: the keys
	// do it everywhere.
	make func(s *screen.Scene) screen.Screen
}

var nightly = task.Key{Name: "nightly-sync"}

// shots are all that can be seen.
var shots = []shot{
	{name: "tasks", kind: "tasks.List"},
	{name: "services", kind: "services.Screen", keys: []string{"2"}},
	{name: "runs", kind: "runs.List", keys: []string{"3"}},
	{name: "cluster", kind: "cluster.Screen", keys: []string{"4"}},
	{name: "events", kind: "events.Screen", keys: []string{"5"}},
	{name: "timeline", kind: "timeline.Screen", keys: []string{"6"}},
	{name: "doctor", kind: "findings.Screen", keys: []string{"7"}},
	{name: "contexts", kind: "contexts.Screen", keys: []string{"8"}},
	{name: "help", kind: "dialog.Page", keys: []string{"?"}},
	{name: "palette", kind: "dialog.Palette", keys: []string{":"}},
	{name: "tasks-filtered", kind: "tasks.List", keys: strings.Split("/state=failed", "")},
	{name: "tasks-marked", kind: "tasks.List", keys: []string{"space", "space", "s"}},
	{name: "events-alerts", kind: "events.Screen", keys: []string{"5", "tab", "j"}},
	{name: "timeline-hour", kind: "timeline.Screen", keys: []string{"6", "+", "+", "+", "+", "j", "j"}},
	{name: "task", kind: "tasks.Detail", keys: []string{"G", "enter"}, make: func(*screen.Scene) screen.Screen { return tasks.NewDetail(nightly) }},
	{name: "task-next", kind: "tasks.Detail", keys: []string{"enter", "tab"}, make: func(*screen.Scene) screen.Screen { return tasks.NewDetail(nightly) }},
	{name: "task-definition", kind: "tasks.Detail", keys: []string{"enter", "tab", "tab"}, make: func(*screen.Scene) screen.Screen { return tasks.NewDetail(nightly) }},
	{name: "why", kind: "findings.Screen", keys: []string{"j", "j", "w"}, make: func(*screen.Scene) screen.Screen { return findings.NewWhy(nightly) }},
	{name: "run", kind: "runs.Detail", keys: []string{"3", "v", "enter"}, make: func(*screen.Scene) screen.Screen { return runs.NewDetail("u:1", nightly) }},
	{name: "run-output", kind: "runs.Detail", keys: []string{"G", "enter", "enter"}, make: func(*screen.Scene) screen.Screen { return runs.NewDetail("u:1", nightly) }},
	{name: "operations", kind: "services.Screen", keys: []string{"2", "j", "j", "tab", "j"}},
	{name: "loss", kind: "cluster.Loss", keys: []string{"4", "s"}, make: func(*screen.Scene) screen.Screen { return cluster.NewLoss("n1") }},
	{name: "form", kind: "form.Form", keys: []string{"2", "j", "j", "enter", "enter"}, make: func(s *screen.Scene) screen.Screen { return form.New(s, "Stock", "getLowStock") }},
	{name: "form-clock", kind: "form.Form", keys: []string{"e"}, make: func(s *screen.Scene) screen.Screen {
		return form.Edit(s, task.Info{Key: nightly, Service: "Stock", Operation: "getLowStock", Trigger: task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "Europe/Berlin"}})
	}},
	{name: "confirm-pause", kind: "dialog.Confirm", keys: []string{"p", "d", "b"}, make: confirming(order.Order{Verb: order.Pause, Tasks: []task.Key{nightly}})},
	{name: "confirm-pause-until", kind: "dialog.Confirm", keys: []string{"p", "d", "b", "tab", "2", "h"}, make: confirming(order.Order{Verb: order.Pause, Tasks: []task.Key{nightly}})},
	{name: "confirm-pause-anew", kind: "dialog.Confirm", keys: []string{"j", "u", "2", "h"}, make: confirming(order.Order{Verb: order.Anew, Tasks: []task.Key{nightly}})},
	{name: "confirm-delete", kind: "dialog.Confirm", keys: []string{"D"}, make: confirming(order.Order{Verb: order.Delete, Tasks: []task.Key{nightly}})},
	{name: "task-file", kind: "dialog.Page", keys: []string{"y"}, make: func(*screen.Scene) screen.Screen { return dialog.NewFile([]task.Key{nightly}) }},
	{name: "confirm-drain", kind: "dialog.Confirm", keys: []string{"4", "d"}, make: confirming(order.Order{Verb: order.Drain, Node: "n1"})},
	{name: "command", kind: "dialog.Commands", keys: []string{"!"}},
}

// windowedShots are what is seen of calendars, and of pauses that end.
var windowedShots = []shot{
	{name: "tasks", kind: "tasks.List", keys: []string{"G"}},
	{name: "deferred", kind: "tasks.Detail", keys: []string{"enter", "tab"}},
	{name: "skipped", kind: "tasks.Detail", keys: []string{"j", "enter", "tab", "tab"}},
	{name: "paused", kind: "tasks.Detail", keys: []string{"G", "enter", "tab"}},
	{name: "form-calendars", kind: "form.Form", keys: []string{"e", "tab", "tab", "tab", "tab", "tab", "tab", "tab"}},
	{name: "timeline", kind: "timeline.Screen", keys: []string{"6", "-"}},
}

func confirming(o order.Order) func(*screen.Scene) screen.Screen {
	return func(*screen.Scene) screen.Screen { return dialog.NewConfirm(o) }
}

// reach shows what is to be seen.
func (x shot) reach(d *tuitest.Driver, full bool) {
	if full || x.make == nil {
		d.Press(x.keys...)
		return
	}
	d.Change(func(m tea.Model) (tea.Model, tea.Cmd) {
		now := m.(Model)
		next, cmd := now.show(x.make(&now.scene))
		return next.arranged(), cmd
	})
}

// silent is a group that tells one picture, and then nothing.
type silent struct{ picture *follow.Picture }

func (s silent) Follow(ctx context.Context, tell func(follow.Picture)) error {
	if s.picture != nil {
		tell(*s.picture)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (silent) Hand() (order.Hand, error) { return nil, errUnconnected }

func (silent) Oracle() (ask.Oracle, error) { return nil, errUnconnected }

var errUnconnected = &failure.Error{Code: failure.CodeUnavailable, Message: "there is no connection", Hint: "it is tried again and again"}

// states are the worlds that the screens are shown in; "full" becomes "stale" when
// the connection goes.
var states = map[string]func(t *testing.T) *tuitest.Driver{
	"loading": func(t *testing.T) *tuitest.Driver { return openSilent(t, nil) },
	"error": func(t *testing.T) *tuitest.Driver {
		return openSilent(t, &follow.Picture{
			Link: follow.LinkLoading, Since: today,
			Fault: "ZooKeeper gives no session at zk://zk1:2181,zk2:2181/belfry: zk1:2181 connection refused, zk2:2181 no answer",
		})
	},
	"empty": func(t *testing.T) *tuitest.Driver {
		d := newWorld(t, 8).open(120, 40)
		d.Pass(2 * time.Second)
		return d
	},
	"full": func(t *testing.T) *tuitest.Driver { return openFull(t, full(t)) },
	"read-only": func(t *testing.T) *tuitest.Driver {
		return openFull(t, full(t), func(o *Options) { o.ReadOnly, o.Theme.ASCII = true, true })
	},
}

// named are contexts to go to.
var named = []Context{
	{Name: "prod-eu", Address: "zk://zk1:2181,zk2:2181/belfry", Chosen: true},
	{Name: "stage", Address: "unix:///run/belfry/belfryd.sock"},
	{Name: "old", Fault: "context old: /etc/belfry/coordination-client-config.xml: no such file"},
}

func openFull(t *testing.T, w *world, change ...func(*Options)) *tuitest.Driver {
	t.Helper()
	d := w.open(120, 40, append(change, func(o *Options) { o.Contexts = named })...)
	d.Pass(2 * time.Second)
	return d
}

func openSilent(t *testing.T, p *follow.Picture) *tuitest.Driver {
	t.Helper()
	time.Sleep(time.Until(today))
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	return tuitest.Start(t, New(ctx, silent{p}, Options{Context: "prod-eu", Theme: theme.Options{Name: "mono"}}), 120, 40)
}

// readable tells whether read-only screens come to a shot.
func (x shot) readable() bool {
	return !strings.HasPrefix(x.name, "form") && !strings.HasPrefix(x.name, "confirm")
}

// Every screen at every size in every state looks as it did.
func TestFrames(t *testing.T) {
	t.Parallel()
	for state, begin := range states {
		for _, x := range shots {
			if state == "read-only" && !x.readable() {
				continue
			}
			t.Run(state+"/"+x.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					if state == "full" {
						w := full(t)
						d := openFull(t, w)
						x.take(t, d, state)
						w.client.Cut()
						d.Pass(8 * time.Second)
						x.frames(t, d, "stale")
						return
					}
					x.take(t, begin(t), state)
				})
			})
		}
	}
}

func (x shot) take(t *testing.T, d *tuitest.Driver, state string) {
	t.Helper()
	x.reach(d, state == "full" || state == "read-only" || state == "windowed")
	if kind := fmt.Sprintf("%T", d.Model().(Model).top()); kind != x.kind {
		t.Fatalf("this is a %s, not a %s:\n%s", kind, x.kind, d.Frame())
	}
	x.frames(t, d, state)
}

func (x shot) frames(t *testing.T, d *tuitest.Driver, state string) {
	t.Helper()
	for _, s := range sizes {
		d.Resize(s.width, s.height)
		fits(t, d, s)
		golden(t, d, frameFile(state, x, s))
	}
}

func frameFile(state string, x shot, s size) string {
	return filepath.Join(state, x.name+"-"+s.String())
}

// What calendars do to a task, and until when one is paused, is shown.
func TestWindowedFrames(t *testing.T) {
	t.Parallel()
	for _, x := range windowedShots {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { x.take(t, openFull(t, windowed(t)), "windowed") })
		})
	}
}

// Every screen that there is has a shot, and every shot a frame in every state at
// every size; and no frame is left of a shot that is no more.
func TestEveryFrame(t *testing.T) {
	t.Parallel()
	shown := make(map[string]bool)
	want := make(map[string]bool)
	for _, x := range shots {
		shown[x.kind] = true
		for _, state := range []string{"loading", "error", "empty", "full", "stale", "read-only"} {
			for _, s := range sizes {
				if state != "read-only" || x.readable() {
					want[frameFile(state, x, s)] = true
				}
			}
		}
	}
	for _, x := range windowedShots {
		for _, s := range sizes {
			want[frameFile("windowed", x, s)] = true
		}
	}
	kinds := screenTypes(t)
	if len(kinds) < 10 {
		t.Fatalf("only %v were found", kinds)
	}
	for _, kind := range kinds {
		if !shown[kind] {
			t.Errorf("no shot shows a %s", kind)
		}
	}
	folder := filepath.Join("testdata", "frames")
	files, err := filepath.Glob(filepath.Join(folder, "*", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, _ := filepath.Rel(folder, strings.TrimSuffix(file, ".txt"))
		if !want[name] {
			t.Errorf("%s is a frame of nothing", file)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("there is no frame %s", name)
	}
}

// a screen has a View of the scene.
var viewed = regexp.MustCompile(`(?m)^func \((?:\w+ )?(\w+)\) View\(\w* ?\*screen\.Scene\) \[\]string`)

// screenTypes are the types of all screens, as the code has them.
func screenTypes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("*", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range viewed.FindAllStringSubmatch(string(code), -1) {
			kinds = append(kinds, filepath.Dir(file)+"."+m[1])
		}
	}
	return kinds
}
