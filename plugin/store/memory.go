package store

import (
	"context"
	"fmt"
	"path"

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
	var kept []string // keys that end in the uid of a task
	for _, prefix := range []string{s.keys.memories(), s.keys.fills()} {
		segments, err := s.kv.List(ctx, prefix)
		if err != nil {
			return err
		}
		for _, segment := range segments {
			kept = append(kept, prefix+"/"+segment)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	there := map[string]bool{} // read after the lists, so that nothing of a new task is in them
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
	for _, key := range kept {
		uid, err := unescape(path.Base(key))
		if err != nil || there[uid] {
			continue
		}
		err = commitSteps(ctx, s.kv, []step{{
			coordclient.Delete(key, coordclient.AnyVersion), means(nil, coordclient.ErrNotFound, errSkip),
		}})
		if err != nil {
			return fmt.Errorf("memory of %s: %w", uid, err)
		}
	}
	return nil
}
