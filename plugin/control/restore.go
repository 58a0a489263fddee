package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/backup"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// restored is how many tasks are restored at once, and compared: enough for some of
// each bucket, since those go together.
const restored = 4096

// Restoration is what a restore does, or would.
type Restoration struct {
	backup.Summary
	Created   int      `json:"created"`   // tasks and calendars
	Replaced  int      `json:"replaced"`  // those that are there and different
	Unchanged int      `json:"unchanged"` // those that are there and the same
	Different []string `json:"different"` // the names of those replaced, as many as an error names
	Left      int      `json:"left"`      // not reached, because it was interrupted
}

// RestoreOptions say how to restore.
type RestoreOptions struct {
	// Force replaces tasks that are there and different.
	Force  bool
	DryRun bool
	// Tell hears how many tasks are restored. Nil: nobody does.
	Tell func(done, of int)
}

// Restore makes the calendars and tasks of a backup, which open gives from its beginning each
// time. First all of it is checked and compared. Tasks that are not in it are
// left alone, and so are those that are the same; if others are there and
// different, nothing is changed unless forced. Services need not be deployed. It
// can be called again after an interruption, and goes on. Codes: invalid,
// exists, unavailable, unknown_outcome; and the errors of open.
func (c *Control) Restore(ctx context.Context, open func() (io.ReadCloser, error), o RestoreOptions) (Restoration, error) {
	if o.Tell == nil {
		o.Tell = func(int, int) {}
	}
	r := restorer{c: c, open: open, o: o, chains: make(map[task.Key]task.Info)}
	r.out.Different = []string{}
	if err := r.compare(ctx); err != nil {
		return r.out, failure.Wrap(err)
	}
	if r.out.Replaced > 0 && !o.Force && !o.DryRun {
		return r.out, &failure.Error{
			Code: failure.CodeExists, Message: fmt.Sprintf("%d tasks or calendars are there and different: %s", r.out.Replaced, some(r.out.Different)),
			Hint: "nothing was changed; --force replaces them, --dry-run tells what would be done",
		}
	}
	if o.DryRun {
		return r.out, nil
	}
	return r.out, failure.Wrap(r.restore(ctx))
}

// restorer is one restore. It holds at most restored definitions, and of those
// that follow others, which.
type restorer struct {
	c      *Control
	open   func() (io.ReadCloser, error)
	o      RestoreOptions
	chains map[task.Key]task.Info // the tasks with After, nothing else of them
	// calendars to be made
	calendars []calendar.Definition
	out       Restoration
	done      int
}

// each reads the backup and gives its calendars to named, its tasks to f, some at
// once.
func (r *restorer) each(ctx context.Context, named func(calendar.Definition) error, pick func(*task.Info) bool, f func(context.Context, []task.Info) error) (backup.Summary, error) {
	in, err := r.open()
	if err != nil {
		return backup.Summary{}, err
	}
	defer in.Close() //nolint:errcheck // it was only read
	var batch []task.Info
	s, err := backup.Read(in, func(item backup.Item) error {
		if item.Calendar != nil {
			return named(*item.Calendar)
		}
		info := *item.Task
		info.Key = info.Normal()
		if !pick(&info) {
			return ctx.Err()
		}
		if batch = append(batch, info); len(batch) < restored {
			return ctx.Err()
		}
		err := f(ctx, batch)
		batch = batch[:0]
		return err
	})
	if err == nil {
		err = f(ctx, batch)
	}
	return s, err
}

func (r *restorer) compare(ctx context.Context) error {
	named := func(d calendar.Definition) error { return r.calendar(ctx, d) }
	s, err := r.each(ctx, named, func(*task.Info) bool { return true }, func(ctx context.Context, batch []task.Info) error {
		return r.parallel(ctx, batch, func(info task.Info) (func(), error) {
			there, err := r.c.store.Get(ctx, info.Key)
			exists := err == nil
			if failure.UnlessMissing(err) != nil {
				return nil, err
			}
			return func() { r.count(&info, &there, exists) }, nil
		})
	})
	r.out.Summary = s
	return err
}

func (r *restorer) count(info, there *task.Info, exists bool) {
	if info.After != nil {
		r.chains[info.Key] = task.Info{Key: info.Key, After: info.After}
	}
	switch {
	case !exists:
		r.out.Created++
	case same(info, there):
		r.out.Unchanged++
	default:
		if r.out.Replaced++; len(r.out.Different) <= maxListed {
			r.out.Different = append(r.out.Different, info.Name)
		}
	}
}

// same tells whether a task is as the backup has it.
func same(info, there *task.Info) bool {
	wanted := *info
	Adopt(&wanted, there, false)
	return len(definition.Changes(there, &wanted)) == 0
}

// parallel works on the tasks of a batch at once, and calls what follows from
// each one after another.
func (r *restorer) parallel(ctx context.Context, batch []task.Info, work func(task.Info) (func(), error)) error {
	var (
		mu      sync.Mutex // guards first, and what follows
		first   error
		workers sync.WaitGroup
	)
	slots := make(chan struct{}, appliers)
	for _, info := range batch {
		slots <- struct{}{}
		workers.Go(func() { // ends when work has
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			follow, err := work(info)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				follow()
			case first == nil:
				first = fmt.Errorf("task %s: %w", info.Name, err)
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err // which is why those under way have no answer
	}
	return first
}

// restore makes the tasks, those first that others follow.
func (r *restorer) restore(ctx context.Context) error {
	if err := r.restoreCalendars(ctx); err != nil {
		return err
	}
	made := func(calendar.Definition) error { return nil }
	depth := waves(r.chains)
	last := 0
	for key := range r.chains {
		last = max(last, 1+depth(key))
	}
	defer func() { r.out.Left = r.out.Tasks - r.done }()
	for wave := range last + 1 {
		_, err := r.each(ctx, made, func(info *task.Info) bool {
			if _, follows := r.chains[info.Key]; follows {
				return 1+depth(info.Key) == wave
			}
			return wave == 0
		}, r.restoreSome)
		if err != nil {
			return err
		}
	}
	return nil
}

// restoreSome makes tasks of one wave: those that are missing and follow nobody
// together, the others one by one.
func (r *restorer) restoreSome(ctx context.Context, batch []task.Info) error {
	var missing, unclear []task.Info
	err := r.parallel(ctx, batch, func(info task.Info) (func(), error) {
		there, err := r.c.store.Get(ctx, info.Key)
		switch {
		case failure.UnlessMissing(err) != nil:
			return nil, err
		case err != nil && info.After == nil:
			return func() { missing = append(missing, fresh(info)) }, nil
		}
		return r.tell, r.c.restoreTask(ctx, info, &there, err == nil)
	})
	if err != nil {
		return err
	}
	r.c.store.CreateAll(ctx, missing, func(i int, fault error) {
		switch {
		case fault == nil:
			r.tell()
		case errors.Is(fault, store.ErrDeleting):
			unclear = append(unclear, missing[i])
		case err == nil:
			err = fmt.Errorf("task %s: %w", missing[i].Name, fault)
		}
	})
	if err != nil {
		return err
	}
	return r.parallel(ctx, unclear, func(info task.Info) (func(), error) {
		_, err := r.c.create(ctx, info, nil) // which waits for its name
		return r.tell, err
	})
}

// tell counts a task that is restored.
func (r *restorer) tell() {
	r.done++
	r.o.Tell(r.done, r.out.Tasks)
}

// fresh is a task as it is made anew, in step with what it was: its interval counts
// from where it did.
func fresh(info task.Info) task.Info {
	info.Trigger = trigger.Pin(info.Trigger, info.From)
	info.Followers, info.Seat = nil, task.Seat{}
	return info
}

// restoreTask makes one task as it was.
func (c *Control) restoreTask(ctx context.Context, info task.Info, there *task.Info, exists bool) error {
	if exists && same(&info, there) {
		return nil
	}
	info = fresh(info)
	if !exists {
		if err := c.link(ctx, &info); err != nil {
			return err
		}
		_, err := c.create(ctx, info, nil)
		return err
	}
	_, err := c.store.Update(ctx, info.Key, there.Revision, func(now *task.Info) error {
		followers, seat := now.Followers, now.Seat
		if _, err := c.relink(ctx, now, &info); err != nil {
			return err
		}
		*now = info
		now.Followers, now.Seat = followers, seat
		return nil
	})
	return err
}
