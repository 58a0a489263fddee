package task

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	diff "github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/order"
)

func newCreate(e *env.Env, key *keyFlags) *cobra.Command {
	var d definition
	var paused bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Schedule an operation, a call, an event or code",
		Long: "Schedule an operation of a data service: one that takes no parameters (or gets them --with what it\n" +
			"follows) and whose service has an HTTP endpoint; `belfry operation list` shows which do. Or an HTTP call (--url), a SOAP call (--soap), an event for\n" +
			"the handlers of the host (--timer), or code that is built into it (--code).\n" +
			"A task that exists is never overwritten.",
		Example: "  belfry task create stock-watch --service Stock --operation getLowStock --interval 1m\n" +
			"  belfry task create nightly --service Stock --operation getLowStock --cron \"0 30 2 * * ?\" --tz Europe/Berlin\n" +
			"  belfry task create once --service Stock --operation getLowStock --at 2027-01-31T06:00:00Z\n" +
			"  belfry task create ping --url https://example.org/health --condition \"/json/status = 'up'\" --interval 1m\n" +
			"  belfry task create afterwards --service Stock --operation getLowStock --after stock-watch --on end",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			info := task.Info{Key: named(key, args[0]), Paused: paused}
			if err := d.apply(cmd.Flags(), &info, e.Now()); err != nil {
				return err
			}
			if info.Do == nil && (info.Service == "" || info.Operation == "") {
				return env.Usage("name what to call with --service and --operation (`belfry operation list` shows what there is), or with --url, --soap, --timer or --code")
			}
			if f := cmd.Flags(); !f.Changed("cron") && !f.Changed("interval") && !f.Changed("at") && !f.Changed("after") {
				return env.Usage("say when: --cron EXPR, --interval DURATION, --at TIME or --after TASK; `belfry cron next` tries an expression")
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				t, next, err := c.CreateTask(ctx, info)
				if err != nil {
					return err
				}
				return created(e, t, next)
			})
		},
	}
	d.flags(cmd.Flags())
	completes(e, cmd)
	cmd.Flags().BoolVar(&paused, "paused", false, "create it paused")
	cmd.MarkFlagsMutuallyExclusive("cron", "interval", "at")
	cmd.MarkFlagsMutuallyExclusive("service", "url", "soap", "timer", "code")
	return e.Edits(cmd)
}

// created tells of a task that was created, and when it first fires.
func created(e *env.Env, t contract.TaskView, next []time.Time) error {
	e.Did(env.Change{Object: "task/" + t.Name, Verbed: "created, " + string(t.Delivery), After: t.Revision})
	e.Undo(order.Line("task delete", order.Quote(t.Name), order.KeyFlags(keyOf(&t)), "--yes"))
	p := e.Printer()
	if p.Structured() {
		return p.Value(t)
	}
	l := output.Listing{Columns: []output.Column{{Name: "NEXT"}, {Name: "WHEN"}}, Names: []string{ref(keyOf(&t))}, Empty: "It never fires."}
	for _, at := range next {
		l.Rows = append(l.Rows, []output.Cell{output.Text(at.UTC().Format(time.RFC3339)), {Human: output.Relative(at.Sub(p.Now))}})
	}
	return p.List(l)
}

func newSet(e *env.Env, key *keyFlags) *cobra.Command {
	var d definition
	var revision int64
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change parts of a task; what is not named stays",
		Example: "  belfry task set stock-watch --interval 30s\n" +
			"  belfry task set stock-watch --retry 3 --if-revision 2",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				made, err := c.EditTask(ctx, named(key, args[0]), revision, func(info *task.Info) error {
					return d.apply(cmd.Flags(), info, e.Now())
				})
				if err != nil {
					return err
				}
				return showEdit(e, "changed", made)
			})
		},
	}
	d.flags(cmd.Flags())
	completes(e, cmd)
	cmd.Flags().Int64Var(&revision, "if-revision", 0, "change it only if it still has this revision (else exit code 5)")
	cmd.MarkFlagsMutuallyExclusive("cron", "interval", "at")
	cmd.MarkFlagsMutuallyExclusive("service", "url", "soap", "timer", "code")
	return e.Edits(cmd)
}

// showEdit tells of a task that was edited, what of it and how to take that back, and
// shows it.
func showEdit(e *env.Env, verbed string, made control.Edited) error {
	did(e, verbed, made)
	e.Undo(reverts(made)...)
	p := e.Printer()
	return p.Sheet(made.Task, ref(made.Is.Key), sheet(p, made.Task))
}

// did tells of an edit, and what it changed.
func did(e *env.Env, verbed string, made control.Edited) {
	e.Did(env.Change{Object: "task/" + made.Is.Name, Verbed: verbed, Before: made.Was.Revision, After: made.Is.Revision})
	if e.Printer().Structured() {
		return
	}
	for _, c := range diff.Changes(&made.Was, &made.Is) {
		e.Say("  %s: %s -> %s", c.Field, output.Clean(c.Before), output.Clean(c.After))
	}
}

// reverts is the command that takes an edit back; none: it changed nothing.
func reverts(made control.Edited) []string {
	if !made.Changed() {
		return nil
	}
	return []string{order.Line("task revert", order.Quote(made.Is.Name), order.KeyFlags(made.Is.Key), fmt.Sprint("--to ", made.Was.Revision))}
}
