//go:build e2e

package e2e

import (
	"testing"
	"time"
)

// The leader of three ZooKeeper servers is killed, one is frozen, and at last the
// majority is gone for a while: firing goes on, or goes on afterwards, with
// nothing twice and nothing lost.
func TestClusterEnsemble(t *testing.T) {
	t.Parallel()
	const lasts = 50 * time.Second
	payrolls := paidOn(t)
	zk := startZooKeeper(t, 3)
	hs := newCluster(t, zk, payrolls)
	hs.start()
	pulse := feel(t)
	first := shortly()
	last := first.Add(lasts)
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first)+2*time.Second)

	leader := zk.Leader(t)
	leader.Kill(t)
	during(t, 8*time.Second)
	leader.Restart(t)
	zk.Whole(t) // a server that hangs while another catches up brings out ZooKeeper's own defects
	killed := time.Now()

	frozen := zk.Follower(t)
	frozen.Freeze(t)
	during(t, 2*session)
	frozen.Thaw(t)
	zk.Whole(t)
	during(t, 3*time.Second)
	thawed := time.Now()

	gone := time.Now()
	zk[0].Kill(t)
	zk[1].Kill(t)
	during(t, 6*time.Second)
	zk[0].Launch(t)
	zk[1].Restart(t)
	away := time.Since(gone)

	all := judge(t, hs[0], payrolls, first, last)
	for _, c := range []struct {
		what     string
		from, to time.Time
		most     time.Duration
	}{
		{"ZooKeeper's leader killed", first, killed, 5 * time.Second},
		{"a ZooKeeper server frozen", killed, thawed, 5 * time.Second},
		{"no majority", thawed, last, away + takeOver + 5*time.Second},
	} {
		by := lateness(all, c.from, c.to)
		t.Logf("%s: late p99 %s, most %s", c.what, part(by, 0.99), part(by, 1))
		punctual(t, c.what, by, c.most, pulse.worst(first))
	}
	hs.stop()
}
