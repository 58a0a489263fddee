package cluster_test

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
)

// A host that leaves sets free no more buckets at a time than the others take
// quickly: the last of them would wait for all before it.
func TestFewBucketsChangeHandsAtOnce(t *testing.T) {
	scene(t, 64, func(t *testing.T, g *group) {
		n1, n2 := g.boot("n1"), g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		moving := g.count()["n1"]
		n2.faulty.Plan(func(coordtest.Call) coordtest.Fault { return coordtest.Fault{Delay: 5 * time.Millisecond} })
		stopped := make(chan struct{})
		go func() { n1.stop(); close(stopped) }()
		most := 0
		for leaving := true; leaving; {
			select {
			case <-stopped:
				leaving = false
			case <-time.After(time.Millisecond):
			}
			most = max(most, g.count()[""])
		}
		// Eight at a time; but the count is not taken at one moment.
		if moving < 24 || most < 2 || most > 16 {
			t.Errorf("of %d buckets that changed hands, %d were free at once; want about 8", moving, most)
		}
		if c := g.count(); c["n1"] != 0 {
			t.Errorf("after it left: %v", c)
		}
	})
}

// A host that leaves does not wait long for who is slow to take its buckets.
func TestLeavingDoesNotWaitForTakers(t *testing.T) {
	scene(t, 64, func(t *testing.T, g *group) {
		n1, n2 := g.boot("n1"), g.boot("n2")
		g.quiet(10 * time.Second)
		time.Sleep(10 * time.Second)
		n2.faulty.Plan(func(c coordtest.Call) coordtest.Fault {
			if c.Op == coordtest.OpSync { // with which each acquisition begins
				return coordtest.Fault{Delay: 8 * time.Second}
			}
			return coordtest.Fault{}
		})
		began := time.Now()
		n1.stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		g.quiet(time.Minute)
	})
}
