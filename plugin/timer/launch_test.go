package timer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// A timer that is due before its host is ready is fired when it is; it fails only
// where that takes longer than it may, or the host stops.
func TestTimersWaitForTheLaunch(t *testing.T) {
	t.Parallel()
	c, err := Parse("handlers.yaml", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	invoked := func(s *Service, within time.Duration) chan task.Result {
		result := make(chan task.Result, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			result <- s.Invoke(ctx, due1("task1", 1, task.TimerEvent{}))
		}()
		return result
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		s := b.idle(c)
		soon, late := invoked(s, time.Second), invoked(s, time.Minute)
		time.Sleep(15 * time.Second)
		if r := <-soon; r.Outcome != task.Failed || !r.NotSent || len(b.kicks) != 0 {
			t.Errorf("before the launch: %+v, %d kicks", r, len(b.kicks))
		}
		s.Start()
		if r := <-late; r.Outcome != task.OK || len(b.kicks) != 1 {
			t.Errorf("after the launch: %+v, %d kicks", r, len(b.kicks))
		}
		s.Stop()
	})
	synctest.Test(t, func(t *testing.T) {
		s := newBench().idle(c)
		result := invoked(s, time.Hour)
		synctest.Wait()
		s.Stop()
		if r := <-result; r.Outcome != task.Failed || !r.NotSent {
			t.Errorf("stopped: %+v", r)
		}
	})
}
