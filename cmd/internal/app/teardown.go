package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// teardown is the stack of what start-up has to undo. Steps are run in reverse
// order, each even if one before it failed. Safe for concurrent use; run works
// once.
type teardown struct {
	log   *slog.Logger
	mu    sync.Mutex
	steps []step // guarded by mu
}

type step struct {
	name string
	f    func(ctx context.Context) error
}

func (t *teardown) add(name string, f func(ctx context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, step{name, f})
}

// run undoes everything within ctx, and joins what went wrong. A step that
// outlasts ctx is left behind and named in the error.
func (t *teardown) run(ctx context.Context) error {
	t.mu.Lock()
	steps := t.steps
	t.steps = nil
	t.mu.Unlock()
	var failures []error
	for i := len(steps) - 1; i >= 0; i-- {
		s, began := steps[i], time.Now()
		done := make(chan error, 1)
		go func() { done <- s.f(ctx) }() // ends when the step does; the process ends soon after
		select {
		case err := <-done:
			if err != nil {
				failures = append(failures, fmt.Errorf("stop %s: %w", s.name, err))
			}
		case <-afterGrace(ctx):
			failures = append(failures, fmt.Errorf("stop %s: %w", s.name, context.Cause(ctx)))
		}
		t.log.Debug("stopped", "step", s.name, "took", time.Since(began))
	}
	return errors.Join(failures...)
}

// afterGrace is done a moment after ctx, so that a step which honours ctx can
// still say how it ended.
func afterGrace(ctx context.Context) <-chan struct{} {
	late := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, func() { close(late) }) })
	return late
}
