//go:build e2e && faults

package e2e

import (
	"os"
	"testing"
	"time"
)

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

// faultsFor is how long the long forms last: BELFRY_FAULTS_FOR, ten minutes unless
// it says.
func faultsFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("BELFRY_FAULTS_FOR")
	if text == "" {
		return 10 * time.Minute
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute {
		t.Fatalf("BELFRY_FAULTS_FOR=%s: give a time of a minute at least, such as 10m", text)
	}
	return d
}
