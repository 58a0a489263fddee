package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// The errors of an Engine beside those of package bucket. Test with errors.Is.
var (
	// ErrStopped: the engine was stopped, or not started.
	ErrStopped = errors.New("engine is not running")
	// ErrOwned: the engine owns, acquires or releases the bucket already.
	ErrOwned = errors.New("bucket is owned by this engine already")
)

// Engine owns buckets and fires what is due in them. Make it with New. Safe
// for concurrent use.
type Engine struct {
	o       Options
	pool    *pool
	turns   *turns
	planted planted

	// life ends with the engine: every run and every commit is below it.
	life    context.Context
	end     context.CancelFunc
	healthy atomic.Bool
	tasks   sync.WaitGroup // the session's watcher and the buckets
	runs    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	started bool
	stopped bool
	owners  map[int]*owner // nil: being acquired
}

// New makes an engine. It starts nothing.
func New(o Options) (*Engine, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o, owners: make(map[int]*owner), pool: newPool(o.Workers, o.Limit), turns: newTurns(), planted: planted{replay: bucket.Replay}}
	e.life, e.end = context.WithCancel(context.Background())
	return e, nil
}

// Start begins to follow the session. It returns at once. Error: ErrStopped.
func (e *Engine) Start(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.stopped:
		return ErrStopped
	case e.started:
		return nil
	}
	e.started = true
	if e.o.Session == nil {
		e.healthy.Store(true)
		return nil
	}
	healthy, changed := e.o.Session.State()
	e.healthy.Store(healthy)
	e.tasks.Go(func() { e.follow(changed) }) // ends with the engine's life
	return nil
}

func (e *Engine) follow(changed <-chan struct{}) {
	for {
		select {
		case <-changed:
		case <-e.life.Done():
			return
		}
		var healthy bool
		healthy, changed = e.o.Session.State()
		e.healthy.Store(healthy)
		for _, o := range e.all() {
			o.nudge()
		}
	}
}

// Acquire makes this member the owner of a bucket, deals with what earlier
// owners left, and fires what is due from now on. Errors: ErrOwned, ErrStopped,
// bucket.ErrTaken, ErrFenced, ErrUnavailable, ErrCorrupt, ErrNewer, ErrGap.
func (e *Engine) Acquire(ctx context.Context, b int) error {
	if err := e.reserve(b); err != nil {
		return fmt.Errorf("acquire bucket %d: %w", b, err)
	}
	o, err := e.acquire(ctx, b)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil && e.stopped {
		o.cancel()
		err = ErrStopped
	}
	if err != nil {
		delete(e.owners, b)
		return fmt.Errorf("acquire bucket %d: %w", b, err)
	}
	e.owners[b] = o
	e.o.Metrics.Owned.Add(1)
	e.tasks.Go(o.loop) // ends when the bucket is left
	return nil
}

func (e *Engine) reserve(b int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.started || e.stopped {
		return ErrStopped
	}
	if _, owned := e.owners[b]; owned {
		return ErrOwned
	}
	e.owners[b] = nil
	return nil
}

func (e *Engine) acquire(ctx context.Context, b int) (*owner, error) {
	var fence bucket.Fence
	// A lost answer: acquiring again finds out who owns the bucket.
	err := persist(ctx, func() (err error) {
		fence, err = e.o.Log.Acquire(ctx, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	o := newOwner(e, fence)
	var loaded bucket.Loaded
	err = persist(ctx, func() (err error) {
		if o.watch, err = e.o.Watcher.Watch(ctx, b); err == nil {
			loaded, err = e.o.Log.Load(ctx, fence)
		}
		return err
	})
	if err == nil {
		err = o.take(loaded)
	}
	if err != nil {
		o.cancel()
		return nil, err
	}
	return o, nil
}

// persist calls f until it neither is unavailable nor lost its answer, with
// growing pauses, or ctx ends.
func persist(ctx context.Context, f func() error) error {
	pause := minBackoff
	for {
		err := f()
		if !errors.Is(err, bucket.ErrUnavailable) && !errors.Is(err, bucket.ErrUnknownOutcome) {
			return err
		}
		timer := time.NewTimer(jittered(pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		pause = min(2*pause, maxBackoff)
	}
}

// Release gives a bucket up: nothing more of it is claimed, its runs end, or
// are interrupted shortly before ctx does, what they came to is settled, and
// another member may own it. If ctx ends first, the bucket is left as after a
// crash. Not owned: nil. Error: that of ctx, or why the bucket was lost.
func (e *Engine) Release(ctx context.Context, b int) error {
	e.mu.Lock()
	o := e.owners[b]
	e.mu.Unlock()
	if o == nil {
		return nil
	}
	ctx, cancel := bounded(ctx)
	defer cancel()
	return o.release(ctx)
}

// bounded gives ctx a deadline if it has none.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, defaultDrain)
}

// Stop releases every bucket, all at once and as Release does, and ends the
// engine. When it returns, nothing of the engine runs any more, unless an
// Invoker does not heed its context. Calling it again does no harm, nor does
// calling it before Start. The error joins those of the buckets.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	ctx, cancel := bounded(ctx)
	defer cancel()
	var (
		all  = e.all()
		errs = make([]error, len(all), len(all)+1)
		wait sync.WaitGroup
	)
	for i, o := range all {
		wait.Go(func() { errs[i] = o.release(ctx) })
	}
	wait.Wait()
	return errors.Join(append(errs, e.close(ctx))...)
}

// close ends everything at once and waits for it within ctx.
func (e *Engine) close(ctx context.Context) error {
	e.end()
	done := make(chan struct{})
	go func() { // ends when all runs have
		e.tasks.Wait()
		e.runs.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	// What was cancelled just now gets a moment to return.
	timer := time.NewTimer(closeGrace)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("%d runs do not end: %w", e.o.Metrics.Running.Load(), context.Cause(ctx))
	}
}

// Owned lists the buckets that this engine owns now.
func (e *Engine) Owned() []int {
	var owned []int
	e.mu.Lock()
	for b, o := range e.owners {
		if o != nil {
			owned = append(owned, b)
		}
	}
	e.mu.Unlock()
	slices.Sort(owned)
	return owned
}

func (e *Engine) all() []*owner {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*owner
	for _, o := range e.owners {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

// planted are the faults that tests plant, to prove that they would be found.
type planted struct {
	replay   func(bucket.Loaded, bucket.Compile, bucket.Rules) (*bucket.State, error)
	page     func([]byte) []byte // alters a page before it is stored
	runFirst bool                // run, then claim
}
