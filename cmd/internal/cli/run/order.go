package run

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

func newCancel(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel FIRE-ID...",
		Short: "Cancel firings that are open: a run that goes is interrupted, a retry does not follow",
		Example: "  belfry run cancel $(belfry run list --outcome running -n 1 -o name) || true\n" +
			"  belfry run cancel $(belfry run list --task stock-watch -n 1 -o name) || true",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeOpen(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Each(cmd.Context(), args, "cancelled", func(ctx context.Context, c *control.Control, id string) error {
				if err := c.CancelRun(ctx, id); err != nil {
					return err
				}
				e.Say("run %s asked to be cancelled", id)
				return nil
			})
		},
	}
}

func completeOpen(e *env.Env) cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
		runs, err := c.Runs(ctx, control.RunFilter{Outcome: "RUNNING", Limit: 100})
		ids := make([]string, 0, len(runs))
		for _, r := range runs {
			ids = append(ids, r.FireID)
		}
		return ids, err
	})
}

func newRerun(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "rerun FIRE-ID...",
		Short: "Fire once more, now, the tasks of these firings",
		Example: "  belfry run rerun $(belfry run list --task stock-watch -n 1 -o name)\n" +
			"  belfry run rerun $(belfry run list -n 1 -o name) -o json",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var started []string
			err := e.Each(cmd.Context(), args, "run again", func(ctx context.Context, c *control.Control, id string) error {
				again, err := c.Rerun(ctx, id)
				if err != nil {
					return err
				}
				started = append(started, again)
				e.Say("run %s follows as %s", id, again)
				return nil
			})
			if p := e.Printer(); len(started) > 0 && (p.Structured() || p.Format == output.Name) {
				if err := p.List(output.Listing{Data: started, Names: started}); err != nil {
					return err
				}
			}
			return err
		},
	}
}
