package tui

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// keysPressed is how many keys the monkey presses.
const keysPressed = 100_000

// A monkey at the keys of read-only screens writes nothing, whatever it presses,
// and breaks nothing; and the same monkey does write where it may, so that the
// count is known to count.
func TestMonkey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		readOnly bool
		keys     int
	}{"read-only": {true, keysPressed}, "with leave": {false, 3000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := full(t)
				before := w.client.commits.Load()
				d := w.open(90, 28, func(o *Options) { o.ReadOnly, o.Contexts = c.readOnly, named })
				d.Pass(2 * time.Second)
				monkey(t, d, c.keys)
				wrote := w.client.commits.Load() - before
				switch {
				case c.readOnly && wrote > 0:
					t.Errorf("%d commits from read-only screens", wrote)
				case !c.readOnly && wrote == 0:
					t.Error("nothing was written although it may be: the count shows nothing")
				}
			})
		})
	}
}

// monkey presses keys that mean something half of the time.
func monkey(t *testing.T, d *tuitest.Driver, presses int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time is what is wanted
	var known []string
	for _, b := range intent.Table() {
		switch b.Action {
		case intent.Quit, intent.Suspend:
		default:
			known = append(known, b.Keys...)
		}
	}
	m := d.Model()
	for i := range presses {
		key := known[random.IntN(len(known))]
		if random.IntN(2) == 0 {
			key = string(rune(' ' + random.IntN(95)))
		}
		var cmd tea.Cmd
		m, cmd = m.Update(tuitest.Key(key))
		if cmd != nil {
			// An order is carried out, or a text copied; what came of it is told.
			m, _ = m.Update(cmd())
		}
		switch {
		case i%50 == 0:
			frame := m.View().Content
			if n := strings.Count(frame, "\n") + 1; n > 28 {
				t.Fatalf("%d lines after %d keys, the last %s", n, i, key)
			}
		case i%997 == 0:
			m, _ = m.Update(tea.WindowSizeMsg{Width: 90, Height: 28})
		}
	}
	synctest.Wait()
}

// keyTime is what a key and the frame after it may take of a processor.
const keyTime = 50 * time.Millisecond

// A picture of many tasks is drawn fast: a key, and a frame. What counts is the
// processor's time, as others may be busy with it too.
func TestManyTasks(t *testing.T) {
	m := many(t, 10_000)
	runtime.LockOSThread() // whose time is taken
	defer runtime.UnlockOSThread()
	for _, keys := range [][]string{
		{"j"}, {"G"}, {"/", "7"}, {"enter", "s"}, {"s"}, {"5"}, {"3"}, {"4"}, {"2"}, {"6", "+", "+", "G", "-"}, {"1"}, {"esc", "enter", "esc"}, {":", "esc"}, {"!", "esc"},
	} {
		for _, key := range keys {
			best := time.Hour // of a few: the first may clean up after what was before
			next := tea.Model(m)
			for range 5 {
				began := used()
				next, _ = m.Update(tuitest.Key(key))
				_ = next.View()
				best = min(best, used()-began)
			}
			if m = next.(Model); best > slower*keyTime {
				t.Errorf("after %s a frame took %s", key, best)
			}
		}
	}
}

// What the screens may hold of each task, with its definition, and besides.
const (
	heldPerTask = 512
	held        = 8 << 20
)

// A hundred thousand tasks are usable, in bounded memory, whatever keys were pressed.
// Not parallel: the heap is its own.
func TestHundredThousandTasks(t *testing.T) { //nolint:paralleltest // as said
	if slower > 1 {
		t.Skip("SKIPPED, NOT PASSED: the race detector takes memory and time of its own")
	}
	const tasks, patience = 100_000, 10 * keyTime
	w := multitude(t, tasks)
	before := heap()
	m := look(t, w, tasks)
	judge := func(when string) {
		t.Helper()
		w.client.told.Clear() // what was read is counted by its key
		holds := int64(heap()) - int64(before)
		t.Logf("%s: %d bytes for each task", when, holds/tasks)
		if holds > held+tasks*heldPerTask {
			t.Errorf("%s the screens hold %d MiB", when, holds>>20)
		}
	}
	judge("at first")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, key := range []string{
		"j", "G", "pgup", "s", "s", "s", "s", "S", "5", "3", "2", "6", "+", "G", "1", "g", "enter", "tab", "tab", "esc", "/", "7", "esc", "/", "~", "9", "$", "enter", "a", "j", "p", "esc", "esc", "a", "j", "esc",
	} {
		began := used()
		next, _ := m.Update(tuitest.Key(key))
		_ = next.View()
		took := used() - began
		t.Logf("%s: %s", key, took)
		if took > patience {
			t.Errorf("after %s a frame took %s", key, took)
		}
		m = next.(Model)
	}
	judge("after the keys")
	runtime.KeepAlive(m)
	runtime.KeepAlive(w)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What a key costs, with the frame after it.
func BenchmarkFrame(b *testing.B) {
	for _, tasks := range []int{10_000, 100_000} {
		m := many(b, tasks)
		press := func(keys ...string) {
			for _, key := range keys {
				next, _ := m.Update(tuitest.Key(key))
				m = next.(Model)
			}
			_ = m.View()
		}
		for _, c := range []struct{ name, keys string }{
			{"move", "j"},
			{"page", "pgdown"},
			{"sort by all columns", "s s s s s"},
			{"filter by a letter", "/ 7 esc"},
			{"filter by an expression", "/ ~ 7 $ esc"},
			{"open and close", "enter esc"},
			{"timeline", "6 pgdown 1"},
		} {
			b.Run(fmt.Sprintf("%d tasks/%s", tasks, c.name), func(b *testing.B) {
				for b.Loop() {
					press(strings.Fields(c.keys)...)
				}
			})
		}
	}
}

// What it costs that a task changes: the write, the read of its bucket, and a frame.
func BenchmarkPush(b *testing.B) {
	const tasks = 100_000
	w := multitude(b, tasks)
	m := look(b, w, tasks)
	_ = m.View()
	b.ReportAllocs()
	var spent time.Duration
	for i := 0; b.Loop(); i++ {
		before := processor()
		if _, err := w.control.PauseTask(w.ctx, task.Key{Name: numbered(i % tasks)}, "a push"); err != nil {
			b.Fatal(err)
		}
		next, _ := m.Update(m.desk.next())
		m = next.(Model)
		_ = m.View()
		spent += processor() - before
	}
	b.ReportMetric(float64(spent.Milliseconds())/float64(b.N), "cpu-ms/push")
}

// many makes screens that show so many tasks of a real store.
func many(t testing.TB, tasks int) Model {
	t.Helper()
	return look(t, multitude(t, tasks), tasks)
}

// multitude makes a group of so many tasks.
func multitude(t testing.TB, tasks int) *world {
	t.Helper()
	w := &world{TB: t}
	w.make(64)
	infos := make([]task.Info, tasks)
	for i := range infos {
		infos[i] = task.Info{
			Key: task.Key{Name: numbered(i)}, Service: "Stock", Operation: "getLowStock",
			Delivery: task.EffectivelyOnce, Trigger: every(time.Duration(1+i%500) * time.Minute),
		}
	}
	store.New(w.client, store.Options{}).CreateAll(w.ctx, infos, func(_ int, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	return w
}

func numbered(i int) string { return fmt.Sprintf("task-%05d", i) }

// look opens the screens of a group and waits until they show so many tasks.
func look(t testing.TB, w *world, tasks int) Model {
	t.Helper()
	m := New(w.ctx, w, Options{Context: "many"})
	go m.desk.follow() // it ends with the test
	for m.scene.Picture.Read == 0 || m.scene.Picture.Read < m.scene.Picture.Buckets {
		next, _ := m.Update(m.desk.next())
		m = next.(Model)
	}
	if n := len(m.scene.Picture.Tasks); n != tasks {
		t.Fatalf("%d tasks are seen", n)
	}
	next, _ := m.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	return next.(Model)
}
