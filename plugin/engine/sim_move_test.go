package engine_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// locations is how many locations tasks are moved between, beside none.
const locations = 2

func location(n int) *task.Location {
	if n == 0 {
		return nil
	}
	return &task.Location{Resolver: "nodes", Properties: []task.Property{{Name: "task_nodes", Value: fmt.Sprint("n", n)}}}
}

// spread makes the buckets of the locations, so that processes know of them.
func (w *world) spread(ctx context.Context) {
	for n := range locations {
		key := task.Key{Name: fmt.Sprint("first", n)}
		info := task.Info{
			Key: key, Service: "S", Operation: "op", Paused: true, Location: location(n + 1),
			Trigger: task.TriggerInfo{At: time.Now().Add(time.Hour).Truncate(time.Millisecond)},
		}
		if _, err := w.admin.Create(ctx, info); err != nil {
			w.t.Fatal(err)
		}
		if err := w.admin.Delete(ctx, key, 0); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	if w.buckets, err = w.admin.Span(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// moveTask gives a task another location.
func (w *world) moveTask(ctx context.Context, key task.Key) error {
	to := location(w.draw(1 + locations))
	_, err := w.admin.Update(ctx, key, 0, func(i *task.Info) error {
		i.Location = to
		return nil
	})
	return err
}

// stale is a store that hands tasks over with the first state that it ever saw
// of them: the planted fault of a cursor that does not travel.
type stale struct {
	engine.Log
	mu    sync.Mutex
	first map[string][]byte // by uid
}

func newStale(o *store.Owner) engine.Log { return &stale{Log: o, first: make(map[string][]byte)} }

// Commit implements engine.Log.
func (s *stale) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	s.mu.Lock()
	for i := range w.Give {
		uid := w.Give[i].Info.UID
		if s.first[uid] == nil {
			s.first[uid] = w.Give[i].Parcel
		}
		w.Give[i].Parcel = s.first[uid]
	}
	s.mu.Unlock()
	return s.Log.Commit(ctx, f, w)
}
