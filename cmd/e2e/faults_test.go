//go:build e2e

package e2e

import (
	"errors"
	"os"
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

// All of it, for as long as BELFRY_FAULTS_FOR says: each fault of the catalogue in
// random order, again and again, and at last those that stop everybody.
func TestFaultsFor(t *testing.T) {
	lasts := faultsFor(t)
	a := newArena(t, 3)
	a.schedule(lasts)
	// What is left of the time when the last ones begin.
	const finale = 2 * time.Minute
	counts := map[string]int{}
	do := func(f fault) {
		a.do(f)
		counts[f.name]++
	}
	for left := a.shuffled(catalogue()); time.Now().Before(a.last.Add(-min(finale, lasts/2))); left = left[1:] {
		do(left[0])
		if len(left) == 1 {
			left = append(left, a.shuffled(catalogue())...)
		}
	}
	for _, f := range a.shuffled(rare()) {
		if time.Now().Before(a.last.Add(-finale / 4)) {
			do(f)
		}
	}
	a.judge()
	for _, f := range append(catalogue(), rare()...) {
		t.Logf("%3d times: %s", counts[f.name], f.name)
	}
	for _, p := range points {
		t.Logf("%3d deaths %s", a.reached[p.name], p.name)
	}
}

// faultsFor is how long the long forms last. Without a word of it they are left
// to `make faults`.
func faultsFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BELFRY_FAULTS_FOR")
	if text == "" {
		t.Skip("left to `make faults`, which sets BELFRY_FAULTS_FOR")
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute {
		t.Fatalf("BELFRY_FAULTS_FOR=%s: give a time of a minute at least, such as 10m", text)
	}
	return d
}
