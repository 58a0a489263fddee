package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errFirst  = errors.New("first")
	errSecond = errors.New("second")
)

// Whichever fails first, the error of the first in order is given.
func TestDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := func() error { time.Sleep(time.Second); return errFirst }
		if err := Do(func() error { return nil }, late, func() error { return errSecond }); !errors.Is(err, errFirst) {
			t.Error(err)
		}
		if err := Do(); err != nil {
			t.Error(err)
		}
	})
}

func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		var now, most, sum atomic.Int64
		err := Each(t.Context(), n, func(_ context.Context, i int) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			sum.Add(int64(i))
			return nil
		})
		if err != nil || sum.Load() != n*(n-1)/2 || most.Load() > Most {
			t.Errorf("%v, a sum of %d, %d at once", err, sum.Load(), most.Load())
		}
	})
}

// An error ends those that are under way, and nothing more is begun.
func TestEachEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		err := Each(t.Context(), 1000, func(ctx context.Context, i int) error {
			begun.Add(1)
			if i == 3 {
				time.Sleep(time.Second)
				return errFirst
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, errFirst) || begun.Load() != Most {
			t.Errorf("%v, %d begun", err, begun.Load())
		}
		over, cancel := context.WithCancelCause(t.Context())
		cancel(errSecond)
		if err := Each(over, 10, func(context.Context, int) error { return nil }); !errors.Is(err, errSecond) {
			t.Error(err)
		}
	})
}
