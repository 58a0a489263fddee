package control

import (
	"context"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ExplainTask tells why a task does what it does, or does not. Codes: not_found,
// unavailable.
func (c *Control) ExplainTask(ctx context.Context, key task.Key) (explain.Explanation, error) {
	info, err := c.get(ctx, key)
	if err != nil {
		return explain.Explanation{}, err
	}
	x := explain.Case{Info: &info, Now: c.now()}
	err = parallel.Do(
		func() (err error) { x.Bucket, err = c.readBucket(ctx, info); return err },
		func() (err error) { x.Services, err = c.Services(ctx); return err },
		func() (err error) { x.Nodes, err = c.Nodes(ctx); return err },
		func() (err error) { x.Asked, err = c.asked(ctx, &info); return err },
		func() error {
			x.Next, _ = c.Next(ctx, key, firstNext, c.now()) // a trigger that cannot be scheduled has none
			return nil
		},
	)
	if err != nil {
		return explain.Explanation{}, failure.Wrap(err)
	}
	return explain.Task(x), nil
}

// asked counts the runs of a task that were asked for and are not taken.
func (c *Control) asked(ctx context.Context, info *task.Info) (int, error) {
	b, err := c.store.Seat(ctx, info)
	if err != nil {
		return 0, err
	}
	requests, err := c.store.Requests(ctx, b)
	n := 0
	for _, r := range requests {
		if r.UID == info.UID && r.Kind == task.RequestRun {
			n++
		}
	}
	return n, err
}

// Diagnose looks at everything. Codes: unavailable (the store does not answer;
// or no host has ever been there).
func (c *Control) Diagnose(ctx context.Context) (explain.Diagnosis, error) {
	var mu sync.Mutex // guards corrupt
	var corrupt []string
	looking := &Control{members: c.members, caller: c.caller, now: c.now, cluster: c.cluster, store: c.store.Reporting(func(e *store.CorruptError) {
		mu.Lock()
		defer mu.Unlock()
		corrupt = append(corrupt, e.Error())
	})}
	began := time.Now()
	if _, err := looking.store.Cluster(ctx); err != nil {
		return explain.Diagnosis{}, failure.Wrap(err)
	}
	l := explain.Look{Took: time.Since(began), Now: c.now()}
	err := parallel.Do(
		func() (err error) { l.Group, err = looking.group(ctx); return err },
		func() error {
			return looking.EachTask(ctx, TaskFilter{}, func(v contract.TaskView) error { l.Tasks.Add(&v); return nil })
		},
		func() (err error) { l.Services, err = looking.Services(ctx); return err },
		func() (err error) { l.Messages, l.Dead, err = looking.store.Backlog(ctx); return err },
		func() (err error) { l.Requests, err = looking.Requests(ctx); return err },
		func() (err error) { _, err = looking.Events(ctx, 0); return err },
	)
	if err != nil {
		return explain.Diagnosis{}, failure.Wrap(err)
	}
	l.Corrupt = corrupt
	return explain.Group(l), nil
}
