// Package invoke is what a task does when it fires: one attempt, and an honest
// word on how it ended. It holds no state and starts no goroutine.
package invoke

import (
	"context"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// OperationCall asks the host for an operation of a data service, in process.
type OperationCall struct {
	Service, Operation string
	Task               task.Key
	FireID             task.FireID
	ClaimedAt          time.Time
	// Keyed asks the source to record the fire id in the transaction of the
	// effect (effectively-once).
	Keyed bool
	// Params by name; nil for none.
	Params map[string]string
	// Keep is how many bytes of the answer are wanted; zero: none.
	Keep int
}

// Answer is what an operation came to.
type Answer struct {
	Rows int64 // that came back or were changed
	// Body is its answer as a client would read it, at least the first Keep bytes
	// of it. It may be longer.
	Body []byte
}

// Operations is the host, as a task sees it.
type Operations interface {
	// Call executes the operation. Its errors that say more than "failed" are a
	// *Failure.
	Call(ctx context.Context, call OperationCall) (Answer, error)
}

// Failure says what is certain about a call that failed.
type Failure struct {
	// NotSent: nothing can have reached the target.
	NotSent bool
	// Final: the inbox has answered, or the business refused; asking again with
	// the same key gives the same.
	Final bool
	Err   error
}

// Error gives the cause's text.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Operation invokes operations of data services. Safe for concurrent use.
type Operation struct{ host Operations }

// NewOperation makes an Operation that calls host.
func NewOperation(host Operations) *Operation { return &Operation{host: host} }

// Invoke makes one attempt (WSO2: DSTask.execute, without its call over the
// network). The context's deadline bounds it.
func (o *Operation) Invoke(ctx context.Context, call task.Call) task.Result {
	keyed := call.Info.Delivery == task.EffectivelyOnce
	params, err := call.Input.Values()
	if err != nil {
		return task.Result{Outcome: task.Failed, Error: err.Error(), NotSent: true}
	}
	answer, err := o.host.Call(ctx, OperationCall{
		Service: call.Info.Service, Operation: call.Info.Operation, Task: call.Info.Key,
		FireID: call.FireID, ClaimedAt: call.ClaimedAt, Keyed: keyed, Params: params, Keep: call.Keep,
	})
	if err == nil {
		return task.Result{Outcome: task.OK, Rows: answer.Rows, Output: task.Head(answer.Body, call.Keep)}
	}
	result := task.Result{Outcome: task.Failed, Error: err.Error()}
	var failure *Failure
	said := errors.As(err, &failure)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		result.Outcome = task.TimedOut
	}
	result.NotSent = said && failure.NotSent
	// Without the inbox's word, a keyed call may have taken effect: its claim
	// stays open, and the same key is asked again.
	result.Open = keyed && !result.NotSent && (!said || !failure.Final)
	return result
}
