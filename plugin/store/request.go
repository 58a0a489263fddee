package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Ask puts a request before the owner of a task's bucket. The store gives it an
// id, the task's uid and the time. Errors: coordclient.ErrNotFound (no such
// task), ErrTooLarge, ErrUnavailable, ErrUnknownOutcome.
func (s *Store) Ask(ctx context.Context, r task.Request) (task.Request, error) {
	r.ID = s.newID()
	return s.request(ctx, r, nil)
}

// request is Ask for a request that has its id, and perhaps the uid that the task
// must have; a receipt and other operations are committed with it.
func (s *Store) request(ctx context.Context, r task.Request, receipt *Receipt, beside ...coordclient.Op) (task.Request, error) {
	r.Task = r.Task.Normal()
	fail := func(err error) (task.Request, error) {
		return task.Request{}, fmt.Errorf("request %s of task %s: %w", r.Kind, r.Task, err)
	}
	home, err := s.HomeOf(ctx, r.Task)
	if err != nil {
		return fail(err)
	}
	uid := r.UID
	for try := 0; ; try++ {
		info, err := s.live(ctx, home, r.Task)
		if err != nil {
			return fail(err)
		}
		if uid != "" && uid != info.UID {
			return fail(fmt.Errorf("%w: it was made anew", coordclient.ErrNotFound))
		}
		r.UID = info.UID
		if receipt != nil {
			receipt.Task, receipt.UID, receipt.FireID = r.Task, r.UID, task.ManualID(r.UID, r.ID)
		}
		err = s.ask(ctx, home, seatIn(&info, home), r, info.Revision-1, receipt, beside)
		var failed *coordclient.CommitError
		if errors.As(err, &failed) && failed.Op.Kind == coordclient.OpCheck && errors.Is(err, coordclient.ErrConflict) && try < maxRefetch {
			continue
		}
		if err != nil {
			return fail(err)
		}
		return r, nil
	}
}

func (s *Store) ask(ctx context.Context, home, b int, r task.Request, version int64, receipt *Receipt, beside []coordclient.Op) error {
	value, err := encode(requestRecord{Format, r}, MaxRequest)
	if err != nil {
		return err
	}
	proof, err := s.receiptOp(receipt)
	if err != nil {
		return err
	}
	code := RunRequested
	if r.Kind == task.RequestCancel {
		code = CancelRequested
	}
	return s.receipted(receipt, s.edit(ctx, change{
		bucket: b,
		marks:  []string{requestMark + Segment(r.ID)},
		ops: append(append(proof, beside...),
			coordclient.Create(s.keys.request(b, r.ID), value),
			coordclient.Check(s.keys.task(home, r.Task), version),
		),
		landed:  func(context.Context) error { return nil }, // the mark is this request's alone
		entries: []Edit{{Code: code, By: s.by, Task: r.Task, Reason: cut(r.Reason), ID: r.ID}},
	}))
}

// Requests reads those of one bucket. Errors as of List.
func (s *Store) Requests(ctx context.Context, b int) ([]task.Request, error) {
	return read(ctx, s, s.keys.requests(b), func(_ string, e coordclient.Entry) (task.Request, error) {
		return decodeRequest(e.Value, e.Modified)
	})
}

// AllRequests reads those of every bucket. Errors as of List.
func (s *Store) AllRequests(ctx context.Context) ([]task.Request, error) {
	buckets, err := s.Span(ctx)
	if err != nil {
		return nil, err
	}
	byBucket := make([][]task.Request, buckets)
	err = parallel.Each(ctx, buckets, func(ctx context.Context, b int) (err error) {
		byBucket[b], err = s.Requests(ctx, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	return slices.Concat(byBucket...), nil
}
