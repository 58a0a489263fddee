package invoke

import (
	"context"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Invoker makes one attempt at what a task of a certain kind does.
type Invoker interface {
	Invoke(ctx context.Context, call task.Call) task.Result
}

// Kinds invokes by the kind of the task. Safe for concurrent use as long as
// nobody writes into it.
type Kinds map[task.Kind]Invoker

// Invoke makes one attempt. A kind that is not there fails, and is certain to
// have had no effect.
func (k Kinds) Invoke(ctx context.Context, call task.Call) task.Result {
	kind := call.Info.Kind()
	i, ok := k[kind]
	if !ok {
		return task.Result{Outcome: task.Failed, NotSent: true, Error: "this host runs no tasks of kind " + string(kind)}
	}
	return i.Invoke(ctx, call)
}
