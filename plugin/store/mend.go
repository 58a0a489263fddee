package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// LogMended is the code of an edit that filled gaps of a claim log.
const LogMended = "LOG_MENDED"

// MaxMend bounds the missing entries of one claim log that Mend fills.
const MaxMend = 500

// Gaps tells which entries of a bucket's claim log are missing: those between
// what the page holds and the last one that is there. The store never loses any
// (a batch is one commit, and only a fold deletes); one that has lost
// acknowledged writes does. Errors: coordclient.ErrUnavailable, *CorruptError,
// bucket.ErrCorrupt, ErrNewer.
func (s *Store) Gaps(ctx context.Context, b int) ([]int64, error) {
	snap, err := s.Snapshot(ctx, b)
	if err != nil {
		return nil, err
	}
	next := int64(1)
	if snap.Loaded.Page.Version >= 0 {
		page, err := bucket.DecodePage(snap.Loaded.Page.Data)
		if err != nil {
			return nil, fmt.Errorf("bucket %d: %w", b, err)
		}
		next = page.Folded + 1
	}
	log := slices.SortedFunc(slices.Values(snap.Loaded.Log), func(a, b bucket.Blob) int { return cmp.Compare(a.Seq, b.Seq) })
	var missing []int64
	for _, entry := range log {
		for ; next < entry.Seq; next++ {
			if len(missing) == MaxMend {
				return nil, fmt.Errorf("bucket %d: %w: more than %d entries of its claim log are missing", b, bucket.ErrGap, MaxMend)
			}
			missing = append(missing, next)
		}
		next = max(next, entry.Seq+1)
	}
	return missing, nil
}

// Mend puts empty entries where a claim log has lost some, so that the bucket
// can be owned again. What the lost ones decided stays unknown: a firing that
// only they knew of may happen again, or its end may not be recorded. It is an
// edit, with an entry in the audit. Errors: coordclient.ErrExists (an entry is
// there after all: the server that was read from does not agree with the
// others), ErrUnavailable, ErrUnknownOutcome.
func (s *Store) Mend(ctx context.Context, b int, missing []int64) error {
	id := s.newID()
	c := change{
		bucket: b, marks: []string{mendMark + id},
		entries: []Edit{{Code: LogMended, By: s.by, Reason: fmt.Sprintf("bucket %d had lost %d entries of its claim log", b, len(missing)), ID: id}},
		landed:  func(context.Context) error { return nil },
	}
	for _, seq := range missing {
		empty := bucket.Batch{Seq: seq, Node: s.by}
		c.ops = append(c.ops, coordclient.Create(s.keys.log(b, seq), empty.Encode()))
	}
	if err := s.edit(ctx, c); err != nil {
		return fmt.Errorf("mend the claim log of bucket %d: %w", b, err)
	}
	return nil
}
