package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrDeleting says that a tombstone of the name is still there: the bucket's
// owner has not dealt with it, since it settles what is open first.
var ErrDeleting = errors.New("a task of this name is being deleted")

// newUID makes the uid of a new task: the number of its home bucket, a hyphen,
// and an id. So whoever has a fire id finds the task by reading one bucket.
func newUID(b int, id string) string { return strconv.Itoa(b) + "-" + id }

// BucketOf is the home bucket of a task, told from its uid. False: no task of
// this store has such a uid.
func BucketOf(uid string) (int, bool) {
	number, id, ok := strings.Cut(uid, "-")
	b, err := strconv.Atoi(number)
	return b, ok && id != "" && err == nil && b >= 0 && b < MaxBuckets
}

// maxRefetch bounds how often an edit that names no revision reads the
// definition again because it moved.
const maxRefetch = 20

// Create stores a new task, with a new uid, and never overwrites. The revision,
// edit id and From of info are ignored. Errors: *calendar.MissingError, coordclient.ErrExists (with
// ErrDeleting if only a tombstone is there), ErrTooLarge, ErrUnavailable,
// ErrUnknownOutcome.
func (s *Store) Create(ctx context.Context, info task.Info) (task.Info, error) {
	return s.createTask(ctx, info, nil)
}

// createTask is Create; a receipt is committed with it.
func (s *Store) createTask(ctx context.Context, info task.Info, r *Receipt) (task.Info, error) {
	info.Key = info.Normal()
	fail := func(err error) (task.Info, error) {
		return task.Info{}, fmt.Errorf("create task %s: %w", info.Key, err)
	}
	to, err := s.seatFor(ctx, &info)
	if err != nil {
		return fail(err)
	}
	n, err := s.newborn(ctx, info, to)
	if err != nil {
		return fail(err)
	}
	if r != nil {
		r.Task, r.UID = n.info.Key, n.info.UID
	}
	receipt, err := s.receiptOp(r)
	if err != nil {
		return fail(err)
	}
	err = s.receipted(r, s.bear(ctx, receipt, n))
	if errors.Is(err, coordclient.ErrExists) {
		if there, readErr := s.definition(ctx, n.home, n.info.Key); readErr == nil && there.Deleted {
			return fail(fmt.Errorf("%w: %w", coordclient.ErrExists, ErrDeleting))
		}
	}
	if err != nil {
		return fail(err)
	}
	return s.written(ctx, n.home, n.info)
}

// newborn is a task that is about to be created, in a bucket.
type newborn struct {
	info   task.Info
	home   int
	bucket int // that decides for it
	ops    []coordclient.Op
	size   int // of its definition, in bytes
}

// newborn makes a new task of info, for the bucket that Seat writes as to.
func (s *Store) newborn(ctx context.Context, info task.Info, to int) (newborn, error) {
	info.Key = info.Normal()
	b, err := s.HomeOf(ctx, info.Key)
	if err != nil {
		return newborn{}, err
	}
	info.UID, info.Edit = newUID(b, s.newID()), &task.Edit{ID: s.newID(), By: s.by, Reason: s.why}
	info.Revision = 1
	info.From, info.PausedAt = time.Time{}, time.Time{}
	info.Deleted, info.DeletedAt = false, time.Time{}
	info.Seat = task.Seat{Bucket: to}
	value, err := encodeDefinition(info)
	if err != nil {
		return newborn{}, err
	}
	n := newborn{info: info, home: b, bucket: seatIn(&info, b), size: len(value)}
	n.ops = append(n.ops, coordclient.Create(s.keys.task(b, info.Key), value))
	if to > 0 {
		n.ops = append(n.ops, coordclient.Create(s.placedKey(to, info.Key), nil))
	}
	return n, nil
}

// bear creates tasks of one bucket, at most MaxEdited, in one commit with other
// operations.
func (s *Store) bear(ctx context.Context, beside []coordclient.Op, all ...newborn) error {
	c := change{bucket: all[0].bucket, creates: len(all)}
	var named []*task.Windows
	for i := range all {
		n := &all[i]
		c.marks, c.entries = append(c.marks, taskSegment(n.info.Key)), append(c.entries, s.entry(nil, &n.info))
		c.ops, named = append(c.ops, n.ops...), append(named, n.info.Windows)
	}
	c.landed = func(ctx context.Context) error {
		var err error
		for i := range all { // one tells it of all, unless it was edited since
			err = s.landed(all[i].home, all[i].info, -1)(ctx)
			if !errors.Is(err, coordclient.ErrUnknownOutcome) {
				break
			}
		}
		return err
	}
	ops := append(c.ops, beside...)
	return s.naming(ctx, named, func(check []coordclient.Op) error {
		c.ops = append(ops[:len(ops):len(ops)], check...)
		return s.edit(ctx, c)
	})
}

// Update edits a task by change, which is given a copy. A revision of zero
// means the latest: then change is called again when somebody else was faster.
// The key, uid, revision, From and what belongs to a tombstone are not
// change's to set. A new trigger, or a resumption, makes From the time of this
// commit. A change that changes nothing commits nothing. Errors: those of
// change as they are, *calendar.MissingError, coordclient.ErrNotFound, ErrConflict, ErrTooLarge,
// ErrUnavailable, ErrUnknownOutcome, *CorruptError.
func (s *Store) Update(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (task.Info, error) {
	return s.update(ctx, "change", key, revision, change)
}

// Delete makes the definition a tombstone, which the bucket's owner removes.
// Errors as of Update.
func (s *Store) Delete(ctx context.Context, key task.Key, revision int64) error {
	_, err := s.update(ctx, "delete", key, revision, nil)
	return err
}

// update is Update; a nil change deletes.
func (s *Store) update(ctx context.Context, verb string, key task.Key, revision int64, change func(*task.Info) error) (task.Info, error) {
	key = key.Normal()
	fail := func(err error) (task.Info, error) {
		return task.Info{}, fmt.Errorf("%s task %s: %w", verb, key, err)
	}
	b, err := s.HomeOf(ctx, key)
	if err != nil {
		return fail(err)
	}
	for try := 0; ; try++ {
		before, err := s.live(ctx, b, key)
		switch {
		case err != nil:
			return fail(err)
		case revision != 0 && before.Revision != revision:
			return fail(fmt.Errorf("%w (it is at revision %d, not %d)", coordclient.ErrConflict, before.Revision, revision))
		}
		after, err := edited(before, change)
		if err != nil {
			return fail(err)
		}
		if err := s.reseat(ctx, &before, &after); err != nil {
			return fail(err)
		}
		if change != nil && same(before, after) {
			return before, nil
		}
		after.Edit = &task.Edit{ID: s.newID(), By: s.by, Reason: s.why}
		after.Revision = before.Revision + 1
		err = s.replace(ctx, b, before, after)
		if errors.Is(err, coordclient.ErrConflict) && revision == 0 && try < maxRefetch {
			continue
		}
		if err != nil {
			return fail(err)
		}
		return s.written(ctx, b, after)
	}
}

// edited applies a change and the rules on what it may touch.
func edited(before task.Info, change func(*task.Info) error) (task.Info, error) {
	after := before
	after.Alerts, after.Do, after.Windows = slices.Clone(before.Alerts), before.Do.Clone(), before.Windows.Clone()
	if change == nil {
		after.Deleted, after.DeletedAt = true, time.Time{}
		return after, nil
	}
	if err := change(&after); err != nil {
		return task.Info{}, err
	}
	after.Key, after.UID, after.Revision, after.Edit = before.Key, before.UID, before.Revision, before.Edit
	after.Deleted, after.DeletedAt = false, time.Time{}
	after.From = before.From
	if !same(before.Trigger, after.Trigger) || before.Paused && !after.Paused {
		after.From = time.Time{}
	}
	switch {
	case !after.Paused:
		after.PausedAt, after.PauseUntil, after.PauseReason = time.Time{}, nil, ""
	case before.Paused:
		after.PausedAt = before.PausedAt
	default:
		after.PausedAt = time.Time{}
	}
	return after, nil
}

// same compares what would be stored.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (s *Store) replace(ctx context.Context, b int, before, after task.Info) error {
	value, err := encodeDefinition(after)
	if err != nil {
		return err
	}
	ops := []coordclient.Op{coordclient.Set(s.keys.task(b, after.Key), value, before.Revision-1)}
	if !after.Deleted {
		past, err := s.keep(ctx, b, before)
		if err != nil {
			return err
		}
		ops = append(ops, past)
	}
	named := after.Windows
	if after.Deleted || same(before.Windows, named) {
		named = nil // one whose calendar is missing may still be paused
	}
	return s.naming(ctx, []*task.Windows{named}, func(check []coordclient.Op) error {
		return s.edit(ctx, change{
			bucket:  seatIn(&before, b),
			marks:   []string{taskSegment(after.Key)},
			ops:     slices.Concat(ops, check),
			landed:  s.landed(b, after, before.Revision-1),
			entries: []Edit{s.entry(&before, &after)},
		})
	})
}

// landed tells by the edit id whether a commit at a version (-1: a creation),
// whose answer was lost, is there.
func (s *Store) landed(b int, info task.Info, version int64) func(context.Context) error {
	return func(ctx context.Context) error {
		there, err := s.definition(ctx, b, info.Key)
		switch {
		case err == nil && there.Edit.ID == info.Edit.ID:
			return nil
		case err == nil && there.UID == info.UID && version >= 0 && there.Revision == version+2:
			return coordclient.ErrConflict // another edit has the one place where it could be
		case err == nil && there.UID == info.UID && version < 0:
			return nil // and edited since
		case err == nil && there.UID != info.UID && version < 0 && there.Revision == 1:
			return coordclient.ErrExists
		case errors.Is(err, coordclient.ErrNotFound) && info.Deleted:
			return nil
		}
		return fmt.Errorf("%w: later edits cover it", coordclient.ErrUnknownOutcome)
	}
}

// written reads back what a commit has made, for the times that it set. A
// definition that is gone or has been edited since is given as it was written.
func (s *Store) written(ctx context.Context, b int, info task.Info) (task.Info, error) {
	there, err := s.definition(ctx, b, info.Key)
	if err != nil || there.Edit.ID != info.Edit.ID {
		return info, nil //nolint:nilerr // it was committed, which is what was asked
	}
	return there, nil
}
