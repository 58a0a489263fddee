// Package verbs is a member's side of the calls: which handler answers which
// verb, how many run at once, and what the caller learns of their errors. The
// carriers of the port use it; it knows nothing of how a request came.
package verbs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
)

// MaxTold bounds the broadcasts that wait for a handler or run in one.
const MaxTold = 1024

// errClosed is the cause by which handlers end when their member leaves.
var errClosed = errors.New("the member has left")

// Table holds the handlers of one member. Safe for concurrent use.
type Table struct {
	slots chan struct{} // one for each handler that runs
	told  chan struct{} // one for each broadcast not yet done
	ctx   context.Context
	end   context.CancelCauseFunc

	mu       sync.Mutex
	handlers map[string]coordclient.HandlerFunc
	closed   bool
	running  sync.WaitGroup
}

// New gives an empty table.
func New() *Table {
	ctx, end := context.WithCancelCause(context.Background())
	return &Table{
		slots:    make(chan struct{}, coordclient.MaxHandlers),
		told:     make(chan struct{}, MaxTold),
		ctx:      ctx,
		end:      end,
		handlers: make(map[string]coordclient.HandlerFunc),
	}
}

// Handle installs f for a verb; nil removes.
func (t *Table) Handle(verb string, f coordclient.HandlerFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f == nil {
		delete(t.handlers, verb)
		return
	}
	t.handlers[verb] = f
}

// Call runs the handler of a verb and waits for its answer or for ctx. Errors:
// those of coordclient.Caller, but for ErrNotFound.
func (t *Table) Call(ctx context.Context, verb string, request []byte) ([]byte, error) {
	if err := CheckMessage(request); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: all %d handlers are busy: %w", coordclient.ErrUnavailable, cap(t.slots), ctx.Err())
	case <-t.ctx.Done():
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, errClosed)
	}
	answer := make(chan reply, 1)
	if err := t.start(ctx, verb, bytes.Clone(request), answer); err != nil {
		<-t.slots
		return nil, err
	}
	select {
	case r := <-answer:
		return r.body, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, ctx.Err())
	case <-t.ctx.Done():
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, errClosed)
	}
}

// Tell runs the handler of a verb, if there is one, without waiting for it.
func (t *Table) Tell(verb string, message []byte) error {
	if err := CheckMessage(message); err != nil {
		return err
	}
	select {
	case t.told <- struct{}{}:
	default:
		return fmt.Errorf("%w: %d broadcasts wait already", coordclient.ErrUnavailable, MaxTold)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		<-t.told
		return nil
	}
	message = bytes.Clone(message)
	// Ends when the handler does, or with the table.
	t.running.Go(func() {
		defer func() { <-t.told }()
		_, _ = t.Call(t.ctx, verb, message)
	})
	return nil
}

// Close ends the handlers' contexts and waits for them.
func (t *Table) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end(errClosed)
	t.running.Wait()
}

// Kill is Close without the wait: for a member that has crashed.
func (t *Table) Kill() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.end(errClosed)
}

type reply struct {
	body []byte
	err  error
}

// start runs the handler in a goroutine that owns a slot, and ends when the
// handler does.
func (t *Table) start(ctx context.Context, verb string, request []byte, answer chan<- reply) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.handlers[verb]
	switch {
	case t.closed:
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, errClosed)
	case f == nil:
		return fmt.Errorf("verb %q: %w", verb, coordclient.ErrNoSuchVerb)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.ctx, func() { cancel(errClosed) }) //nolint:contextcheck // the end of either ends the handler
	t.running.Go(func() {
		defer func() { <-t.slots }()
		defer cancel(nil)
		defer stop()
		body, err := run(ctx, f, request)
		answer <- reply{body, err}
	})
	return nil
}

func run(ctx context.Context, f coordclient.HandlerFunc, request []byte) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, &coordclient.RemoteError{Code: CodePanic, Message: fmt.Sprintf("handler panicked: %v", p)}
		}
	}()
	body, err = f(ctx, request)
	if err != nil {
		return nil, Remote(err)
	}
	if err := CheckMessage(body); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return body, nil
}

// CodePanic is the code of the *RemoteError for a handler that panicked.
const CodePanic = "panic"

// Remote is how a handler's error reaches the caller.
func Remote(err error) *coordclient.RemoteError {
	var remote *coordclient.RemoteError
	if errors.As(err, &remote) {
		return &coordclient.RemoteError{Code: remote.Code, Message: err.Error()}
	}
	return &coordclient.RemoteError{Message: err.Error()}
}

// CheckMessage holds MaxMessage.
func CheckMessage(message []byte) error {
	if len(message) > coordclient.MaxMessage {
		return fmt.Errorf("message of %d bytes: %w (the limit is %d)", len(message), coordclient.ErrTooLarge, coordclient.MaxMessage)
	}
	return nil
}
