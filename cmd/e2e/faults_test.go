//go:build e2e

package e2e

import (
	"errors"
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
// in the hosts.
func TestFaultsArePlanted(t *testing.T) {
	t.Parallel()
	a := newArena(t, 1, "no-fence", "no-fence,run-first", "no-fence")
	a.schedule(14 * time.Second)
	a.settle()
	a.stop()
	all := errors.Join(a.verdict(a.history())...)
	for _, want := range []error{firecheck.ErrFiredAfterPause, firecheck.ErrRunWithoutClaim} {
		if !errors.Is(all, want) {
			t.Errorf("nobody noticed: %v", want)
		}
	}
}
