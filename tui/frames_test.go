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

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/tuitest"
	"github.com/seed42aab489/belfry/tui/widget"
)

var update = flag.Bool("update", false, "write the golden frames anew")

// Ids are random; their width is kept.
var random = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// golden compares what the screen shows with what it showed before.
func golden(t *testing.T, d *tuitest.Driver, name string) {
	t.Helper()
	frame := random.ReplaceAllString(d.Frame(), "01234567-89ab-cdef-0123-456789abcdef")
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

// walks are how the screens are reached from the list of tasks.
var walks = []struct {
	name string
	keys []string
	// alone: only in a world in which there is something to show.
	alone bool
}{
	{name: "tasks"},
	{name: "services", keys: []string{"2"}},
	{name: "runs", keys: []string{"3"}},
	{name: "cluster", keys: []string{"4"}},
	{name: "events", keys: []string{"5"}},
	{name: "help", keys: []string{"?"}},
	{name: "palette", keys: []string{":"}},
	{name: "tasks-filtered", keys: []string{"/", "s", "t", "a", "t", "e", "=", "f", "a", "i", "l", "e", "d"}, alone: true},
	{name: "tasks-marked", keys: []string{"space", "space", "s"}, alone: true},
	{name: "task", keys: []string{"G", "enter"}, alone: true},
	{name: "task-next", keys: []string{"enter", "tab"}, alone: true},
	{name: "task-definition", keys: []string{"enter", "tab", "tab"}, alone: true},
	{name: "run", keys: []string{"3", "v", "enter"}, alone: true},
	{name: "operations", keys: []string{"2", "j", "j", "tab", "j"}, alone: true},
	{name: "form", keys: []string{"2", "j", "j", "enter", "enter"}, alone: true},
	{name: "form-clock", keys: []string{"g", "e"}, alone: true},
	{name: "confirm-pause", keys: []string{"p", "d", "b"}, alone: true},
	{name: "confirm-delete", keys: []string{"D"}, alone: true},
	{name: "confirm-drain", keys: []string{"4", "d"}, alone: true},
	{name: "command", keys: []string{"!"}, alone: true},
}

// silent is a group that tells one picture, and then nothing.
type silent struct{ picture *control.Picture }

func (s silent) Follow(ctx context.Context, tell func(control.Picture)) error {
	if s.picture != nil {
		tell(*s.picture)
	}
	<-ctx.Done()
	return ctx.Err()
}

func (silent) Hand() (order.Hand, error) { return nil, context.Canceled }

// states are the worlds that the screens are shown in.
var states = map[string]func(t *testing.T, s size) *tuitest.Driver{
	"loading": func(t *testing.T, s size) *tuitest.Driver { return openSilent(t, s, nil) },
	"error": func(t *testing.T, s size) *tuitest.Driver {
		return openSilent(t, s, &control.Picture{
			Link: control.LinkLoading, Since: today,
			Fault: "ZooKeeper gives no session at zk://zk1:2181,zk2:2181/belfry: zk1:2181 connection refused, zk2:2181 no answer",
		})
	},
	"empty": func(t *testing.T, s size) *tuitest.Driver {
		w := newWorld(t, 8)
		d := w.open(s.width, s.height)
		d.Pass(2 * time.Second)
		return d
	},
	"full": func(t *testing.T, s size) *tuitest.Driver {
		d := full(t).open(s.width, s.height)
		d.Pass(2 * time.Second)
		return d
	},
	"stale": func(t *testing.T, s size) *tuitest.Driver {
		w := full(t)
		d := w.open(s.width, s.height)
		d.Pass(2 * time.Second)
		w.client.Cut()
		d.Pass(8 * time.Second)
		return d
	},
	"read-only": func(t *testing.T, s size) *tuitest.Driver {
		d := full(t).open(s.width, s.height, func(o *Options) { o.ReadOnly, o.Theme.ASCII = true, true })
		d.Pass(2 * time.Second)
		return d
	},
}

func openSilent(t *testing.T, s size, p *control.Picture) *tuitest.Driver {
	t.Helper()
	time.Sleep(time.Until(today))
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	return tuitest.Start(t, New(ctx, silent{p}, Options{Context: "prod-eu", Theme: theme.Options{Name: "mono"}}), s.width, s.height)
}

// Every screen at every size in every state looks as it did.
func TestFrames(t *testing.T) {
	t.Parallel()
	for state, begin := range states {
		for _, s := range sizes {
			t.Run(state+"/"+s.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := begin(t, s)
					for _, walk := range walks {
						if walk.alone && state != "full" {
							continue
						}
						d.Press(walk.keys...)
						fits(t, d, s)
						golden(t, d, filepath.Join(state, walk.name+"-"+s.String()))
						home(d)
					}
				})
			})
		}
	}
}

// home goes back to the list of tasks, as it was first shown.
func home(d *tuitest.Driver) {
	d.Press("esc", "esc", "esc", "esc", "1", "esc", "g")
	if strings.Contains(d.Frame(), "marked") {
		d.Press("a")
	}
	for range 5 { // the columns that tasks are sorted by
		if frame := d.Frame(); strings.Contains(frame, "NAME ▲") || strings.Contains(frame, "NAME ^") || !strings.Contains(frame, "  NAME") {
			return
		}
		d.Press("s")
	}
}
