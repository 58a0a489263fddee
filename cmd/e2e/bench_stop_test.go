//go:build e2e && bench

package e2e

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Hosts that have more to do than the servers can take are stopped, one after the
// other: each has to end in good order.
func TestBenchClusterStop(t *testing.T) {
	const tasks = 4096
	machine(t)
	r := newRig(t, "512m", 16_384, nil)
	r.create(t, 0, tasks, func(int) task.TriggerInfo {
		return task.TriggerInfo{Interval: task.Duration(20 * time.Millisecond), Count: -1}
	})
	during(t, 15*time.Second)
	before := r.hs.sum()
	during(t, 5*time.Second)
	d := r.hs.sum().minus(before)
	t.Logf("%.0f firings/s, a commit takes %.0f ms", d[firstClaims]/5, d["belfry_commit_seconds_sum"]/d["belfry_commit_seconds_count"]*1000)
	for _, h := range r.hs {
		begun := time.Now()
		h.stop()
		t.Logf("stopped after %s", time.Since(begun).Round(time.Millisecond))
	}
	machine(t)
}
