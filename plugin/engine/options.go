package engine

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Options of an Engine. Log, Watcher, Invoker, Targets and Compile are needed;
// the zero value of everything else means its default.
type Options struct {
	// Log is bound to one session. When that is lost for good, stop the engine
	// and make another one for the next session.
	Log       Log
	Watcher   Watcher
	Invoker   Invoker
	Targets   Targets
	Announcer Announcer // nil: task alerts are nobody's business
	Session   Session   // nil: always healthy

	// Compile makes schedules of definitions.
	Compile bucket.Compile
	Rules   bucket.Rules

	// Node is the member's name, kept with each run.
	Node string
	// Workers is the most runs at once. Default DefaultWorkers.
	Workers int
	// Limit is the most runs at once that count against a named limit of a
	// Target; below 1: no limit. Nil: none has one. It must be quick.
	Limit func(name string) int

	// Output is how many bytes are kept of what a run was answered, where that is
	// to be kept; at most task.MaxReplyValue. Zero: nothing is.
	Output int

	// SessionTimeout is T: a claim may start until min(T/4, 1 s) after its commit
	// was sent. Default DefaultSessionTimeout.
	SessionTimeout time.Duration
	// PreviousOwnerDead: whoever owned a bucket before is certainly gone, as the
	// lock of an embedded store proves. Open claims are then dealt with at once.
	PreviousOwnerDead bool
	// Resync is how often a bucket is compared with the store, give or take a
	// quarter, in case a watch stayed silent. Default DefaultResync.
	Resync time.Duration

	// Left is told when a bucket was lost without Release or Stop, and why. It
	// is called by a goroutine of the bucket, which ends when it returns.
	Left func(b int, err error)

	Now     func() time.Time // the wall clock; default time.Now
	Logger  *slog.Logger     // default: none
	Metrics *Metrics         // default: counted, but nobody sees it
}

// The defaults of Options, and the paces of the protocol.
const (
	DefaultWorkers        = 256
	DefaultSessionTimeout = 10 * time.Second
	DefaultResync         = time.Minute

	// settleWait is the longest that a settlement waits for company.
	settleWait = 20 * time.Millisecond
	// A bucket is folded after so many batches, or so long after the first.
	foldBatches = 200
	foldAfter   = 30 * time.Second
	// foldDeletes bounds the log entries that one fold deletes.
	foldDeletes = 900
	// lookAgain is how often the wall clock is compared with what is armed, in
	// case it was set.
	lookAgain = time.Second
	// batchDecisions and batchSettles bound a batch, batchText the error texts in
	// it, in bytes. batchOps bounds each kind of the other operations of its
	// commit: requests taken, tombstones dropped, messages; batchMessages bounds
	// the messages in bytes. One record may go beyond the last two. batchMoves
	// bounds the tasks that go to other buckets, with their definitions.
	batchDecisions = 1000
	batchSettles   = 1000
	batchText      = 128 << 10
	batchOps       = 200
	batchMessages  = 64 << 10
	batchMoves     = 2
	// The pauses between commits of the same batch.
	minBackoff = 10 * time.Millisecond
	maxBackoff = time.Second
	// drainMargin is the part of the time to drain, at most maxMargin, that is
	// kept for interrupting runs and settling them.
	drainMargin = 4
	maxMargin   = 3 * time.Second
	// defaultDrain bounds Stop and Release under a context without deadline.
	defaultDrain = 30 * time.Second
	// closeGrace is for how long Stop waits beyond its context for what it has
	// cancelled.
	closeGrace = 250 * time.Millisecond
)

func (o Options) withDefaults() (Options, error) {
	if o.Log == nil || o.Watcher == nil || o.Invoker == nil || o.Targets == nil || o.Compile == nil {
		return o, errors.New("engine: Log, Watcher, Invoker, Targets and Compile are needed")
	}
	if o.Workers <= 0 {
		o.Workers = DefaultWorkers
	}
	o.Output = max(0, min(o.Output, task.MaxReplyValue))
	if o.SessionTimeout <= 0 {
		o.SessionTimeout = DefaultSessionTimeout
	}
	if o.Resync <= 0 {
		o.Resync = DefaultResync
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = new(Metrics)
	}
	if o.Left == nil {
		o.Left = func(int, error) {}
	}
	return o, nil
}

// window is W.
func (o Options) window() time.Duration { return min(o.SessionTimeout/4, time.Second) }

// jittered is d give or take a quarter.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1)
}
