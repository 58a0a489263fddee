package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Seat is the bucket whose owner decides for a task, as its definition says.
// Errors as of Cluster.
func (s *Store) Seat(ctx context.Context, info *task.Info) (int, error) {
	home, err := s.HomeOf(ctx, info.Key)
	return seatIn(info, home), err
}

// Find reads the task of a uid, or its tombstone, and the bucket that decides
// for it. Errors: coordclient.ErrNotFound, ErrUnavailable.
func (s *Store) Find(ctx context.Context, uid string) (task.Info, int, error) {
	home, ok := BucketOf(uid)
	n, err := s.buckets(ctx)
	if err != nil {
		return task.Info{}, 0, err
	}
	if ok && home < n {
		infos, err := s.Named(ctx, home)
		if err != nil {
			return task.Info{}, 0, err
		}
		for i := range infos {
			if infos[i].UID == uid {
				return infos[i], seatIn(&infos[i], home), nil
			}
		}
	}
	return task.Info{}, 0, fmt.Errorf("task %s: %w", uid, coordclient.ErrNotFound)
}

func seatIn(info *task.Info, home int) int {
	if info.Seat.Bucket > 0 {
		return info.Seat.Bucket
	}
	return home
}

// seatFor says where a task has to be: to is its bucket as Seat writes it.
func (s *Store) seatFor(ctx context.Context, info *task.Info) (to int, err error) {
	if info.Location == nil {
		return 0, nil
	}
	return s.reserve(ctx, info.Key, Place{Location: *info.Location})
}

// reseat sets where an edited task has to go.
func (s *Store) reseat(ctx context.Context, before, after *task.Info) error {
	after.Seat = before.Seat
	switch {
	case after.Deleted:
		after.Seat = after.Seat.Going(nil) // it is dealt with where it is
		return nil
	case before.Location.String() == after.Location.String():
		return nil
	}
	to, err := s.seatFor(ctx, after)
	if err == nil {
		after.Seat = after.Seat.Going(nil)
		if to != after.Seat.Bucket {
			after.Seat = after.Seat.Going(&to)
		}
	}
	return err
}

// Group puts a task among those that need the same of a member, in buckets of
// theirs: what a leader does with tasks whose bucket
// no member may own, because they need different ones. Errors as of Update.
func (o *Owner) Group(ctx context.Context, key task.Key, revision int64, group string) error {
	key = key.Normal()
	fail := func(err error) error { return fmt.Errorf("group task %s: %w", key, err) }
	home, err := o.HomeOf(ctx, key)
	if err != nil {
		return fail(err)
	}
	before, err := o.live(ctx, home, key)
	switch {
	case err != nil:
		return fail(err)
	case before.Revision != revision:
		return fail(coordclient.ErrConflict)
	}
	p := Place{Group: group}
	if before.Location != nil {
		p.Location = *before.Location
	}
	to, err := o.reserve(ctx, key, p)
	if err != nil {
		return fail(err)
	}
	after := before
	after.Seat, after.Revision = after.Seat.Going(&to), before.Revision+1
	after.Edit = &task.Edit{ID: o.newID(), By: after.Edit.By, Reason: after.Edit.Reason, At: after.Edit.At}
	if to == before.Seat.Bucket {
		return nil
	}
	if err := o.replace(ctx, home, before, after); err != nil {
		return fail(err)
	}
	return nil
}

// errTarget: the node of a bucket that a task goes to has moved.
var errTarget = errors.New("the bucket that it goes to moved")

// planGives hands tasks over: each definition names its new bucket and carries
// the task's state, and the new bucket's owner is told by an edit.
func (o *Owner) planGives(ctx context.Context, from int, all []bucket.Given) ([]step, error) {
	var steps []step
	told := make(map[int]Node)
	versions := make(map[int]int64)
	for _, given := range all {
		info := given.Info
		home, err := o.HomeOf(ctx, info.Key)
		if err != nil {
			return nil, err
		}
		info.Seat = task.Seat{Bucket: *info.Seat.To()}.Carrying(given.Parcel)
		set, err := o.planSeat(home, given.Info.Revision, info)
		if err != nil {
			return nil, err
		}
		to := seatIn(&info, home)
		if _, ok := told[to]; !ok {
			n, e, err := o.nodeOnce(ctx, to)
			if err != nil {
				return nil, err
			}
			told[to], versions[to] = n, e.Version
		}
		told[to] = told[to].edited(taskSegment(info.Key))
		steps = append(append(steps, set), o.planPlaced(from, to, home, info.Key)...)
	}
	for to, n := range told {
		value, err := n.encode()
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{
			coordclient.Set(o.keys.bucket(to), value, versions[to]), means(nil, coordclient.ErrConflict, errTarget),
		})
	}
	return steps, nil
}

// planPlaced moves a task's entry among those of buckets that are not its home.
func (s *Store) planPlaced(from, to, home int, key task.Key) []step {
	var steps []step
	if from != home {
		steps = append(steps, step{
			coordclient.Delete(s.placedKey(from, key), coordclient.AnyVersion), means(nil, coordclient.ErrNotFound, errSkip),
		})
	}
	if to != home {
		steps = append(steps, step{coordclient.Create(s.placedKey(to, key), nil), means(nil, coordclient.ErrExists, errSkip)})
	}
	return steps
}

// planAdopt notes that a task's state has arrived.
func (o *Owner) planAdopt(ctx context.Context, info task.Info) (step, error) {
	home, err := o.HomeOf(ctx, info.Key)
	if err != nil {
		return step{}, err
	}
	info.Seat = info.Seat.Carrying(nil)
	return o.planSeat(home, info.Revision, info)
}

// planSeat writes the definition of a task that moves. It is no edit: the edit id
// stays.
func (o *Owner) planSeat(home int, revision int64, info task.Info) (step, error) {
	value, err := encodeDefinition(info)
	return step{
		coordclient.Set(o.keys.task(home, info.Key), value, revision-1),
		means(means(nil, coordclient.ErrNotFound, bucket.ErrMoved), coordclient.ErrConflict, bucket.ErrMoved),
	}, err
}
