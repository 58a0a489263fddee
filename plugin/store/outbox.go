package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// TriggerState reads the state of an event trigger: no data and version -1 if
// there is none. Error: coordclient.ErrUnavailable.
func (s *Store) TriggerState(ctx context.Context, service, trigger string) ([]byte, int64, error) {
	blob, err := s.blob(ctx, s.keys.trigger(service, trigger))
	if err != nil {
		return nil, 0, fmt.Errorf("state of trigger %s/%s: %w", service, trigger, err)
	}
	return blob.Data, blob.Version, nil
}

// TriggerCommit sets the state of an event trigger and puts the messages that
// it raised, all or nothing.
type TriggerCommit struct {
	Service, Trigger string
	// Version of the state that was read; -1: there was none.
	Version  int64
	State    []byte
	Messages []task.Message
}

// Accept commits it. A message whose id is in the outbox already is left alone.
// Errors: coordclient.ErrConflict (the state is not at the version),
// ErrTooLarge, ErrUnavailable, ErrUnknownOutcome.
func (s *Store) Accept(ctx context.Context, c TriggerCommit) error {
	fail := func(err error) error {
		return fmt.Errorf("accept for trigger %s/%s: %w", c.Service, c.Trigger, err)
	}
	buckets, err := s.buckets(ctx)
	if err != nil {
		return fail(err)
	}
	state := bucket.Blob{Version: c.Version, Data: c.State}
	steps := []step{{put(s.keys.trigger(c.Service, c.Trigger), state), stale(coordclient.ErrConflict)}}
	for _, m := range c.Messages {
		one, err := s.planMessages(hashed(m.ID, buckets), []task.Message{m})
		if err != nil {
			return fail(err)
		}
		steps = append(steps, one...)
	}
	if err := commitSteps(ctx, s.kv, steps); err != nil {
		return fail(err)
	}
	if len(c.Messages) > 0 {
		s.wake.ring()
	}
	return nil
}

// Message is one in the outbox.
type Message struct {
	task.Message
	Key     string // the store's own
	Version int64
}

// Outbox lists the messages in the buckets for which mine is true (nil: all),
// by bucket and id, and gives a channel that closes when this process has put
// or changed one; what others put shows at the next call. Error:
// coordclient.ErrUnavailable.
func (s *Store) Outbox(ctx context.Context, mine func(b int) bool) ([]Message, <-chan struct{}, error) {
	rung := s.wake.wait()
	buckets, err := s.Span(ctx)
	if err != nil {
		return nil, nil, err
	}
	byBucket := make([][]Message, buckets)
	err = parallel.Each(ctx, buckets, func(ctx context.Context, b int) error {
		if mine != nil && !mine(b) {
			return nil
		}
		var err error
		byBucket[b], err = read(ctx, s, s.keys.outbox(b), func(_ string, e coordclient.Entry) (Message, error) {
			m, err := decodeMessage(e.Value)
			return Message{m, e.Key, e.Version}, err
		})
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("outbox: %w", err)
	}
	return slices.Concat(byBucket...), rung, nil
}

// maxBacklog is up to how many messages Backlog looks at one by one.
const maxBacklog = 500

// Backlog counts the messages in the outbox: those that wait to be delivered, and
// those that were given up and are kept to be seen. Of more than some hundred all
// are taken to wait. Error: coordclient.ErrUnavailable.
func (s *Store) Backlog(ctx context.Context) (waiting, dead int, err error) {
	buckets, err := s.Span(ctx)
	if err != nil {
		return 0, 0, err
	}
	names := make([][]string, buckets)
	if err := parallel.Each(ctx, buckets, func(ctx context.Context, b int) (err error) {
		names[b], err = s.kv.List(ctx, s.keys.outbox(b))
		return err
	}); err != nil {
		return 0, 0, fmt.Errorf("outbox: %w", err)
	}
	for _, n := range names {
		waiting += len(n)
	}
	if waiting == 0 || waiting > maxBacklog {
		return waiting, 0, nil
	}
	for b, n := range names {
		messages, _, err := readThese(ctx, s, s.keys.outbox(b), n, func(_ string, e coordclient.Entry) (task.Message, error) { return decodeMessage(e.Value) })
		if err != nil {
			return 0, 0, fmt.Errorf("outbox: %w", err)
		}
		for _, m := range messages {
			if m.Dead {
				dead++
			}
		}
	}
	return waiting - dead, dead, nil
}

// UpdateMessage replaces a message at its version. Errors:
// coordclient.ErrConflict (also when it is gone), ErrUnavailable,
// ErrUnknownOutcome.
func (s *Store) UpdateMessage(ctx context.Context, m Message) error {
	if err := s.checkOutbox(m.Key); err != nil {
		return err
	}
	value, err := encodeMessage(m.Message)
	if err != nil {
		return fmt.Errorf("update message %s: %w", m.ID, err)
	}
	err = s.kv.Commit(ctx, coordclient.Set(m.Key, value, m.Version))
	if errors.Is(err, coordclient.ErrNotFound) {
		err = coordclient.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("update message %s: %w", m.ID, err)
	}
	s.wake.ring()
	return nil
}

// RemoveMessage removes a message; one that is gone is no error. Errors:
// coordclient.ErrUnavailable, ErrUnknownOutcome.
func (s *Store) RemoveMessage(ctx context.Context, m Message) error {
	if err := s.checkOutbox(m.Key); err != nil {
		return err
	}
	err := s.kv.Commit(ctx, coordclient.Delete(m.Key, coordclient.AnyVersion))
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		return fmt.Errorf("remove message %s: %w", m.ID, err)
	}
	return nil
}

func (s *Store) checkOutbox(key string) error {
	if !strings.HasPrefix(key, string(s.keys)+"/outbox/") {
		return fmt.Errorf("message key %q is not in the outbox", key)
	}
	return nil
}
