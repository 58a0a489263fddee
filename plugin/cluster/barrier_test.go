package cluster_test

import (
	"testing"
	"time"
)

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
