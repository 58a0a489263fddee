//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host that is started before ZooKeeper waits for it and says so; one that waits
// for longer than it may, or is told to stop, ends.
func TestHostWaitsForZooKeeper(t *testing.T) {
	t.Parallel()
	zk := startZooKeeper(t, 1)
	file := coordination(t, zk)
	zk[0].Kill(t)
	waits := func(h *host) bool { return strings.Contains(h.logged(), "waiting for ZooKeeper (zookeeper.wait)") }
	hostOf := func(wait string) *host {
		h := newHost(t, nil, "--coordination", file)
		h.env = []string{"BELFRY_ZOOKEEPER_WAIT=" + wait}
		return h
	}
	late, stopped, short := hostOf("5m"), hostOf("5m"), hostOf("1s")
	ready := late.spawn(late.command())
	stopped.spawn(stopped.command())
	short.spawn(short.command())
	if err := <-short.done; err == nil || !strings.Contains(short.logged(), "no session with any server") {
		t.Errorf("the host that waits for a second: %v\n%s", err, short.logged())
	}
	short.done <- nil
	eventually(t, patience, "the others wait", func() bool { return waits(late) && waits(stopped) })
	_ = stopped.cmd.Process.Signal(syscall.SIGTERM)
	if err := <-stopped.done; err != nil {
		t.Errorf("the host that was told to stop: %v\n%s", err, stopped.logged())
	}
	stopped.done <- nil
	zk[0].Restart(t)
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatalf("the host is not ready:\n%s", late.logged())
	}
	if nodes := late.must("node", "list"); !strings.Contains(nodes, "n1") {
		t.Errorf("nodes:\n%s", nodes)
	}
	late.stop()
}
