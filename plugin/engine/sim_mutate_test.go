package engine_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
)

// A judge that never complains proves nothing: in histories that break no
// promise, each is broken in turn, and the judge must name it.
func TestMutatedHistoriesAreFound(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	tried := map[string]int{}
	for seed := uint64(1); seed <= 12; seed++ {
		var rules firecheck.Rules
		h, faults := simulate(t, seed, func(w *world) {
			rules = firecheck.Rules{Skew: maxSkew, Misfire: w.rules.Misfire, Late: time.Hour}
		})
		if len(faults) > 0 {
			t.Fatalf("seed %d: %v", seed, faults)
		}
		rules.End = h[len(h)-1].At.Add(time.Second)
		before := errors.Join(firecheck.Verdict(h, rules)...)
		for _, m := range firecheck.Mutations() {
			bad, ok := m.Apply(h, random.IntN)
			if !ok || errors.Is(before, m.Want) {
				continue
			}
			tried[m.Name]++
			if err := errors.Join(firecheck.Verdict(bad, rules)...); !errors.Is(err, m.Want) {
				t.Errorf("seed %d: %s: want %v, have %v", seed, m.Name, m.Want, err)
			}
		}
	}
	for _, m := range firecheck.Mutations() {
		if tried[m.Name] == 0 {
			t.Errorf("%s: no history to try it on", m.Name)
		}
	}
	t.Log(tried)
}
