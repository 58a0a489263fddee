package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

func newDrain(e *env.Env) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use:   "drain NAME...",
		Short: "Give hosts' tasks to others, and keep them without any until they are undrained",
		Long: "Give hosts' tasks to others, and keep them without any until they are undrained, also across restarts. Runs that go\n" +
			"on finish where they are. It waits until the hosts own nothing; interrupted, the drain itself stands. On a terminal\n" +
			"it shows what moves, and asks. A host that another administrator drains is left alone (exit code 5).",
		Example: "  belfry node drain n1 --reason \"kernel update\" --yes\n" +
			"  belfry node drain n1 --no-wait --yes",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := env.Once(args)
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				if err := confirmDrain(ctx, e, c, names); err != nil {
					return err
				}
				drained := make(map[string]bool, len(names))
				failed := e.EachOf(ctx, names, "drained", func(name string) error {
					n, err := c.DrainNode(ctx, name, e.Reason, e.Who())
					if err != nil {
						return err
					}
					drained[n.Name] = true
					if e.DryRun {
						e.Did(env.Change{Object: "node/" + n.Name, Verbed: "drained"})
					} else {
						e.Say("node/%s is being drained", n.Name)
					}
					return nil
				})
				names = slices.DeleteFunc(names, func(name string) bool { return !drained[name] })
				if len(names) == 0 {
					return failed
				}
				e.Undo("belfry node undrain " + strings.Join(names, " "))
				if !noWait && !e.DryRun {
					for _, name := range names {
						if err := awaitDrained(ctx, e, c, name); err != nil {
							return err
						}
					}
				}
				return cmp.Or(failed, printNodes(ctx, e, c, names, len(args)))
			})
		},
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until they own nothing")
	return e.Edits(cmd)
}

// confirmDrain says what moves. That nothing would fire any more takes more than a
// yes.
func confirmDrain(ctx context.Context, e *env.Env, c *control.Control, names []string) error {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	there := []string{}
	q := env.Question{Text: "Drain " + strings.Join(names, ", ") + "?"}
	for _, n := range nodes {
		if slices.Contains(names, n.Name) {
			there = append(there, n.Name)
			q.Effects = append(q.Effects, fmt.Sprintf("  %s: %d tasks move to other hosts, runs that go on (%d) finish there", n.Name, n.Tasks, n.Running))
		}
	}
	last, err := c.LastNode(ctx, there...)
	if err != nil {
		return err
	}
	if last {
		text := strings.Join(there, ", ")
		if e.Agreed {
			e.Say("no other host may own tasks: nothing fires until node/%s is undrained", text)
		}
		q.Text, q.Word = "No other host may own tasks: nothing would fire until "+text+" is undrained. Type its name:", text
	}
	return e.Confirm(ctx, q)
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

// printNodes writes the nodes for programs; a person has been told.
func printNodes(ctx context.Context, e *env.Env, c *control.Control, names []string, named int) error {
	p := e.Printer()
	if !p.Structured() && p.Format != output.Name {
		return nil
	}
	nodes := make([]contract.NodeView, 0, len(names))
	for _, name := range names {
		n, err := c.Node(ctx, name)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	if named == 1 {
		return p.Sheet(nodes[0], nodes[0].Name, nil)
	}
	return frame().Print(p, nodes)
}

func newUndrain(e *env.Env) *cobra.Command {
	return e.Edits(&cobra.Command{
		Use:   "undrain NAME...",
		Short: "Let hosts own tasks again",
		Example: "  belfry node undrain n1\n" +
			"  belfry node undrain n1 -o json",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var names, undrained []string
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				err := e.EachOf(ctx, env.Once(args), "undrained", func(name string) error {
					was, err := c.UndrainNode(ctx, name)
					if err != nil {
						return err
					}
					names = append(names, name)
					if !was {
						e.Say("node/%s was not drained", name)
						return nil
					}
					undrained = append(undrained, name)
					e.Did(env.Change{Object: "node/" + name, Verbed: "undrained: it may own tasks again"})
					return nil
				})
				if len(undrained) > 0 {
					e.Undo("belfry node drain " + strings.Join(undrained, " "))
				}
				if len(names) == 0 {
					return err
				}
				return cmp.Or(err, printNodes(ctx, e, c, names, len(args)))
			})
		},
	})
}
