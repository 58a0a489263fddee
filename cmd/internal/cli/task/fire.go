package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/cmd/internal/cli/run"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrRun tells that the run that was waited for did not end OK.
var ErrRun = errors.New("the run did not succeed")

func newRun(e *env.Env, key *keyFlags) *cobra.Command {
	var wait bool
	var reason string
	cmd := &cobra.Command{
		Use:   "run NAME",
		Short: "Fire a task once now, beside its schedule",
		Example: "  belfry task run stock-watch\n" +
			"  belfry task run stock-watch --wait",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				id, err := c.RunTask(ctx, named(key, args[0]), reason)
				if err != nil {
					return err
				}
				e.Say("task/%s asked to run, fire id %s", args[0], id)
				if !wait {
					if p := e.Printer(); p.Structured() || p.Format == output.Name {
						return p.Sheet(map[string]string{"fire_id": id}, id, nil)
					}
					return nil
				}
				view, err := c.WaitRun(ctx, id)
				if err != nil {
					return err
				}
				p := e.Printer()
				if err := p.Sheet(view, view.FireID, run.Sheet(p, view)); err != nil {
					return err
				}
				if view.Outcome != string(task.OK) {
					return fmt.Errorf("%w: %s %s", ErrRun, view.Outcome, view.Error)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the run has ended; exit 1 unless it ended OK")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who come after")
	return cmd
}

func newNext(e *env.Env, key *keyFlags) *cobra.Command {
	var n int
	var from string
	var calendars bool
	cmd := &cobra.Command{
		Use:   "next NAME",
		Short: "Show when a task fires next",
		Long: "Show when a task fires next, by its trigger. With --calendar also what its calendars do to each instant: when it\n" +
			"runs if they move it, or why it does not run.",
		Example: "  belfry task next stock-watch\n" +
			"  belfry task next stock-watch --calendar\n" +
			"  belfry task next nightly -n 20 --from 2027-03-20",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			after, err := contract.ParseTime(from, e.Now())
			if err != nil {
				return env.Usage("--from: %v", err)
			}
			if after.IsZero() {
				after = e.Now()
			}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.NextView, error) {
				return c.Next(ctx, named(key, args[0]), n, after)
			}, nextFrame(calendars).Print)
		},
	}
	cmd.Flags().IntVarP(&n, "number", "n", 5, "how many instants (at most 1000)")
	cmd.Flags().StringVar(&from, "from", "", "count from this time (RFC 3339, or +1h from now)")
	cmd.Flags().BoolVar(&calendars, "calendar", false, "show what its calendars do to each instant")
	return cmd
}

func nextFrame(calendars bool) output.Frame[contract.NextView] {
	type view = contract.NextView
	f := output.Frame[view]{
		Name: func(n view) string { return n.At.UTC().Format(time.RFC3339) },
		Fields: []output.Field[view]{
			output.Says("UTC", func(n view) string { return n.At.UTC().Format(time.RFC3339) }),
			{Name: "WHEN", Of: func(p output.Printer, n view) output.Cell {
				return output.Cell{Human: output.Relative(n.At.Sub(p.Now))}
			}},
			{Name: "NOTE", Of: func(_ output.Printer, n view) output.Cell { return output.Cell{Human: n.Note, Plain: n.Note} }},
		},
		Empty: "It never fires again.",
	}
	if calendars {
		f.Fields = append(f.Fields, output.Says("RUNS", view.Outcome), output.Says("CALENDARS", func(n view) string { return n.Why }))
	}
	return f
}
