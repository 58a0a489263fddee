package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrReplied says that another reply to the firing waits for its owner.
var ErrReplied = errors.New("another reply to it is there already")

// Reply puts a reply to a firing before the owner of its task's bucket. A firing has
// one reply at a time: the same one again is no error, another is ErrReplied.
// Whether the firing still waits for it is for its owner to see. Errors:
// ErrReplied, coordclient.ErrNotFound (no such task), ErrTooLarge, ErrUnavailable,
// ErrUnknownOutcome.
func (s *Store) Reply(ctx context.Context, key task.Key, id task.FireID, reply task.Reply) error {
	fail := func(err error) error { return fmt.Errorf("reply to %s: %w", id, err) }
	if len(reply.Value) > task.MaxReplyValue {
		return fail(fmt.Errorf("value of %d bytes: %w (the limit is %d)", len(reply.Value), coordclient.ErrTooLarge, task.MaxReplyValue))
	}
	r := task.Request{ID: task.ReplyID(id), Kind: task.RequestReply, Task: key, UID: id.UID(), FireID: id, Reply: &reply}
	value, err := encode(requestRecord{Format, r}, MaxRequest)
	if err != nil {
		return fail(err)
	}
	for try := 0; ; try++ {
		err := s.reply(ctx, r, value)
		if errors.Is(err, coordclient.ErrConflict) && try < maxRefetch {
			continue // the task was edited, and may have moved
		}
		if err != nil {
			return fail(err)
		}
		return nil
	}
}

func (s *Store) reply(ctx context.Context, r task.Request, value []byte) error {
	home, err := s.HomeOf(ctx, r.Task)
	if err != nil {
		return err
	}
	info, err := s.definition(ctx, home, r.Task)
	if err != nil {
		return err
	}
	b := seatIn(&info, home)
	there := func(ctx context.Context) error { return s.replied(ctx, b, r) }
	err = s.edit(ctx, change{
		bucket: b, marks: []string{requestMark + Segment(r.ID)}, landed: there,
		ops: []coordclient.Op{
			coordclient.Create(s.keys.request(b, r.ID), value),
			coordclient.Check(s.keys.task(home, r.Task), info.Revision-1),
		},
	})
	if errors.Is(err, coordclient.ErrExists) {
		return there(ctx)
	}
	return err
}

// replied tells whether the reply that is stored, if it is not taken yet, says
// the same.
func (s *Store) replied(ctx context.Context, b int, r task.Request) error {
	e, err := s.peek(ctx, s.keys.request(b, r.ID))
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	other, err := decodeRequest(e.Value, e.Modified)
	if err != nil {
		return &CorruptError{e.Key, err}
	}
	if *other.Reply != *r.Reply {
		return ErrReplied
	}
	return nil
}

// secretLength is that of the reply secret in bytes.
const secretLength = 32

type secretRecord struct {
	Format int    `json:"format"`
	Secret []byte `json:"secret"`
}

func (k keys) replySecret() string { return string(k) + "/secrets/reply" }

// ReplySecret is the secret from which every host derives the tokens of replies.
// It is made by the first that asks, and is the same ever after. Whoever may
// read the store may read it. Errors: coordclient.ErrUnavailable,
// ErrUnknownOutcome (then ask again), *CorruptError.
func (s *Store) ReplySecret(ctx context.Context) ([]byte, error) {
	for range maxDoubts {
		var r secretRecord
		_, _, err := s.record(ctx, s.keys.replySecret(), &r, &r.Format)
		switch {
		case err == nil && len(r.Secret) >= secretLength:
			return r.Secret, nil
		case err == nil:
			return nil, &CorruptError{s.keys.replySecret(), errors.New("the secret is too short")}
		case !errors.Is(err, coordclient.ErrNotFound):
			return nil, fmt.Errorf("reply secret: %w", err)
		}
		r = secretRecord{Format, make([]byte, secretLength)}
		_, _ = rand.Read(r.Secret) // it never fails
		value, err := encode(r, coordclient.MaxValue)
		if err != nil {
			return nil, err
		}
		err = s.kv.Commit(ctx, coordclient.Create(s.keys.replySecret(), value))
		if err != nil && !errors.Is(err, coordclient.ErrExists) && !errors.Is(err, coordclient.ErrUnknownOutcome) {
			return nil, fmt.Errorf("reply secret: %w", err)
		}
		if err := s.kv.Sync(ctx, s.keys.replySecret()); err != nil {
			return nil, fmt.Errorf("reply secret: %w", err)
		}
	}
	return nil, fmt.Errorf("reply secret: %w", coordclient.ErrUnknownOutcome)
}
