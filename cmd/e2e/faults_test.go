//go:build e2e

package e2e

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
)

// A short part of `make faults`: three hosts on three servers, at more than fifty
// firings a second, while administrators edit. One after the other, hosts die at
// points of the firing path, lose answers, send late; and ZooKeeper loses its
// leader.
func TestFaults(t *testing.T) {
	t.Parallel()
	a := newArena(t, 3)
	a.schedule(30 * time.Second)
	for _, f := range []fault{
		{"a host dies after-claim", func(a *arena) { a.die("after-claim", 1+a.random.IntN(30)) }},
		{"replies are lost after the commit", (*arena).loseReplies},
		{"a host dies after-call", func(a *arena) { a.die("after-call", 1+a.random.IntN(30)) }},
		{"requests are held back beyond the session", (*arena).holdRequests},
		{"ZooKeeper's leader is killed", (*arena).killLeader},
		{"a host dies before-fold", func(a *arena) { a.die("before-fold", 1) }},
	} {
		if time.Now().Before(a.last.Add(-8 * time.Second)) {
			a.do(f)
		}
	}
	a.judge()
}

// Two hosts' clocks are two seconds apart and jump, while tasks change owners:
// each instant fires once, by the clock of whoever owns it.
func TestFaultsOfClocks(t *testing.T) {
	t.Parallel()
	a := newArena(t, 1)
	a.schedule(16 * time.Second)
	a.do(fault{"clocks are two seconds apart while owners change", (*arena).skewClocks})
	a.judge()
}

// The checker finds, in hosts and servers that are real, the bugs that are planted
// in the hosts. Whether a claim and a pause cross is chance: it gets three.
func TestFaultsArePlanted(t *testing.T) {
	t.Parallel()
	for chance := 1; ; chance++ {
		all := planted(t)
		unnoticed := slices.DeleteFunc([]error{firecheck.ErrFiredAfterPause, firecheck.ErrRunWithoutClaim}, func(want error) bool { return errors.Is(all, want) })
		if len(unnoticed) == 0 {
			return
		}
		if chance == 3 {
			t.Fatalf("nobody noticed: %v", errors.Join(unnoticed...))
		}
	}
}

// planted is what the checker finds in a run of hosts with bugs. These may never
// come to rest, nor stop in order.
func planted(t *testing.T) error {
	t.Helper()
	a := newArena(t, 1, "no-fence", "no-fence,run-first", "no-fence")
	a.schedule(14 * time.Second)
	a.pauseCalls()
	a.pass()
	for _, h := range a.hosts {
		h.kill()
	}
	a.stopped = time.Now()
	return errors.Join(a.verdict(a.history())...)
}
