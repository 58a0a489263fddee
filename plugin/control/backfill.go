package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// MaxBackfill is how many instants one backfill asks for.
const MaxBackfill = store.MaxFill

// maxFillLook is how many instants a backfill looks at.
const maxFillLook = 100_000

// Backfill asks for past instants of a task to be made up for.
type Backfill struct {
	// From and To bound the instants, both included. What is not past yet is left
	// out.
	From, To time.Time
	// Max is how many are asked for, the oldest first, at most MaxBackfill. Zero:
	// MaxBackfill.
	Max    int
	Reason string
	// DryRun tells what would be asked for, and asks for nothing.
	DryRun bool
}

// BackfillView is what a backfill asks for, or would.
type BackfillView struct {
	Task string `json:"task"`
	// Instants that are asked for, the oldest first; each runs once.
	Instants []time.Time `json:"instants"`
	FireIDs  []string    `json:"fire_ids"` // theirs, in the same order
	// Ran are instants that are left out because a run of theirs is kept, Before
	// those that an earlier backfill has asked for, and Left those beyond Max.
	Ran    int `json:"ran"`
	Before int `json:"before"`
	Left   int `json:"left"`
	// Unsure is how many of Instants are older than all that is kept of the task's
	// runs: nobody knows here whether they ran.
	Unsure int  `json:"unsure"`
	DryRun bool `json:"dry_run"`
}

// Backfill makes up for past instants of a task by the trigger that it has now: a
// run by hand for each that is not known to have run and that no backfill has
// asked for before, one after another, behind what is due by the schedule. So the
// same backfill again asks for nothing. Codes: invalid, not_found, conflict (the
// task is paused), unavailable, unknown_outcome: then it may be asked again.
func (c *Control) Backfill(ctx context.Context, key task.Key, b Backfill) (BackfillView, error) {
	if b.Max == 0 {
		b.Max = MaxBackfill
	}
	now := c.now()
	switch {
	case b.Max < 1 || b.Max > MaxBackfill:
		return BackfillView{}, failure.Invalid("at most %d instants: use 1 to %d", b.Max, MaxBackfill)
	case b.From.IsZero() || b.To.Before(b.From):
		return BackfillView{}, failure.Invalid("from %s to %s is no time", b.From.UTC().Format(time.RFC3339), b.To.UTC().Format(time.RFC3339))
	case b.From.After(now):
		return BackfillView{}, failure.Invalid("from %s is to come", b.From.UTC().Format(time.RFC3339))
	case len(b.Reason) > check.MaxDescription:
		return BackfillView{}, failure.Invalid("reason of %d bytes: the limit is %d", len(b.Reason), check.MaxDescription)
	}
	info, err := c.get(ctx, key)
	if err != nil {
		return BackfillView{}, err
	}
	if info.Paused {
		return BackfillView{}, &failure.Error{Code: failure.CodeConflict, Message: "task " + info.Name + " is paused", Hint: "resume it first; then the instants of the pause can be made up for"}
	}
	past, err := c.pastInstants(&info, b, now)
	if err != nil {
		return BackfillView{}, err
	}
	v := BackfillView{Task: info.Name, Instants: []time.Time{}, FireIDs: []string{}, DryRun: b.DryRun}
	missed, oldest, err := c.notRun(ctx, info, past)
	if err != nil {
		return BackfillView{}, failure.Wrap(err)
	}
	v.Ran = len(past) - len(missed)
	before, err := c.store.Filled(ctx, info.UID, missed)
	if err != nil {
		return BackfillView{}, failure.Wrap(err)
	}
	v.Before = len(before)
	wanted := without(missed, before)
	if v.Left = max(0, len(wanted)-b.Max); v.Left > 0 {
		wanted = wanted[:b.Max]
	}
	if !b.DryRun && len(wanted) > 0 {
		if wanted, err = c.store.Fill(ctx, key, wanted, b.Reason); err != nil {
			return BackfillView{}, c.missing(ctx, key, err)
		}
	}
	for _, at := range wanted {
		v.Instants = append(v.Instants, at.UTC())
		v.FireIDs = append(v.FireIDs, string(task.ManualID(info.UID, task.FillID(info.UID, at))))
		if at.Before(oldest) {
			v.Unsure++
		}
	}
	return v, nil
}

// pastInstants are those between two times, by the trigger as it is now.
func (c *Control) pastInstants(info *task.Info, b Backfill, now time.Time) ([]time.Time, error) {
	// An interval counts from where it did; a cron expression is looked at also
	// before the task was made.
	t, err := c.triggers.Compile(trigger.Pin(info.Trigger, info.From), b.From.Add(-time.Millisecond), info.UID)
	if err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "trigger: " + err.Error(), Err: err}
	}
	var past []time.Time
	for at, ok := t.Next(b.From.Add(-time.Millisecond)); ok && !at.After(b.To) && at.Before(now); at, ok = t.Next(at) {
		if len(past) == maxFillLook {
			return nil, &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf("more than %d instants lie between", maxFillLook), Hint: "name a shorter time"}
		}
		past = append(past, at)
	}
	return past, nil
}

// notRun leaves out instants of which a run is kept, that wait to run, or that
// the owner has not decided yet. Oldest is the oldest of which anything is kept.
func (c *Control) notRun(ctx context.Context, info task.Info, past []time.Time) (missed []time.Time, oldest time.Time, err error) {
	r, err := c.readBucket(ctx, info)
	if err != nil {
		return nil, oldest, err
	}
	if r.Fault != nil {
		return nil, oldest, &failure.Error{Code: failure.CodeInternal, Message: contract.ReasonCorrupt + ": " + r.Fault.Error(), Err: r.Fault}
	}
	v, _ := r.State.View(info.UID)
	oldest = c.now()
	var ran []time.Time
	for _, run := range append(r.State.Runs(info.UID), v.Open...) {
		if run.FireID.Manual() {
			continue
		}
		if run.Scheduled.Before(oldest) {
			oldest = run.Scheduled
		}
		if run.Outcome != task.Skipped {
			ran = append(ran, run.Scheduled)
		}
	}
	ran = append(ran, v.Queued...)
	missed = without(past, ran)
	if !v.Next.IsZero() {
		missed = slices.DeleteFunc(missed, func(t time.Time) bool { return !t.Before(v.Next) })
	}
	return missed, oldest, nil
}

// without are the instants that are not among others, to the millisecond.
func without(instants, others []time.Time) []time.Time {
	there := make(map[int64]bool, len(others))
	for _, t := range others {
		there[t.UnixMilli()] = true
	}
	return slices.DeleteFunc(slices.Clone(instants), func(t time.Time) bool { return there[t.UnixMilli()] })
}
