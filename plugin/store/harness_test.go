package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The engine's ports, which must not be imported here; it is the engine that
// states them.
var _ interface {
	Acquire(ctx context.Context, b int) (bucket.Fence, error)
	Load(ctx context.Context, f bucket.Fence) (bucket.Loaded, error)
	Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error
	Refresh(ctx context.Context, f bucket.Fence, seq int64) (bucket.Fence, bucket.Changes, error)
	Release(ctx context.Context, f bucket.Fence) error
	Watch(ctx context.Context, b int) (<-chan struct{}, error)
	WatchCalendars(ctx context.Context) (<-chan struct{}, error)
} = (*Owner)(nil)

// port is what both backends offer a member.
type port interface {
	coordclient.KV
	coordclient.Members
	ID() coordclient.MemberID
}

// backends runs a test on the in-memory store and on the embedded one.
func backends(t *testing.T, test func(t *testing.T, p port)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		test(t, coordtest.NewMemory())
	})
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		l, err := local.Open(t.Context(), local.Options{Path: filepath.Join(t.TempDir(), "state.db"), Node: "alone"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		test(t, l)
	})
}

// reports gathers the corrupt records that a store tells of.
type reports struct {
	mu   sync.Mutex
	keys []string
}

func (r *reports) add(e *CorruptError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = append(r.keys, e.Key)
}

// opened is an initialised store with few buckets; its ids count up.
func opened(t *testing.T, kv coordclient.KV, o Options) *Store {
	t.Helper()
	if o.NewID == nil {
		var mu sync.Mutex
		n := 0
		o.NewID = func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("id%d", n)
		}
	}
	s := New(kv, o)
	if _, err := s.Init(t.Context(), Settings{Buckets: 4}); err != nil {
		t.Fatal(err)
	}
	return s
}

func named(name string) task.Info {
	return task.Info{
		Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock",
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
}

func created(t *testing.T, s *Store, name string) task.Info {
	t.Helper()
	info, err := s.Create(t.Context(), named(name))
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func home(t *testing.T, s *Store, key task.Key) int {
	t.Helper()
	b, err := s.HomeOf(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func acquired(t *testing.T, o *Owner, b int) bucket.Fence {
	t.Helper()
	f, err := o.Acquire(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
