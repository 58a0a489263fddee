package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/store"
)

func TestPlannedHandOverIsQuick(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		var names []string
		for i := range 8 {
			names = append(names, fmt.Sprintf("t%d", i))
			g.create(names[i], "S", 50*time.Millisecond)
		}
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(5 * time.Second)
		begun := time.Now()
		n1.stop()
		time.Sleep(5 * time.Second)
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, name := range names {
			last := begun.Add(-time.Second)
			var worst time.Duration
			for _, r := range g.runs {
				if r.task == name && r.began.After(last) {
					worst, last = max(worst, r.began.Sub(last)), r.began
				}
			}
			if worst > 250*time.Millisecond || time.Since(last) > time.Second {
				t.Errorf("%s: a gap of %s", name, worst)
			}
		}
		g.once(t)
	})
}

// once fails if a firing began twice. It needs mu.
func (g *group) once(t *testing.T) {
	t.Helper()
	seen := make(map[string]ran)
	for _, r := range g.runs {
		key := string(r.fire)
		if before, ok := seen[key]; ok {
			t.Errorf("%v: %s on %s and %s", errTwice, r.fire, before.node, r.node)
		}
		seen[key] = r
	}
}

func TestRollingRestart(t *testing.T) {
	scene(t, 32, func(t *testing.T, g *group) {
		g.options.Servers = 3
		tasks := g.apart(6, "S", 200*time.Millisecond)
		hosts := map[string]*host{}
		for _, node := range []string{"n1", "n2", "n3"} {
			hosts[node] = g.boot(node)
		}
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		for _, node := range []string{"n1", "n2", "n3"} {
			before := g.owners()
			hosts[node].stop()
			for b, owner := range g.owners() {
				if before[b] != node && owner != before[b] {
					t.Errorf("bucket %d of %s went to %q because %s stopped", b, before[b], owner, node)
				}
			}
			hosts[node] = g.boot(node)
			time.Sleep(10 * time.Second)
			g.quiet(time.Second)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.once(t)
		for _, name := range tasks {
			var last time.Time
			for _, r := range g.runs {
				if r.task != name {
					continue
				}
				if gap := r.at.Sub(last); !last.IsZero() && gap != 200*time.Millisecond {
					t.Errorf("%s: %s from one instant to the next", name, gap)
				}
				if late := r.began.Sub(r.at); late > 250*time.Millisecond && !last.IsZero() {
					t.Errorf("%s: %s late", name, late)
				}
				last = r.at
			}
		}
	})
}

func TestAdministratorDrains(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		if err := g.admin.Drain(t.Context(), "n1", store.Drain{Reason: "kernel", By: "ops"}); err != nil {
			t.Fatal(err)
		}
		g.quiet(5 * time.Second)
		time.Sleep(5 * time.Second)
		if c := g.count(); c["n1"] != 0 {
			t.Errorf("%v", c)
		}
		// It stays drained when it comes back.
		n1.stop()
		g.boot("n1")
		time.Sleep(10 * time.Second)
		if c := g.count(); c["n1"] != 0 {
			t.Errorf("after a restart: %v", c)
		}
		if err := g.admin.Drain(t.Context(), "n2", store.Drain{Reason: "disk"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if why := g.why(3); !strings.Contains(why, "it is being drained") {
			t.Errorf("%q", why)
		}
		if err := errors.Join(g.admin.Undrain(t.Context(), "n1"), g.admin.Undrain(t.Context(), "n2")); err != nil {
			t.Fatal(err)
		}
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		if c := g.count(); c["n1"] < 6 || c["n2"] < 6 {
			t.Errorf("undrained: %v", c)
		}
	})
}

func TestStoppedMemberLeavesNoDrainBehind(t *testing.T) {
	scene(t, 8, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		n1.stop()
		time.Sleep(10 * time.Second)
		if drains, _, err := g.admin.Drains(t.Context()); err != nil || len(drains) > 0 {
			t.Errorf("%v, %v", drains, err)
		}
	})
}

func TestStopBeforeStart(t *testing.T) {
	scene(t, 1, func(t *testing.T, g *group) {
		h := g.boot("n1")
		h.stop()
		h.stop()
		if state, _ := h.member.State(); state != coordclient.Lost {
			t.Error(state)
		}
	})
}

// A run that takes longer than the time to stop is interrupted and settled, and
// its bucket released, within that time.
func TestStopIsBoundedByItsTime(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.quiet(5 * time.Second)
		g.create("long", "S", time.Hour)
		time.Sleep(time.Second)
		g.boot("n2")
		time.Sleep(time.Second)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), longRun/2)
		defer cancel()
		err := n1.cluster.Stop(ctx)
		t.Logf("stopped after %s: %v", time.Since(began), err)
		if err := n1.engine.Stop(ctx); err != nil {
			t.Errorf("engine: %v", err)
		}
		if took := time.Since(began); took > longRun/2 {
			t.Errorf("it took %s", took)
		}
		n1.gone()
		if on := g.ownerOf("long"); on == "n1" {
			t.Error("its bucket was not released")
		}
		time.Sleep(longRun)
	})
}

// A leader to whom it takes long to find out what may be moved, or what was edited,
// still sees that somebody wants to leave.
func TestDrainDoesNotWaitForTheLeader(t *testing.T) {
	t.Parallel()
	for name, slow := range map[string]func(key string) bool{
		"what may be moved": func(key string) bool { return strings.HasSuffix(key, "/log") },
		"what was edited":   func(key string) bool { return strings.HasPrefix(key, "/tasks/") },
	} {
		t.Run(name, func(t *testing.T) {
			scene(t, 64, func(t *testing.T, g *group) {
				for i := range 64 {
					g.create(fmt.Sprintf("t%d", i), "S", time.Minute)
				}
				n1 := g.boot("n1")
				g.quiet(10 * time.Second)
				time.Sleep(10 * time.Second)
				n1.faulty.Plan(func(c coordtest.Call) coordtest.Fault {
					if c.Op == coordtest.OpList && slow(c.Key) {
						return coordtest.Fault{Delay: time.Second}
					}
					return coordtest.Fault{}
				})
				for i := range 64 {
					g.create(fmt.Sprintf("u%d", i), "S", time.Minute)
				}
				g.boot("n2")
				time.Sleep(2 * time.Second)
				if err := g.admin.Drain(t.Context(), "n1", store.Drain{Reason: "kernel", By: "ops"}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				if c := g.count(); c["n1"] != 0 {
					t.Errorf("after 5 s: %v", c)
				}
			})
		})
	}
}
