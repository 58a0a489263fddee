// Package placement holds the commands of the noun "placement".
package placement

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/insight"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "placement",
		Short: "See which host owns which part of the tasks",
		Long: "Tasks are dealt out to hosts by buckets: each task is in one, by its name. The leader says which host each\n" +
			"bucket belongs to, and that host takes it as soon as it is free.",
		GroupID: "cluster",
	}
	cmd.AddCommand(newShow(e), newPlan(e))
	return cmd
}

func newShow(e *env.Env) *cobra.Command {
	var buckets bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what each host is given and what has no place, and why",
		Example: "  belfry placement show\n" +
			"  belfry placement show --buckets -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if buckets {
				return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]bucket, error) { return c.Buckets(ctx) }, bucketFrame().Print)
			}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (contract.PlacementView, error) { return c.Placement(ctx) },
				func(p output.Printer, v contract.PlacementView) error { return show(e, p, v) })
		},
	}
	cmd.Flags().BoolVar(&buckets, "buckets", false, "each bucket by itself")
	return e.Watchable(cmd)
}

type (
	member = contract.PlacedMemberView
	bucket = contract.BucketView
)

func memberFrame() output.Frame[member] {
	return output.Frame[member]{
		Name: func(m member) string { return m.Node },
		Fields: []output.Field[member]{
			output.Says("NODE", func(m member) string { return m.Node }),
			output.Says("BUCKETS", func(m member) string { return fmt.Sprint(m.Placed) }),
			output.Says("OWNED", func(m member) string { return fmt.Sprint(m.Owned) }),
			output.Says("TASKS", func(m member) string { return fmt.Sprint(m.Tasks) }),
			output.Says("FIRINGS/MIN", func(m member) string { return fmt.Sprintf("%.1f", m.PerMinute) }),
			output.Adds("PRESENT", func(m member) string { return fmt.Sprint(m.Present) }),
			output.Adds("MEMBER", func(m member) string { return m.Member }),
		},
		Empty: "No host is up.",
	}
}

// show writes the members as a table, and tells the rest beside it.
func show(e *env.Env, p output.Printer, v contract.PlacementView) error {
	if p.Structured() {
		return p.Value(v)
	}
	if err := memberFrame().Print(p, v.Members); err != nil {
		return err
	}
	if v.Waiting != "" {
		e.Say("%s", v.Waiting)
		return nil
	}
	if v.Moving > 0 {
		e.Say("%d of %d buckets are on their way", v.Moving, v.Buckets)
	}
	for _, u := range v.Without {
		e.Say("%d buckets with %d tasks have no place: %s", len(u.Buckets), u.Tasks, u.Reason)
	}
	return nil
}

func bucketFrame() output.Frame[bucket] {
	return output.Frame[bucket]{
		Name: func(b bucket) string { return fmt.Sprint(b.Bucket) },
		Fields: []output.Field[bucket]{
			output.Says("BUCKET", func(b bucket) string { return fmt.Sprint(b.Bucket) }),
			output.Says("NODE", func(b bucket) string { return b.Node }),
			output.Says("OWNER", func(b bucket) string { return b.Owner }),
			output.Says("TASKS", func(b bucket) string { return fmt.Sprint(b.Tasks) }),
			output.Tells("REASON", func(b bucket) string { return b.Reason }),
		},
	}
}

func newPlan(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "plan",
		Short: "Show where the leader would place everything as the group is, and what that would move",
		Example: "  belfry placement plan\n" +
			"  belfry placement plan -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				sim, err := c.Simulate(ctx, nil)
				if err != nil {
					return err
				}
				return e.Printer().Sheet(sim, "", insight.Simulation(e.Printer(), sim))
			})
		},
	}
}
