// Package placement holds the commands of the noun "placement".
package placement

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
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
	cmd.AddCommand(newShow(e))
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
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				if buckets {
					all, err := c.Buckets(ctx)
					if err != nil {
						return err
					}
					return e.Printer().List(bucketListing(all))
				}
				v, err := c.Placement(ctx)
				if err != nil {
					return err
				}
				return show(e, v)
			})
		},
	}
	cmd.Flags().BoolVar(&buckets, "buckets", false, "each bucket by itself")
	return cmd
}

// show writes the members as a table, and tells the rest beside it.
func show(e *env.Env, v control.PlacementView) error {
	l := output.Listing{
		Data: v,
		Columns: []output.Column{
			{Name: "NODE"},
			{Name: "BUCKETS"},
			{Name: "OWNED"},
			{Name: "TASKS"},
			{Name: "FIRINGS/MIN"},
			{Name: "PRESENT", Wide: true},
			{Name: "MEMBER", Wide: true},
		},
		Empty: "No host is up.",
	}
	for _, m := range v.Members {
		l.Names = append(l.Names, m.Node)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(m.Node), output.Text(fmt.Sprint(m.Placed)), output.Text(fmt.Sprint(m.Owned)), output.Text(fmt.Sprint(m.Tasks)),
			output.Text(fmt.Sprintf("%.1f", m.PerMinute)), output.Text(fmt.Sprint(m.Present)), output.Text(m.Member),
		})
	}
	if err := e.Printer().List(l); err != nil || e.Printer().Structured() {
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

func bucketListing(all []control.BucketView) output.Listing {
	l := output.Listing{
		Data:    all,
		Columns: []output.Column{{Name: "BUCKET"}, {Name: "NODE"}, {Name: "OWNER"}, {Name: "TASKS"}, {Name: "REASON"}},
	}
	for _, b := range all {
		name := fmt.Sprint(b.Bucket)
		l.Names = append(l.Names, name)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(name), output.Text(b.Node), output.Text(b.Owner), output.Text(fmt.Sprint(b.Tasks)), output.Text(b.Reason),
		})
	}
	return l
}
