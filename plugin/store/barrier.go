package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Barrier holds placement back until so many servers are there (WSO2:
// task.server.count). Only the leader opens or closes it; an administrator may
// lift it.
type Barrier struct {
	Format int `json:"format"`
	// Servers is how many different nodes it waits for; below 2: for none.
	Servers int `json:"servers"`
	// WithinMS is after how long it opens anyway; 0: never.
	WithinMS int64 `json:"within_ms,omitempty"`
	// Open: there were enough. It closes when the group has been empty.
	Open bool `json:"open"`
	// Lifted by an administrator, until it closes again.
	Lifted   bool   `json:"lifted,omitempty"`
	LiftedBy string `json:"lifted_by,omitempty"`
	// Since is when it closed, by the store's clock: not stored, but the time of
	// the commit.
	Since time.Time `json:"-"`
}

func (k keys) barrier() string { return k.cluster() + "/barrier" }

// Barrier reads the barrier, its version, and a channel that closes when it may
// have changed. Errors: coordclient.ErrNotFound (nothing was prepared),
// ErrUnavailable, *CorruptError.
func (s *Store) Barrier(ctx context.Context) (Barrier, int64, <-chan struct{}, error) {
	e, changed, err := s.kv.Get(ctx, s.keys.barrier())
	if err != nil {
		return Barrier{}, 0, nil, fmt.Errorf("barrier: %w", err)
	}
	var b Barrier
	if err := decode(e.Value, coordclient.MaxValue, &b, &b.Format); err != nil {
		return Barrier{}, 0, nil, fmt.Errorf("barrier: %w", &CorruptError{e.Key, err})
	}
	b.Since = e.Modified
	return b, e.Version, changed, nil
}

// Lift makes the barrier let everything pass until the group is empty. It is
// what an administrator does who knows that no more servers will come. Lifting
// it twice, or while it is open, changes nothing. Errors: coordclient.ErrNotFound,
// ErrUnavailable, ErrUnknownOutcome, *CorruptError.
func (s *Store) Lift(ctx context.Context, by string) error {
	err := s.alter(ctx, Edit{Code: BarrierLifted, By: by}, func() (string, any, int64, error) {
		b, version, _, err := s.Barrier(ctx)
		if err != nil || b.Open || b.Lifted {
			return "", nil, 0, err
		}
		b.Lifted, b.LiftedBy = true, by
		return s.keys.barrier(), b, version, nil
	})
	if err != nil {
		return fmt.Errorf("lift the barrier: %w", err)
	}
	return nil
}

// alter reads, changes and sets a record until it did not move meanwhile. read
// gives no key when there is nothing to change. Committing the same change
// twice must do no harm. An entry with a code goes into the audit.
func (s *Store) alter(ctx context.Context, entry Edit, read func() (key string, record any, version int64, err error)) error {
	var last error
	for try := range maxRefetch {
		key, record, version, err := read()
		if err != nil || key == "" {
			return err
		}
		value, err := encode(record, coordclient.MaxValue)
		if err != nil {
			return err
		}
		ops := []coordclient.Op{coordclient.Set(key, value, version)}
		if entry.Code != "" {
			audit, err := s.note(ctx, groupAudit, entry)
			if err != nil {
				return err
			}
			ops = append(ops, audit)
		}
		if last = s.kv.Commit(ctx, ops...); errors.Is(last, coordclient.ErrExists) {
			last = coordclient.ErrConflict // the first entry of the audit is another's
		}
		if !errors.Is(last, coordclient.ErrConflict) && !errors.Is(last, coordclient.ErrUnknownOutcome) {
			return last
		}
		if err := backoff(ctx, try); err != nil {
			return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, err)
		}
		if err := s.kv.Sync(ctx, key); err != nil {
			return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, err)
		}
	}
	return last
}
