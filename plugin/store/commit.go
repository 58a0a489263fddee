package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Commit writes, fenced by f and by the membership, and by the calendars if f says
// so. Messages that are in the
// outbox already, folded log entries and tombstones that are gone already are
// left alone. A fold whose answer was lost, committed again, is recognised by
// its page. Errors: bucket.ErrFenced, ErrMoved, ErrSeqTaken, *NoRequestError,
// ErrUnavailable, ErrUnknownOutcome; coordclient.ErrTooLarge.
func (o *Owner) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	err := o.write(ctx, f, w)
	switch {
	case err == nil:
		o.count(f.Bucket, true)
		if len(w.Messages) > 0 {
			o.wake.ring()
		}
		return nil
	case errors.Is(err, bucket.ErrMoved):
		o.count(f.Bucket, false)
	}
	return fmt.Errorf("commit to bucket %d: %w", f.Bucket, err)
}

// write plans and commits, again when a bucket that a task goes to has moved.
func (o *Owner) write(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	for try := range maxMoves {
		plan, err := o.plan(ctx, f, w)
		if err == nil {
			err = o.commit(ctx, f, w, plan)
		}
		if !errors.Is(err, errTarget) {
			return portError(err)
		}
		if err := backoff(ctx, try); err != nil {
			return portError(err)
		}
	}
	return fmt.Errorf("%w: %w %d times", bucket.ErrUnavailable, errTarget, maxMoves)
}

// step is an operation of a commit, and what its failure means.
type step struct {
	op    coordclient.Op
	fails func(err error) error
}

// errSkip: the step's work is done already; commit the others.
var errSkip = errors.New("done already")

// errPage: the page is not at the version that the fold was made from.
var errPage = errors.New("the page moved")

func (o *Owner) plan(ctx context.Context, f bucket.Fence, w bucket.Write) ([]step, error) {
	steps := []step{
		{coordclient.CheckMember(o.me), means(nil, coordclient.ErrNotMember, bucket.ErrFenced)},
		{
			coordclient.Check(o.keys.bucket(f.Bucket), f.Version),
			means(means(nil, coordclient.ErrNotFound, bucket.ErrFenced), coordclient.ErrConflict, bucket.ErrMoved),
		},
	}
	if f.Calendars > 0 {
		steps = append(steps, step{
			coordclient.Check(o.keys.calendars(), f.Calendars-1),
			means(means(nil, coordclient.ErrNotFound, bucket.ErrMoved), coordclient.ErrConflict, bucket.ErrMoved),
		})
	}
	if w.Batch != nil {
		steps = append(steps, step{
			coordclient.Create(o.keys.log(f.Bucket, w.Seq), w.Batch),
			means(nil, coordclient.ErrExists, bucket.ErrSeqTaken),
		})
	}
	if w.Fold != nil {
		steps = append(steps, o.planFold(f.Bucket, w.Fold)...)
	}
	for _, id := range w.Take {
		steps = append(steps, step{
			coordclient.Delete(o.keys.request(f.Bucket, id), coordclient.AnyVersion),
			means(nil, coordclient.ErrNotFound, &NoRequestError{ID: id}),
		})
	}
	for _, info := range w.Drop {
		drop, err := o.planDrop(ctx, f.Bucket, info)
		if err != nil {
			return nil, err
		}
		steps = append(steps, drop...)
	}
	gives, err := o.planGives(ctx, f.Bucket, w.Give)
	if err != nil {
		return nil, err
	}
	steps = append(steps, gives...)
	for _, info := range w.Adopt {
		adopt, err := o.planAdopt(ctx, info)
		if err != nil {
			return nil, err
		}
		steps = append(steps, adopt)
	}
	messages, err := o.planMessages(f.Bucket, w.Messages)
	return append(steps, messages...), err
}

// planDrop removes a tombstone.
func (o *Owner) planDrop(ctx context.Context, b int, info task.Info) ([]step, error) {
	home, err := o.HomeOf(ctx, info.Key)
	if err != nil {
		return nil, err
	}
	steps := []step{{
		coordclient.Delete(o.keys.task(home, info.Key), info.Revision-1),
		means(means(nil, coordclient.ErrNotFound, errSkip), coordclient.ErrConflict, bucket.ErrMoved),
	}}
	if info.Revision > firstKept {
		steps = append(steps, step{
			coordclient.Delete(o.keys.history(home, info.Key), coordclient.AnyVersion),
			means(nil, coordclient.ErrNotFound, errSkip),
		})
	}
	return append(steps, o.planPlaced(b, home, home, info.Key)...), nil
}

func (s *Store) planFold(b int, fold *bucket.Fold) []step {
	moved := stale(errPage)
	steps := []step{{put(s.keys.page(b), fold.Page), moved}}
	if fold.Runs.Data != nil {
		steps = append(steps, step{put(s.keys.runs(b), fold.Runs), moved})
	}
	for seq := fold.From; seq <= fold.To; seq++ {
		steps = append(steps, step{
			coordclient.Delete(s.keys.log(b, seq), coordclient.AnyVersion),
			means(nil, coordclient.ErrNotFound, errSkip),
		})
	}
	return steps
}

func (s *Store) planMessages(b int, messages []task.Message) ([]step, error) {
	steps := make([]step, 0, len(messages))
	for _, m := range messages {
		value, err := encodeMessage(m)
		if err != nil {
			return nil, fmt.Errorf("message %s: %w", m.ID, err)
		}
		steps = append(steps, step{
			coordclient.Create(s.keys.message(b, m.ID), value),
			means(nil, coordclient.ErrExists, errSkip),
		})
	}
	return steps, nil
}

// put creates or sets a blob, as its version says.
func put(key string, b bucket.Blob) coordclient.Op {
	if b.Version < 0 {
		return coordclient.Create(key, b.Data)
	}
	return coordclient.Set(key, b.Data, b.Version)
}

// means translates one failure of a step, and leaves others to next.
func means(next func(error) error, failure, meaning error) func(error) error {
	return func(err error) error {
		switch {
		case errors.Is(err, failure):
			return meaning
		case next != nil:
			return next(err)
		}
		return err
	}
}

// stale is the meaning of a put whose key is not at the version that was read.
func stale(meaning error) func(error) error {
	return means(means(means(nil, coordclient.ErrConflict, meaning), coordclient.ErrNotFound, meaning), coordclient.ErrExists, meaning)
}

// commit commits the steps, without those whose work turns out to be done.
func (o *Owner) commit(ctx context.Context, f bucket.Fence, w bucket.Write, steps []step) error {
	err := commitSteps(ctx, o.kv, steps)
	if !errors.Is(err, errPage) {
		return err
	}
	page, readErr := o.blob(ctx, o.keys.page(f.Bucket))
	if readErr != nil {
		return portError(readErr)
	}
	if page.Version == w.Fold.Page.Version+1 && bytes.Equal(page.Data, w.Fold.Page.Data) {
		return nil // an earlier copy of this fold landed
	}
	return fmt.Errorf("%w: it is at version %d, not %d", errPage, page.Version, w.Fold.Page.Version)
}

func commitSteps(ctx context.Context, kv coordclient.KV, steps []step) error {
	for {
		ops := make([]coordclient.Op, len(steps))
		for i, s := range steps {
			ops[i] = s.op
		}
		err := kv.Commit(ctx, ops...)
		if err == nil {
			return nil
		}
		var failed *coordclient.CommitError
		if !errors.As(err, &failed) || failed.Index < 0 || failed.Index >= len(steps) {
			return portError(err)
		}
		meaning := steps[failed.Index].fails(failed.Err)
		if !errors.Is(meaning, errSkip) {
			return portError(meaning)
		}
		steps = slices.Delete(slices.Clone(steps), failed.Index, failed.Index+1)
	}
}
