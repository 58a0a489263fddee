package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// Evict owns a bucket that no member may serve for as long as it takes to hand
// over the tasks that are to leave it. Nothing of it is run, and nothing is
// decided about its other tasks. Errors as of Acquire and Release.
func (e *Engine) Evict(ctx context.Context, b int) error {
	if err := e.reserve(b); err != nil {
		return fmt.Errorf("evict from bucket %d: %w", b, err)
	}
	defer func() {
		e.mu.Lock()
		delete(e.owners, b)
		e.mu.Unlock()
	}()
	if err := e.evict(ctx, b); err != nil {
		return fmt.Errorf("evict from bucket %d: %w", b, err)
	}
	return nil
}

func (e *Engine) evict(ctx context.Context, b int) error {
	var fence bucket.Fence
	err := persist(ctx, func() (err error) {
		fence, err = e.o.Log.Acquire(ctx, b)
		return err
	})
	if err != nil {
		return err
	}
	err = e.handOver(ctx, fence)
	if errors.Is(err, bucket.ErrFenced) {
		return err
	}
	return errors.Join(err, persist(ctx, func() error {
		err := e.o.Log.Release(ctx, fence)
		if errors.Is(err, bucket.ErrMoved) {
			// An edit: take the new fence.
			now, _, refreshErr := e.o.Log.Refresh(ctx, fence, 0)
			if refreshErr != nil {
				return refreshErr
			}
			fence = now
			return bucket.ErrUnavailable
		}
		return err
	}))
}

// handOver commits what is decided about tasks that leave. An edit meanwhile
// ends it: whoever asked for the eviction looks again.
func (e *Engine) handOver(ctx context.Context, fence bucket.Fence) error {
	var loaded bucket.Loaded
	err := persist(ctx, func() (err error) {
		loaded, err = e.o.Log.Load(ctx, fence)
		return err
	})
	if err != nil {
		return err
	}
	state, err := e.planted.replay(loaded, e.o.Compile, e.o.Rules)
	if err != nil {
		return err
	}
	state.Inherit(e.o.Now(), e.o.window(), false)
	for op := int64(1); ; op++ {
		now := e.o.Now()
		batch := bucket.Batch{Epoch: fence.Epoch, Seq: state.Seq() + 1, Op: op, Time: now.UnixMilli(), Node: e.o.Node}
		write := bucket.Write{Seq: batch.Seq}
		for _, d := range state.Evict(now, batchMoves) {
			if d.Kind == bucket.Give {
				write.Give = append(write.Give, bucket.Given{Info: *d.Info, Parcel: d.Parcel})
			}
			if d.Take != "" {
				write.Take = append(write.Take, d.Take)
			}
			batch.Records = append(batch.Records, d.Record)
		}
		if len(batch.Records) == 0 {
			return nil
		}
		write.Batch = batch.Encode()
		err := persist(ctx, func() error { return e.o.Log.Commit(ctx, fence, write) })
		if err != nil {
			return err
		}
		state.Apply(&batch, write.Take)
	}
}
