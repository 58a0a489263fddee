// Package request holds the commands of the noun "request".
package request

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "request",
		Aliases: []string{"requests"},
		Short:   "See what was asked for and not taken up yet",
		Long: "Runs and cancellations that were asked for are kept in the store until the host that owns the task takes them. While\n" +
			"no host is up they wait.",
		GroupID: "core",
	}
	cmd.AddCommand(newList(e))
	return cmd
}

func newList(e *env.Env) *cobra.Command {
	return e.Sortable(e.Watchable(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List requests that wait for the host that owns the task",
		Example: "  belfry request list\n" +
			"  belfry request list -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.RequestView, error) { return c.Requests(ctx) }, frame().Print)
		},
	}), frame().SortKeys())
}

func frame() output.Frame[contract.RequestView] {
	type view = contract.RequestView
	return output.Frame[view]{
		Name: func(r view) string { return r.ID },
		Fields: []output.Field[view]{
			output.When("ASKED", func(r view) *time.Time { return &r.Asked }),
			output.Says("KIND", func(r view) string { return r.Kind }),
			output.Says("TASK", func(r view) string { return r.Task }),
			output.Says("FIRE ID", func(r view) string { return r.FireID }),
			output.Tells("REASON", func(r view) string { return r.Reason }),
			output.Adds("ID", func(r view) string { return r.ID }),
		},
		Empty: "Nothing waits.",
	}
}
