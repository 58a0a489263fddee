package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/parallel"
)

// maxTorn bounds how often a snapshot is read again because the owner folded.
const maxTorn = 5

// Snapshot is a bucket as a reader who does not own it sees it.
type Snapshot struct {
	Bucket int
	Node   Node
	Loaded bucket.Loaded // without Requests; Definitions as the function says
	// Corrupt is why the node is not known; nil: it is.
	Corrupt *CorruptError
	// Changed closes when the bucket's node may have changed: owner or edits, not
	// runs.
	Changed <-chan struct{}
}

// Snapshot reads node, page, log and runs, without Definitions, as they were at one
// moment. Errors: coordclient.ErrUnavailable, *CorruptError.
func (s *Store) Snapshot(ctx context.Context, b int) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) { return Snapshot{}, fmt.Errorf("bucket %d: %w", b, err) }
	snap := Snapshot{Bucket: b}
	var err error
	if snap.Node, _, snap.Changed, err = s.node(ctx, b); err != nil {
		return fail(err)
	}
	for range maxTorn {
		var whole bool
		if snap.Loaded, whole, err = s.glance(ctx, b); err != nil {
			return fail(err)
		}
		if whole {
			return snap, nil
		}
	}
	return fail(fmt.Errorf("%w: it was folded %d times meanwhile", coordclient.ErrUnavailable, maxTorn))
}

// glance reads the state of a bucket that others write. Names of log entries come
// first and entries last: a fold in between replaces the page and deletes the oldest
// of them, which is then missing. Not whole: one is.
func (s *Store) glance(ctx context.Context, b int) (l bucket.Loaded, whole bool, err error) {
	segments, err := s.kv.List(ctx, s.keys.logs(b))
	if err != nil {
		return l, false, fmt.Errorf("list %s: %w", s.keys.logs(b), err)
	}
	if l.Page, err = s.blob(ctx, s.keys.page(b)); err != nil {
		return l, false, err
	}
	if l.Runs, err = s.blob(ctx, s.keys.runs(b)); err != nil {
		return l, false, err
	}
	log, gone, err := readThese(ctx, s, s.keys.logs(b), segments, decodeEntry)
	l.Log = inOrder(log)
	return l, !gone, err
}

// Snapshots reads buckets (nil: all) with their definitions, several at once,
// and calls f for each from several goroutines. One that is corrupt is reported
// and given without its node and state. Errors: coordclient.ErrUnavailable,
// the first of f's.
func (s *Store) Snapshots(ctx context.Context, buckets []int, f func(Snapshot) error) error {
	if buckets == nil {
		n, err := s.Span(ctx)
		if err != nil {
			return err
		}
		for b := range n {
			buckets = append(buckets, b)
		}
	}
	return parallel.Each(ctx, len(buckets), func(ctx context.Context, i int) error {
		snap, err := s.Snapshot(ctx, buckets[i])
		if corrupt, ok := errors.AsType[*CorruptError](err); ok {
			s.corrupt(corrupt)
			snap, err = Snapshot{Bucket: buckets[i], Corrupt: corrupt}, nil
		}
		if err != nil {
			return err
		}
		if snap.Loaded.Definitions, err = s.Called(ctx, snap); err != nil {
			return err
		}
		if snap.Loaded.Calendars, err = s.Consulted(ctx, snap.Loaded.Definitions); err != nil {
			return err
		}
		return f(snap)
	})
}
