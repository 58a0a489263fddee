package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestStopDrains(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(ctx context.Context, call task.Call) task.Result {
			length := time.Second
			if call.Info.Name == "long" {
				length = time.Hour
			}
			select {
			case <-time.After(length):
				return task.Result{Outcome: task.OK}
			case <-ctx.Done():
				return task.Result{Outcome: task.Failed, Error: "cut"}
			}
		}
		short, long := s.create("short", once(time.Second)), s.create("long", func(i *task.Info) {
			once(time.Second)(i)
			i.Timeout = task.Duration(2 * time.Hour)
		})
		later := s.create("later", once(1500*time.Millisecond))
		time.Sleep(1100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		begun := time.Now()
		if err := s.engine.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < 5*time.Second || took > 7*time.Second {
			t.Errorf("it took %s", took)
		}
		if a, b, c := s.lastOutcome(short), s.lastOutcome(long), s.lastOutcome(later); a != task.OK || b != task.Interrupted || c != "" {
			t.Errorf("short %s, long %s, later %s", a, b, c)
		}
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.OK} }
		s.open()
		time.Sleep(time.Second)
		for _, info := range []task.Info{short, long, later} {
			if v, _ := s.view(info); v.Counts != (bucket.Counts{Fired: 1, OK: 1}) {
				t.Errorf("%s: %+v", info.Name, v.Counts)
			}
		}
	})
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		if err := s.engine.Acquire(t.Context(), 0); !errors.Is(err, engine.ErrOwned) {
			t.Error(err)
		}
		if got := s.engine.Owned(); !slices.Equal(got, []int{0}) {
			t.Error(got)
		}
		s.close()
		s.close()
		if err := s.engine.Acquire(t.Context(), 0); !errors.Is(err, engine.ErrStopped) {
			t.Error(err)
		}
		if err := s.engine.Start(t.Context()); !errors.Is(err, engine.ErrStopped) {
			t.Error(err)
		}
	})
}

func TestNewWantsItsPorts(t *testing.T) {
	t.Parallel()
	if _, err := engine.New(engine.Options{}); err == nil {
		t.Error("no error")
	}
}

// fencedLog is a Log whose member is fenced from some moment on.
type fencedLog struct {
	engine.Log
	fenced atomic.Bool
}

func (l *fencedLog) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	if l.fenced.Load() {
		return fmt.Errorf("commit: %w", bucket.ErrFenced)
	}
	return l.Log.Commit(ctx, f, w)
}

// An owner that is fenced starts nothing more, leaves, and says so. The bucket
// can be acquired again.
func TestFenced(t *testing.T) {
	t.Parallel()
	var (
		log  fencedLog
		left atomic.Value // of error
	)
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", nil)
		time.Sleep(1500 * time.Millisecond)
		log.fenced.Store(true)
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 1 || !errors.Is(left.Load().(error), bucket.ErrFenced) || len(s.engine.Owned()) != 0 {
			t.Errorf("%d calls, left: %v, owned: %v", n, left.Load(), s.engine.Owned())
		}
		log.fenced.Store(false)
		if err := s.engine.Acquire(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if n := s.called(); n != 6 {
			t.Errorf("%d calls after it was acquired again", n)
		}
	}, func(o *engine.Options) {
		log.Log = o.Log
		o.Log, o.Left = &log, func(_ int, err error) { left.Store(err) }
	})
}

// A session that is lost for good ends with its engine.
func TestStopWithoutAStore(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", nil)
		time.Sleep(1500 * time.Millisecond)
		s.member.Expire()
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 1 {
			t.Errorf("%d calls", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		if err := s.engine.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
