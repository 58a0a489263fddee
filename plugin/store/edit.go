package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Bounds of trying again.
const (
	// maxMoves bounds how often one edit may find its bucket's node moved.
	maxMoves = 200
	// maxDoubts bounds how often a commit without an answer is committed again.
	maxDoubts = 8
	maxWait   = 50 * time.Millisecond
)

// change is an edit of one bucket.
type change struct {
	bucket int
	marks  []string // one for each edit that it is, at most MaxEdited
	ops    []coordclient.Op
	// landed is asked when an answer was lost and the first mark is among the edits
	// since: nil if it is this change's, else the error for the caller.
	landed func(ctx context.Context) error
	// entries are for the audit; none: it is no administrator's edit.
	entries []Edit
	creates int // how many tasks it adds to the bucket
}

// edit commits a change with its marks on the bucket's node. Errors: what ops
// failed with, ErrUnavailable, ErrUnknownOutcome.
func (s *Store) edit(ctx context.Context, c change) error {
	var d doubt
	for try := range maxMoves {
		n, version, err := s.unheld(ctx, c.bucket)
		if err != nil {
			return d.word(err)
		}
		if settled, err := d.settle(ctx, c, n, version); settled {
			return err
		}
		if err := s.room(ctx, c, n); err != nil {
			return d.word(err)
		}
		value, err := n.edited(c.marks...).encode()
		if err != nil {
			return err
		}
		ops := append(c.ops[:len(c.ops):len(c.ops)], coordclient.Set(s.keys.bucket(c.bucket), value, version))
		if len(c.entries) > 0 {
			audit, err := s.note(ctx, strconv.Itoa(c.bucket), c.entries...)
			if err != nil {
				return d.word(err)
			}
			ops = append(ops, audit)
		}
		err = s.kv.Commit(ctx, ops...)
		var failed *coordclient.CommitError
		switch {
		case err == nil:
			return nil
		case errors.Is(err, coordclient.ErrUnknownOutcome):
			d = doubt{count: d.count + 1, node: n, version: version}
			if d.count > maxDoubts {
				return err
			}
		case !errors.As(err, &failed):
			return d.word(err)
		case failed.Index == len(c.ops) && !errors.Is(err, coordclient.ErrConflict):
			return d.word(err)
		case failed.Index < len(c.ops):
			if d.count == 0 {
				return err
			}
			d.refused = err
		}
		if err := s.again(ctx, c.bucket, try, d); err != nil {
			return d.word(err)
		}
	}
	return d.word(fmt.Errorf("bucket %d: %w: it moved %d times meanwhile", c.bucket, coordclient.ErrUnavailable, maxMoves))
}

// room refuses tasks that would be too many for their bucket. Each creation is an
// edit, so that a bucket of few edits need not be counted. Error:
// coordclient.ErrTooLarge.
func (s *Store) room(ctx context.Context, c change, n Node) error {
	if c.creates == 0 || n.Edit+int64(c.creates) <= int64(s.most) {
		return nil
	}
	buckets, err := s.buckets(ctx)
	if err != nil {
		return err
	}
	list := s.keys.tasks(c.bucket)
	if c.bucket >= buckets {
		list = s.keys.placed(c.bucket)
	}
	there, err := s.kv.List(ctx, list)
	if err == nil && len(there)+c.creates > s.most {
		err = fmt.Errorf("bucket %d has %d tasks: %w (the limit is %d)", c.bucket, len(there), coordclient.ErrTooLarge, s.most)
	}
	return err
}

// again waits before the next try; in doubt it makes sure that what is read
// next is new.
func (s *Store) again(ctx context.Context, b, try int, d doubt) error {
	if err := backoff(ctx, try); err != nil {
		return err
	}
	if d.count == 0 {
		return nil
	}
	return s.kv.Sync(ctx, s.keys.bucket(b))
}

// doubt is a commit whose answer was lost. It was bound to a version of the
// bucket's node: once the node has moved it either left its marks or never will.
type doubt struct {
	count   int
	node    Node
	version int64
	refused error // what a later copy failed with
}

// settle decides a doubt from the node as it is now. Not settled: commit again.
func (d *doubt) settle(ctx context.Context, c change, now Node, version int64) (bool, error) {
	switch {
	case d.count == 0:
		return false, nil
	case version == d.version:
		return d.refused != nil, d.refused
	case now.marked(c.marks[0], d.node.Edit):
		return true, c.landed(ctx)
	case d.refused != nil:
		return true, d.refused
	}
	*d = doubt{}
	return false, nil
}

// word makes sure that nobody takes err for "nothing happened" while there is
// doubt.
func (d *doubt) word(err error) error {
	switch {
	case d.count > 0:
		return fmt.Errorf("%w: %v", coordclient.ErrUnknownOutcome, err) //nolint:errorlint // the cause must not speak for the commit
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	return err
}

// backoff waits before try n+1: not at all at first, then up to maxWait, spread
// so that those who collided part.
func backoff(ctx context.Context, n int) error {
	if n < 2 {
		return ctx.Err()
	}
	limit := min(time.Millisecond<<min(n, 10), maxWait)
	return pause(ctx, rand.N(limit)+1) //nolint:gosec // spreading, no secret
}

// unheld reads a bucket's node, and waits out its owner's hold.
func (s *Store) unheld(ctx context.Context, b int) (Node, int64, error) {
	seen := int64(-1)
	var over <-chan time.Time
	for {
		n, e, changed, err := s.node(ctx, b)
		if err != nil {
			return Node{}, 0, err
		}
		if n.HoldMS == 0 {
			return n, e.Version, nil
		}
		if e.Version != seen {
			seen = e.Version
			over = time.After(min(time.Duration(n.HoldMS)*time.Millisecond, HoldTime))
		}
		select {
		case <-changed:
		case <-over:
			return n, e.Version, nil
		case <-ctx.Done():
			return Node{}, 0, context.Cause(ctx)
		}
	}
}
