package task

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
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
				e.Say("task/%s created, %s", t.Name, t.Delivery)
				return printCreated(e.Printer(), t, next)
			})
		},
	}
	d.flags(cmd.Flags())
	cmd.Flags().BoolVar(&paused, "paused", false, "create it paused")
	cmd.MarkFlagsMutuallyExclusive("cron", "interval", "at")
	cmd.MarkFlagsMutuallyExclusive("service", "url", "soap", "timer", "code")
	return cmd
}

func printCreated(p output.Printer, t contract.TaskView, next []time.Time) error {
	if p.Structured() {
		return p.Value(t)
	}
	l := output.Listing{Columns: []output.Column{{Name: "NEXT"}, {Name: "WHEN"}}, Names: []string{t.Name}, Empty: "It never fires."}
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
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				t, err := c.UpdateTask(ctx, named(key, args[0]), revision, func(info *task.Info) error {
					return d.apply(cmd.Flags(), info, e.Now())
				})
				if err != nil {
					return err
				}
				e.Say("task/%s changed, now revision %d", t.Name, t.Revision)
				p := e.Printer()
				return p.Sheet(t, t.Name, sheet(p, t))
			})
		},
	}
	d.flags(cmd.Flags())
	cmd.Flags().Int64Var(&revision, "if-revision", 0, "change it only if it still has this revision (else exit code 5)")
	cmd.MarkFlagsMutuallyExclusive("cron", "interval", "at")
	cmd.MarkFlagsMutuallyExclusive("service", "url", "soap", "timer", "code")
	return cmd
}

func newPause(e *env.Env, key *keyFlags) *cobra.Command {
	var reason, until string
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "pause NAME",
		Short: "Stop a task from firing; what runs already finishes",
		Long: "Stop a task from firing, until somebody resumes it or, with --for or --until, until a time: it resumes by\n" +
			"itself then, whatever runs or does not run at that moment. What runs already finishes. Instants of the pause\n" +
			"never fire; the first that may is one at its very end.",
		Example: "  belfry task pause stock-watch --reason \"database upgrade\"\n" +
			"  belfry task pause stock-watch --for 2h\n" +
			"  belfry task pause nightly",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			end, err := pauseEnd(cmd.Flags(), length, until, e.Now())
			if err != nil {
				return err
			}
			verbed := "paused"
			if !end.IsZero() {
				verbed += " until " + end.UTC().Format(time.RFC3339)
			}
			return change(e, cmd, verbed, func(ctx context.Context, c *control.Control) (contract.TaskView, error) {
				return c.PauseTaskUntil(ctx, named(key, args[0]), reason, end)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who come after")
	cmd.Flags().DurationVar(&length, "for", 0, "resume by itself after this time, such as 2h")
	cmd.Flags().StringVar(&until, "until", "", "resume by itself at this time (RFC 3339, or +2h from now)")
	cmd.MarkFlagsMutuallyExclusive("for", "until")
	return cmd
}

// pauseEnd is when --for or --until end a pause; zero: neither was given.
func pauseEnd(f *pflag.FlagSet, length time.Duration, until string, now time.Time) (time.Time, error) {
	switch {
	case f.Changed("for") && length <= 0:
		return time.Time{}, env.Usage("--for %s: give a time above zero", length)
	case f.Changed("for"):
		return now.Add(length), nil
	case f.Changed("until"):
		end, err := contract.ParseTime(until, now)
		if err == nil && end.IsZero() {
			err = errors.New("it names no time")
		}
		if err != nil {
			return time.Time{}, env.Usage("--until: %v", err)
		}
		return end, nil
	default:
		return time.Time{}, nil
	}
}

func newResume(e *env.Env, key *keyFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "resume NAME",
		Short: "Let a paused task fire again; instants of the pause never fire",
		Example: "  belfry task resume stock-watch\n" +
			"  belfry task resume nightly",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return change(e, cmd, "resumed", func(ctx context.Context, c *control.Control) (contract.TaskView, error) {
				return c.ResumeTask(ctx, named(key, args[0]))
			})
		},
	}
}

func change(e *env.Env, cmd *cobra.Command, verbed string, f func(context.Context, *control.Control) (contract.TaskView, error)) error {
	return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
		t, err := f(ctx, c)
		if err != nil {
			return err
		}
		e.Say("task/%s %s", t.Name, verbed)
		p := e.Printer()
		if !p.Structured() && p.Format != output.Name {
			return nil
		}
		return p.Sheet(t, t.Name, nil)
	})
}

func newDelete(e *env.Env, key *keyFlags) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a task; what runs already finishes",
		Example: "  belfry task delete stock-watch --yes\n" +
			"  belfry task delete nightly --tenant default -y",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			k := named(key, args[0])
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				if !yes {
					if err := e.Confirm("Delete task "+k.Name+" for good? Type its name:", k.Name, "--yes"); err != nil {
						return err
					}
				}
				if err := c.DeleteTask(ctx, k); err != nil {
					return err
				}
				e.Say("task/%s deleted", k.Name)
				return nil
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}
