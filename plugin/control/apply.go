package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

const (
	// planFormat is the number of the format in which plans are kept.
	planFormat = 1
	// appliers is how many edits of a plan are under way at once: they share the
	// syncs of the store.
	appliers = 32
	// looked is how many tasks are looked up one by one; for more, all are listed.
	looked = 64
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
	Wave    int      `json:"wave"`
	Changes []Change `json:"changes"`
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
		return Plan{}, wrap(err)
	}
	cluster, err := c.store.Cluster(ctx)
	if err != nil {
		return Plan{}, wrap(err)
	}
	there, err := c.standing(ctx, desired, prune != nil)
	if err != nil {
		return Plan{}, wrap(err)
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
			faults = append(faults, invalid("task %s: it is there twice", d.Name))
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
		return Plan{}, &Error{Code: CodeInvalid, Message: errors.Join(faults...).Error(), Err: faults[0], Hint: AsError(faults[0]).Hint}
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
	after := d.Info
	if !exists {
		if err := c.validateNew(ctx, &after); err != nil {
			return nil, err
		}
		if next, err := c.instants(&after, c.now(), 1); err == nil && len(next) > 0 && !after.Paused {
			planned.First = &next[0]
		}
		planned.Changes = Changes(&task.Info{}, &after)
	} else {
		Adopt(&after, &before, d.KeepPaused)
		if err := checkPolicies(&after); err != nil {
			return nil, err
		}
		planned.Action, planned.UID, planned.Revision = ActionChange, before.UID, before.Revision
		if planned.Changes = Changes(&before, &after); len(planned.Changes) == 0 {
			return nil, nil //nolint:nilnil // as documented
		}
		if err := c.validateEdit(ctx, &before, &after); err != nil {
			return nil, err
		}
	}
	var err error
	planned.Definition, err = Definition(&after)
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
		after.Paused, after.PauseReason = before.Paused, before.PauseReason
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
			gone = append(gone, PlannedTask{Action: ActionDelete, Key: key, UID: info.UID, Revision: info.Revision, Changes: []Change{}, Wave: last + 1 + task.MaxChain - depth(key)})
		}
	}
	slices.SortFunc(gone, func(a, b PlannedTask) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	p.Changes = append(p.Changes, gone...)
}

// ReadPlan reads a plan that was kept. Code: invalid.
func ReadPlan(data []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return Plan{}, invalid("plan: %v", err)
	}
	if p.Format != planFormat {
		return Plan{}, invalid("plan: format %d: this program reads %d", p.Format, planFormat)
	}
	return p, nil
}

// Applied is what became of one change of a plan.
type Applied struct {
	PlannedTask
	Err error // an *Error; nil: it is done
}

// ApplyPlan does what a plan says, if each of its tasks is still as it was when
// the plan was made; else nothing is changed, and the code is conflict. Then it
// goes on when single tasks fail, and tells of each as it is done, one at a
// time. It ends early with ctx; what was done stays done, and a new plan holds
// the rest. It gives how many changes were made. Codes: conflict, invalid,
// unavailable.
func (c *Control) ApplyPlan(ctx context.Context, p *Plan, tell func(Applied)) (int, error) {
	at, err := c.settled(ctx)
	if err != nil {
		return 0, wrap(err)
	}
	if err := c.current(ctx, p); err != nil {
		return 0, err
	}
	waves, err := c.parts(ctx, p)
	if err != nil {
		return 0, wrap(err)
	}
	var (
		mu      sync.Mutex // guards done, and calls of tell
		done    int
		workers sync.WaitGroup
	)
	for _, parts := range waves {
		work := make(chan []PlannedTask)
		for range min(appliers, len(parts)) {
			workers.Go(func() { // ends when work is closed
				for tasks := range work {
					for _, t := range tasks {
						if ctx.Err() != nil {
							break
						}
						err := at.carryOut(ctx, t)
						mu.Lock()
						if err == nil {
							done++
						}
						tell(Applied{t, wrap(err)})
						mu.Unlock()
					}
				}
			})
		}
		for _, tasks := range parts {
			work <- tasks
		}
		close(work)
		workers.Wait()
	}
	return done, ctx.Err()
}

// parts divides a plan by wave and bucket: edits of one bucket would get in each
// other's way.
func (c *Control) parts(ctx context.Context, p *Plan) ([]map[int][]PlannedTask, error) {
	byWave := make(map[int]map[int][]PlannedTask)
	for _, t := range p.Changes {
		b, err := c.store.HomeOf(ctx, t.Key)
		if err != nil {
			return nil, err
		}
		if byWave[t.Wave] == nil {
			byWave[t.Wave] = make(map[int][]PlannedTask)
		}
		byWave[t.Wave][b] = append(byWave[t.Wave][b], t)
	}
	parts := make([]map[int][]PlannedTask, 0, len(byWave))
	for _, wave := range slices.Sorted(maps.Keys(byWave)) {
		parts = append(parts, byWave[wave])
	}
	return parts, nil
}

// current refuses a plan that is not of this group, or whose tasks have moved.
func (c *Control) current(ctx context.Context, p *Plan) error {
	cluster, err := c.store.Cluster(ctx)
	switch {
	case err != nil:
		return wrap(err)
	case p.Cluster != cluster.UUID:
		return &Error{Code: CodeConflict, Message: "the plan is for another group of hosts", Hint: "make a plan for this one"}
	}
	desired := make([]Desired, len(p.Changes))
	for i := range p.Changes {
		desired[i].Key = p.Changes[i].Key
	}
	there, err := c.standing(ctx, desired, false)
	if err != nil {
		return wrap(err)
	}
	var moved []string
	for i := range p.Changes {
		t := &p.Changes[i]
		if now := there[t.Key]; now.UID != t.UID || now.Revision != t.Revision {
			moved = append(moved, t.Name)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	return &Error{
		Code: CodeConflict, Message: "the plan is stale: since it was made somebody edited " + some(moved),
		Hint: "nothing was changed; make a new plan and look at it",
	}
}

// some names a few of many.
func some(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

func (c *Control) carryOut(ctx context.Context, t PlannedTask) error {
	if t.Action == ActionDelete {
		// Its revision may have grown since: what followed it is deleted before it.
		return c.deleteTask(ctx, t.Key, 0)
	}
	var wanted task.Info
	if err := json.Unmarshal(t.Definition, &wanted); err != nil {
		return invalid("definition: %v", err)
	}
	wanted.Key = t.Key
	if t.Action == ActionCreate {
		if err := c.validateNew(ctx, &wanted); err != nil {
			return err
		}
		if err := c.link(ctx, &wanted); err != nil {
			return err
		}
		_, err := c.create(ctx, wanted, nil)
		return err
	}
	_, err := c.update(ctx, t.Key, t.Revision, func(info *task.Info) error {
		from := info.From
		*info = wanted
		info.From = from
		return nil
	})
	return err
}

// Export gives the definitions of the tasks that a filter lets pass, by key.
// Its State and Node are not looked at. Codes: unavailable.
func (c *Control) Export(ctx context.Context, f TaskFilter) ([]task.Info, error) {
	all, err := c.store.List(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	return slices.DeleteFunc(all, func(info task.Info) bool { return !f.definition(&info) }), nil
}

// Define gives one definition. Codes: not_found, unavailable.
func (c *Control) Define(ctx context.Context, key task.Key) (task.Info, error) {
	return c.get(ctx, key)
}

// CheckTask tells whether a task could be created, were its name free. Codes:
// invalid, unavailable.
func (c *Control) CheckTask(ctx context.Context, info task.Info) error {
	info.Key = info.Normal()
	return wrap(c.validateNew(ctx, &info))
}

// CheckOffline is CheckTask without a look at what can be called. It needs no
// connection. Code: invalid.
func (c *Control) CheckOffline(_ context.Context, info task.Info) error {
	info.Key = info.Normal()
	if err := store.CheckKey(info.Key); err != nil {
		return invalid("%v", err)
	}
	if err := checkPolicies(&info); err != nil {
		return err
	}
	return c.validateTrigger(&info, c.now())
}
