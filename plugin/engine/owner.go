package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// owner owns one bucket. Its goroutine, loop, alone touches its fields, but for
// the mailbox. At most one request to the store is on its way; it is made by a
// goroutine of its own, and what follows from the answer is done by loop.
type owner struct {
	e     *Engine
	log   *slog.Logger
	fence bucket.Fence
	state *bucket.State
	// since the bucket was acquired
	acquired time.Time

	ctx    context.Context // of requests to the store
	cancel context.CancelFunc
	done   chan struct{} // closed when the bucket was left
	err    error         // why, once done is closed; nil: released

	wake    chan struct{} // something is in the mailbox, or changed
	answers chan func()   // what follows from the request under way
	busy    bool

	flight  *flight        // the batch under way; nil: none is
	op      int64          // the last operation number
	settles []bucket.Ended // ended runs to be settled
	oldest  time.Time      // when the first of them ended
	pending []*run         // claimed, not started: the commit came too late
	runs    map[task.FireID]*run
	decided time.Time // when the state was last asked what is due
	full    bool      // and no worker was free then
	woken   []string  // limits that have room for this bucket again
	watch   <-chan struct{}
	// calendars is watched once tasks of the bucket name some.
	calendars <-chan struct{}
	stale     bool      // the store may have moved
	resyncAt  time.Time // when to compare at the latest

	pageVersion, runsVersion int64
	sweep                    int64 // the first log entry that may be there
	unfolded                 int   // batches since the last fold
	foldAt                   time.Time

	draining  bool
	softStop  time.Time // when runs are interrupted
	abandoned bool      // leave at once

	mail mailbox
}

// mailbox is what others tell an owner.
type mailbox struct {
	mu    sync.Mutex
	ended []bucket.Ended
	woken []string
	drain *time.Time
	quit  bool
}

func newOwner(e *Engine, f bucket.Fence) *owner {
	o := &owner{
		e: e, fence: f, log: e.o.Logger.With("bucket", f.Bucket, "epoch", f.Epoch),
		acquired: time.Now(), done: make(chan struct{}), wake: make(chan struct{}, 1), answers: make(chan func(), 1),
		runs: make(map[task.FireID]*run), resyncAt: time.Now().Add(jittered(e.o.Resync)),
	}
	o.ctx, o.cancel = context.WithCancel(e.life)
	return o
}

// take replays what is stored.
func (o *owner) take(l bucket.Loaded) error {
	state, err := o.e.planted.replay(l, o.e.o.Compile, o.e.o.Rules)
	if err != nil {
		return err
	}
	o.state, o.pageVersion, o.runsVersion = state, l.Page.Version, l.Runs.Version
	o.sweep = state.Folded() + 1
	for _, entry := range l.Log {
		o.sweep = min(o.sweep, entry.Seq)
	}
	o.unfolded = len(l.Log)
	o.foldAt = time.Now().Add(foldAfter)
	if l.Calendars != nil {
		o.fence.Calendars = l.Calendars.Revision
		o.stale = true // to watch them
	}
	state.Inherit(o.e.o.Now(), o.e.o.window(), o.e.o.PreviousOwnerDead)
	return nil
}

// loop is the bucket's goroutine. It ends when the bucket is left.
func (o *owner) loop() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		o.collect()
		if o.abandoned || o.ctx.Err() != nil {
			o.leave(o.err)
			return
		}
		if !o.busy && o.e.healthy.Load() && o.act() {
			continue
		}
		o.arm(timer)
		select {
		case <-o.wake:
		case <-timer.C:
		case <-o.watch:
			o.stale, o.watch = true, nil
		case <-o.calendars:
			o.stale, o.calendars = true, nil
		case follow := <-o.answers:
			o.busy = false
			follow()
		case <-o.ctx.Done():
		}
	}
}

// act begins the most urgent request to the store. False: there is nothing to
// do for now.
func (o *owner) act() bool {
	now := time.Now()
	switch {
	case o.stale || !now.Before(o.resyncAt):
		o.refresh()
	case o.batchDue(now) && o.commitBatch():
	case o.foldDue(now) && o.fold():
	case o.draining && o.drained():
		o.giveUp()
	default:
		return false
	}
	return true
}

// arm sets the timer to when act may have something to do.
func (o *owner) arm(timer *time.Timer) {
	now := time.Now()
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if o.draining && now.Before(o.softStop) {
		sooner(o.softStop)
	}
	if !o.busy && o.e.healthy.Load() {
		sooner(o.resyncAt)
		if len(o.settles) > 0 {
			sooner(o.oldest.Add(settleWait))
		}
		if o.unfolded > 0 {
			sooner(o.foldAt)
		}
		if !o.draining {
			sooner(now.Add(o.untilDue(now)))
		}
	}
	timer.Reset(max(0, at.Sub(now)))
}

// untilDue is for how long nothing can be decided. It is at most a second when
// anything is armed or waits, because the clock may be set meanwhile.
func (o *owner) untilDue(now time.Time) time.Duration {
	wait := time.Hour
	if o.full || o.state.Parked() {
		wait = o.decided.Add(lookAgain).Sub(now)
	}
	if next, armed := o.state.Next(); armed && !o.full {
		wait = min(wait, lookAgain, next.Sub(o.e.o.Now()))
	}
	return wait
}

// begin makes a request to the store in a goroutine of its own, which ends with
// the request. What follows is done by loop.
func (o *owner) begin(request func(ctx context.Context) (follow func())) {
	o.busy = true
	o.e.tasks.Go(func() { o.answers <- request(o.ctx) })
}

// nudge makes loop look again.
func (o *owner) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// ended hands in how a run ended.
func (o *owner) ended(a bucket.Ended) {
	o.mail.mu.Lock()
	o.mail.ended = append(o.mail.ended, a)
	o.mail.mu.Unlock()
	o.nudge()
}

// room tells that a limit has room again.
func (o *owner) room(name string) {
	o.mail.mu.Lock()
	o.mail.woken = append(o.mail.woken, name)
	o.mail.mu.Unlock()
	o.nudge()
}

// collect empties the mailbox.
func (o *owner) collect() {
	o.mail.mu.Lock()
	ended, woken := o.mail.ended, o.mail.woken
	o.mail.ended, o.mail.woken = nil, nil
	if o.mail.drain != nil && !o.draining {
		o.draining, o.softStop = true, *o.mail.drain
	}
	o.abandoned = o.abandoned || o.mail.quit
	o.mail.mu.Unlock()

	if len(ended) > 0 && len(o.settles) == 0 {
		o.oldest = time.Now()
	}
	for i := range ended {
		delete(o.runs, ended[i].FireID)
	}
	o.settles = append(o.settles, ended...)
	if o.draining {
		o.e.pool.pass(woken) // it claims nothing more: that room is for others
	} else {
		o.woken = append(o.woken, woken...)
	}
	if o.draining && !time.Now().Before(o.softStop) {
		for _, r := range o.runs {
			r.stop(&errStopping)
		}
	}
}

// release drains the bucket within ctx, which has a deadline.
func (o *owner) release(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	soft := deadline.Add(-min(left/drainMargin, maxMargin))
	o.mail.mu.Lock()
	o.mail.drain = &soft
	o.mail.mu.Unlock()
	o.nudge()
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
	}
	o.mail.mu.Lock()
	o.mail.quit = true
	o.mail.mu.Unlock()
	o.cancel()
	<-o.done
	if o.err != nil {
		return o.err
	}
	return context.Cause(ctx)
}

// drained: nothing acknowledged is unstarted, nothing runs, all is settled.
func (o *owner) drained() bool { return len(o.runs)+len(o.settles)+len(o.pending) == 0 }

// giveUp folds what is left to fold, and sets the bucket free.
func (o *owner) giveUp() {
	if o.unfolded > 0 && o.fold() {
		return
	}
	fence := o.fence
	o.begin(func(ctx context.Context) func() {
		err := persist(ctx, func() error { return o.e.o.Log.Release(ctx, fence) })
		return func() {
			switch {
			case errors.Is(err, bucket.ErrMoved):
				o.stale = true // an edit: take the new fence, and try again
			default:
				o.lose(err)
			}
		}
	})
}

// lose makes loop leave the bucket; nil: it was released.
func (o *owner) lose(err error) {
	o.err, o.abandoned = err, true
}

// leave forgets the bucket. Its runs go on to their end, which is for the next
// owner to find out.
func (o *owner) leave(err error) {
	o.cancel()
	for _, r := range o.pending {
		o.e.pool.release(r.limits)
	}
	if o.flight != nil { // its answer is not waited for
		o.flight.free(o.e.pool)
	}
	o.e.pool.leave(o)
	o.e.pool.pass(o.woken)
	o.e.mu.Lock()
	delete(o.e.owners, o.fence.Bucket)
	o.e.mu.Unlock()
	o.e.o.Metrics.Owned.Add(-1)
	close(o.done)
	if err != nil && !o.draining && o.e.life.Err() == nil {
		o.e.o.Metrics.Lost.Add(1)
		o.log.Warn("bucket lost", "error", err)
		o.e.o.Left(o.fence.Bucket, err)
	}
}
