package control

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// TaskFilter says which tasks to list. Empty fields let all pass.
type TaskFilter struct {
	Tenant, Type, Service string
	Node                  string // that owns the task's bucket
	States                []contract.State
	NamePrefix            string
	// DueBy: only those that fire next at this time or before. Zero: all.
	DueBy time.Time
	// FailedSince: only those of which a run that is kept failed at this time or
	// later, for whatever reason. Zero: all.
	FailedSince time.Time
}

func (f TaskFilter) definition(info *task.Info) bool {
	return (f.Tenant == "" || f.Tenant == info.Tenant) &&
		(f.Type == "" || f.Type == info.Type) &&
		(f.Service == "" || f.Service == info.Service) &&
		strings.HasPrefix(info.Name, f.NamePrefix)
}

// among gives the tasks of a bucket that the filter lets pass, of those whose
// definition does.
func (f TaskFilter) among(b standing.Bucket, defined func(*task.Info) bool) []contract.TaskView {
	pass := defined
	if !f.FailedSince.IsZero() {
		pass = func(info *task.Info) bool { return defined(info) && f.failed(b.Runs(info)) }
	}
	return slices.DeleteFunc(b.Views(pass), func(v contract.TaskView) bool {
		return len(f.States) > 0 && !slices.Contains(f.States, v.State) || f.Node != "" && f.Node != v.Node ||
			!f.DueBy.IsZero() && (v.Next == nil || v.Next.After(f.DueBy))
	})
}

// failed tells whether one of the runs did.
func (f TaskFilter) failed(runs []contract.RunView) bool {
	return slices.ContainsFunc(runs, func(r contract.RunView) bool {
		bad := r.Outcome == string(task.Failed) || r.Outcome == string(task.TimedOut) || r.Outcome == string(task.Interrupted) || r.Outcome == string(task.Unknown)
		return bad && !r.Moved().Before(f.FailedSince)
	})
}

// Tasks lists tasks by name, tenant and type. Records that cannot be read are
// left out. It holds all of them; see EachTask.
func (c *Control) Tasks(ctx context.Context, f TaskFilter) ([]contract.TaskView, error) {
	views := []contract.TaskView{}
	err := c.EachTask(ctx, f, func(v contract.TaskView) error {
		views = append(views, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(views, contract.ByName)
	return views, nil
}

// EachTask gives the tasks that a filter lets pass to f, one after the other, in no
// order, as they are read, some buckets at a time. Records that cannot be read are
// left out. Codes: invalid, unavailable; and the first error of f.
func (c *Control) EachTask(ctx context.Context, f TaskFilter, each func(contract.TaskView) error) error {
	return c.eachTask(ctx, f, f.definition, each)
}

func (c *Control) eachTask(ctx context.Context, f TaskFilter, pass func(*task.Info) bool, each func(contract.TaskView) error) error {
	for _, state := range f.States {
		if err := known("state", state, contract.States()); err != nil {
			return err
		}
	}
	around, err := c.around(ctx)
	if err != nil {
		return failure.Wrap(err)
	}
	var mu sync.Mutex // one task at a time
	return failure.Wrap(c.store.Snapshots(ctx, nil, func(snap store.Snapshot) error {
		found := f.among(c.replay(snap, around), pass)
		mu.Lock()
		defer mu.Unlock()
		for i := range found {
			if err := each(found[i]); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Task tells how one task stands.
func (c *Control) Task(ctx context.Context, key task.Key) (contract.TaskView, error) {
	info, err := c.get(ctx, key)
	if err != nil {
		return contract.TaskView{}, err
	}
	return c.view(ctx, info)
}

// Defined gives a task and its definition. Codes: not_found, unavailable.
func (c *Control) Defined(ctx context.Context, key task.Key) (contract.TaskView, task.Info, error) {
	info, err := c.get(ctx, key)
	if err != nil {
		return contract.TaskView{}, task.Info{}, err
	}
	view, err := c.view(ctx, info)
	return view, info, err
}

// get reads a definition; if there is none, the error names what is like it.
func (c *Control) get(ctx context.Context, key task.Key) (task.Info, error) {
	info, err := c.store.Get(ctx, key)
	return info, c.missing(ctx, key, err)
}

// view reads what the bucket of a task knows of it.
func (c *Control) view(ctx context.Context, info task.Info) (contract.TaskView, error) {
	r, err := c.readBucket(ctx, info)
	if err != nil {
		return contract.TaskView{}, failure.Wrap(err)
	}
	return r.View(&info), nil
}

// replay makes of a bucket what its owner would.
func (c *Control) replay(snap store.Snapshot, around standing.Group) standing.Bucket {
	return standing.Of(snap, around, bucket.Triggers(&c.triggers), c.now)
}

// readBucket reads the bucket of one task, the others left out.
func (c *Control) readBucket(ctx context.Context, info task.Info) (standing.Bucket, error) {
	b, err := c.store.Seat(ctx, &info)
	if err != nil {
		return standing.Bucket{}, err
	}
	around, err := c.around(ctx)
	if err != nil {
		return standing.Bucket{}, err
	}
	snap, err := c.store.Snapshot(ctx, b)
	if err != nil {
		return standing.Bucket{}, err
	}
	snap.Loaded.Definitions = []task.Info{info}
	snap.Loaded.Calendars, err = c.store.Consulted(ctx, snap.Loaded.Definitions)
	return c.replay(snap, around), err
}

// around reads what must be known of the group to tell how a bucket stands.
func (c *Control) around(ctx context.Context) (standing.Group, error) {
	var a standing.Group
	err := parallel.Do(
		func() (err error) { a.Live, err = c.live(ctx); return err },
		func() (err error) { a.Paper, _, _, err = c.store.Placement(ctx); return failure.UnlessMissing(err) },
		func() error {
			b, _, _, err := c.store.Barrier(ctx)
			a.Waiting = err == nil && !b.Open
			return failure.UnlessMissing(err)
		},
	)
	return a, err
}

// missing adds to a not-found error the names that are like the one asked for.
func (c *Control) missing(ctx context.Context, key task.Key, err error) error {
	if err == nil {
		return nil
	}
	e := failure.Of(err)
	if e.Code != failure.CodeNotFound {
		return e
	}
	key = key.Normal()
	e.Message = "there is no task " + key.Name
	if key.Tenant != task.DefaultTenant || key.Type != task.DefaultType {
		e.Message += " of tenant " + key.Tenant + " and type " + key.Type
	}
	keys, listErr := c.store.Keys(ctx)
	if listErr != nil {
		return e // the suggestion is a courtesy
	}
	var names []string
	for _, k := range keys {
		if k.Name == key.Name && k != key {
			e.Hint = "there is one of tenant " + k.Tenant + " and type " + k.Type
			return e
		}
		names = append(names, k.Name)
	}
	e.Hint = cmp.Or(failure.Nearest(key.Name, names), "see task list")
	return e
}

// TaskNames lists the names of all tasks, each once, in order, without reading
// the tasks: it is for completion. Codes: unavailable.
func (c *Control) TaskNames(ctx context.Context) ([]string, error) {
	keys, err := c.store.Keys(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		names = append(names, key.Name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// known refuses a word that is none of a few, and names what is like it.
func known[T ~string](what string, word T, words []T) error {
	if slices.Contains(words, word) {
		return nil
	}
	return &failure.Error{
		Code: failure.CodeInvalid, Message: what + " " + string(word) + " is unknown",
		Hint: cmp.Or(failure.Nearest(string(word), words), "there are "+listed(words)),
	}
}

// listed names all of a few words.
func listed[T ~string](words []T) string {
	names := make([]string, 0, len(words))
	for _, w := range words {
		names = append(names, string(w))
	}
	return strings.Join(names, ", ")
}
