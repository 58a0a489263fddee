package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
)

// Get reads an entry; see coordclient.KV.
func (l *Local) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if err := coordclient.CheckKey(key); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w: %w", key, coordclient.ErrUnavailable, err)
	}
	id, version, watch, err := l.look(key)
	if err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, err)
	}
	e, err := l.disk.read(ctx, id)
	switch {
	case err == nil && e.Version == version && e.Key == key:
		return e, watch, nil
	case err == nil || errors.Is(err, sql.ErrNoRows):
		// A group is just being written that changes this entry: what it makes
		// of it is not the answer before the group is durable.
		return l.getBetween(ctx, key)
	}
	return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w: %w", key, coordclient.ErrUnavailable, explain(err))
}

func (l *Local) look(key string) (id, version int64, watch <-chan struct{}, err error) {
	// For writing: a watch is a change.
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.usable(); err != nil {
		return 0, 0, nil, err
	}
	id, version, ok := l.tree.Get(key)
	if !ok {
		return 0, 0, nil, coordclient.ErrNotFound
	}
	return id, version, l.tree.Watch(key), nil
}

// getBetween reads when no group is being written.
func (l *Local) getBetween(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	var e coordclient.Entry
	var watch <-chan struct{}
	var failed error
	err := l.do(ctx, &request{read: func() {
		var id int64
		if id, _, watch, failed = l.look(key); failed == nil {
			if e, failed = l.disk.read(ctx, id); failed != nil {
				failed = fmt.Errorf("%w: %w", coordclient.ErrUnavailable, explain(failed))
			}
		}
	}})
	switch {
	case errors.Is(err, coordclient.ErrUnknownOutcome): // the caller left; a read does nothing
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w: %w", key, coordclient.ErrUnavailable, ctx.Err())
	case err != nil:
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, err)
	case failed != nil:
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, failed)
	}
	return e, watch, nil
}

// List names the children; see coordclient.KV.
func (l *Local) List(ctx context.Context, prefix string) ([]string, error) {
	if err := coordclient.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list %s: %w: %w", prefix, coordclient.ErrUnavailable, err)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := l.usable(); err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return l.tree.List(prefix), nil
}

// Sync has nothing to do: reads are never behind. Error: ErrUnavailable.
func (l *Local) Sync(ctx context.Context, key string) error {
	if err := coordclient.CheckPrefix(key); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sync %s: %w: %w", key, coordclient.ErrUnavailable, err)
	}
	if err := l.alive(); err != nil {
		return fmt.Errorf("sync %s: %w", key, err)
	}
	return nil
}

// Commit does all or none and answers when it is on disk; see coordclient.KV.
func (l *Local) Commit(ctx context.Context, ops ...coordclient.Op) error {
	if err := coordclient.CheckOps(ops); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w: %w", coordclient.ErrUnavailable, err)
	}
	if err := l.do(ctx, &request{ops: own(ops)}); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// own copies the values: a caller that has given up may use its memory again
// while the writer still reads.
func own(ops []coordclient.Op) []coordclient.Op {
	mine := make([]coordclient.Op, len(ops))
	for i, op := range ops {
		op.Value = bytes.Clone(op.Value)
		mine[i] = op
	}
	return mine
}

func (l *Local) alive() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.usable()
}
