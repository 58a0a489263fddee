package overview

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// NewEvents makes `belfry events`.
func NewEvents(e *env.Env) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened: deployments, failed runs, edits, messages sent, sessions lost",
		Example: "  belfry events\n" +
			"  belfry events -n 20 -o json",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.EventView, error) {
				return c.Events(ctx, limit)
			}, eventFrame().Print)
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many, the newest; 0 for all that is kept")
	cmd.Flags().BoolVarP(&e.Watch, "follow", "f", false, "go on and show what happens, as it is told")
	return e.Sortable(cmd, eventFrame().SortKeys())
}

func eventFrame() output.Frame[contract.EventView] {
	type view = contract.EventView
	return output.Frame[view]{
		Name: func(v view) string { return v.Code },
		Fields: []output.Field[view]{
			output.When("TIME", func(v view) *time.Time { return &v.Time }),
			output.Says("LEVEL", func(v view) string { return v.Level }),
			output.Says("CODE", func(v view) string { return v.Code }),
			output.Says("OBJECT", func(v view) string { return v.Object }),
			output.Adds("NODE", func(v view) string { return v.Node }),
			output.Tells("TEXT", func(v view) string { return v.Text }),
		},
		Empty: "Nothing has happened yet.",
	}
}
