package engine

import (
	"context"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Log is the durable side of buckets, bound to one member's session. Safe for
// concurrent use on different buckets. Errors are those of package bucket.
type Log interface {
	// Acquire makes this member the owner of a free bucket, with a new epoch. A
	// lost answer is settled by reading back. Errors: ErrTaken, ErrFenced (no
	// member any more), ErrUnavailable.
	Acquire(ctx context.Context, b int) (bucket.Fence, error)
	// Load syncs and reads all that is stored of the bucket.
	Load(ctx context.Context, f bucket.Fence) (bucket.Loaded, error)
	// Commit writes, fenced by f. Errors: ErrFenced, ErrMoved, ErrSeqTaken,
	// ErrNoRequest, ErrUnavailable, ErrUnknownOutcome.
	Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error
	// Refresh syncs, reads the bucket node and then what was edited since f, and
	// the log entry at seq. Errors: ErrFenced, ErrUnavailable.
	Refresh(ctx context.Context, f bucket.Fence, seq int64) (bucket.Fence, bucket.Changes, error)
	// Release sets the owner to released. Errors as of Commit.
	Release(ctx context.Context, f bucket.Fence) error
}

// Watcher tells that a bucket's node may have changed. The channel closes when
// it did; it may close without a change.
type Watcher interface {
	Watch(ctx context.Context, b int) (<-chan struct{}, error)
	// WatchCalendars is the same for the calendars that tasks name.
	WatchCalendars(ctx context.Context) (<-chan struct{}, error)
}

// Invoker runs one attempt at a firing. It returns when the attempt has ended
// or soon after ctx has; it never panics through.
type Invoker interface {
	Invoke(ctx context.Context, call task.Call) task.Result
}

// Targets tells what stands behind a task's operation now; false: nothing,
// such as a service that is not deployed.
type Targets interface {
	Target(info task.Info) (task.Target, bool)
}

// Announcer turns a task's alert that came true into messages. Pure and quick.
type Announcer interface {
	Announce(notice task.Notice) []task.Message
}

// Session tells what the connection to the store is worth. While it is not
// healthy nothing is claimed and nothing starts.
type Session interface {
	// State gives the present state and a channel that closes when it changes.
	State() (healthy bool, changed <-chan struct{})
}
