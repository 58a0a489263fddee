package node

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

func newDrain(e *env.Env) *cobra.Command {
	var reason string
	var noWait, yes bool
	cmd := &cobra.Command{
		Use:   "drain NAME",
		Short: "Give a host's tasks to others, and keep it without any until it is undrained",
		Long: "Give a host's tasks to others, and keep it without any until it is undrained, also across restarts. Runs that go\n" +
			"on finish where they are. It waits until the host owns nothing; interrupted, the drain itself stands.\n" +
			"A host that another administrator drains is left alone (exit code 5).",
		Example: "  belfry node drain n1 --reason \"kernel update\" --yes\n" +
			"  belfry node drain n1 --no-wait --yes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				if err := confirmLast(ctx, e, c, args[0], yes); err != nil {
					return err
				}
				n, err := c.DrainNode(ctx, args[0], reason, e.Who())
				if err != nil {
					return err
				}
				if noWait {
					e.Say("node/%s is being drained", n.Name)
					return printNode(ctx, e, c, n.Name)
				}
				if err := awaitDrained(ctx, e, c, n.Name); err != nil {
					return err
				}
				return printNode(ctx, e, c, n.Name)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who come after")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until it owns nothing")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask, even if no other host could take its tasks")
	return cmd
}

// confirmLast asks before the last host is drained that may own tasks.
func confirmLast(ctx context.Context, e *env.Env, c *control.Control, name string, yes bool) error {
	last, err := c.LastNode(ctx, name)
	if err != nil || !last {
		return err
	}
	if yes {
		e.Say("no other host may own tasks: nothing fires until node/%s is undrained", name)
		return nil
	}
	return e.Confirm("No other host may own tasks: nothing would fire until "+name+" is undrained. Type its name:", name, "--yes")
}

func awaitDrained(ctx context.Context, e *env.Env, c *control.Control, name string) error {
	err := c.AwaitDrained(ctx, name, func(left string) { e.Say("%s", left) })
	if err == nil {
		e.Say("node/%s is drained", name)
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		e.Say("node/%s stays being drained; take it back with `belfry node undrain %s`", name, name)
	}
	return err
}

// printNode writes the node for programs; a person has been told.
func printNode(ctx context.Context, e *env.Env, c *control.Control, name string) error {
	p := e.Printer()
	if !p.Structured() && p.Format != output.Name {
		return nil
	}
	n, err := c.Node(ctx, name)
	if err != nil {
		return err
	}
	return p.Sheet(n, n.Name, nil)
}

func newUndrain(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "undrain NAME",
		Short: "Let a host own tasks again",
		Example: "  belfry node undrain n1\n" +
			"  belfry node undrain n1 -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				was, err := c.UndrainNode(ctx, args[0])
				if err != nil {
					return err
				}
				if was {
					e.Say("node/%s may own tasks again", args[0])
				} else {
					e.Say("node/%s was not drained", args[0])
				}
				return printNode(ctx, e, c, args[0])
			})
		},
	}
}
