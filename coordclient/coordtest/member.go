package coordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

// Member is a session that has joined a Cluster. A host that crashes is one
// that is Cut, or never spoken to again, and later expires.
type Member struct {
	*Client
	joined time.Time
	verbs  *verbs.Table
	value  []byte // guarded by c.mu
}

// ID is the member's id.
func (m *Member) ID() coordclient.MemberID { return m.id }

// Expire ends the membership and makes the session Lost, without a word from
// the member, as when it was silent for longer than the session's time-out.
func (m *Member) Expire() { m.leave(errExpired) }

// Close leaves the group and waits for the handlers that run.
func (m *Member) Close() error {
	m.leave(errLeft)
	m.verbs.Close()
	return nil
}

func (m *Member) leave(cause error) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	m.turn(coordclient.Lost, cause)
	m.c.remove(m)
	m.verbs.Kill()
}

// Publish replaces what the member says of itself.
func (m *Member) Publish(ctx context.Context, value []byte) error {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	err := m.usable(ctx)
	if err == nil && len(value) > coordclient.MaxValue {
		err = fmt.Errorf("%d bytes: %w", len(value), coordclient.ErrTooLarge)
	}
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	m.value = bytes.Clone(value)
	m.c.membersChanged()
	return nil
}

// Handle answers a verb; see coordclient.Handler.
func (m *Member) Handle(verb string, f coordclient.HandlerFunc) { m.verbs.Handle(verb, f) }

// Lead stands for a role; see coordclient.Elector. The term is kept at
// /election/<role>. When the session is Lost it returns ErrUnavailable.
func (m *Member) Lead(ctx context.Context, role string, f func(ctx context.Context, term coordclient.Term) error) error {
	key := "/election/" + role
	if err := coordclient.CheckKey(key); err != nil {
		return fmt.Errorf("lead: %w", err)
	}
	for {
		term, err := m.elected(ctx, role, key)
		if err != nil {
			return err
		}
		err = m.serve(ctx, term, f)
		m.resign(role)
		if err != nil {
			return err
		}
	}
}

// elected waits until the member leads the role.
func (m *Member) elected(ctx context.Context, role, key string) (coordclient.Term, error) {
	for {
		term, changed, err := m.stand(role, key)
		if err != nil || term > 0 {
			return term, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-changed:
		}
	}
}

// stand takes the role if it is free; else term is 0.
func (m *Member) stand(role, key string) (coordclient.Term, <-chan struct{}, error) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.state == coordclient.Lost {
		return 0, nil, fmt.Errorf("lead %s: %w: %w", role, coordclient.ErrUnavailable, m.cause)
	}
	if m.state != coordclient.Healthy || m.c.leaders[role] != nil {
		return 0, m.c.elect, nil
	}
	op, term := coordclient.Create(key, []byte(m.id)), coordclient.Term(1)
	if _, version, ok := m.c.tree.Get(key); ok {
		op, term = coordclient.Set(key, []byte(m.id), version), coordclient.Term(version+2)
	}
	if err := m.c.commit(m.id, []coordclient.Op{op}); err != nil {
		return 0, nil, fmt.Errorf("lead %s: %w", role, err)
	}
	m.c.leaders[role] = m
	return term, nil, nil
}

func (m *Member) resign(role string) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.c.leaders[role] == m {
		delete(m.c.leaders, role)
		m.c.electionsChanged()
	}
}

// serve runs f until the session is not Healthy any more. Its error is f's,
// unless f ended because its context did.
func (m *Member) serve(ctx context.Context, term coordclient.Term, f func(context.Context, coordclient.Term) error) error {
	led, cancel := context.WithCancelCause(ctx)
	state, changed := m.State()
	if state != coordclient.Healthy {
		cancel(errCut)
	}
	watched := make(chan struct{})
	// Ends when f returned or the session is not Healthy.
	go func() {
		defer close(watched)
		select {
		case <-changed:
			cancel(errCut)
		case <-led.Done():
		}
	}()
	err := f(led, term)
	over := led.Err() != nil
	cancel(nil)
	<-watched
	if ctx.Err() != nil && err == nil {
		return ctx.Err()
	}
	if over && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
