package task

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	cmd := &cobra.Command{
		Use:   "run NAME...",
		Short: "Fire tasks once now, beside their schedule",
		Long:  "Fire tasks once now, beside their schedule. Those that failed: belfry task list --state failed -o name | xargs -r belfry task run" + manyNames,
		Example: "  belfry task run stock-watch\n" +
			"  belfry task run stock-watch --wait\n" +
			"  belfry task run stock-watch nightly --reason \"after the repair\"",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := refs(key, args)
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				if err := several(ctx, e, "run", names); err != nil {
					return err
				}
				asked := make(map[string]string, len(names)) // fire ids
				failed := e.EachOf(ctx, names, "asked to run", func(name string) error {
					id, err := c.RunTask(ctx, named(&keyFlags{}, name), e.Reason)
					if err != nil {
						return err
					}
					e.Did(env.Change{Object: "task/" + name, Verbed: "asked to run, fire id " + id})
					asked[name] = id
					return nil
				})
				if !wait || e.DryRun || len(asked) == 0 {
					return fired(e, names, asked, failed)
				}
				return await(ctx, e, c, names, asked, failed)
			})
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the runs have ended; exit 1 unless it ended OK, 8 unless all of several did")
	return e.Edits(cmd)
}

// fired gives programs the fire ids, in the order of the names.
func fired(e *env.Env, names []string, asked map[string]string, failed error) error {
	p := e.Printer()
	if len(asked) == 0 || !p.Structured() && p.Format != output.Name {
		return failed
	}
	if len(names) == 1 {
		return p.Sheet(map[string]string{"fire_id": asked[names[0]]}, asked[names[0]], nil)
	}
	type view struct {
		Task   string `json:"task"`
		FireID string `json:"fire_id"`
	}
	views, ids := []view{}, []string{}
	for _, name := range names {
		if id := asked[name]; id != "" {
			views, ids = append(views, view{name, id}), append(ids, id)
		}
	}
	return cmp.Or(failed, p.List(output.Listing{Data: views, Names: ids}))
}

// await waits until the runs have ended, and shows them.
func await(ctx context.Context, e *env.Env, c *control.Control, names []string, asked map[string]string, failed error) error {
	p := e.Printer()
	if len(names) == 1 {
		view, err := c.WaitRun(ctx, asked[names[0]])
		if err != nil {
			return err
		}
		if err := p.Sheet(view, view.FireID, run.Sheet(p, view)); err != nil {
			return err
		}
		return verdict(view)
	}
	ended := []contract.RunView{}
	names = slices.DeleteFunc(names, func(name string) bool { return asked[name] == "" })
	err := e.EachOf(ctx, names, "run successfully", func(name string) error {
		view, err := c.WaitRun(ctx, asked[name])
		if err != nil {
			return err
		}
		ended = append(ended, view)
		return verdict(view)
	})
	return cmp.Or(run.Print(p, ended), err, failed)
}

func verdict(r contract.RunView) error {
	if r.Outcome != string(task.OK) {
		return fmt.Errorf("%w: %s %s", ErrRun, r.Outcome, r.Error)
	}
	return nil
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
		ValidArgsFunction: env.First(e.CompleteTasks()),
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
