package coordtest

import (
	"bytes"
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

// Client is a session with a Cluster: of a companion, or of a member.
type Client struct {
	c  *Cluster
	id coordclient.MemberID // "" for a companion

	// Guarded by c.mu.
	state   coordclient.State
	changed chan struct{}
	cause   error // why it is not Healthy
}

// State gives the state of the session.
func (s *Client) State() (coordclient.State, <-chan struct{}) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return s.state, s.changed
}

// Cut makes the session Suspended: every call fails with ErrUnavailable, its
// membership stays.
func (s *Client) Cut() { s.become(coordclient.Suspended, errCut) }

// Heal ends a Cut.
func (s *Client) Heal() { s.become(coordclient.Healthy, nil) }

func (s *Client) become(state coordclient.State, cause error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.turn(state, cause)
}

// turn changes the state, unless it is Lost already. Needs c.mu.
func (s *Client) turn(state coordclient.State, cause error) {
	if s.state == coordclient.Lost || s.state == state {
		return
	}
	s.state, s.cause = state, cause
	close(s.changed)
	s.changed = make(chan struct{})
	s.c.electionsChanged()
	if state == coordclient.Lost {
		// The watches are shared with the living, for whom it is a wake-up
		// without a change.
		s.c.tree.WakeAll()
		s.c.membersChanged()
	}
}

// Close ends the session.
func (s *Client) Close() error {
	s.become(coordclient.Lost, errLeft)
	return nil
}

// usable needs c.mu.
func (s *Client) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	if s.state != coordclient.Healthy {
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, s.cause)
	}
	return nil
}

// Get reads an entry; see coordclient.KV.
func (s *Client) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if err := coordclient.CheckKey(key); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get: %w", err)
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, err)
	}
	v, version, ok := s.c.tree.Get(key)
	if !ok {
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, coordclient.ErrNotFound)
	}
	e := coordclient.Entry{Key: key, Value: append([]byte{}, v.value...), Version: version, Modified: v.modified}
	return e, s.c.tree.Watch(key), nil
}

// List names the children; see coordclient.KV.
func (s *Client) List(ctx context.Context, prefix string) ([]string, error) {
	if err := coordclient.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return s.c.tree.List(prefix), nil
}

// Sync has nothing to do: reads are never behind. Error: ErrUnavailable.
func (s *Client) Sync(ctx context.Context, key string) error {
	if err := coordclient.CheckPrefix(key); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return fmt.Errorf("sync %s: %w", key, err)
	}
	return nil
}

// Commit does all or none; see coordclient.KV.
func (s *Client) Commit(ctx context.Context, ops ...coordclient.Op) error {
	if err := coordclient.CheckOps(ops); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	err := s.usable(ctx)
	if err == nil {
		err = s.c.commit(s.id, ops)
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Members lists the group; see coordclient.Members.
func (s *Client) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, nil, fmt.Errorf("members: %w", err)
	}
	list := make([]coordclient.Member, 0, len(s.c.members))
	for _, m := range s.c.members {
		list = append(list, coordclient.Member{ID: m.id, Joined: m.joined, Value: bytes.Clone(m.value)})
	}
	return list, s.c.watch, nil
}

// SendReceive asks a member; see coordclient.Caller.
func (s *Client) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	handlers, err := s.reach(ctx, to, request)
	var answer []byte
	if err == nil {
		answer, err = handlers.Call(ctx, verb, request)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	return answer, nil
}

func (s *Client) reach(ctx context.Context, to coordclient.MemberID, request []byte) (*verbs.Table, error) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	if err := verbs.CheckMessage(request); err != nil {
		return nil, err
	}
	m := s.c.find(to)
	switch {
	case m == nil:
		return nil, fmt.Errorf("%w: it is not in the group", coordclient.ErrNotFound)
	case m.state != coordclient.Healthy:
		return nil, fmt.Errorf("%w: the other's session: %w", coordclient.ErrUnavailable, m.cause)
	}
	return m.verbs, nil
}

// Broadcast tells every member that is reachable; see coordclient.Caller.
func (s *Client) Broadcast(ctx context.Context, verb string, message []byte) error {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	err := s.usable(ctx)
	if err == nil {
		err = verbs.CheckMessage(message)
	}
	for _, m := range s.c.members {
		if err == nil && m.state == coordclient.Healthy {
			err = m.verbs.Tell(verb, message)
		}
	}
	if err != nil {
		return fmt.Errorf("broadcast %s: %w", verb, err)
	}
	return nil
}
