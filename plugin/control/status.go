package control

import (
	"cmp"
	"context"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/parallel"
)

// Status is the whole in one screen.
func (c *Control) Status(ctx context.Context) (contract.StatusView, error) {
	v := contract.NewStatus()
	var (
		g        *group.Group
		services []contract.ServiceView
	)
	err := parallel.Do(
		func() (err error) { g, err = c.group(ctx); return err },
		func() error {
			return c.EachTask(ctx, TaskFilter{}, func(t contract.TaskView) error { v.Add(t); return nil })
		},
		func() (err error) { services, err = c.Services(ctx); return err },
		func() (err error) { v.Outbox, v.Dead, err = c.store.Backlog(ctx); return err },
	)
	if err != nil {
		return contract.StatusView{}, failure.Wrap(err)
	}
	v.Cluster, v.Waiting, v.Leader, v.Nodes = c.name(g), g.Waiting(), g.Lead(), g.Nodes()
	names, failed := make(map[string]bool), make(map[string]bool)
	for _, s := range services {
		names[s.Name] = true
		if s.Status == contract.StatusFailed {
			failed[s.Name] = true
		}
	}
	v.Services, v.Failed = len(names), len(failed)
	return v, nil
}

// name says where the group is: as who made this Control knows, or a host says.
func (c *Control) name(g *group.Group) string { return cmp.Or(c.cluster, g.Name()) }
