package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// queue is a store that does one commit after the other.
type queue struct {
	t     *turns
	takes time.Duration
	line  chan struct{}
}

// commit waits for its turn and then for the store, and gives how long the store
// took.
func (q *queue) commit(t *testing.T) time.Duration {
	if err := q.t.take(t.Context()); err != nil {
		t.Error(err)
		return 0
	}
	begun := time.Now()
	q.line <- struct{}{}
	time.Sleep(q.takes)
	<-q.line
	took := time.Since(begun)
	q.t.give(took)
	return took
}

// However many buckets have something to commit, a busy store is not asked for so
// much at once that answers take long; and one that is not busy is not kept from
// anything.
func TestBusyStoreIsAskedForLess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		takes           time.Duration
		atLeast, atMost int // at once in the end
	}{
		{5 * time.Millisecond, 20, 50},
		{50 * time.Microsecond, firstTurns, maxTurns},
		{time.Second, minTurns, minTurns},
	} {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{t: newTurns(), takes: c.takes, line: make(chan struct{}, 1)}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for range 300 {
				go func() {
					for ctx.Err() == nil {
						q.commit(t)
					}
				}()
			}
			synctest.Wait()
			<-ctx.Done()
			q.t.mu.Lock()
			most := q.t.most
			q.t.mu.Unlock()
			if most < c.atLeast || most > c.atMost {
				t.Errorf("commits of %s: %d at once, want %d to %d", c.takes, most, c.atLeast, c.atMost)
			}
			for q.t.busy() {
				time.Sleep(time.Second)
			}
		})
	}
}

// busy tells that somebody still has a turn, or waits for one.
func (t *turns) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used+len(t.waiting) > 0
}

// Turns are given in the order in which they were asked for; who gives up waiting
// keeps none, also if it came just then.
func TestTurnsComeInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &turns{most: 1}
		if err := w.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []int
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 4 {
			go func() {
				waits := t.Context()
				if i == 1 {
					waits = ctx
				}
				err := w.take(waits)
				if i == 1 {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v", err)
					}
					return
				}
				got = append(got, i)
				w.give(quickAnswer + 1)
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		w.give(quickAnswer + 1)
		synctest.Wait()
		if len(got) != 3 || got[0] != 0 || got[1] != 2 || got[2] != 3 || w.used != 0 || len(w.waiting) != 0 {
			t.Errorf("%v, used %d, waiting %d", got, w.used, len(w.waiting))
		}
		for range 100 { // both at once: whichever is first, nothing is kept
			ctx, cancel := context.WithCancel(t.Context())
			if err := w.take(ctx); err != nil {
				t.Fatal(err)
			}
			go func() {
				if w.take(ctx) == nil {
					w.give(quickAnswer + 1)
				}
			}()
			synctest.Wait()
			go cancel()
			w.give(quickAnswer + 1)
			synctest.Wait()
			if w.used != 0 || len(w.waiting) != 0 {
				t.Fatalf("used %d, waiting %d", w.used, len(w.waiting))
			}
		}
	})
}
