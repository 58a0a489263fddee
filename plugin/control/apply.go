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

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

const (
	// planFormat is the number of the format in which plans are kept.
	planFormat = 1
	// appliers is how many edits of a plan are under way at once: they share the
	// syncs of the store.
	appliers = 32
	// prepared is how many new tasks are checked before they are created, together.
	prepared = 1 << 16
	// looked is how many tasks are looked up one by one; for more, all are listed.
	looked = 64
)

// Applied is what became of one change of a plan.
type Applied struct {
	PlannedTask
	Err error // an *failure.Error; nil: it is done
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
		return 0, failure.Wrap(err)
	}
	if err := c.current(ctx, p); err != nil {
		return 0, err
	}
	byWave := make(map[int][]PlannedTask)
	for _, t := range p.Changes {
		byWave[t.Wave] = append(byWave[t.Wave], t)
	}
	a := applying{Control: at, tell: tell}
	for _, wave := range slices.Sorted(maps.Keys(byWave)) {
		if err := a.wave(ctx, byWave[wave]); err != nil {
			return a.done, failure.Wrap(err)
		}
	}
	return a.done, ctx.Err()
}

// applying is a plan that is carried out.
type applying struct {
	*Control
	mu   sync.Mutex // guards what follows, and calls of tell
	tell func(Applied)
	done int
}

// became tells what became of a change.
func (a *applying) became(t PlannedTask, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.done++
	}
	a.tell(Applied{t, failure.Wrap(err)})
}

// wave does what does not depend on each other: new tasks that follow nobody, many
// to a commit, and then the rest.
func (a *applying) wave(ctx context.Context, changes []PlannedTask) error {
	rest := make(map[int][]PlannedTask) // by bucket: edits of one would get in each other's way
	later := func(t PlannedTask) error {
		b, err := a.store.HomeOf(ctx, t.Key)
		rest[b] = append(rest[b], t)
		return err
	}
	for some := range slices.Chunk(changes, prepared) {
		if ctx.Err() != nil {
			return nil
		}
		for _, t := range a.createAll(ctx, some) {
			if err := later(t); err != nil {
				return err
			}
		}
	}
	var workers sync.WaitGroup
	work := make(chan []PlannedTask)
	for range min(appliers, len(rest)) {
		workers.Go(func() { // ends when work is closed
			for tasks := range work {
				for _, t := range tasks {
					if ctx.Err() != nil {
						break
					}
					a.became(t, a.carryOut(ctx, t))
				}
			}
		})
	}
	for _, tasks := range rest {
		work <- tasks
	}
	close(work)
	workers.Wait()
	return nil
}

// createAll makes the new tasks among some changes that follow nobody. It gives the
// others, and those whose name is not free yet.
func (a *applying) createAll(ctx context.Context, some []PlannedTask) (rest []PlannedTask) {
	var (
		made  []PlannedTask
		infos []task.Info
	)
	for _, t := range some {
		if t.Action != ActionCreate {
			rest = append(rest, t)
			continue
		}
		info, err := a.planned(ctx, t)
		switch {
		case err != nil:
			a.became(t, err)
		case info.After != nil: // which edits what it follows
			rest = append(rest, t)
		default:
			made, infos = append(made, t), append(infos, info)
		}
	}
	a.store.CreateAll(ctx, infos, func(i int, err error) {
		if errors.Is(err, store.ErrDeleting) {
			rest = append(rest, made[i]) // it is waited for
			return
		}
		a.became(made[i], err)
	})
	return rest
}

// planned is a task to be created as a plan has it, checked.
func (c *Control) planned(ctx context.Context, t PlannedTask) (task.Info, error) {
	var info task.Info
	if err := json.Unmarshal(t.Definition, &info); err != nil {
		return info, failure.Invalid("definition: %v", err)
	}
	info.Key = t.Key
	return info, c.validateNew(ctx, &info)
}

// current refuses a plan that is not of this group, or whose tasks have moved.
func (c *Control) current(ctx context.Context, p *Plan) error {
	cluster, err := c.store.Cluster(ctx)
	switch {
	case err != nil:
		return failure.Wrap(err)
	case p.Cluster != cluster.UUID:
		return &failure.Error{Code: failure.CodeConflict, Message: "the plan is for another group of hosts", Hint: "make a plan for this one"}
	}
	desired := make([]Desired, len(p.Changes))
	for i := range p.Changes {
		desired[i].Key = p.Changes[i].Key
	}
	there, err := c.standing(ctx, desired, false)
	if err != nil {
		return failure.Wrap(err)
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
	return &failure.Error{
		Code: failure.CodeConflict, Message: "the plan is stale: since it was made somebody edited " + some(moved),
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
	if t.Action == ActionCreate {
		wanted, err := c.planned(ctx, t)
		if err != nil {
			return err
		}
		if err := c.link(ctx, &wanted); err != nil {
			return err
		}
		_, err = c.create(ctx, wanted, nil)
		return err
	}
	var wanted task.Info
	if err := json.Unmarshal(t.Definition, &wanted); err != nil {
		return failure.Invalid("definition: %v", err)
	}
	wanted.Key = t.Key
	_, _, err := c.update(ctx, t.Key, t.Revision, func(info *task.Info) error {
		from := info.From
		*info = wanted
		info.From = from
		return nil
	})
	return err
}

// EachDefinition gives the definitions of the tasks that a filter lets pass to f, one
// after the other, in no order. Its State and Node are not looked at. Codes:
// unavailable; and the first error of f.
func (c *Control) EachDefinition(ctx context.Context, f TaskFilter, each func(task.Info) error) error {
	return failure.Wrap(c.store.Each(ctx, func(infos []task.Info) error {
		for i := range infos {
			if !f.definition(&infos[i]) {
				continue
			}
			if err := each(infos[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Define gives one definition. Codes: not_found, unavailable.
func (c *Control) Define(ctx context.Context, key task.Key) (task.Info, error) {
	return c.get(ctx, key)
}

// CheckTask tells whether a task could be created, were its name free. Codes:
// invalid, unavailable.
func (c *Control) CheckTask(ctx context.Context, info task.Info) error {
	info.Key = info.Normal()
	return failure.Wrap(c.validateNew(ctx, &info))
}

// CheckOffline is CheckTask without a look at what can be called. It needs no
// connection. Code: invalid.
func (c *Control) CheckOffline(_ context.Context, info task.Info) error {
	info.Key = info.Normal()
	if err := store.CheckKey(info.Key); err != nil {
		return failure.Invalid("%v", err)
	}
	if err := check.Policies(&info); err != nil {
		return err
	}
	return c.validateTrigger(&info, c.now())
}
