// Package overview holds the commands that show the whole: status and events.
package overview

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

// NewStatus makes `belfry status`.
func NewStatus(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show hosts, tasks, what fires next and what needs attention",
		Example: "  belfry status\n" +
			"  belfry status -o json",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				p := e.Printer()
				return p.Sheet(s, s.Cluster, status(p, s))
			})
		},
	}
}

func status(p output.Printer, s control.StatusView) [][2]string {
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
	for _, state := range []control.State{
		control.Waiting, control.Running, control.Paused, control.Blocked, control.Unplaced, control.Finished, control.Failed, control.Unknown,
	} {
		if n := s.Tasks[state]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	pairs = append(
		pairs,
		[2]string{"TASKS", strings.Join(counts, "  ")},
		[2]string{"SERVICES", fmt.Sprintf("%d, %d failed", s.Services, s.Failed)},
		[2]string{"MESSAGES", fmt.Sprintf("%d waiting", s.Outbox)},
	)
	for _, t := range s.Next {
		pairs = append(pairs, [2]string{"NEXT", p.Time(t.Next).Human + "  " + t.Name})
	}
	for _, t := range s.Trouble {
		pairs = append(pairs, [2]string{"ATTENTION", fmt.Sprintf("%s  %s  %s", t.Name, t.State, t.Reason)})
	}
	return pairs
}

func nodeLine(p output.Printer, n control.NodeView) string {
	parts := []string{n.Name, string(n.State)}
	if n.Joined != nil {
		up := "up " + strings.TrimSuffix(output.Relative(n.Joined.Sub(p.Now)), " ago")
		parts = append(parts, n.Version, n.Address, up, fmt.Sprintf("%d tasks", n.Tasks))
	}
	if n.Reason != "" {
		parts = append(parts, n.Reason)
	}
	return strings.Join(parts, "  ")
}

// NewEvents makes `belfry events`.
func NewEvents(e *env.Env) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened on hosts: deployments, failed runs, messages sent, sessions lost",
		Example: "  belfry events\n" +
			"  belfry events -n 20 -o json",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				events, err := c.Events(ctx, limit)
				if err != nil {
					return err
				}
				return e.Printer().List(eventListing(events))
			})
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "at most so many, the newest; 0 for all that is kept")
	return cmd
}

func eventListing(events []control.EventView) output.Listing {
	l := output.Listing{
		Data:    events,
		Columns: []output.Column{{Name: "TIME"}, {Name: "LEVEL"}, {Name: "CODE"}, {Name: "OBJECT"}, {Name: "NODE", Wide: true}, {Name: "TEXT"}},
		Empty:   "Nothing has happened yet.",
	}
	for _, ev := range events {
		at := ev.Time.UTC().Format(time.RFC3339)
		l.Names = append(l.Names, ev.Code)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(at), output.Text(ev.Level), output.Text(ev.Code), output.Text(ev.Object), output.Text(ev.Node), output.Text(ev.Text),
		})
	}
	return l
}
