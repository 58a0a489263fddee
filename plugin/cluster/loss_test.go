package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/store"
)

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
			t.Fatalf("n2 was quicker: %v", err)
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

// unseat fences a bucket's owner, as nobody does, and waits until it knows.
func (g *group) unseat(b int) {
	g.t.Helper()
	kv := g.kv.Dial()
	e, _, err := kv.Get(g.t.Context(), "/buckets/"+strconv.Itoa(b))
	if err != nil {
		g.t.Fatal(err)
	}
	var n store.Node
	if err := json.Unmarshal(e.Value, &n); err != nil {
		g.t.Fatal(err)
	}
	n.Epoch, n.Released = n.Epoch+1, true
	value, err := json.Marshal(n)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := kv.Commit(g.t.Context(), coordclient.Set(e.Key, value, e.Version)); err != nil {
		g.t.Fatal(err)
	}
	synctest.Wait()
}

// A bucket that the engine lost for whatever reason is acquired again, each time
// later if it is lost again and again.
func TestLostBucketIsAcquiredAgain(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		h := g.boot("n1")
		g.quiet(5 * time.Second)
		var took []time.Duration
		for range 6 {
			g.unseat(2)
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

// A bucket that a member goes after while it is cut off is acquired as soon as its
// session has healed, however long that took.
func TestBucketIsAcquiredWhenTheSessionHeals(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		h := g.boot("n1")
		g.quiet(5 * time.Second)
		g.unseat(2)
		h.member.Cut()
		time.Sleep(time.Minute)
		h.member.Heal()
		if took := g.quiet(5 * time.Second); took > 300*time.Millisecond {
			t.Errorf("it took %s", took)
		}
	})
}

// A bucket whose state cannot be read is nobody's, and hinders no other.
func TestBrokenBucketStopsNoOther(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		kv := g.kv.Dial()
		if err := kv.Commit(t.Context(), coordclient.Create("/buckets/5/page/0", []byte("no page"))); err != nil {
			t.Fatal(err)
		}
		g.boot("n1")
		time.Sleep(10 * time.Second)
		g.boot("n2")
		time.Sleep(20 * time.Second)
		served := map[int]string{}
		for _, h := range g.living() {
			for _, b := range h.engine.Owned() {
				served[b] = h.node
			}
		}
		if _, ok := served[5]; ok || len(served) != 15 {
			t.Errorf("served: %v", served)
		}
		if c := g.count(); c["n2"] < 6 {
			t.Errorf("it kept the rest from being shared out: %v", c)
		}
	})
}

// A member that was cut off, but not for too long, goes on where it was, and has
// heard at once of what it missed.
func TestHealedMemberCatchesUp(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		before := g.owners()
		n1.member.Cut()
		time.Sleep(3 * time.Second)
		if now := g.owners(); !slices.Equal(before, now) {
			t.Errorf("they moved: %v, %v", before, now)
		}
		g.boot("n3")
		time.Sleep(3 * time.Second)
		n1.member.Heal()
		time.Sleep(2 * time.Second)
		g.quiet(3 * time.Second)
		time.Sleep(3 * time.Second)
		if c := g.count(); c["n3"] < 4 {
			t.Errorf("%v", c)
		}
	})
}
