package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of what is kept of a task's earlier definitions: the newest of them
// that fit both.
const (
	MaxHistory      = 20
	MaxHistoryBytes = 256 << 10
	// firstKept is the revision that a task without any earlier definition is
	// deleted as.
	firstKept = 2
)

// historyRecord is kept beside a definition, and removed with it.
type historyRecord struct {
	Format      int         `json:"format"`
	Definitions []task.Info `json:"definitions"` // the oldest first, as they were read
}

func (k keys) history(b int, key task.Key) string {
	return k.of("history", b) + "/" + taskSegment(key)
}

// keep makes the operation that keeps a definition which an edit replaces.
func (s *Store) keep(ctx context.Context, b int, before task.Info) (coordclient.Op, error) {
	key := s.keys.history(b, before.Key)
	r, version, err := s.past(ctx, key)
	if corrupt, ok := errors.AsType[*CorruptError](err); ok {
		s.corrupt(corrupt) // no reason to refuse the edit: begin afresh
	} else if err != nil {
		return coordclient.Op{}, err
	}
	// Those of an earlier task of the name are none of this one's.
	r.Definitions = slices.DeleteFunc(r.Definitions, func(i task.Info) bool { return i.UID != before.UID || i.Revision >= before.Revision })
	r.Format, r.Definitions = Format, append(r.Definitions, before)
	r.Definitions = r.Definitions[max(0, len(r.Definitions)-MaxHistory):]
	for {
		value, err := encode(r, MaxHistoryBytes)
		if errors.Is(err, coordclient.ErrTooLarge) && len(r.Definitions) > 1 {
			r.Definitions = r.Definitions[1:]
			continue
		}
		if err != nil {
			return coordclient.Op{}, err
		}
		if version < 0 {
			return coordclient.Create(key, value), nil
		}
		return coordclient.Set(key, value, version), nil
	}
}

// past reads what is kept at key, and its version; -1: nothing.
func (s *Store) past(ctx context.Context, key string) (historyRecord, int64, error) {
	e, _, err := s.kv.Get(ctx, key)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return historyRecord{}, -1, nil
	case err != nil:
		return historyRecord{}, 0, err
	}
	var r historyRecord
	if err := decode(e.Value, MaxHistoryBytes, &r, &r.Format); err != nil {
		return historyRecord{}, e.Version, &CorruptError{key, err}
	}
	return r, e.Version, nil
}

// History reads a task's definitions, the present one first and then those that
// are kept, the newest first. Errors: coordclient.ErrNotFound, ErrUnavailable,
// *CorruptError.
func (s *Store) History(ctx context.Context, key task.Key) ([]task.Info, error) {
	key = key.Normal()
	now, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	b, err := s.HomeOf(ctx, key)
	if err != nil {
		return nil, err
	}
	r, _, err := s.past(ctx, s.keys.history(b, key))
	if err != nil {
		return nil, fmt.Errorf("history of task %s: %w", key, err)
	}
	all := []task.Info{now}
	for _, info := range slices.Backward(r.Definitions) {
		if info.UID == now.UID && info.Revision < now.Revision {
			all = append(all, info)
		}
	}
	return all, nil
}
