package store

import (
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// MaxMemory bounds what is remembered of a task, in bytes.
const MaxMemory = 64 << 10

func (k keys) memories() string { return string(k) + "/memory" }

func (k keys) memory(uid string) string { return k.memories() + "/" + Segment(uid) }

// Recall reads what is remembered of a task: no data and version -1 if there is
// nothing. Error: coordclient.ErrUnavailable.
func (s *Store) Recall(ctx context.Context, uid string) ([]byte, int64, error) {
	blob, err := s.blob(ctx, s.keys.memory(uid))
	if err != nil {
		return nil, 0, fmt.Errorf("memory of %s: %w", uid, err)
	}
	return blob.Data, blob.Version, nil
}

// Remember writes what is remembered of a task at the version that was read.
// Errors:
// coordclient.ErrConflict, ErrTooLarge, ErrUnavailable, ErrUnknownOutcome.
func (s *Store) Remember(ctx context.Context, uid string, data []byte, version int64) error {
	if len(data) > MaxMemory {
		return fmt.Errorf("memory of %s: %d bytes: %w", uid, len(data), coordclient.ErrTooLarge)
	}
	op := put(s.keys.memory(uid), bucket.Blob{Version: version, Data: data})
	if err := commitSteps(ctx, s.kv, []step{{op, stale(coordclient.ErrConflict)}}); err != nil {
		return fmt.Errorf("memory of %s: %w", uid, err)
	}
	return nil
}

// ForgetGone removes what is remembered of tasks that are not there any more.
// Error: coordclient.ErrUnavailable.
func (s *Store) ForgetGone(ctx context.Context) error {
	segments, err := s.kv.List(ctx, s.keys.memories())
	if err != nil || len(segments) == 0 {
		return err
	}
	there := map[string]bool{} // read after the list, so that a new task's memory is none of it
	buckets, err := s.Span(ctx)
	if err != nil {
		return err
	}
	for b := range buckets {
		infos, err := s.Definitions(ctx, b)
		if err != nil {
			return err
		}
		for i := range infos {
			there[infos[i].UID] = true
		}
	}
	for _, segment := range segments {
		uid, err := unescape(segment)
		if err != nil || there[uid] {
			continue
		}
		err = commitSteps(ctx, s.kv, []step{{
			coordclient.Delete(s.keys.memory(uid), coordclient.AnyVersion), means(nil, coordclient.ErrNotFound, errSkip),
		}})
		if err != nil {
			return fmt.Errorf("memory of %s: %w", uid, err)
		}
	}
	return nil
}
