// Package overview holds the commands that show the whole: status and events.
package overview

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// NewStatus makes `belfry status`.
func NewStatus(e *env.Env) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "status",
		Short: "Show hosts, tasks, what fires next and what needs attention",
		Example: "  belfry status\n" +
			"  belfry status -o json",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (contract.StatusView, error) { return c.Status(ctx) },
				func(p output.Printer, s contract.StatusView) error { return p.Sheet(s, s.Cluster, status(p, s)) })
		},
	})
}

func status(p output.Printer, s contract.StatusView) [][2]string {
	pairs := [][2]string{{"CLUSTER", s.Cluster}}
	if s.Waiting != "" {
		pairs = append(pairs, [2]string{"WAITING", s.Waiting})
	}
	if s.Cluster != "standalone" {
		pairs = append(pairs, [2]string{"LEADER", s.Leader.Text()})
	}
	for _, n := range s.Nodes {
		pairs = append(pairs, [2]string{"NODE", nodeLine(p, n)})
	}
	counts := []string{fmt.Sprint(s.Total)}
	for _, state := range []contract.State{
		contract.Waiting, contract.Running, contract.Paused, contract.Blocked, contract.Unplaced, contract.Finished, contract.Failed, contract.Unknown,
	} {
		if n := s.Tasks[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	pairs = append(
		pairs,
		[2]string{"TASKS", strings.Join(counts, "  ")},
		[2]string{"SERVICES", fmt.Sprintf("%d, %d failed", s.Services, s.Failed)},
		[2]string{"MESSAGES", messages(s.Outbox, s.Dead)},
	)
	for _, t := range s.Next {
		pairs = append(pairs, [2]string{"NEXT", p.Moment(t.Next) + "  " + t.Name})
	}
	for _, t := range s.Trouble {
		pairs = append(pairs, [2]string{"ATTENTION", fmt.Sprintf("%s  %s  %s", t.Name, t.State, t.Reason)})
	}
	return pairs
}

func messages(waiting, dead int) string {
	text := fmt.Sprintf("%d waiting", waiting)
	if dead > 0 {
		text += fmt.Sprintf(", %d given up", dead)
	}
	return text
}

func nodeLine(p output.Printer, n contract.NodeView) string {
	parts := []string{n.Name, string(n.State)}
	if n.Joined != nil {
		parts = append(parts, n.Version, n.Address, p.Since("up", n.Joined), fmt.Sprintf("%d tasks", n.Tasks))
	}
	if n.Reason != "" {
		parts = append(parts, n.Reason)
	}
	return strings.Join(parts, "  ")
}
