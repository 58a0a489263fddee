package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Why a run's context ends.
var (
	errStopping  = errors.New("the engine is stopping") // INTERRUPTED
	errCancelled = errors.New("cancelled by request")
	errTimedOut  = errors.New("time-out of the task")
)

// reservation is a worker that waits for a run.
type reservation struct {
	limits   []string
	deployed bool
}

// reserver asks the pool for workers on behalf of one batch. Those it got are
// in the order of the claims.
type reserver struct {
	o    *owner
	made []reservation
}

// Reserve implements bucket.Pool.
func (w *reserver) Reserve(info *task.Info, pinned string) (string, bucket.Room) {
	target, deployed := w.o.e.o.Targets.Target(*info)
	if deployed && pinned != "" && target.Hash != pinned {
		return "", bucket.Changed
	}
	room := w.o.e.pool.reserve(target.Limits, w.o)
	if room == bucket.Reserved {
		w.made = append(w.made, reservation{limits: target.Limits, deployed: deployed})
	}
	return target.Hash, room
}

// run is an attempt, claimed or about to be.
type run struct {
	reservation
	o         *owner
	id        task.FireID
	record    bucket.Record
	info      *task.Info
	claimed   time.Time
	scheduled time.Time
	given     task.Input
	windows   *calendar.Windows
	ctx       context.Context // ends with the task's time-out at the latest
	end       context.CancelFunc
	why       atomic.Pointer[error] // it was stopped; nil: it was not
}

// stop ends the run's context, if it has one yet.
func (r *run) stop(why *error) {
	r.why.CompareAndSwap(nil, why)
	if r.end != nil {
		r.end()
	}
}

func newRun(o *owner, d *bucket.Decision, r reservation, now time.Time) *run {
	claimed := now
	if d.Claimed != 0 {
		claimed = time.UnixMilli(d.Claimed)
	}
	return &run{
		reservation: r, o: o, id: d.FireID(), record: d.Record, info: d.Info,
		claimed: claimed, scheduled: time.UnixMilli(d.At).UTC(), given: d.Given, windows: d.Windows,
	}
}

// launch starts runs, each in a goroutine that ends with it.
func (o *owner) launch(all []*run) {
	for _, r := range all {
		o.runs[r.id] = r
		r.start()
	}
}

func (r *run) start() {
	r.ctx, r.end = context.WithTimeoutCause(r.o.e.life, r.info.RunTimeout(), errTimedOut)
	if r.why.Load() != nil {
		r.end()
	}
	r.o.e.o.Metrics.Running.Add(1)
	r.o.e.runs.Go(r.do)
}

// cancelRun cancels a run, also one that has not started.
func (o *owner) cancelRun(id task.FireID) {
	if r := o.runs[id]; r != nil {
		r.stop(&errCancelled)
		return
	}
	for _, r := range o.pending {
		if r.id == id {
			r.stop(&errCancelled)
		}
	}
}

// do makes the attempt and hands in how it ended.
func (r *run) do() {
	e := r.o.e
	started := e.o.Now()
	if r.record.Manual == "" && r.record.Attempt == 1 {
		e.o.Metrics.Lateness.Observe(started.Sub(r.scheduled))
	}
	result := r.invoke()
	r.end()
	e.o.Metrics.Running.Add(-1)
	e.pool.release(r.limits)
	r.o.ended(bucket.Ended{
		FireID: r.id, UID: r.record.UID, At: r.record.At, Manual: r.record.Manual, Attempt: r.record.Attempt,
		Started: started, Ended: e.o.Now(), Result: result,
	})
}

// invoke calls the Invoker within the task's time-out.
func (r *run) invoke() (result task.Result) {
	if !r.deployed {
		return task.Result{
			Outcome: task.Failed, NotSent: true,
			Error: r.info.Calls() + " is not deployed here, or not active",
		}
	}
	defer func() {
		if p := recover(); p != nil {
			r.o.e.o.Metrics.Panics.Add(1)
			r.o.log.Error("run panicked", "fire_id", r.id, "panic", p, "stack", string(debug.Stack()))
			// Whether the target has committed is for its inbox to say, if it has one.
			keyed := r.info.Delivery == task.EffectivelyOnce
			result = task.Result{Outcome: task.Failed, Error: fmt.Sprintf("panic: %v", p), Open: keyed}
		}
	}()
	window, _ := r.windows.Window(r.o.e.o.Now()) // none to come: that is for its next firing to say
	result = r.o.e.o.Invoker.Invoke(r.ctx, task.Call{
		Info: *r.info, FireID: r.id, Scheduled: r.scheduled, ClaimedAt: r.claimed, Attempt: r.record.Attempt, Input: r.given,
		Keep: r.keep(), Window: window,
	})
	cause := context.Cause(r.ctx)
	if why := r.why.Load(); why != nil {
		cause = *why
	}
	return understood(result, cause)
}

// keep is how much of the answer is kept.
func (r *run) keep() int {
	if r.record.Manual == "" && !r.info.Output {
		return 0
	}
	return r.o.e.o.Output
}

// understood corrects the outcome of a run that was cut short: only the engine
// knows why.
func understood(result task.Result, cause error) task.Result {
	switch {
	case result.Outcome == task.OK || result.Outcome == task.Waiting || result.Refused || cause == nil:
	case errors.Is(cause, errStopping), errors.Is(cause, context.Canceled):
		result.Outcome = task.Interrupted
	case errors.Is(cause, errTimedOut):
		result.Outcome = task.TimedOut
	}
	switch result.Outcome {
	case task.OK, task.Failed, task.TimedOut, task.Interrupted, task.Waiting, task.Skipped:
	default:
		result.Outcome = task.Failed
	}
	return result
}
