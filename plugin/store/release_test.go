package store

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// A release whose answer was lost is released again, which finds out that it is:
// the owner did not lose the bucket.
func TestALostReleaseIsReadBack(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done": {LoseReply: true}, "not done": {LoseReply: true, Drop: true}, "late": {Late: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, o := newGroup().host(t, "a")
				f := acquired(t, o, 0)
				m.FailNth(coordtest.OpCommit, 1, fault)
				if err := o.Release(t.Context(), f); !errors.Is(err, bucket.ErrUnknownOutcome) {
					t.Fatalf("the first: %v", err)
				}
				if err := o.Release(t.Context(), f); err != nil {
					t.Errorf("again: %v", err)
				}
				m.Wait()
				if n, _, err := o.nodeOnce(t.Context(), 0); err != nil || !n.Released || n.Epoch != 1 {
					t.Errorf("%+v, %v", n, err)
				}
			})
		})
	}
}

// behind is a session whose server lacks the last change of what it is asked for,
// until it is told to catch up.
type behind struct {
	*coordtest.Faulty
	mu  sync.Mutex
	was map[string]coordclient.Entry // nil: it lacks nothing
}

func (b *behind) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, changed, err := b.Faulty.Get(ctx, key)
	if old, ok := b.was[key]; ok {
		e = old
	}
	return e, changed, err
}

func (b *behind) Sync(ctx context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.was = nil
	return b.Faulty.Sync(ctx, key)
}

// So does one that is released again at a server which has not heard of it yet.
func TestALostReleaseIsReadBackFromALaggingServer(t *testing.T) {
	t.Parallel()
	faulty := coordtest.NewFaulty(newGroup().Join("a", nil))
	m := &behind{Faulty: faulty}
	o := opened(t, m, Options{}).Owner(faulty.ID(), m)
	f := acquired(t, o, 0)
	e, _, err := m.Get(t.Context(), o.keys.bucket(0))
	if err != nil {
		t.Fatal(err)
	}
	faulty.FailNth(coordtest.OpCommit, 1, coordtest.Fault{LoseReply: true})
	if err := o.Release(t.Context(), f); !errors.Is(err, bucket.ErrUnknownOutcome) {
		t.Fatalf("the first: %v", err)
	}
	m.mu.Lock()
	m.was = map[string]coordclient.Entry{e.Key: e}
	m.mu.Unlock()
	if err := o.Release(t.Context(), f); err != nil {
		t.Errorf("again: %v", err)
	}
	// And an edit that came before it is told as before.
	f = acquired(t, o, 0)
	n, e, err := o.nodeOnce(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	value, err := n.edited("!x").encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Commit(t.Context(), coordclient.Set(e.Key, value, e.Version)); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	m.was = map[string]coordclient.Entry{e.Key: e}
	m.mu.Unlock()
	if err := o.Release(t.Context(), f); !errors.Is(err, bucket.ErrMoved) {
		t.Errorf("after an edit: %v, want ErrMoved", err)
	}
}
