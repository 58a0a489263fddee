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
	away  time.Duration // how long a question and its answer are on their way
	takes time.Duration
	line  chan struct{}
}

// commit waits for its turn and then for the store.
func (q *queue) commit(t *testing.T) {
	if err := q.t.take(t.Context()); err != nil {
		t.Error(err)
		return
	}
	sent := time.Now()
	time.Sleep(q.away)
	q.line <- struct{}{}
	time.Sleep(q.takes)
	<-q.line
	q.t.give(sent, true)
}

// However many buckets have something to commit, a busy store is not asked for so
// much at once that answers take long; and one that is not busy is not kept from
// anything.
func TestBusyStoreIsAskedForLess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		away, takes     time.Duration
		atLeast, atMost int // at once in the end
	}{
		{0, 5 * time.Millisecond, 20, 50},
		{0, 50 * time.Microsecond, firstTurns, maxTurns},
		{0, time.Second, minTurns, minTurns},
		{400 * time.Millisecond, 50 * time.Microsecond, firstTurns, maxTurns},
		{400 * time.Millisecond, 5 * time.Millisecond, 80, 240},
	} {
		synctest.Test(t, func(t *testing.T) {
			q := &queue{t: newTurns(), away: c.away, takes: c.takes, line: make(chan struct{}, 1)}
			ctx, cancel := context.WithTimeout(t.Context(), max(time.Minute, 1200*c.takes))
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
				t.Errorf("commits of %s, %s away: %d at once, want %d to %d", c.takes, c.away, most, c.atLeast, c.atMost)
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

// A moment in which the store takes long halves what is asked for once, however
// many batches were on their way; what was not committed teaches nothing.
func TestOneSlowMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTurns()
		var sent []time.Time
		for range 200 {
			if err := w.take(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, time.Now())
		}
		time.Sleep(time.Millisecond)
		w.give(sent[0], true)
		time.Sleep(time.Minute)
		w.give(sent[1], false)
		if w.most != firstTurns {
			t.Errorf("%d at once, want %d", w.most, firstTurns)
		}
		for _, at := range sent[2:] {
			w.give(at, true)
		}
		if w.most != 99 || w.used != 0 {
			t.Errorf("%d at once and %d used, want 99 and none", w.most, w.used)
		}
	})
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
				w.give(time.Now(), false)
			}()
			synctest.Wait()
		}
		cancel()
		synctest.Wait()
		w.give(time.Now(), false)
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
					w.give(time.Now(), false)
				}
			}()
			synctest.Wait()
			go cancel()
			w.give(time.Now(), false)
			synctest.Wait()
			if w.used != 0 || len(w.waiting) != 0 {
				t.Fatalf("used %d, waiting %d", w.used, len(w.waiting))
			}
		}
	})
}
