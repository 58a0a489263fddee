//go:build e2e

package e2e

import (
	"strings"
	"testing"
	"time"
)

// Tasks are moved from host to host while they fire every second, away from a
// host that is dead too: every instant raises the salary once.
func TestClusterMovesTasks(t *testing.T) {
	t.Parallel()
	payrolls := paidOn(t)
	hs := newCluster(t, startZooKeeper(t, 1), payrolls)
	hs.start()
	first := shortly()
	last := first.Add(time.Hour) // it is over when they have moved
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first)+time.Second)

	on := func(node string) func() bool {
		return func() bool {
			at := owners(hs[0])
			for _, p := range payrolls {
				if at[p.service] != node {
					return false
				}
			}
			return true
		}
	}
	for _, node := range []string{"n2", "n3"} {
		for _, p := range payrolls {
			hs[0].must("task", "move", p.service, "--to", node)
		}
		eventually(t, patience, "all tasks are on "+node, on(node))
		during(t, time.Second)
	}
	hs[2].kill()
	eventually(t, patience, "they wait for n3, and say so", func() bool {
		out := hs[0].must("task", "show", payrolls[0].service)
		return strings.Contains(out, "unplaced") && strings.Contains(out, "none of the nodes n3 can take it")
	})
	for _, p := range payrolls[1:] {
		hs[0].must("task", "move", p.service, "--to", "n1")
	}
	hs[0].must("task", "set", payrolls[0].service, "--location", "rules", "--location-property", "rule-1=.*,.*,n1")
	eventually(t, patience, "all tasks are on n1", on("n1"))
	hs[2].start()
	for _, p := range payrolls {
		hs[0].must("task", "move", p.service, "--anywhere")
	}
	for _, p := range payrolls {
		hs[0].must("task", "pause", p.service)
	}
	for _, p := range payrolls {
		p.judgePaused(t, hs[0], first)
	}
	if out := hs[0].must("task", "show", payrolls[0].service); strings.Contains(out, "Location") {
		t.Errorf("it still has a location:\n%s", out)
	}
	hs.stop()
}
