package task

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newMove(e *env.Env, key *keyFlags) *cobra.Command {
	var (
		to       []string
		anywhere bool
	)
	cmd := &cobra.Command{
		Use:   "move NAME (--to NODE[,NODE] | --anywhere)",
		Short: "Say which hosts may run a task",
		Long: "Say which hosts may run a task. No instant is lost or doubled: its owner hands it over when no run of it\n" +
			"is going. A task whose hosts are all gone waits for one of them and says so. For other rules than names of\n" +
			"hosts, see --location of `belfry task set`.",
		Example: "  belfry task move stock-watch --to north\n" +
			"  belfry task move nightly --to north,south\n" +
			"  belfry task move nightly --anywhere",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if anywhere == (len(to) > 0) {
				return env.Usage("say where: --to NODE, or --anywhere")
			}
			var location *task.Location
			if !anywhere {
				location = control.Pinned(to...)
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				t, missing, err := c.MoveTask(ctx, named(key, args[0]), location)
				if err != nil {
					return err
				}
				if len(missing) > 0 {
					e.Say("not in the group now: %s", strings.Join(missing, ", "))
				}
				if anywhere {
					e.Say("task/%s may run on any host", t.Name)
				} else {
					e.Say("task/%s may run on %s", t.Name, strings.Join(to, ", "))
				}
				p := e.Printer()
				return p.Sheet(t, t.Name, sheet(p, t))
			})
		},
	}
	cmd.Flags().StringSliceVar(&to, "to", nil, "names of the hosts that may run it, with commas between them")
	cmd.Flags().BoolVar(&anywhere, "anywhere", false, "any host may, as the hosts' default says")
	return cmd
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
