package env

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// rehearsal is a store that commits nothing: what would be committed is checked
// against what is there, and only its own later reads see it. So a dry run goes
// the way of the real one, to the refusals.
type rehearsal struct {
	coordclient.KV
	now  func() time.Time
	mu   sync.Mutex
	over map[string]*coordclient.Entry // what was written; nil: it was deleted
}

func rehearse(kv coordclient.KV, now func() time.Time) *rehearsal {
	return &rehearsal{KV: kv, now: now, over: make(map[string]*coordclient.Entry)}
}

// Get reads an entry. The channel of one that was written never closes.
func (r *rehearsal) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	r.mu.Lock()
	e, written := r.over[key]
	r.mu.Unlock()
	switch {
	case !written:
		return r.KV.Get(ctx, key)
	case e == nil:
		return coordclient.Entry{}, nil, coordclient.ErrNotFound
	}
	return *e, make(chan struct{}), nil
}

// List names the children that there would be.
func (r *rehearsal) List(ctx context.Context, prefix string) ([]string, error) {
	names, err := r.KV.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, e := range r.over {
		name, ok := strings.CutPrefix(key, strings.TrimSuffix(prefix, "/")+"/")
		if !ok {
			continue
		}
		child, _, deeper := strings.Cut(name, "/")
		switch {
		case e != nil:
			there[child] = true
		case !deeper:
			delete(there, child)
		}
	}
	return slices.Sorted(maps.Keys(there)), nil
}

// Commit checks all operations, one after another, and remembers what they write.
func (r *rehearsal) Commit(ctx context.Context, ops ...coordclient.Op) error {
	staged := make(map[string]*coordclient.Entry)
	for i, op := range ops {
		if op.Kind == coordclient.OpCheckMember {
			continue // nobody is a member here
		}
		there, err := r.at(ctx, staged, op.Key)
		if err != nil {
			return err
		}
		after, err := outcome(op, there)
		if err != nil {
			return &coordclient.CommitError{Index: i, Op: op, Err: err}
		}
		if after != nil {
			after.Modified = r.now().UTC().Truncate(time.Millisecond)
		}
		if op.Kind != coordclient.OpCheck {
			staged[op.Key] = after
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.over, staged)
	return nil
}

// at is the entry of a key as the operations before leave it; nil: there is none.
func (r *rehearsal) at(ctx context.Context, staged map[string]*coordclient.Entry, key string) (*coordclient.Entry, error) {
	if e, ok := staged[key]; ok {
		return e, nil
	}
	e, _, err := r.Get(ctx, key)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return nil, nil //nolint:nilnil // as documented
	case err != nil:
		return nil, err
	}
	return &e, nil
}

// outcome is what an operation makes of an entry; nil: there is none.
func outcome(op coordclient.Op, there *coordclient.Entry) (*coordclient.Entry, error) {
	if op.Kind == coordclient.OpCreate {
		if there != nil {
			return nil, coordclient.ErrExists
		}
		return &coordclient.Entry{Key: op.Key, Value: op.Value}, nil
	}
	switch {
	case there == nil:
		return nil, coordclient.ErrNotFound
	case op.Version != there.Version && (op.Kind != coordclient.OpDelete || op.Version != coordclient.AnyVersion):
		return nil, coordclient.ErrConflict
	case op.Kind == coordclient.OpSet:
		return &coordclient.Entry{Key: op.Key, Value: op.Value, Version: there.Version + 1}, nil
	}
	return nil, nil //nolint:nilnil // as documented
}
