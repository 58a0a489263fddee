package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Desired is a task as a file wants it. What the file does not say of its
// delivery and of the start of its interval stays as it is.
type Desired struct {
	task.Info
	// KeepPaused: the file does not say whether it is paused.
	KeepPaused bool
}

// Action is what a plan does to a task.
type Action string

// The actions of a plan.
const (
	ActionCreate Action = "create"
	ActionChange Action = "change"
	ActionDelete Action = "delete"
)

// Plan is what is to be done for tasks to be as they are wanted. It is bound to
// the definitions that it was made from.
type Plan struct {
	Format    int           `json:"format"`
	Cluster   string        `json:"cluster"` // the uuid of the group that it is for
	Made      time.Time     `json:"made"`
	Changes   []PlannedTask `json:"changes"`
	Unchanged int           `json:"unchanged"`
}

// PlannedTask is one task that a plan changes.
type PlannedTask struct {
	Action Action `json:"action"`
	task.Key
	// UID and Revision that it must have; empty and 0: there must be none.
	UID      string `json:"uid"`
	Revision int64  `json:"revision"`
	// Wave orders what depends on another: what a task follows is there before
	// it, and is deleted after it.
	Wave    int                 `json:"wave"`
	Changes []definition.Change `json:"changes"`
	// Definition that it gets; of one to be deleted, none.
	Definition json.RawMessage `json:"definition,omitempty"`
	// First is when one to be created fires first; null: never, or it is paused.
	First *time.Time `json:"first"`
}

// Count is how many tasks an action is planned for.
func (p *Plan) Count(a Action) int {
	n := 0
	for i := range p.Changes {
		if p.Changes[i].Action == a {
			n++
		}
	}
	return n
}

// PlanTasks works out what is to be done for tasks to be as desired, and with
// prune, for those that it lets pass and that are not desired, to be deleted.
// It changes nothing. All that is wrong is told at once, in the order of
// desired. Codes: invalid, unavailable.
func (c *Control) PlanTasks(ctx context.Context, desired []Desired, prune *TaskFilter) (Plan, error) {
	at, err := c.settled(ctx)
	if err != nil {
		return Plan{}, failure.Wrap(err)
	}
	cluster, err := c.store.Cluster(ctx)
	if err != nil {
		return Plan{}, failure.Wrap(err)
	}
	there, err := c.standing(ctx, desired, prune != nil)
	if err != nil {
		return Plan{}, failure.Wrap(err)
	}
	plan := Plan{Format: planFormat, Cluster: cluster.UUID, Made: c.now().UTC().Truncate(time.Second), Changes: []PlannedTask{}}
	at.coming = make(map[task.Key]task.Info, len(desired))
	for i := range desired {
		at.coming[desired[i].Normal()] = desired[i].Info
	}
	var faults []error
	wanted := make(map[task.Key]bool, len(desired))
	for i := range desired {
		d := desired[i]
		d.Key = d.Normal()
		if wanted[d.Key] {
			faults = append(faults, failure.Invalid("task %s: it is there twice", d.Name))
			continue
		}
		wanted[d.Key] = true
		planned, err := at.planTask(ctx, d, there)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("task %s: %w", d.Name, err))
		case planned == nil:
			plan.Unchanged++
		default:
			plan.Changes = append(plan.Changes, *planned)
		}
	}
	if len(faults) > 0 {
		return Plan{}, &failure.Error{Code: failure.CodeInvalid, Message: errors.Join(faults...).Error(), Err: faults[0], Hint: failure.Of(faults[0]).Hint}
	}
	depth := waves(at.coming)
	most := 0
	for i := range plan.Changes {
		plan.Changes[i].Wave = depth(plan.Changes[i].Key)
		most = max(most, plan.Changes[i].Wave)
	}
	if prune != nil {
		plan.prune(there, wanted, *prune, most)
	}
	return plan, nil
}

// waves tells how long the chain of the tasks is that one of them follows, as
// far as it is among them. A circle has an end at task.MaxChain.
func waves(all map[task.Key]task.Info) func(task.Key) int {
	known := make(map[task.Key]int, len(all))
	var depth func(key task.Key, left int) int
	depth = func(key task.Key, left int) int {
		info, ok := all[key]
		if !ok || left == 0 {
			return -1
		}
		if d, ok := known[key]; ok {
			return d
		}
		d := 0
		before, _ := info.After.Keys(key) // one that cannot be read is refused elsewhere
		for _, k := range before {
			d = max(d, depth(k, left-1)+1)
		}
		known[key] = d
		return d
	}
	return func(key task.Key) int { return max(0, depth(key, task.MaxChain)) }
}

// settled is c with the catalogue as it is now, for many tasks.
func (c *Control) settled(ctx context.Context) (*Control, error) {
	services, err := c.Services(ctx)
	if err != nil {
		return nil, err
	}
	return &Control{store: c.store, members: c.members, caller: c.caller, now: c.now, cluster: c.cluster, deployed: slices.Clip(services)}, nil
}

// standing reads the definitions that a plan may touch.
func (c *Control) standing(ctx context.Context, desired []Desired, all bool) (map[task.Key]task.Info, error) {
	there := make(map[task.Key]task.Info)
	if all || len(desired) > looked {
		list, err := c.store.List(ctx)
		for _, info := range list {
			there[info.Key] = info
		}
		return there, err
	}
	for i := range desired {
		info, err := c.store.Get(ctx, desired[i].Key)
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			there[info.Key] = info
		}
	}
	return there, nil
}

// planTask plans one; nil: it is as it is wanted.
func (c *Control) planTask(ctx context.Context, d Desired, there map[task.Key]task.Info) (*PlannedTask, error) {
	before, exists := there[d.Key]
	planned := PlannedTask{Action: ActionCreate, Key: d.Key}
	after := d.Standing(c.now()) // a file may be older than the end of the pause in it
	if !exists {
		if err := c.validateNew(ctx, &after); err != nil {
			return nil, err
		}
		if next, err := c.instants(&after, c.now(), 1); err == nil && len(next) > 0 && !after.Paused {
			planned.First = &next[0]
		}
		planned.Changes = definition.Changes(&task.Info{}, &after)
	} else {
		Adopt(&after, &before, d.KeepPaused)
		if err := check.Policies(&after); err != nil {
			return nil, err
		}
		planned.Action, planned.UID, planned.Revision = ActionChange, before.UID, before.Revision
		if planned.Changes = definition.Changes(&before, &after); len(planned.Changes) == 0 {
			return nil, nil //nolint:nilnil // as documented
		}
		if err := c.validateEdit(ctx, &before, &after); err != nil {
			return nil, err
		}
	}
	var err error
	planned.Definition, err = definition.Plain(&after)
	return &planned, err
}

// Adopt keeps of a task what a file does not say: its delivery, the start of its
// interval and, with paused, whether it is paused.
func Adopt(after, before *task.Info, paused bool) {
	if after.Delivery == "" {
		after.Delivery = before.Delivery
	}
	after.Followers = before.Followers
	if after.After != nil && after.Trigger == (task.TriggerInfo{}) {
		after.Trigger.Cron = task.Never
	}
	if paused {
		after.Paused, after.PauseReason, after.PauseUntil = before.Paused, before.PauseReason, before.PauseUntil
	}
	if after.Trigger.Start.IsZero() {
		// A task that was resumed has the start that its interval counts from.
		pinned := after.Trigger
		pinned.Start = before.Trigger.Start
		if pinned == before.Trigger && pinned.Cron == "" && pinned.At.IsZero() {
			after.Trigger = pinned
		}
	}
}

// prune plans the deletions, followers before what they follow, after all else.
func (p *Plan) prune(there map[task.Key]task.Info, wanted map[task.Key]bool, f TaskFilter, last int) {
	var gone []PlannedTask
	depth := waves(there)
	for key, info := range there {
		if !wanted[key] && f.definition(&info) {
			gone = append(gone, PlannedTask{Action: ActionDelete, Key: key, UID: info.UID, Revision: info.Revision, Changes: []definition.Change{}, Wave: last + 1 + task.MaxChain - depth(key)})
		}
	}
	slices.SortFunc(gone, func(a, b PlannedTask) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	p.Changes = append(p.Changes, gone...)
}

// ReadPlan reads a plan that was kept. Code: invalid.
func ReadPlan(data []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return Plan{}, failure.Invalid("plan: %v", err)
	}
	if p.Format != planFormat {
		return Plan{}, failure.Invalid("plan: format %d: this program reads %d", p.Format, planFormat)
	}
	return p, nil
}
