package cluster_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What must never be.
var (
	errTwoOwners = errors.New("a bucket has two owners")
	errUnserved  = errors.New("a bucket has an owner who does not serve it")
)

func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func TestAloneOwnsEverythingAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newGroup(t, 256)
		defer g.end()
		h := g.boot("n1")
		if took := g.quiet(time.Second); took > 200*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		if n := len(h.engine.Owned()); n != 256 {
			t.Errorf("%d buckets", n)
		}
	})
}

func TestBarrier(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newGroup(t, 16)
		g.options.Servers = 3
		defer g.end()
		names := g.apart(3, "S", time.Minute)
		g.boot("n1")
		n2 := g.boot("n2")
		time.Sleep(time.Minute)
		if c := g.count(); c[""] != 16 {
			t.Fatalf("with two of three, buckets are owned: %v", c)
		}
		if s, _ := n2.cluster.Status(); s.Waiting != "waiting for servers: 2 of 3" {
			t.Errorf("status %+v", s)
		}
		g.boot("n3")
		g.quiet(2 * time.Second)
		on := make(map[string]bool)
		for _, name := range names {
			on[g.ownerOf(name)] = true
		}
		if len(on) != 3 {
			t.Errorf("three tasks are on %v; %v", on, g.count())
			for b := range 16 {
				sv, ok, err := g.admin.Survey(t.Context(), b)
				t.Log(b, g.owners()[b], ok, string(sv.Data), err)
			}
		}
	})
}

func TestKillMovesAll(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := newGroup(t, 32)
		defer g.end()
		h1 := g.boot("n1")
		g.boot("n2")
		g.boot("n3")
		g.quiet(2 * time.Second)
		time.Sleep(20 * time.Second)
		g.quiet(2 * time.Second)
		t.Log(g.count())
		h1.kill(4 * time.Second)
		if took := g.quiet(3 * time.Second); took > time.Second {
			t.Errorf("it took %s", took)
		}
		if c := g.count(); c["n1"] != 0 || !strings.HasPrefix("n2", "n") {
			t.Errorf("%v", c)
		}
	})
}
