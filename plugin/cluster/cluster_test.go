package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/store"
)

// scene runs a test of a group in fake time.
func scene(t *testing.T, buckets int, play func(t *testing.T, g *group)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, buckets)
		defer g.end()
		play(t, g)
	})
}

func TestAloneOwnsEverythingAtOnce(t *testing.T) {
	scene(t, 256, func(t *testing.T, g *group) {
		h := g.boot("n1")
		if took := g.quiet(time.Second); took > 200*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		if n := len(h.engine.Owned()); n != 256 {
			t.Errorf("%d buckets", n)
		}
		h.stop()
		if c := g.count(); c[""] != 256 {
			t.Errorf("after the stop: %v", c)
		}
	})
}

// on is which nodes the tasks are on, each once.
func (g *group) on(tasks []string) []string {
	g.t.Helper()
	var nodes []string
	for _, name := range tasks {
		nodes = append(nodes, g.ownerOf(name))
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

func TestBarrier(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		g.options.Servers = 3
		tasks := g.apart(3, "S", time.Minute)
		n1 := g.boot("n1")
		time.Sleep(time.Minute)
		g.waits("waiting for servers: 1 of 3")
		n2 := g.boot("n2")
		time.Sleep(time.Minute)
		g.waits("waiting for servers: 2 of 3")
		n3 := g.boot("n3")
		if took := g.quiet(2 * time.Second); took > 500*time.Millisecond {
			t.Errorf("placing took %s", took)
		}
		if on := g.on(tasks); len(on) != 3 {
			t.Errorf("three tasks are on %v", on)
		}

		// One that comes back to a living group does not wait.
		n3.stop()
		g.quiet(2 * time.Second)
		n3 = g.boot("n3")
		g.quiet(2 * time.Second)
		n3.kill(4 * time.Second)
		g.quiet(2 * time.Second)

		// When the group has been empty, it waits again.
		n1.stop()
		n2.stop()
		g.boot("n1")
		n2 = g.boot("n2")
		time.Sleep(time.Minute)
		g.waits("waiting for servers: 2 of 3")

		// A node that was killed and is back at once counts once.
		g.boot("n2")
		time.Sleep(time.Second)
		n2.gone() // killed, and not expired yet
		g.waits("waiting for servers: 2 of 3")
		n2.kill(time.Second)

		if err := g.admin.Lift(t.Context(), "ops"); err != nil {
			t.Fatal(err)
		}
		g.quiet(2 * time.Second)
		b, _, _, err := g.admin.Barrier(t.Context())
		if err != nil || !b.Open || !b.Lifted || b.LiftedBy != "ops" || b.Servers != 3 {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

// waits fails unless nothing is placed, for this reason.
func (g *group) waits(why string) {
	g.t.Helper()
	if c := g.count(); c[""] != g.buckets {
		g.t.Errorf("buckets are owned: %v", c)
	}
	if got := g.why(0); got != why {
		g.t.Errorf("bucket 0: %q, want %q", got, why)
	}
	for node, s := range g.standing() {
		if s.Waiting != why || !s.Settled {
			g.t.Errorf("%s: %+v, want %q", node, s, why)
		}
	}
}

func TestBarrierHasATimeLimit(t *testing.T) {
	scene(t, 8, func(t *testing.T, g *group) {
		g.options.Servers, g.options.ServersWithin = 3, time.Minute
		began := time.Now()
		g.boot("n1")
		g.quiet(2 * time.Minute)
		if took := time.Since(began); took < time.Minute || took > time.Minute+5*time.Second {
			t.Errorf("it opened after %s", took)
		}
	})
}

func TestNewMemberGetsItsShareWithinTheBound(t *testing.T) {
	scene(t, 96, func(t *testing.T, g *group) {
		g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second) // and evened out
		g.boot("n3")
		most, before := 0, g.owners()
		for range 200 {
			time.Sleep(20 * time.Millisecond)
			p, _, _, err := g.admin.Placement(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			underway := 0
			for b, node := range g.owners() {
				if to, _ := p.Of(b); to.Node() != node {
					underway++
				}
			}
			most = max(most, underway)
		}
		if most > 12 {
			t.Errorf("%d of 96 buckets were on their way at once, the bound is 12", most)
		}
		after := g.owners()
		moved := 0
		for b := range before {
			if before[b] != after[b] {
				moved++
			}
		}
		if c := g.count(); c["n3"] < 28 || c["n3"] > 36 || moved != c["n3"] {
			t.Errorf("%v, %d were moved", c, moved)
		}
		time.Sleep(time.Minute)
		if !slices.Equal(after, g.owners()) {
			t.Error("buckets go on moving")
		}
	})
}

func TestKillMovesAllToTheLiving(t *testing.T) {
	t.Parallel()
	for _, leader := range []bool{true, false} {
		t.Run(fmt.Sprint("leader ", leader), func(t *testing.T) {
			scene(t, 32, func(t *testing.T, g *group) {
				hosts := []*host{g.boot("n1"), g.boot("n2"), g.boot("n3")}
				g.quiet(10 * time.Second)
				time.Sleep(10 * time.Second)
				i := slices.IndexFunc(hosts, func(h *host) bool { s, _ := h.cluster.Status(); return s.Leading == leader })
				hosts[i].kill(4 * time.Second)
				if took := g.quiet(3 * time.Second); took > time.Second {
					t.Errorf("after the expiry it took %s", took)
				}
				c := g.count()
				if c[hosts[i].node] != 0 || len(c) != 2 {
					t.Errorf("%v", c)
				}
				for node, n := range c {
					if n < 14 || n > 18 {
						t.Errorf("%s has %d of 32", node, n)
					}
				}
			})
		})
	}
}

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

func TestServiceDecidesWhere(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		g.boot("n1", "A")
		g.boot("n2", "B")
		g.quiet(10 * time.Second)
		tasks := g.apart(4, "B", time.Minute)
		none := g.create("lonely", "X", time.Minute)
		time.Sleep(10 * time.Second)
		if on := g.on(tasks); !slices.Equal(on, []string{"n2"}) {
			t.Errorf("tasks of B are on %v", on)
		}
		home, err := g.admin.HomeOf(t.Context(), none.Key)
		if err != nil {
			t.Fatal(err)
		}
		if why := g.why(home); !strings.Contains(why, "no member has service X") {
			t.Errorf("%q", why)
		}
		g.boot("n3", "X", "B")
		g.quiet(10 * time.Second)
		if owner := g.ownerOf("lonely"); owner != "n3" {
			t.Errorf("the task of X is on %q", owner)
		}
	})
}

func TestClockThatIsOff(t *testing.T) {
	for off, want := range map[time.Duration]string{
		-7 * time.Second: "its clock is 7s behind", 6 * time.Second: "its clock is 6s ahead",
	} {
		t.Run(want, func(t *testing.T) { clockThatIsOff(t, off, want) })
	}
}

func clockThatIsOff(t *testing.T, off time.Duration, want string) {
	scene(t, 16, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(5 * time.Second)
		n1.setClock(4 * time.Second) // within what is borne
		time.Sleep(30 * time.Second)
		if c := g.count(); c["n1"] < 6 {
			t.Errorf("4 s ahead: %v", c)
		}
		n1.setClock(off)
		time.Sleep(30 * time.Second)
		if s, _ := n1.cluster.Status(); s.Unfit != want {
			t.Errorf("%+v, want %q", s, want)
		}
		if c := g.count(); c["n2"] != 16 {
			t.Errorf("%v", c)
		}
		n1.setClock(time.Second)
		time.Sleep(30 * time.Second)
		g.quiet(5 * time.Second)
		if c := g.count(); c["n1"] < 6 {
			t.Errorf("set right: %v", c)
		}
	})
}

func TestFiringGoesOnWithoutALeader(t *testing.T) {
	scene(t, 8, func(t *testing.T, g *group) {
		g.create("t", "S", 100*time.Millisecond)
		for _, node := range []string{"n1", "n2"} {
			g.boot(node)
		}
		g.quiet(10 * time.Second)
		leader := g.living()[0]
		if s, _ := leader.cluster.Status(); !s.Leading {
			leader = g.living()[1]
		}
		owner := g.ownerOf("t")
		if owner == leader.node { // then the other is to own it
			if err := g.admin.Drain(t.Context(), leader.node, store.Drain{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
		}
		g.mu.Lock()
		before := len(g.runs)
		g.mu.Unlock()
		leader.member.Cut() // it still leads, but decides nothing
		time.Sleep(10 * time.Second)
		g.mu.Lock()
		n := len(g.runs) - before
		g.mu.Unlock()
		if n < 99 {
			t.Errorf("%d firings in 10 s", n)
		}
		leader.member.Heal()
		g.quiet(5 * time.Second)
	})
}

func TestOldLeaderCannotWrite(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		one, two := g.kv.Join("one", nil), g.kv.Join("two", nil)
		s1 := store.New(one, store.Options{}).Owner(one.ID(), one)
		s2 := store.New(two, store.Options{}).Owner(two.ID(), two)
		first, err := s1.TakeLead(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s2.TakeLead(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		p, version, _, err := g.admin.Placement(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.Assign(one.ID(), "")
		if err := s1.Decide(t.Context(), first, store.Decision{Placement: p, Version: version}); !errors.Is(err, store.ErrDeposed) {
			t.Errorf("a leader of an old term: %v", err)
		}
		if _, err := s1.TakeLead(t.Context(), 1); !errors.Is(err, store.ErrDeposed) {
			t.Errorf("an old term is taken again: %v", err)
		}
	})
}

func TestHalfAcquiredBucketIsSetFree(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(5 * time.Second)
		// n2's bucket is n1's by the store, as if a late copy of n1's acquisition had
		// landed after n2 had released it.
		p, _, _, err := g.admin.Placement(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stray := slices.IndexFunc(p.Buckets, func(i int) bool { return p.Members[i].Node() == "n2" })
		n2 := g.living()[1]
		n2.faulty.Plan(nil)
		if err := n2.engine.Release(t.Context(), stray); err != nil {
			t.Fatal(err)
		}
		if _, err := n1.store.Acquire(t.Context(), stray); err != nil {
			t.Skipf("n2 was quicker: %v", err)
		}
		time.Sleep(30 * time.Second)
		g.quiet(time.Second)
		if owner := g.owners()[stray]; owner != "n2" {
			t.Errorf("it is %q's", owner)
		}
	})
}

func TestLostSessionEndsEverything(t *testing.T) {
	scene(t, 8, func(t *testing.T, g *group) {
		h := g.boot("n1")
		g.quiet(5 * time.Second)
		h.member.Expire()
		select {
		case <-h.cluster.Done():
		case <-time.After(5 * time.Second):
			t.Fatal("it goes on")
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.cluster.Stop(over); err != nil {
			t.Errorf("stop after that: %v", err)
		}
		h.bury()
		g.boot("n1")
		g.quiet(5 * time.Second)
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

// A bucket with a run that goes on stays for as long as it does, when another
// member joins; others move.
func TestOpenBucketIsNotMovedForBalance(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		g.boot("n1")
		g.quiet(5 * time.Second)
		for i := range 8 {
			g.create(fmt.Sprintf("long-%d", i), "S", 10*time.Minute)
			g.create(fmt.Sprintf("short-%d", i), "S", time.Minute)
		}
		time.Sleep(3 * time.Second) // they run
		began := time.Now()
		g.boot("n2")
		time.Sleep(longRun / 2)
		for i := range 8 {
			if on := g.ownerOf(fmt.Sprintf("long-%d", i)); on != "n1" {
				t.Errorf("long-%d went to %s after %s", i, on, time.Since(began))
			}
		}
		if c := g.count(); c["n2"] == 0 {
			t.Errorf("nothing else moved: %v", c)
		}
		time.Sleep(longRun)
		moved := 0
		for i := range 8 {
			if g.ownerOf(fmt.Sprintf("long-%d", i)) == "n2" {
				moved++
			}
		}
		if moved == 0 {
			t.Error("when they had ended, none moved")
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		g.once(t)
	})
}

// A bucket that the engine lost for whatever reason is acquired again, each time
// later if it is lost again and again.
func TestLostBucketIsAcquiredAgain(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		h := g.boot("n1")
		g.quiet(5 * time.Second)
		kv := g.kv.Dial()
		var took []time.Duration
		for range 6 {
			e, _, err := kv.Get(t.Context(), "/buckets/2")
			if err != nil {
				t.Fatal(err)
			}
			var n store.Node
			if err := json.Unmarshal(e.Value, &n); err != nil {
				t.Fatal(err)
			}
			n.Epoch, n.Released = n.Epoch+1, true // as nobody does: it fences the owner
			value, err := json.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			if err := kv.Commit(t.Context(), coordclient.Set(e.Key, value, e.Version)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			began := time.Now()
			g.quiet(20 * time.Second)
			took = append(took, time.Since(began))
		}
		if took[0] > 200*time.Millisecond || took[5] < 2*took[0] || took[5] > 10*time.Second {
			t.Errorf("it was acquired again after %v", took)
		}
		if n := len(h.engine.Owned()); n != 4 {
			t.Errorf("%d are owned", n)
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
