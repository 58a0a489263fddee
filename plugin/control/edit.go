package control

import (
	"context"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Bounds of what is told or waited for.
const (
	firstNext = 5
	// MaxNext is the most instants that Next gives.
	MaxNext = 1000
	// clearTime is how long CreateTask waits for the owner to clear away a
	// deleted task of the same name.
	clearTime = 3 * time.Second
	clearPoll = 50 * time.Millisecond
)

// CreateTask stores a new task, and gives its first instants. Empty policies
// get their defaults; an empty delivery the strongest that the operation
// offers. Codes: invalid, exists, conflict (a deleted task of this name is not
// cleared away yet), unavailable, unknown_outcome.
func (c *Control) CreateTask(ctx context.Context, info task.Info) (contract.TaskView, []time.Time, error) {
	return c.createTask(ctx, info, nil)
}

// createTask is CreateTask; a receipt is stored with the task.
func (c *Control) createTask(ctx context.Context, info task.Info, r *store.Receipt) (contract.TaskView, []time.Time, error) {
	info.Key = info.Normal()
	info.Followers = nil // those that it has make themselves known
	if err := c.validateNew(ctx, &info); err != nil {
		return contract.TaskView{}, nil, failure.Wrap(err)
	}
	if err := c.link(ctx, &info); err != nil {
		return contract.TaskView{}, nil, failure.Wrap(err)
	}
	stored, err := c.create(ctx, info, r)
	if err != nil {
		e := failure.Of(err)
		if e.Code == failure.CodeExists {
			e.Message = "task " + info.Name + " exists already"
			e.Hint = "it was not changed; change it with task set, or choose another name"
		}
		return contract.TaskView{}, nil, e
	}
	next, err := c.instants(&stored, stored.From, firstNext)
	if err != nil {
		return contract.TaskView{}, nil, failure.Wrap(err)
	}
	view, err := c.view(ctx, stored)
	return view, next, err
}

// create waits a little for the owner to clear away a tombstone of the name.
func (c *Control) create(ctx context.Context, info task.Info, r *store.Receipt) (task.Info, error) {
	put := c.store.Create
	if r != nil {
		put = func(ctx context.Context, info task.Info) (task.Info, error) { return c.store.CreateOnce(ctx, info, *r) }
	}
	for waited := time.Duration(0); ; waited += clearPoll {
		stored, err := put(ctx, info)
		if !errors.Is(err, store.ErrDeleting) || waited >= clearTime || wait(ctx, clearPoll) != nil {
			return stored, err
		}
	}
}

// UpdateTask edits a task by change, which is given a copy and may be called
// again; revision 0 means the latest. Codes: invalid (also what change
// returns, unless it is an *failure.Error), not_found, conflict, unavailable,
// unknown_outcome.
func (c *Control) UpdateTask(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (contract.TaskView, error) {
	made, err := c.EditTask(ctx, key, revision, change)
	return made.Task, err
}

// Edited is what an edit made of a task.
type Edited struct {
	Was  task.Info // as it was when the edit took effect
	Is   task.Info
	Task contract.TaskView
}

// Changed tells whether anything was left to change.
func (e Edited) Changed() bool { return e.Was.Revision != e.Is.Revision }

// EditTask is UpdateTask for who also wants to know how the task was before.
func (c *Control) EditTask(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (Edited, error) {
	was, is, err := c.update(ctx, key, revision, change)
	if err != nil {
		return Edited{}, c.missing(ctx, key, err)
	}
	view, err := c.view(ctx, is)
	return Edited{was, is, view}, err
}

func (c *Control) update(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (was, is task.Info, err error) {
	var followed []task.Key // before
	is, err = c.store.Update(ctx, key, revision, func(info *task.Info) error {
		was = *info
		was.Do = info.Do.Clone() // change may write into it
		if err := change(info); err != nil {
			if _, ok := errors.AsType[*failure.Error](err); ok {
				return err
			}
			return &failure.Error{Code: failure.CodeInvalid, Message: err.Error(), Err: err}
		}
		info.Followers = was.Followers
		if err := c.validateEdit(ctx, &was, info); err != nil {
			return err
		}
		pin(&was, info)
		var err error
		followed, err = c.relink(ctx, &was, info)
		return err
	})
	if still, unread := is.After.Keys(is.Key); err == nil && unread == nil && len(followed) > 0 {
		err = c.unlink(ctx, is.Key, followed, still)
	}
	return was, is, err
}

// pin fixes what an interval counts from when a task is resumed, since From
// moves then: the instants and their number stay what they were.
func pin(before, after *task.Info) {
	resumed := before.Paused && !after.Paused
	willBe := after.PauseUntil != nil // its From moves then, and nobody edits it
	if (resumed || willBe) && before.Trigger == after.Trigger {
		after.Trigger = trigger.Pin(after.Trigger, before.From)
	}
}

// PauseTask stops a task from firing until ResumeTask; the instants between
// never fire. Codes: not_found, unavailable, unknown_outcome.
func (c *Control) PauseTask(ctx context.Context, key task.Key, reason string) (contract.TaskView, error) {
	return c.PauseTaskUntil(ctx, key, reason, time.Time{})
}

// PauseTaskUntil is PauseTask for a pause that is over at a time, to the
// millisecond, whoever is up then. The zero time: it lasts until ResumeTask. A
// task that is paused has its end and its reason replaced. Codes as of PauseTask,
// invalid (the time is past, or further away than MaxPause).
func (c *Control) PauseTaskUntil(ctx context.Context, key task.Key, reason string, until time.Time) (contract.TaskView, error) {
	end, err := PauseEnd(until, c.now())
	if err != nil {
		return contract.TaskView{}, err
	}
	return c.UpdateTask(ctx, key, 0, Pausing(reason, end))
}

// Pausing is the edit that pauses a task until PauseEnd's answer.
func Pausing(reason string, end *time.Time) func(*task.Info) error {
	return func(info *task.Info) error {
		info.Paused, info.PauseReason, info.PauseUntil = true, reason, end
		return nil
	}
}

// MaxPause is the longest pause that ends of itself.
const MaxPause = 5 * 366 * 24 * time.Hour

// PauseEnd checks when a pause that begins now is to end, and gives that to the
// millisecond; nil: it does not of itself, as until is zero. Codes: invalid (the
// time is past, or further away than MaxPause).
func PauseEnd(until, now time.Time) (*time.Time, error) {
	if until.IsZero() {
		return nil, nil //nolint:nilnil // as documented
	}
	end := until.UTC().Truncate(time.Millisecond)
	switch {
	case !end.After(now):
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "a pause until " + end.Format(time.RFC3339) + " is over already", Hint: "name a time that is to come"}
	case end.Sub(now) > MaxPause:
		return nil, failure.Invalid("a pause until %s: it may last %d days", end.Format(time.RFC3339), int(MaxPause.Hours()/24))
	}
	return &end, nil
}

// ResumeTask lets a paused task fire again. Codes as of PauseTask.
func (c *Control) ResumeTask(ctx context.Context, key task.Key) (contract.TaskView, error) {
	return c.UpdateTask(ctx, key, 0, Resuming)
}

// Resuming is the edit that ends a pause.
func Resuming(info *task.Info) error {
	info.Paused, info.PauseUntil = false, nil
	return nil
}

// DeleteTask removes a task; a run that is going ends first. Codes: not_found,
// conflict (others follow it), unavailable, unknown_outcome.
func (c *Control) DeleteTask(ctx context.Context, key task.Key) error {
	return c.deleteTask(ctx, key, 0)
}

func (c *Control) deleteTask(ctx context.Context, key task.Key, revision int64) error {
	info, err := c.get(ctx, key)
	if err != nil {
		return err
	}
	if err := c.followed(ctx, &info); err != nil {
		return failure.Wrap(err)
	}
	if err := c.store.Delete(ctx, key, revision); err != nil || info.After == nil {
		return c.missing(ctx, key, err)
	}
	before, err := info.After.Keys(info.Key)
	if err != nil {
		return nil //nolint:nilerr // it is deleted, and follows nobody
	}
	return failure.Wrap(errors.Join(c.unlink(ctx, info.Key, before, nil), c.store.ForgetJoin(ctx, info.UID)))
}

// Next gives the next n instants of a task after from, at most MaxNext. Codes:
// invalid, not_found, unavailable.
func (c *Control) Next(ctx context.Context, key task.Key, n int, from time.Time) ([]contract.NextView, error) {
	if n < 1 || n > MaxNext {
		return nil, failure.Invalid("%d instants: ask for 1 to %d", n, MaxNext)
	}
	info, err := c.get(ctx, key)
	if err != nil {
		return nil, err
	}
	t, err := c.triggers.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "trigger: " + err.Error(), Err: err}
	}
	book, err := c.store.Consulted(ctx, []task.Info{info})
	if err != nil {
		return nil, failure.Wrap(err)
	}
	windows, err := book.Windows(info.Windows)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	fates := preview.Under(windows)
	next := make([]contract.NextView, 0, n)
	for at, ok := t.Next(from); ok && len(next) < n; at, ok = t.Next(at) {
		v := contract.NextView{At: at.UTC(), Note: t.Note(at)}
		if info.Standing(at).Paused {
			v.Note = contract.Because(string(task.ReasonPaused), "does not fire unless resumed before")
		}
		fates.Of(&v)
		next = append(next, v)
	}
	return next, nil
}

func (c *Control) instants(info *task.Info, after time.Time, n int) ([]time.Time, error) {
	t, err := c.triggers.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "trigger: " + err.Error(), Err: err}
	}
	var instants []time.Time
	for at, ok := t.Next(after); ok && len(instants) < n; at, ok = t.Next(at) {
		instants = append(instants, at.UTC())
	}
	return instants, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
