package tui

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// idle is a world in which nothing happens for hours.
func idle(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 8)
	w.host("n1", 0, catalogue()...)
	w.host("n2", 0, catalogue()...)
	for _, name := range []string{"a", "b", "c"} {
		w.create(name, "getLowStock", task.TriggerInfo{Cron: "0 30 2 * * ?"})
	}
	return w
}

// Whoever looks at a group in which nothing happens asks its store for nothing,
// whatever the screen: what is new is pushed. What hosts write of their clocks every
// 10 s is read once each time, and nothing else.
func TestIdle(t *testing.T) {
	play(t, idle, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Pass(5 * time.Minute)
		for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
			d.Press(key)
			d.Pass(2 * time.Second)
			w.client.told.Clear()
			d.Pass(time.Minute)
			w.client.told.Range(func(what, n any) bool {
				if !strings.HasPrefix(what.(string), "get /clocks/") || n.(*atomic.Int64).Load() > 7 {
					t.Errorf("screen %s: %s %d times in a minute", key, what, n.(*atomic.Int64).Load())
				}
				return true
			})
		}
		// And what is new is there at once, from a store that was left alone so long.
		w.create("d", "getLowStock", task.TriggerInfo{Cron: "0 30 2 * * ?"})
		d.Press("1")
		d.Pass(100 * time.Millisecond)
		d.Shows("4 tasks", "d ")
		d.Pass(time.Minute)
		d.Press("5")
		d.Shows("task/d ")
	})
}

// Nor does who looks at a group without hosts.
func TestIdleWithoutHosts(t *testing.T) {
	play(t, func(t testing.TB) *world { t.Helper(); return newWorld(t, 8) }, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Pass(time.Minute)
		before := w.client.reads.Load()
		if before == 0 {
			t.Fatal("the reads are not counted")
		}
		d.Pass(time.Hour)
		if n := w.client.reads.Load() - before; n > 0 {
			t.Errorf("%d reads in an hour", n)
		}
	})
}
