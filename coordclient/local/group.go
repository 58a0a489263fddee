package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

// Members lists this member alone; see coordclient.Members.
func (l *Local) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("members: %w: %w", coordclient.ErrUnavailable, err)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := l.usable(); err != nil {
		return nil, nil, fmt.Errorf("members: %w", err)
	}
	self := coordclient.Member{ID: l.id, Joined: l.joined, Value: bytes.Clone(l.value)}
	return []coordclient.Member{self}, l.members, nil
}

// Publish replaces what the member says of itself. Errors: ErrTooLarge,
// ErrUnavailable.
func (l *Local) Publish(_ context.Context, value []byte) error {
	if len(value) > coordclient.MaxValue {
		return fmt.Errorf("publish %d bytes: %w", len(value), coordclient.ErrTooLarge)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	l.value = bytes.Clone(value)
	close(l.members)
	l.members = make(chan struct{})
	return nil
}

// SendReceive runs this member's own handler; see coordclient.Caller.
func (l *Local) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, message []byte) ([]byte, error) {
	answer, err := l.call(ctx, to, verb, message)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	return answer, nil
}

func (l *Local) call(ctx context.Context, to coordclient.MemberID, verb string, message []byte) ([]byte, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	if err := verbs.CheckMessage(message); err != nil {
		return nil, err
	}
	if to != l.id {
		return nil, fmt.Errorf("%w: it is not in the group", coordclient.ErrNotFound)
	}
	return l.verbs.Call(ctx, verb, message)
}

// Broadcast tells this member's own handler; see coordclient.Caller.
func (l *Local) Broadcast(ctx context.Context, verb string, message []byte) error {
	err := verbs.CheckMessage(message)
	if err == nil {
		err = l.alive()
	}
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", coordclient.ErrUnavailable, ctx.Err())
	}
	if err == nil {
		err = l.verbs.Tell(verb, message)
	}
	if err != nil {
		return fmt.Errorf("broadcast %s: %w", verb, err)
	}
	return nil
}

// Handle answers a verb; see coordclient.Handler.
func (l *Local) Handle(verb string, f coordclient.HandlerFunc) { l.verbs.Handle(verb, f) }

func (l *Local) isMember(id coordclient.MemberID) bool { return id == l.id }

// roles lets one f lead each role at a time.
type roles struct {
	mu   sync.Mutex
	free map[string]chan struct{} // holds one token while nobody leads
}

func (r *roles) get(role string) chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free == nil {
		r.free = make(map[string]chan struct{})
	}
	c, ok := r.free[role]
	if !ok {
		c = make(chan struct{}, 1)
		c <- struct{}{}
		r.free[role] = c
	}
	return c
}

// Lead leads at once, being alone; a second call for a role waits for the
// first. The term is kept at /election/<role>. When the session is Lost it
// returns ErrUnavailable.
func (l *Local) Lead(ctx context.Context, role string, f func(ctx context.Context, term coordclient.Term) error) error {
	key := "/election/" + role
	if err := coordclient.CheckKey(key); err != nil {
		return fmt.Errorf("lead: %w", err)
	}
	for {
		err := l.leadOnce(ctx, role, key, f)
		var busy *termError
		switch {
		case err == nil:
		case ctx.Err() == nil && l.alive() == nil && errors.As(err, &busy):
			l.log.Warn("leadership waits for its term to be stored", "role", role, "err", err)
			if !pause(ctx, termRetry) {
				return ctx.Err()
			}
		default:
			return err
		}
	}
}

// termRetry is the time between two attempts to store a new term.
const termRetry = time.Second

// termError: the term could not be stored, and f has not run.
type termError struct{ cause error }

func (e *termError) Error() string { return "store the term: " + e.cause.Error() }
func (e *termError) Unwrap() error { return e.cause }

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *Local) leadOnce(ctx context.Context, role, key string, f func(context.Context, coordclient.Term) error) error {
	free := l.roles.get(role)
	state, changed := l.State()
	if state != coordclient.Healthy {
		return fmt.Errorf("lead %s: %w", role, l.alive())
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return fmt.Errorf("lead %s: %w", role, l.alive())
	case <-free:
	}
	defer func() { free <- struct{}{} }()
	term, err := l.nextTerm(ctx, key)
	if err != nil {
		return fmt.Errorf("lead %s: %w", role, &termError{err})
	}
	return l.serve(ctx, role, term, f)
}

// serve runs f until the session ends.
func (l *Local) serve(ctx context.Context, role string, term coordclient.Term, f func(context.Context, coordclient.Term) error) error {
	led, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	_, changed := l.State()
	var watch sync.WaitGroup
	// Ends when f returned or the session is Lost.
	watch.Go(func() {
		if err := l.alive(); err != nil {
			cancel(err)
			return
		}
		select {
		case <-changed:
			cancel(l.alive())
		case <-led.Done():
		}
	})
	err := f(led, term)
	cancel(nil)
	watch.Wait()
	lost := l.alive()
	switch {
	case ctx.Err() != nil && err == nil:
		return ctx.Err()
	case lost != nil && (err == nil || errors.Is(err, context.Canceled)):
		return fmt.Errorf("lead %s: %w", role, lost)
	}
	return err
}

// nextTerm commits a term greater than all before.
func (l *Local) nextTerm(ctx context.Context, key string) (coordclient.Term, error) {
	e, _, err := l.Get(ctx, key)
	if errors.Is(err, coordclient.ErrNotFound) {
		return 1, l.Commit(ctx, coordclient.Create(key, []byte(l.id)))
	}
	if err != nil {
		return 0, err
	}
	return coordclient.Term(e.Version + 2), l.Commit(ctx, coordclient.Set(key, []byte(l.id), e.Version))
}
