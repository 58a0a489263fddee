package task

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newMove(e *env.Env, key *keyFlags) *cobra.Command {
	var (
		to       []string
		anywhere bool
	)
	cmd := &cobra.Command{
		Use:   "move NAME... (--to NODE[,NODE] | --anywhere)",
		Short: "Say which hosts may run tasks",
		Long: "Say which hosts may run a task. No instant is lost or doubled: its owner hands it over when no run of it\n" +
			"is going. A task whose hosts are all gone waits for one of them and says so. For other rules than names of\n" +
			"hosts, see --location of `belfry task set`." + manyNames,
		Example: "  belfry task move stock-watch --to north\n" +
			"  belfry task move nightly --to north,south\n" +
			"  belfry task move nightly --anywhere",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if anywhere == (len(to) > 0) {
				return env.Usage("say where: --to NODE, or --anywhere")
			}
			var location *task.Location
			verbed := "moved to any host"
			if !anywhere {
				location, verbed = control.Pinned(to...), "moved to "+strings.Join(to, ", ")
			}
			return alter(e, cmd, key, args, edits{
				verb: "move", verbed: verbed,
				before: func(ctx context.Context, c *control.Control) error { return absent(ctx, e, c, to) },
				change: func(info *task.Info) error { info.Location = location; return nil },
			})
		},
	}
	cmd.Flags().StringSliceVar(&to, "to", nil, "names of the hosts that may run it, with commas between them")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "any host may, as the hosts' default says")
	return e.Edits(cmd)
}

// absent tells of nodes that are not in the group now.
func absent(ctx context.Context, e *env.Env, c *control.Control, nodes []string) error {
	if len(nodes) == 0 {
		return nil
	}
	all, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, node := range nodes {
		if !slices.ContainsFunc(all, func(n contract.NodeView) bool { return n.Name == node && n.State != contract.NodeGone }) {
			missing = append(missing, node)
		}
	}
	if len(missing) > 0 {
		e.Say("not in the group now: %s", strings.Join(missing, ", "))
	}
	return nil
}

// parseLocation reads "default", or the name of a resolver and properties like
// "rule-1=T,.*,10\.0\..*".
func parseLocation(resolver string, properties []string) (*task.Location, error) {
	if resolver == "default" {
		if len(properties) > 0 {
			return nil, fmt.Errorf("default has no properties")
		}
		return nil, nil
	}
	l := &task.Location{Resolver: resolver}
	for _, p := range properties {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("property %q: write it like task_nodes=north,south", p)
		}
		l.Properties = append(l.Properties, task.Property{Name: name, Value: value})
	}
	return l, nil
}
