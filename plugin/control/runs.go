package control

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// How WaitRun looks: soon at first, then less often.
const (
	firstLook = 10 * time.Millisecond
	lastLook  = 500 * time.Millisecond
)

// RunFilter says which runs to list. Empty fields let all pass.
type RunFilter struct {
	Task    string // a name, of whatever tenant and type
	Outcome string // as in RunView
	Node    string // that ran it, or decided not to
	Since   time.Time
	Until   time.Time // scheduled before it; zero: all
	Limit   int       // below 1: all that are kept
}

// Outcomes are those that RunFilter takes.
func Outcomes() []task.Outcome {
	return []task.Outcome{
		task.Running, task.Waiting, task.OK, task.Failed, task.TimedOut, task.Interrupted, task.Unknown, task.Skipped, task.Cancelled,
	}
}

// Runs lists runs and skips, the newest first. Only recent ones are kept
// (bucket.RunsPerTask of a task). Codes: invalid, not_found, unavailable.
func (c *Control) Runs(ctx context.Context, f RunFilter) ([]contract.RunView, error) {
	if f.Outcome != "" {
		if err := known("outcome", task.Outcome(f.Outcome), Outcomes()); err != nil {
			return nil, err
		}
	}
	buckets, err := c.bucketsOf(ctx, f.Task)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards runs
	runs := []contract.RunView{}
	err = c.store.Snapshots(ctx, buckets, func(snap store.Snapshot) error {
		r := c.replay(snap, standing.Group{})
		for i := range r.Defined {
			if f.Task != "" && r.Defined[i].Name != f.Task {
				continue
			}
			found := slices.DeleteFunc(r.Runs(&r.Defined[i]), func(v contract.RunView) bool { return !f.matches(v) })
			mu.Lock()
			runs = append(runs, found...)
			if f.Limit > 0 && len(runs) > f.Limit+manyRuns {
				runs = latest(runs, f.Limit)
			}
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return nil, failure.Wrap(err)
	}
	return latest(runs, f.Limit), nil
}

// manyRuns is how many runs are gathered, beside those that are wanted, before
// the older ones are let go.
const manyRuns = 4096

// latest gives the first n runs by when they moved, the newest first; n 0: all.
func latest(runs []contract.RunView, n int) []contract.RunView {
	slices.SortStableFunc(runs, func(a, b contract.RunView) int {
		return cmp.Or(b.Moved().Compare(a.Moved()), strings.Compare(b.FireID, a.FireID), b.Attempt-a.Attempt)
	})
	if n > 0 && n < len(runs) {
		clear(runs[n:])
		runs = runs[:n]
	}
	return runs
}

func (f RunFilter) matches(r contract.RunView) bool {
	return (f.Outcome == "" || r.Outcome == f.Outcome) && (f.Node == "" || r.Node == f.Node) &&
		(f.Since.IsZero() || !r.Scheduled.Before(f.Since)) && (f.Until.IsZero() || r.Scheduled.Before(f.Until))
}

// bucketsOf gives the buckets of the tasks of a name; empty: nil, for all.
func (c *Control) bucketsOf(ctx context.Context, name string) ([]int, error) {
	if name == "" {
		return nil, nil
	}
	keys, err := c.store.Keys(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	var buckets []int
	for _, key := range keys {
		if key.Name != name {
			continue
		}
		info, err := c.store.Get(ctx, key)
		if errors.Is(err, coordclient.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, failure.Wrap(err)
		}
		b, err := c.store.Seat(ctx, &info)
		if err != nil {
			return nil, failure.Wrap(err)
		}
		buckets = append(buckets, b)
	}
	if buckets == nil {
		return nil, c.missing(ctx, task.Key{Name: name}, coordclient.ErrNotFound)
	}
	slices.Sort(buckets)
	return slices.Compact(buckets), nil
}

// Run gives every attempt at a firing that is kept, the first one first. Codes:
// invalid, not_found, unavailable.
func (c *Control) Run(ctx context.Context, fireID string) ([]contract.RunView, error) {
	l, err := c.look(ctx, fireID)
	if err != nil {
		return nil, err
	}
	if len(l.attempts) == 0 {
		return nil, l.nothing(fireID)
	}
	return l.attempts, nil
}

// Output gives the last attempt at a firing of which something is kept that was
// answered or replied. Codes: invalid, not_found (nothing is kept of it),
// unavailable.
func (c *Control) Output(ctx context.Context, fireID string) (contract.RunView, error) {
	attempts, err := c.Run(ctx, fireID)
	if err != nil {
		return contract.RunView{}, err
	}
	for _, a := range slices.Backward(attempts) {
		if a.Value != "" {
			return a, nil
		}
	}
	last := attempts[len(attempts)-1]
	return contract.RunView{}, &failure.Error{
		Code: failure.CodeNotFound, Message: "nothing is kept of what run " + fireID + " was answered (" + last.Outcome + ")",
		Hint: "`belfry task set " + last.Task + " --keep-output` keeps it from the next run on; a run by hand keeps it anyway. That of older runs goes first.",
	}
}

// look is what is to be seen of a firing.
type look struct {
	info     task.Info
	attempts []contract.RunView // that are kept, and the one that goes
	open     bool               // it may have another attempt, or its first goes
	pending  bool               // it was asked for, and nobody has taken the request
	reply    *task.Request      // to it, that nobody has taken; nil: there is none
}

func (l look) nothing(fireID string) error {
	e := &failure.Error{Code: failure.CodeNotFound, Message: "there is no run " + fireID, Hint: "only recent runs are kept; see run list"}
	if l.pending {
		e.Message = "run " + fireID + " was asked for and has not started"
		e.Hint = "it starts when the host that owns task " + l.info.Name + " takes the request"
	}
	return e
}

// look reads the requests before the bucket: a request that is gone by then
// has left its trace there.
func (c *Control) look(ctx context.Context, fireID string) (look, error) {
	id := task.FireID(fireID)
	if _, ok := store.BucketOf(id.UID()); !ok || !strings.Contains(fireID, ":") {
		return look{}, &failure.Error{Code: failure.CodeInvalid, Message: fireID + " is no fire id", Hint: "run list -o wide shows them"}
	}
	var l look
	info, b, err := c.store.Find(ctx, id.UID())
	if errors.Is(err, coordclient.ErrNotFound) {
		return l, l.nothing(fireID)
	}
	if err != nil {
		return look{}, failure.Wrap(err)
	}
	l.info = info
	requests, err := c.store.Requests(ctx, b)
	if err != nil {
		return look{}, failure.Wrap(err)
	}
	l.pending = slices.ContainsFunc(requests, func(r task.Request) bool {
		return r.Kind == task.RequestRun && task.ManualID(r.UID, r.ID) == id
	})
	if i := slices.IndexFunc(requests, func(r task.Request) bool { return r.Kind == task.RequestReply && r.FireID == id }); i >= 0 {
		l.reply = &requests[i]
	}
	snap, err := c.store.Snapshot(ctx, b)
	if err != nil {
		return look{}, failure.Wrap(err)
	}
	snap.Loaded.Definitions = []task.Info{info}
	r := c.replay(snap, standing.Group{})
	if r.Fault != nil {
		return look{}, &failure.Error{Code: failure.CodeInternal, Message: contract.ReasonCorrupt + ": " + r.Fault.Error(), Err: r.Fault}
	}
	l.attempts = slices.DeleteFunc(r.Runs(&l.info), func(v contract.RunView) bool { return v.FireID != fireID })
	l.open = r.Open(id)
	return l, nil
}

// RunTask asks for a task to be fired once now, beside its schedule, and gives
// the fire id under which that will be. Codes: not_found, unavailable,
// unknown_outcome, invalid.
func (c *Control) RunTask(ctx context.Context, key task.Key, reason string) (string, error) {
	return c.runTask(ctx, key, reason, nil)
}

// runTask is RunTask; a receipt is stored with the request.
func (c *Control) runTask(ctx context.Context, key task.Key, reason string, receipt *store.Receipt) (string, error) {
	if len(reason) > check.MaxDescription {
		return "", failure.Invalid("reason of %d bytes: the limit is %d", len(reason), check.MaxDescription)
	}
	info, err := c.get(ctx, key)
	if err != nil {
		return "", err
	}
	if info.Paused {
		return "", &failure.Error{Code: failure.CodeConflict, Message: "task " + info.Name + " is paused", Hint: "resume it first"}
	}
	r := task.Request{Kind: task.RequestRun, Task: key, Reason: reason}
	if receipt == nil {
		r, err = c.store.Ask(ctx, r)
	} else {
		r, err = c.store.AskOnce(ctx, r, *receipt)
	}
	if err != nil {
		return "", c.missing(ctx, key, err)
	}
	return string(task.ManualID(r.UID, r.ID)), nil
}

// WaitRun follows a firing until it has ended, or was skipped, and gives its
// last attempt. It is bounded by ctx alone. Codes: timeout, not_found,
// unavailable, invalid.
func (c *Control) WaitRun(ctx context.Context, fireID string) (contract.RunView, error) {
	for pause := firstLook; ; pause = min(pause*2, lastLook) {
		l, err := c.look(ctx, fireID)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return contract.RunView{}, err
		case !l.open && len(l.attempts) > 0:
			return l.attempts[len(l.attempts)-1], nil
		case !l.open && !l.pending:
			return contract.RunView{}, l.nothing(fireID)
		}
		if err := wait(ctx, pause); err != nil {
			return contract.RunView{}, &failure.Error{
				Code: failure.CodeTimeout, Message: "run " + fireID + " has not ended", Err: err,
				Hint: "it goes on; see run show " + fireID,
			}
		}
	}
}

// CancelRun asks for a firing that is open to be cancelled. Codes: not_found,
// conflict (it has ended), unavailable, unknown_outcome, invalid.
func (c *Control) CancelRun(ctx context.Context, fireID string) error {
	l, err := c.look(ctx, fireID)
	switch {
	case err != nil:
		return err
	case !l.open && len(l.attempts) > 0:
		return &failure.Error{Code: failure.CodeConflict, Message: "run " + fireID + " has ended: " + l.attempts[len(l.attempts)-1].Outcome}
	case !l.open:
		return l.nothing(fireID)
	}
	_, err = c.store.Ask(ctx, task.Request{Kind: task.RequestCancel, Task: l.info.Key, FireID: task.FireID(fireID)})
	return failure.Wrap(err)
}

// Rerun asks for the task of a firing to be fired once more, now, and gives the
// new fire id. Codes as of RunTask.
func (c *Control) Rerun(ctx context.Context, fireID string) (string, error) {
	attempts, err := c.Run(ctx, fireID)
	if err != nil {
		return "", err
	}
	of := attempts[0]
	return c.RunTask(ctx, task.Key{Tenant: of.Tenant, Type: of.Type, Name: of.Task}, "again after "+fireID)
}
