package event

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// The bounds of a backlog: what it holds, and the pause between attempts.
const (
	maxBacklog   = 8 << 20 // bytes of hits
	backlogPause = time.Second
)

// backlog holds the hits of requests that have happened and that nobody will ask
// for again, while the store does not take them. It is in memory: what is in it
// outlives an outage of the store, not the process. Safe for concurrent use.
type backlog struct {
	mu      *sync.Mutex
	waiting [][][]byte // guarded by mu; of each request, the oldest first
	bytes   int        // guarded by mu
}

func newBacklog() *backlog { return &backlog{mu: &sync.Mutex{}} }

// put keeps the hits of a request; false: there is no room.
func (b *backlog) put(hits [][]byte) bool {
	size := 0
	for _, h := range hits {
		size += len(h)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+size > maxBacklog {
		return false
	}
	b.waiting, b.bytes = append(b.waiting, hits), b.bytes+size
	return true
}

// first gives the oldest request's hits and how many requests wait.
func (b *backlog) first() (hits [][]byte, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil, 0
	}
	return b.waiting[0], len(b.waiting)
}

// drop forgets the oldest.
func (b *backlog) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.waiting[0] {
		b.bytes -= len(h)
	}
	if b.waiting = b.waiting[1:]; len(b.waiting) == 0 {
		b.waiting = nil
	}
}

// postpone keeps hits that the store did not take, unless those of a firing are
// among them: a firing is asked for again, and gives the same hits.
func (t *Triggers) postpone(hits [][]byte, err error) bool {
	if !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrUnknownOutcome) {
		return false
	}
	for _, data := range hits {
		if h, err := decodeHit(data); err != nil || h.FireID != "" {
			return false
		}
	}
	if !t.backlog.put(hits) {
		return false
	}
	if _, n := t.backlog.first(); n == 1 {
		t.log().Warn("the store takes no events: they are kept in memory until it does", "err", err)
	}
	t.timers.nudge()
	return true
}

// catchUp accepts what was postponed, in its order, and tells whether something is
// left because the store does not take it yet.
func (t *Triggers) catchUp(ctx context.Context) (left bool) {
	for done := 0; ; done++ {
		hits, n := t.backlog.first()
		if n == 0 {
			if done > 0 {
				t.log().Info("the store takes events again", "requests", done)
			}
			return false
		}
		one, cancel := context.WithTimeout(ctx, tickTimeout)
		err := t.accept(one, hits)
		cancel()
		switch {
		case err == nil:
		case errors.Is(err, ErrUnavailable), errors.Is(err, ErrUnknownOutcome), errors.Is(err, ErrConflict),
			errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
			return true
		default:
			t.log().Error("events were not kept", "hits", len(hits), "err", err)
		}
		t.backlog.drop()
	}
}

// giveUp makes the last attempt before the process ends.
func (t *Triggers) giveUp(ctx context.Context) {
	if t.catchUp(ctx) {
		_, n := t.backlog.first()
		t.log().Error("events were not kept: the host ends, and the store did not take them", "requests", n)
	}
}

func (t *Triggers) log() *slog.Logger {
	if t.c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return t.c.Log
}
