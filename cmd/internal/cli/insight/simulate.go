package insight

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

// maxShown bounds the moved tasks that a person is shown; -o json has all.
const maxShown = 20

func newSimulate(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "simulate",
		GroupID: group,
		Short:   "Tell what would happen, by the code that would do it",
	}
	var strict bool
	sub := &cobra.Command{
		Use:   "node-loss NODE...",
		Short: "Tell where tasks would go if hosts died now, and what would be late or cut",
		Long: "Tell where tasks would go if hosts died now, and what would be late or cut. The leader works it out by the code by\n" +
			"which it places, from what it knows of the group; nothing is changed.",
		Example: "  belfry simulate node-loss $(belfry node list -o name)\n" +
			"  belfry simulate node-loss $(belfry node list -o name) -o json",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				sim, err := c.Simulate(ctx, args)
				if err != nil {
					return err
				}
				if err := e.Printer().Sheet(sim, "", Simulation(e.Printer(), sim)); err != nil {
					return err
				}
				if strict && sim.Unplaced+sim.Late+sim.Interrupted > 0 {
					return env.Differs("not without loss")
				}
				return nil
			})
		},
	}
	sub.Flags().BoolVar(&strict, "strict", false, "exit with 1 if a task would be late, cut, or without a place")
	cmd.AddCommand(sub)
	return cmd
}

// Simulation tells what would become of a group, for people.
func Simulation(p output.Printer, sim control.Simulation) [][2]string {
	var pairs [][2]string
	add := func(name, format string, args ...any) {
		pairs = append(pairs, [2]string{name, fmt.Sprintf(format, args...)})
	}
	if len(sim.Lost) > 0 {
		add("LOST", "%s, noticed within %s", strings.Join(sim.Lost, ", "), (time.Duration(sim.WithinMS) * time.Millisecond).Round(time.Millisecond))
		if sim.LeaderLost {
			add("LEADER", "is among them: another is elected first")
		}
	}
	if sim.Waiting != "" {
		add("WAITING", "%s", sim.Waiting)
	}
	for _, n := range sim.Nodes {
		add("NODE", "%s  %d tasks, now %d", n.Node, n.After, n.Before)
	}
	add("MOVED", "%d of %d tasks", len(sim.Moved), sim.Tasks)
	for i, m := range sim.Moved {
		if i == maxShown {
			add("", "  and %d more; -o json has all", len(sim.Moved)-maxShown)
			break
		}
		add("", "  %s", moved(p, m))
	}
	verdict := "nothing is late, cut or without a place"
	if sim.Unplaced+sim.Late+sim.Interrupted > 0 {
		verdict = fmt.Sprintf("%d tasks without a place, %d late, %d runs cut", sim.Unplaced, sim.Late, sim.Interrupted)
	}
	add("VERDICT", "%s", verdict)
	return pairs
}

func moved(p output.Printer, m control.MovedTask) string {
	to := m.To
	if to == "" {
		to = "nowhere: " + m.Why
	}
	text := fmt.Sprintf("%s  %s -> %s", m.Task, orNobody(m.From), to)
	if m.Running {
		text += ", its run is cut"
	}
	if m.Late {
		text += ", late: due " + p.Instant(m.Next)
	}
	return text
}

func orNobody(node string) string {
	if node == "" {
		return "nobody"
	}
	return node
}
