package engine

import (
	"context"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// refresh watches the bucket's node again and reads what was edited.
func (o *owner) refresh() {
	fence, seq := o.fence, o.state.Seq()+1
	o.begin(func(ctx context.Context) func() {
		var (
			watch, calendars <-chan struct{}
			now              bucket.Fence
			changes          bucket.Changes
		)
		err := persist(ctx, func() (err error) {
			if watch, err = o.e.o.Watcher.Watch(ctx, fence.Bucket); err == nil && fence.Calendars > 0 {
				calendars, err = o.e.o.Watcher.WatchCalendars(ctx)
			}
			if err == nil {
				now, changes, err = o.e.o.Log.Refresh(ctx, fence, seq)
			}
			return err
		})
		return func() {
			if err != nil {
				o.lose(err)
				return
			}
			o.stale, o.watch, o.calendars = false, watch, calendars
			o.resyncAt = time.Now().Add(jittered(o.e.o.Resync))
			o.edited(now, changes)
		}
	})
}

// edited takes in the fence at which the bucket's node is, and what was edited
// since the last.
func (o *owner) edited(f bucket.Fence, c bucket.Changes) {
	o.fence = f
	o.state.Edit(c)
	if f.Calendars > 0 && o.calendars == nil {
		o.stale = true // to watch them
	}
}

func (o *owner) foldDue(now time.Time) bool {
	return o.unfolded >= foldBatches || o.unfolded > 0 && !now.Before(o.foldAt)
}

// fold replaces the page by one that holds all of the log, and deletes the log.
// False: it cannot be done now.
func (o *owner) fold() bool {
	page, runs, err := o.state.Fold(time.Since(o.acquired))
	if err != nil {
		o.log.Error("claim log cannot be folded", "error", err)
		o.foldAt, o.unfolded = time.Now().Add(foldAfter), 0
		return false
	}
	if o.e.planted.page != nil {
		page = o.e.planted.page(page)
	}
	seq := o.state.Seq()
	fold := &bucket.Fold{
		Page: bucket.Blob{Version: o.pageVersion, Data: page},
		Runs: bucket.Blob{Version: o.runsVersion, Data: runs},
		From: o.sweep, To: min(seq, o.sweep+foldDeletes-1),
	}
	fence := o.fence
	o.begin(func(ctx context.Context) func() {
		err := persist(ctx, func() error { return o.e.o.Log.Commit(ctx, fence, bucket.Write{Fold: fold}) })
		return func() { o.foldAnswered(fold, seq, err) }
	})
	return true
}

func (o *owner) foldAnswered(fold *bucket.Fold, seq int64, err error) {
	switch {
	case errors.Is(err, bucket.ErrMoved):
		o.stale = true // an edit: take the new fence, and fold again
	case err != nil:
		o.lose(err)
	default:
		o.pageVersion, o.runsVersion = o.pageVersion+1, o.runsVersion+1
		o.sweep, o.unfolded = fold.To+1, 0
		o.state.FoldedTo(seq)
		o.e.o.Metrics.Folds.Add(1)
	}
}
