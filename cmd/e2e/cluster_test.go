//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// With task.server.count=3 two hosts fire nothing and say what they wait for. The
// third opens the cluster, and three tasks sit one on each. One of three that is
// started again joins at once; all of them stopped, two wait once more.
func TestClusterWaitsForServers(t *testing.T) {
	t.Parallel()
	p := newPayroll(t, "Salary", open(t, "sqlite", sourcetest.OpenSQLite(t)))
	hs := newCluster(t, startZooKeeper(t, 1), []payroll{p})
	hs[:2].start()
	waits(t, hs[0], "waiting for servers: 2 of 3")
	for _, name := range []string{"raise-a", "raise-b", "raise-c"} {
		hs[0].must("task", "create", name, "--service", "Salary", "--operation", "incrementEmployeeSalary", "--interval", "1s")
	}
	during(t, 4*time.Second)
	if got := p.salary(t); got != 0 {
		t.Fatalf("salary %d, though a server is missing", got)
	}
	if !strings.Contains(hs[1].logged(), "waiting for servers") {
		t.Error("the log does not say what is waited for")
	}

	hs[2].start()
	eventually(t, patience, "three tasks are one on each host, and fire", func() bool {
		on := map[string]bool{}
		for _, node := range owners(hs[0]) {
			on[node] = node != ""
		}
		return on["n1"] && on["n2"] && on["n3"] && p.salary(t) >= 60_000
	})
	if got := show[statusView](hs[0], "status").Waiting; got != "" {
		t.Errorf("status still shows %q", got)
	}

	hs[1].stop()
	hs[1].start()
	began := p.salary(t)
	eventually(t, patience, "the restarted host joins, and firing goes on", func() bool { return p.salary(t) >= began+60_000 })

	hs.stop()
	hs[:2].start()
	waits(t, hs[0], "waiting for servers: 2 of 3")
	rests := p.salary(t)
	during(t, 3*time.Second)
	if got := p.salary(t); got != rests {
		t.Errorf("salary %d, was %d: two of three fire though all were stopped", got, rests)
	}
	hs[2].start()
	eventually(t, patience, "firing goes on with the third", func() bool { return p.salary(t) > rests })
	hs.stop()
}

// statusView is the part of the companion's contract that these tests read.
type statusView struct {
	Waiting string `json:"waiting"`
}

func waits(t *testing.T, h *host, text string) {
	t.Helper()
	eventually(t, patience, "status says "+text, func() bool { return show[statusView](h, "status").Waiting == text })
}

// Hosts are killed, at first one by one and then at random, and started again:
// every instant raises the salary once, never early, and what a dead host owned
// fires in time.
func TestClusterKillMinus9(t *testing.T) {
	// Not beside others: how late it is at most is judged.
	const lasts = 80 * time.Second
	random := seeded(t)

	payrolls := paidOn(t)
	hs := newCluster(t, startZooKeeper(t, 1), payrolls)
	hs.start()
	pulse := feel(t)
	first := shortly()
	last := first.Add(lasts)
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first))

	// One by one, the leader too, each with time to be taken over.
	kills := 0
	for _, victim := range []func() *host{
		func() *host { return hs.leader(t) }, func() *host { return hs[random.IntN(3)] }, func() *host { return hs.leader(t) },
	} {
		during(t, time.Duration(500+random.IntN(1000))*time.Millisecond)
		h := victim()
		h.kill()
		kills++
		during(t, takeOver+time.Second)
		h.start()
	}
	alone := time.Now()
	during(t, takeOver)

	// At random.
	for time.Now().Before(last.Add(-3 * time.Second)) {
		h := hs[random.IntN(3)]
		h.kill()
		kills++
		during(t, time.Duration(random.IntN(1500))*time.Millisecond)
		h.start()
		during(t, time.Duration(500+random.IntN(3000))*time.Millisecond)
	}
	all := judge(t, hs[0], payrolls, first, last)
	by := lateness(all, first, alone)
	t.Logf("%d kills; of those one by one: late p99 %s, most %s", kills, part(by, 0.99), part(by, 1))
	punctual(t, "a dead host", by, takeOver, pulse.worst(first))
	hs.stop()
}

// Losing every session is not leaving: after ZooKeeper was away for longer than
// they live, two of three hosts go on, though the barrier is for three and the
// third is dead.
func TestClusterGoesOnAfterZooKeeperWasAway(t *testing.T) {
	t.Parallel()
	payrolls := paidOn(t)
	zk := startZooKeeper(t, 1)
	hs := newCluster(t, zk, payrolls)
	hs.start()
	first := shortly()
	last := first.Add(30 * time.Second)
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first)+time.Second)
	hs[2].kill()
	zk[0].Kill(t)
	during(t, 7*time.Second)
	zk[0].Restart(t)
	judge(t, hs[0], payrolls, first, last)
	hs[0].stop()
	hs[1].stop()
}
