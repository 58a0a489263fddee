package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
		// Somebody has it, to record that it fails.
		if owner := g.ownerOf(none.Name); owner == "" {
			t.Error("the task of a service that is nowhere is nobody's")
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
