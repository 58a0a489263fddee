package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// maxTorn bounds how often a snapshot is read again because the owner folded.
const maxTorn = 5

// Snapshot is a bucket as a reader who does not own it sees it.
type Snapshot struct {
	Bucket int
	Node   Node
	Loaded bucket.Loaded // without Definitions and Requests
	// Changed closes when the bucket's node may have changed: owner or edits, not
	// runs.
	Changed <-chan struct{}
}

// Snapshot reads page, log and page again until the owner did not fold in
// between. Errors: coordclient.ErrUnavailable, *CorruptError.
func (s *Store) Snapshot(ctx context.Context, b int) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) { return Snapshot{}, fmt.Errorf("bucket %d: %w", b, err) }
	snap := Snapshot{Bucket: b}
	var err error
	if snap.Node, _, snap.Changed, err = s.node(ctx, b); err != nil {
		return fail(err)
	}
	for range maxTorn {
		if snap.Loaded, err = s.state(ctx, b); err != nil {
			return fail(err)
		}
		e, _, err := s.kv.Get(ctx, s.keys.page(b))
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			e.Version = -1
		case err != nil:
			return fail(err)
		}
		if e.Version == snap.Loaded.Page.Version {
			return snap, nil
		}
	}
	return fail(fmt.Errorf("%w: its page moved %d times meanwhile", coordclient.ErrUnavailable, maxTorn))
}

// Snapshots reads all buckets. One that is corrupt is left out and reported.
// Error: coordclient.ErrUnavailable.
func (s *Store) Snapshots(ctx context.Context) ([]Snapshot, error) {
	buckets, err := s.buckets(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Snapshot, buckets)
	err = each(ctx, buckets, func(ctx context.Context, b int) error {
		var (
			err     error
			corrupt *CorruptError
		)
		all[b], err = s.Snapshot(ctx, b)
		if errors.As(err, &corrupt) {
			s.corrupt(corrupt)
			all[b] = Snapshot{Bucket: b}
			return nil
		}
		return err
	})
	return all, err
}
