package control

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestARunFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		ctx := t.Context()
		hourly := minutely("x")
		hourly.Trigger.Interval = task.Duration(time.Hour)
		hourly.Trigger.Start = time.Now().Add(time.Hour)
		if v := w.create(hourly); v.State != contract.Waiting || v.Node != "n2" || !strings.HasPrefix(v.Reason, contract.ReasonNotStarted) {
			t.Errorf("created %+v", v)
		}
		w.does(until(10*time.Second, task.OK))
		id, err := w.control.RunTask(ctx, task.Key{Name: "x"}, "try it")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if v := w.task("x"); v.State != contract.Running || v.Fired != 1 || v.Last != nil {
			t.Errorf("running %+v", v)
		}
		attempts, err := w.control.Run(ctx, id)
		if err != nil || len(attempts) != 1 || attempts[0].Outcome != "RUNNING" || attempts[0].Ended != nil {
			t.Errorf("running: %+v, %v", attempts, err)
		}
		run, err := w.control.WaitRun(ctx, id)
		if err != nil || run.FireID != id || run.Outcome != "OK" || run.Attempt != 1 || run.Node != "n2" || run.Task != "x" || run.Ended == nil {
			t.Errorf("ended: %+v, %v", run, err)
		}
		refused(t, w.control.CancelRun(ctx, id), failure.CodeConflict)
		v := w.task("x")
		if v.State != contract.Waiting || v.Last == nil || v.Last.FireID != id || v.Next == nil || !v.Next.Equal(hourly.Trigger.Start.Truncate(time.Millisecond)) {
			t.Errorf("after: %+v", v)
		}
		w.does(until(time.Hour, task.OK))
		if id, err = w.control.RunTask(ctx, task.Key{Name: "x"}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := w.control.CancelRun(ctx, id); err != nil {
			t.Fatal(err)
		}
		if run, err = w.control.WaitRun(ctx, id); err != nil || run.Outcome != "CANCELLED" {
			t.Errorf("cancelled: %+v, %v", run, err)
		}
		runs, err := w.control.Runs(ctx, RunFilter{Task: "x"})
		if err != nil || len(runs) != 2 || runs[0].FireID != id || runs[1].Outcome != "OK" {
			t.Errorf("history: %+v, %v", runs, err)
		}
		if runs, err = w.control.Runs(ctx, RunFilter{Outcome: "OK", Limit: 5}); err != nil || len(runs) != 1 {
			t.Errorf("only OK: %+v, %v", runs, err)
		}
		if runs, err = w.control.Runs(ctx, RunFilter{Since: time.Now()}); err != nil || runs == nil || len(runs) != 0 {
			t.Errorf("none since: %+v, %v", runs, err)
		}
		if runs, err = w.control.Runs(ctx, RunFilter{Limit: 1}); err != nil || len(runs) != 1 || runs[0].FireID != id {
			t.Errorf("the newest: %+v, %v", runs, err)
		}
	})
}

func TestRunsThatAreNotThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		v := w.create(minutely("x"))
		ctx := t.Context()
		for _, id := range []string{"", "rubbish", "x:1", "3-abc"} {
			_, err := w.control.Run(ctx, id)
			refused(t, err, failure.CodeInvalid)
		}
		for _, id := range []string{"900-abc:1", "1-abc:1", v.UID + ":17"} {
			_, err := w.control.Run(ctx, id)
			refused(t, err, failure.CodeNotFound)
			_, err = w.control.WaitRun(ctx, id)
			refused(t, err, failure.CodeNotFound)
		}
		_, err := w.control.Runs(ctx, RunFilter{Task: "y"})
		refused(t, err, failure.CodeNotFound)
		_, err = w.control.Runs(ctx, RunFilter{Outcome: "FALED"})
		if e := refused(t, err, failure.CodeInvalid); e.Hint != "did you mean FAILED?" {
			t.Errorf("hint %q", e.Hint)
		}
		// Nobody is there to take the request: the wait ends with its context.
		id, err := w.control.RunTask(ctx, task.Key{Name: "x"}, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.control.Run(ctx, id)
		if e := refused(t, err, failure.CodeNotFound); !strings.Contains(e.Message, "was asked for") {
			t.Errorf("pending: %v", e)
		}
		short, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		_, err = w.control.WaitRun(short, id)
		refused(t, err, failure.CodeTimeout)
		// A host comes, and does it.
		w.serve("n2")
		if run, err := w.control.WaitRun(ctx, id); err != nil || run.Outcome != "OK" {
			t.Errorf("%+v, %v", run, err)
		}
	})
}

func TestStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx := t.Context()
		check := func(name string, state contract.State, reason string) {
			t.Helper()
			if v := w.task(name); v.State != state || !strings.HasPrefix(v.Reason, reason) || (reason == "") != (v.Reason == "") {
				t.Errorf("%s is %s (%s), want %s (%s)", name, v.State, v.Reason, state, reason)
			}
		}
		w.create(minutely("every"))
		check("every", contract.Unplaced, contract.ReasonNoOwner)
		w.serve("n2")
		check("every", contract.Waiting, "")

		w.does(until(0, task.Failed))
		once := minutely("once")
		once.Trigger = task.TriggerInfo{At: time.Now().Add(time.Second)}
		w.create(once)
		retried := minutely("retried")
		retried.Trigger = task.TriggerInfo{At: time.Now().Add(time.Second)}
		retried.Retry = task.Retry{Max: 2, Backoff: task.Duration(time.Minute)}
		w.create(retried)
		time.Sleep(2 * time.Second)
		check("once", contract.Failed, contract.ReasonRun+": no such table")
		check("retried", contract.Running, contract.ReasonRetry+": no such table")

		w.does(until(0, task.OK))
		time.Sleep(2 * time.Minute)
		check("retried", contract.Finished, contract.ReasonExhausted)
		if v := w.task("retried"); v.Last.Attempt != 2 || v.Last.Outcome != "OK" || v.Failures != 0 {
			t.Errorf("%+v, last %+v", v, v.Last)
		}
		ended := minutely("ended")
		ended.Trigger.End = time.Now().Add(3 * time.Minute)
		w.create(ended)
		time.Sleep(5 * time.Minute)
		check("ended", contract.Finished, contract.ReasonEnded)

		w.does(until(10*time.Minute, task.OK))
		queued := minutely("queued")
		queued.Overlap = task.OverlapQueue
		queued.Timeout = task.Duration(time.Hour)
		w.create(queued)
		time.Sleep(150 * time.Second)
		check("queued", contract.Blocked, string(task.ReasonQueued))
		w.does(until(0, task.OK))
		if _, err := w.control.PauseTask(ctx, task.Key{Name: "every"}, ""); err != nil {
			t.Fatal(err)
		}
		check("every", contract.Paused, string(task.ReasonPaused))

		s, err := w.control.Status(ctx)
		if err != nil || s.Tasks[contract.Blocked] != 1 || s.Tasks[contract.Paused] != 1 || s.Tasks[contract.Finished] != 2 || s.Tasks[contract.Failed] != 1 || s.Total != 5 ||
			len(s.Nodes) != 1 || s.Nodes[0].Name != "n2" || s.Nodes[0].Version != "1.2" || s.Nodes[0].State != "healthy" || len(s.Trouble) != 2 ||
			len(s.Next) != 1 || s.Next[0].Name != "queued" || s.Cluster != "standalone" {
			t.Errorf("status %+v, %v", s, err)
		}
		// The host is gone, and nobody has taken over.
		w.leave()
		check("queued", contract.Unknown, contract.ReasonUnreachable+": node n2")
		check("every", contract.Paused, string(task.ReasonPaused))
		check("ended", contract.Finished, contract.ReasonEnded)
	})
}
