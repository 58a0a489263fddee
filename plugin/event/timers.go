package event

import (
	"context"
	"errors"
	"sync"
	"time"
)

// tickTimeout bounds one look at a trigger's state.
const tickTimeout = 15 * time.Second

// rescan is how often triggers with a hold or digest are read again, since
// another host may have accepted hits and died.
const rescan = 30 * time.Second

// timers knows when the states of triggers need a tick.
type timers struct {
	mu   *sync.Mutex // guards due and the life cycle below
	due  map[Ref]time.Time
	wake chan struct{}

	life *life
}

// life is that of one goroutine: started once, stopped once.
type life struct {
	mu     sync.Mutex // guards what follows
	cancel context.CancelFunc
	done   chan struct{}
	over   bool
}

func newTimers() timers {
	return timers{mu: &sync.Mutex{}, due: map[Ref]time.Time{}, wake: make(chan struct{}, 1), life: &life{}}
}

// set notes when a trigger is due; zero: never.
func (t timers) set(ref Ref, due time.Time) {
	t.mu.Lock()
	if due.IsZero() {
		delete(t.due, ref)
	} else {
		t.due[ref] = due
	}
	t.mu.Unlock()
	t.nudge()
}

// nudge makes the goroutine look again.
func (t timers) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// next takes the triggers that are due, and tells how long until another is.
func (t timers) next(now time.Time) (due []Ref, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = rescan
	for ref, at := range t.due {
		if d := at.Sub(now); d <= 0 {
			due = append(due, ref)
			delete(t.due, ref)
		} else {
			wait = min(wait, d)
		}
	}
	return due, wait
}

// start runs f in a goroutine, which ends when stop is called. It is an error to
// start twice or after stop.
func (l *life) start(f func(context.Context)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.cancel != nil {
		return errors.New("started or stopped already")
	}
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	l.done = make(chan struct{})
	done := l.done
	go func() { // ends when stop cancels ctx
		defer close(done)
		f(ctx)
	}()
	return nil
}

// stop ends the goroutine and waits for it, or for ctx.
func (l *life) stop(ctx context.Context) error {
	l.mu.Lock()
	l.over = true
	cancel, done := l.cancel, l.done
	l.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Start runs the timers of hold and digest, and accepts what was postponed, until Stop.
func (t *Triggers) Start() error { return t.timers.life.start(t.run) }

// Stop ends the timers and waits for them, or for ctx. What was postponed is tried
// once more. Where ctx is over already, because others needed all the time there
// was, it takes a moment all the same. It is legal before Start, and twice.
func (t *Triggers) Stop(ctx context.Context) error {
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutGrace)
		defer cancel()
		ctx = last
	}
	err := t.timers.life.stop(ctx)
	t.giveUp(ctx)
	return err
}

func (t *Triggers) run(ctx context.Context) {
	scan := t.c.Now().Add(rescan)
	for ctx.Err() == nil {
		now := t.c.Now()
		if !now.Before(scan) {
			t.rescan(now)
			scan = now.Add(rescan)
		}
		due, wait := t.timers.next(now)
		for _, ref := range due {
			t.tick(ctx, ref)
		}
		left := t.catchUp(ctx)
		if len(due) > 0 {
			continue
		}
		if left {
			wait = min(wait, backlogPause)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.timers.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// rescan makes all triggers due that another host may have left waiting.
func (t *Triggers) rescan(now time.Time) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for service, triggers := range t.deployed {
		for id, tr := range triggers {
			if tr.policy.Hold > 0 || tr.policy.Digest > 0 {
				t.timers.set(Ref{service, id}, now)
			}
		}
	}
}

// tick rings what is due of a trigger. What waits is durable: while the store
// does not answer it tries again each second, and any other error is reported
// and tried again with the next scan.
func (t *Triggers) tick(ctx context.Context, ref Ref) {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	err := t.change(ctx, ref, func(s *state) ([]ring, bool) {
		was := s.due()
		rings := s.tick(t.c.Now())
		return rings, !was.Equal(s.due())
	})
	switch now := t.c.Now(); {
	case err == nil || errors.Is(err, context.Canceled):
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrConflict), errors.Is(err, ErrUnknownOutcome),
		errors.Is(err, context.DeadlineExceeded):
		t.timers.set(ref, now.Add(time.Second))
	default:
		t.c.Reporter.Report(Report{At: now, Level: "error", Code: CodeStalled, Object: ref.String(), Text: err.Error()})
	}
}
