package tui

import (
	"math/rand/v2"
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
				d := w.open(90, 28, func(o *Options) { o.ReadOnly = c.readOnly })
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

// A picture of many tasks is drawn fast: a key, and a frame.
func TestManyTasks(t *testing.T) {
	m := many(t, 10_000)
	for _, keys := range [][]string{{"j"}, {"G"}, {"/", "7"}, {"enter", "s"}, {"s"}, {"5"}, {"3"}, {"4"}, {"1"}} {
		for _, key := range keys {
			// The best of a few, and five times what is promised, as the machine may be
			// busy with other tests.
			best := time.Hour
			next := tea.Model(m)
			for range 5 {
				began := time.Now()
				next, _ = m.Update(tuitest.Key(key))
				_ = next.View()
				best = min(best, time.Since(began))
			}
			if m = next.(Model); best > slower*250*time.Millisecond {
				t.Errorf("after %s a frame took %s", key, best)
			}
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	m := many(b, 10_000)
	for _, sorted := range []string{"NAME", "NEXT"} {
		b.Run("sorted by "+sorted, func(b *testing.B) {
			for b.Loop() {
				next, _ := m.Update(tuitest.Key("j"))
				m = next.(Model)
				_ = m.View()
			}
		})
		for range 2 {
			next, _ := m.Update(tuitest.Key("s"))
			m = next.(Model)
		}
	}
}

// many makes screens that show so many tasks of a real store.
func many(t testing.TB, tasks int) Model {
	t.Helper()
	w := &world{TB: t}
	w.make(64)
	s := store.New(w.client, store.Options{})
	for i := range tasks {
		info := task.Info{
			Key: task.Key{Name: "task-" + strings.Repeat("0", 5-len(digits(i))) + digits(i)}, Service: "Stock", Operation: "getLowStock",
			Delivery: task.EffectivelyOnce, Trigger: every(time.Duration(1+i%500) * time.Minute),
		}
		if _, err := s.Create(w.ctx, info); err != nil {
			t.Fatal(err)
		}
	}
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

func digits(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digits(n/10) + string(rune('0'+n%10))
}
