package invoke

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

type host func(ctx context.Context, call OperationCall) (Answer, error)

func (h host) Call(ctx context.Context, call OperationCall) (Answer, error) { return h(ctx, call) }

func call(delivery task.Delivery) task.Call {
	return task.Call{
		Info:      task.Info{Service: "Stock", Operation: "getLowStock", Delivery: delivery},
		FireID:    "u:1000",
		ClaimedAt: time.UnixMilli(1001),
		Attempt:   1,
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		delivery task.Delivery
		err      error
		want     task.Result
	}{
		"ok":                            {task.EffectivelyOnce, nil, task.Result{Outcome: task.OK, Rows: 3}},
		"failed, keyed, nobody says":    {task.EffectivelyOnce, boom, task.Result{Outcome: task.Failed, Error: "boom", Open: true}},
		"failed, keyed, inbox says so":  {task.EffectivelyOnce, &Failure{Final: true, Err: boom}, task.Result{Outcome: task.Failed, Error: "boom"}},
		"failed, keyed, reached nobody": {task.EffectivelyOnce, &Failure{NotSent: true, Err: boom}, task.Result{Outcome: task.Failed, Error: "boom", NotSent: true}},
		"failed, not keyed":             {task.AtLeastOnce, boom, task.Result{Outcome: task.Failed, Error: "boom"}},
		"at most once, reached nobody":  {task.AtMostOnce, &Failure{NotSent: true, Err: boom}, task.Result{Outcome: task.Failed, Error: "boom", NotSent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got OperationCall
			o := NewOperation(host(func(_ context.Context, asked OperationCall) (Answer, error) {
				got = asked
				return Answer{Rows: 3}, c.err
			}))
			if result := o.Invoke(t.Context(), call(c.delivery)); result != c.want {
				t.Errorf("got %+v, want %+v", result, c.want)
			}
			if got.Keyed != (c.delivery == task.EffectivelyOnce) || got.FireID != "u:1000" || got.Service != "Stock" {
				t.Errorf("asked for %+v", got)
			}
		})
	}
}

func TestEndsOfTheContext(t *testing.T) {
	t.Parallel()
	wait := NewOperation(host(func(ctx context.Context, _ OperationCall) (Answer, error) {
		<-ctx.Done()
		return Answer{}, ctx.Err()
	}))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := wait.Invoke(ctx, call(task.AtLeastOnce)); r.Outcome != task.TimedOut || r.Open {
			t.Errorf("timed out: %+v", r)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := wait.Invoke(ctx, call(task.EffectivelyOnce)); r.Outcome != task.TimedOut || !r.Open {
			t.Errorf("timed out, keyed: %+v", r)
		}
	})
}
