package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// stuckLog is a Log whose commits, while it is stuck, do not return until the gate
// opens.
type stuckLog struct {
	engine.Log
	stuck atomic.Bool
	gate  chan struct{}
}

func (l *stuckLog) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	if l.stuck.Load() {
		<-l.gate
	}
	return l.Log.Commit(ctx, f, w)
}

// A bucket that is given up while a batch of claims is on its way gives back the
// workers that it has reserved for them.
func TestLeavingFreesWorkersOfABatchUnderWay(t *testing.T) {
	t.Parallel()
	var log stuckLog
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", once(time.Second))
		time.Sleep(500 * time.Millisecond)
		log.stuck.Store(true)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.engine.Release(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("release: %v", err)
		}
		log.stuck.Store(false)
		close(log.gate)
		if err := s.engine.Acquire(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 1 {
			t.Errorf("%d calls: there is no worker left", n)
		}
	}, func(o *engine.Options) {
		log.Log, log.gate = o.Log, make(chan struct{})
		o.Log, o.Workers = &log, 1
	})
}

// A bucket that is being given up passes on the room that it is told of: it
// claims nothing any more.
func TestReleasedBucketPassesRoomOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, member: coordtest.NewMemory()}
		s.faulty = coordtest.NewFaulty(s.member)
		s.store = store.New(s.member, store.Options{})
		if _, err := s.store.Init(t.Context(), store.Settings{Buckets: 2}); err != nil {
			t.Fatal(err)
		}
		var began time.Time // of the other bucket's run
		s.invoke = func(_ context.Context, call task.Call) task.Result {
			switch call.Info.Description {
			case "short":
				time.Sleep(5300 * time.Millisecond)
			case "long":
				time.Sleep(20 * time.Second)
			case "other":
				s.mu.Lock()
				began = time.Now()
				s.mu.Unlock()
			}
			return task.Result{Outcome: task.OK}
		}
		s.open(func(o *engine.Options) { o.Workers = 2 })
		if err := s.engine.Acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		in := func(b int, what string, after time.Duration) {
			for n := 0; ; n++ {
				key := task.Key{Name: what + string(rune('a'+n))}
				if home, err := s.store.HomeOf(t.Context(), key); err != nil {
					t.Fatal(err)
				} else if home == b {
					s.create(key.Name, func(i *task.Info) {
						i.Description = what
						once(after)(i)
					})
					return
				}
			}
		}
		in(0, "short", time.Second)
		in(0, "long", time.Second)
		in(0, "waits", 2*time.Second)
		in(1, "other", 2500*time.Millisecond)
		time.Sleep(6 * time.Second)
		if err := s.engine.Release(t.Context(), 0); err != nil {
			t.Error(err)
		}
		if late := began.Sub(start) - 6300*time.Millisecond; late < 0 || late > 100*time.Millisecond {
			t.Errorf("it ran %s after there was room", late)
		}
		s.close()
	})
}
