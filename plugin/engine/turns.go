package engine

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How many batches are on their way at once, of all buckets. One that is answered
// within quickAnswer, or twice the least time that any took, lets one more be, by
// and by; one that takes longer than slowAnswer, and four times the least, is a sign
// that the store is busy: a store that is merely far away is always slow.
const (
	minTurns    = 16
	maxTurns    = 1024
	firstTurns  = 256
	quickAnswer = 100 * time.Millisecond
	slowAnswer  = 250 * time.Millisecond
)

// turns bounds the batches on their way by how long answers take. More of them
// make no store quicker that is busy, but a session's requests are answered in
// order: whatever else it asks would wait behind them, such as releases, and what
// the leader reads. Turns are given in the order in which they were asked for.
// Safe for concurrent use.
type turns struct {
	mu      sync.Mutex
	most    int // at once
	used    int
	quick   int           // answers in a row, less than most
	least   time.Duration // that an answer took; 0: there was none yet
	halved  time.Time     // when most was last
	waiting []chan struct{}
}

func newTurns() *turns { return &turns{most: firstTurns} }

// take waits for a turn. Error: ctx ended before.
func (t *turns) take(ctx context.Context) error {
	t.mu.Lock()
	if t.used < t.most && len(t.waiting) == 0 {
		t.used++
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	t.waiting = append(t.waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, mine); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	} else { // it came just now
		t.used--
		t.pass()
	}
	return context.Cause(ctx)
}

// give ends a turn in which a batch was sent at this time; committed: just now it
// was. What became of it otherwise tells nothing of how busy the store is. Of the
// batches that waited together the first slow one speaks for all.
func (t *turns) give(sent time.Time, committed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if committed {
		t.learn(sent, time.Now())
	}
	t.used--
	t.pass()
}

func (t *turns) learn(sent, answered time.Time) {
	took := answered.Sub(sent)
	if t.least == 0 || took < t.least {
		t.least = took
	}
	switch {
	case took > max(slowAnswer, 4*t.least):
		t.quick = 0
		if sent.After(t.halved) {
			t.halved, t.most = answered, max(min(t.most, t.used)/2, minTurns)
		}
	case took > max(quickAnswer, 2*t.least):
		t.quick = 0
	default:
		if t.quick++; t.quick >= t.most {
			t.quick, t.most = 0, min(t.most+1, maxTurns)
		}
	}
}

// pass gives turns to those that wait. It needs mu.
func (t *turns) pass() {
	for t.used < t.most && len(t.waiting) > 0 {
		close(t.waiting[0])
		t.waiting = t.waiting[1:]
		t.used++
	}
}
