// Package leader holds the commands of the noun "leader".
package leader

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "leader",
		Short:   "See which host places the tasks",
		Long:    "The leader decides which host each task belongs to. Without one nothing moves, and firing goes on.",
		GroupID: "cluster",
	}
	cmd.AddCommand(e.Watchable(&cobra.Command{
		Use:   "show",
		Short: "Show the leader, or who led last",
		Example: "  belfry leader show\n" +
			"  belfry leader show -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.Scope.NoTasks = true
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (contract.LeaderView, error) { return c.Leader(ctx) },
				func(p output.Printer, l contract.LeaderView) error {
					name := ""
					if l.Present {
						name = l.Node
					}
					return p.Sheet(l, name, [][2]string{{"Leader", l.Text()}, {"Member", l.Member}})
				})
		},
	}))
	return cmd
}
