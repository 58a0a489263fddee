package control

import (
	"context"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Pinned is the location of a task that only these nodes may run.
func Pinned(nodes ...string) *task.Location {
	return &task.Location{Resolver: "nodes", Properties: []task.Property{{Name: "task_nodes", Value: strings.Join(nodes, ",")}}}
}

// MoveTask gives a task another location; nil: the hosts' default. Its owner
// hands it over when no run of it is going. Missing are the nodes named that are
// not in the group now. Codes: invalid, not_found, unavailable, unknown_outcome.
func (c *Control) MoveTask(ctx context.Context, key task.Key, to *task.Location) (view contract.TaskView, missing []string, err error) {
	view, err = c.UpdateTask(ctx, key, 0, func(info *task.Info) error {
		info.Location = to
		return nil
	})
	if err != nil || to == nil || to.Resolver != "nodes" {
		return view, nil, err
	}
	live, err := c.live(ctx)
	if err != nil {
		return view, nil, failure.Wrap(err)
	}
	there := make(map[string]bool)
	for m := range live {
		there[m.Node()] = true
	}
	for _, p := range to.Properties {
		for node := range strings.SplitSeq(p.Value, ",") {
			if !there[node] {
				missing = append(missing, node)
			}
		}
	}
	return view, missing, nil
}
