package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// observed is one step of a scenario: seconds since the start, and what held.
type observed struct {
	at      int
	held    bool
	rearmed bool
}

func hitOf(h observed, p policy, n int) *hit {
	return &hit{
		Format: hitFormat, Ref: Ref{"s", "t"}, Request: fmt.Sprint("r", n), At: start.Add(time.Duration(h.at) * time.Second),
		Held: h.held, Rearmed: h.rearmed, Policy: p, To: []string{"mailto:a@b"}, Subject: fmt.Sprint("at ", h.at),
	}
}

// run gives the second and subject of each ring, timers rung at the second they
// are due.
func run(p policy, steps []observed, until int) []string {
	s := &state{}
	var rang []string
	note := func(at int, rings []ring) {
		for _, r := range rings {
			text := fmt.Sprintf("%d:%s", at, r.hit.Subject)
			if r.of != nil {
				text = fmt.Sprintf("%d:digest of %d", at, len(r.of.Entries)+r.of.More)
			}
			if r.muted > 0 {
				text += fmt.Sprintf(" after %d", r.muted)
			}
			rang = append(rang, text)
		}
	}
	n := 0
	for at := range until {
		for n < len(steps) && steps[n].at == at {
			rings, _ := s.accept(hitOf(steps[n], p, n), 0)
			note(at, rings)
			n++
		}
		note(at, s.tick(start.Add(time.Duration(at)*time.Second)))
	}
	return rang
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	yes, no, rearm := func(at int) observed { return observed{at: at, held: true} },
		func(at int) observed { return observed{at: at} },
		func(at int) observed { return observed{at: at, rearmed: true} }
	for _, c := range []struct {
		name  string
		p     policy
		steps []observed
		want  []string
	}{
		{"level rings every time", policy{}, []observed{yes(1), yes(2), no(3), yes(4)}, []string{"1:at 1", "2:at 2", "4:at 4"}},
		{"edge rings when it becomes true", policy{Edge: true}, []observed{yes(1), yes(2), no(3), yes(4), yes(5)}, []string{"1:at 1", "4:at 4"}},
		{
			"edge waits for its own re-arm condition",
			policy{Edge: true, Rearm: true},
			[]observed{yes(1), no(2), yes(3), rearm(4), yes(5)},
			[]string{"1:at 1", "5:at 5"},
		},
		{"hold rings at its end, with the latest values", policy{Hold: 10 * time.Second}, []observed{yes(1), yes(5)}, []string{"11:at 5"}},
		{"hold starts again after it did not hold", policy{Hold: 10 * time.Second}, []observed{yes(1), no(5), yes(6)}, []string{"16:at 6"}},
		{"hold rings by the observation that ends it", policy{Hold: 10 * time.Second}, []observed{yes(1), yes(11)}, []string{"11:at 11"}},
		{
			"a level with hold rings each time once it has held",
			policy{Hold: 2 * time.Second},
			[]observed{yes(1), yes(4), yes(5)},
			[]string{"3:at 1", "4:at 4", "5:at 5"},
		},
		{
			"edge with hold rings once",
			policy{Edge: true, Hold: 2 * time.Second},
			[]observed{yes(1), yes(4), no(5), yes(6), yes(9)},
			[]string{"3:at 1", "8:at 6"},
		},
		{
			"cool-down counts what it mutes",
			policy{CoolDown: 10 * time.Second},
			[]observed{yes(1), yes(2), yes(3), yes(11), yes(12)},
			[]string{"1:at 1", "11:at 11 after 2"},
		},
		{
			"a muted edge stays armed",
			policy{Edge: true, CoolDown: 10 * time.Second},
			[]observed{yes(1), no(2), yes(3), yes(12), yes(13)},
			[]string{"1:at 1", "12:at 12 after 1"},
		},
		{
			"digest gathers from the first",
			policy{Digest: 10 * time.Second},
			[]observed{yes(1), yes(2), yes(9), yes(12)},
			[]string{"11:digest of 3", "22:digest of 1"},
		},
		{"digest of edges", policy{Edge: true, Digest: 10 * time.Second}, []observed{yes(1), yes(2), no(3), yes(4)}, []string{"11:digest of 2"}},
		{"time does not go back", policy{CoolDown: 10 * time.Second}, []observed{yes(1)}, []string{"1:at 1"}},
	} {
		if got := run(c.p, c.steps, 40); !slices.Equal(got, c.want) {
			t.Errorf("%s: rang %q, want %q", c.name, got, c.want)
		}
	}
}

// TestMissedTimer: a hold that ended while no host was up rings when it is next
// looked at, whatever comes first.
func TestMissedTimer(t *testing.T) {
	t.Parallel()
	p := policy{Hold: 10 * time.Second}
	s := &state{}
	first := hitOf(observed{at: 1, held: true}, p, 0)
	s.accept(first, 0)
	rings, changed := s.accept(hitOf(observed{at: 100}, p, 1), 0)
	if len(rings) != 1 || rings[0].id != first.id(0) || !changed || !s.Since.IsZero() {
		t.Errorf("rings %+v, changed %v, since %v", rings, changed, s.Since)
	}
}

func TestClockThatGoesBack(t *testing.T) {
	t.Parallel()
	p := policy{CoolDown: 10 * time.Second}
	s := &state{}
	first, _ := s.accept(hitOf(observed{at: 100, held: true}, p, 0), 0)
	second, _ := s.accept(hitOf(observed{at: 50, held: true}, p, 1), 0)
	if len(first) != 1 || len(second) != 0 || s.Muted != 1 {
		t.Errorf("%d, %d rings, %d muted", len(first), len(second), s.Muted)
	}
}

// reference decides a ring from the whole history, without any state between.
// It knows edge, re-arm and cool-down.
func reference(p policy, steps []observed) []int {
	var rang []int
	armed, quiet := true, -1
	for i, s := range steps {
		if p.Edge && !armed {
			if p.Rearm && s.rearmed || !p.Rearm && !s.held {
				armed = true
			}
		}
		if !s.held || p.Edge && !armed || s.at < quiet {
			continue
		}
		rang = append(rang, i)
		armed = !p.Edge
		if p.CoolDown > 0 {
			quiet = s.at + int(p.CoolDown/time.Second)
		}
	}
	return rang
}

// errLostRing and errDoubleRing quote the promise: a hit that was accepted is
// never lost and counts once.
const (
	errLostRing   = "a hit that should have rung was lost"
	errDoubleRing = "a hit rang twice"
)

// TestStateMachine holds the state machine to the reference over random
// sequences, with hits that come again, stores that crash before or after the
// commit, and the state going through JSON each time.
func TestStateMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policy{Edge: rapid.Bool().Draw(t, "edge"), CoolDown: time.Duration(rapid.IntRange(0, 5).Draw(t, "cool")) * time.Second}
		p.Rearm = p.Edge && rapid.Bool().Draw(t, "rearm")
		var steps []observed
		at := 0
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			at += rapid.IntRange(1, 3).Draw(t, "gap")
			held := rapid.Bool().Draw(t, "held")
			steps = append(steps, observed{at, held, p.Rearm && rapid.Bool().Draw(t, "rearmed")})
		}
		stored, err := json.Marshal(&state{Format: 1})
		if err != nil {
			t.Fatal(err)
		}
		rang := map[string]int{}
		deliver := func(i int, crash string) {
			s, err := decodeState(stored)
			if err != nil {
				t.Fatal(err)
			}
			rings, changed := s.accept(hitOf(steps[i], p, i), 0)
			if !changed || crash == "before" {
				return
			}
			if stored, err = json.Marshal(s); err != nil {
				t.Fatal(err)
			}
			for _, r := range rings {
				rang[r.hit.Request]++
			}
		}
		for i := range steps {
			for rapid.IntRange(0, 4).Draw(t, "crash") == 0 {
				deliver(i, rapid.SampledFrom([]string{"before", "after"}).Draw(t, "when"))
			}
			deliver(i, "")
			if rapid.Bool().Draw(t, "again") { // a replay of what was accepted lately
				deliver(i-rapid.IntRange(0, min(i, 20)).Draw(t, "back"), "")
			}
		}
		want := reference(p, steps)
		for _, i := range want {
			if rang[fmt.Sprint("r", i)] == 0 {
				t.Fatalf("%s: %d of %v under %+v", errLostRing, i, steps, p)
			}
		}
		for id, n := range rang {
			if n > 1 {
				t.Fatalf("%s: %s, %d times", errDoubleRing, id, n)
			}
		}
		if len(rang) != len(want) {
			t.Fatalf("rang %v, want %v of %v under %+v", rang, want, steps, p)
		}
	})
}

// TestRecent: what is remembered is bounded, requests do not drive out firings,
// and a request of many hits counts as one.
func TestRecent(t *testing.T) {
	t.Parallel()
	s := &state{}
	firing := hitOf(observed{held: true}, policy{}, 0)
	firing.FireID = "uid:1"
	for nth := range 1000 {
		s.accept(firing, nth)
	}
	for i := range 500 {
		s.accept(hitOf(observed{held: true}, policy{}, i), 0)
	}
	if !s.seen(firing, 0) || !s.seen(firing, 999) || s.seen(firing, 1000) || len(s.Firings) != 1 {
		t.Errorf("firings %+v", s.Firings)
	}
	old, last := hitOf(observed{}, policy{}, 0), hitOf(observed{}, policy{}, 499)
	if len(s.Requests) != recentRequests || s.seen(old, 0) || !s.seen(last, 0) {
		t.Errorf("%d requests", len(s.Requests))
	}
}

// TestReplayOfNoConsequence: an observation that did not hold, and changed
// nothing, does not re-arm when it comes again later.
func TestReplayOfNoConsequence(t *testing.T) {
	t.Parallel()
	p := policy{Edge: true}
	s := &state{}
	not := hitOf(observed{at: 1}, p, 0)
	s.accept(not, 0)
	s.accept(hitOf(observed{at: 2, held: true}, p, 1), 0)
	if _, changed := s.accept(not, 0); changed || !s.Disarmed {
		t.Errorf("changed %v, disarmed %v", changed, s.Disarmed)
	}
}

func TestDigestIsBounded(t *testing.T) {
	t.Parallel()
	p := policy{Digest: time.Hour}
	s := &state{}
	for i := range 1000 {
		h := hitOf(observed{at: i, held: true}, p, i)
		h.Text = string(make([]byte, 10_000))
		s.accept(h, 0)
	}
	if len(s.Digest.Entries) != maxDigest || s.Digest.More != 950 {
		t.Errorf("%d entries and %d more", len(s.Digest.Entries), s.Digest.More)
	}
	if data, err := json.Marshal(s); err != nil || len(data) > MaxAccept/2 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}
