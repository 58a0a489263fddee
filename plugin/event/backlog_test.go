package event

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// away makes a store that can be away, and triggers on it.
func away(t *testing.T, change func(*TriggerSpec)) (*Triggers, *memory, *atomic.Bool) {
	t.Helper()
	down := &atomic.Bool{}
	m := newMemory()
	m.fail = func(_ string, after bool) error {
		if down.Load() && !after {
			return fmt.Errorf("%w: %w", ErrUnavailable, errDown)
		}
		return nil
	}
	tr := newTriggers(t, m)
	deploy(t, tr, "Stock", low(change))
	return tr, m, down
}

func (m *memory) subjects() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ever)
}

// What plain requests raise while the store is away waits until it is back, in its
// order, and is accepted once.
func TestEventsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr, m, down := away(t, func(s *TriggerSpec) { s.Edge = true })
		if err := tr.Start(); err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		for i, n := range []int{5, 20, 4} { // it rings, arms again, and rings
			observe(t, tr, quantity(n, fmt.Sprintf("r%d", i), time.Now()))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := m.subjects(); n != 0 {
			t.Fatalf("%d messages while the store is away", n)
		}
		down.Store(false)
		time.Sleep(2 * backlogPause)
		synctest.Wait()
		if n := m.subjects(); n != 2 {
			t.Errorf("%d messages, want 2", n)
		}
		for id, times := range m.ever {
			if times != 1 {
				t.Errorf("message %s was put there %d times", id, times)
			}
		}
		if err := tr.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A firing is asked for again, so that its hits are refused and not kept; and a
// backlog that is full refuses too.
func TestWhatIsNotPostponed(t *testing.T) {
	t.Parallel()
	tr, _, down := away(t, nil)
	fired := quantity(5, "r", start)
	fired.FireID = "3-abc:1800000000123"
	hit, err := tr.Observe(t.Context(), fired)
	if err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	if err := tr.Accept(t.Context(), [][]byte{hit}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("of a firing: %v", err)
	}
	if hit, err = tr.Observe(t.Context(), quantity(5, "r", start)); err != nil {
		t.Fatal(err)
	}
	room := maxBacklog / len(hit)
	for i := range room {
		if err := tr.Accept(t.Context(), [][]byte{hit}); err != nil {
			t.Fatalf("request %d of %d: %v", i, room, err)
		}
	}
	if err := tr.Accept(t.Context(), [][]byte{hit}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("beyond the bound: %v", err)
	}
}

// A host that stops tries once more.
func TestStopAcceptsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr, m, down := away(t, nil)
		down.Store(true)
		observe(t, tr, quantity(5, "r", time.Now()))
		down.Store(false)
		if err := tr.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n := m.subjects(); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
	})
}
