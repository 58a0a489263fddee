// Package node holds the commands of the noun "node".
package node

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

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "node",
		Aliases: []string{"nodes"},
		Short:   "See the hosts of the group, and take tasks away from one",
		GroupID: "cluster",
	}
	cmd.AddCommand(newList(e), newShow(e), newDrain(e), newUndrain(e))
	return cmd
}

// completeNames offers the names of the nodes there are, and nothing when the
// store cannot be reached quickly.
func completeNames(e *env.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		e.Timeout = env.CompletionTimeout
		_ = e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
			nodes, err := c.Nodes(ctx)
			for _, n := range nodes {
				names = append(names, n.Name)
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func newList(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List hosts with their state and what they own",
		Example: "  belfry node list\n" +
			"  belfry node list -o wide",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				nodes, err := c.Nodes(ctx)
				if err != nil {
					return err
				}
				p := e.Printer()
				return p.List(listing(p, nodes))
			})
		},
	}
}

func listing(p output.Printer, nodes []control.NodeView) output.Listing {
	l := output.Listing{
		Data: nodes,
		Columns: []output.Column{
			{Name: "NAME"},
			{Name: "STATE"},
			{Name: "ROLE"},
			{Name: "TASKS"},
			{Name: "BUCKETS"},
			{Name: "JOINED"},
			{Name: "ADDRESS"},
			{Name: "VERSION", Wide: true},
			{Name: "SKEW", Wide: true},
			{Name: "MEMBER", Wide: true},
			{Name: "REASON"},
		},
		Empty: "No host is up. Start belfryd.",
	}
	for _, n := range nodes {
		l.Names = append(l.Names, n.Name)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(n.Name), output.Text(string(n.State)), output.Text(role(n)), output.Text(fmt.Sprint(n.Tasks)), output.Text(fmt.Sprint(n.Owned)),
			p.Time(n.Joined), output.Text(n.Address), output.Text(n.Version), output.Text(skew(n)), output.Text(n.Member), output.Text(n.Reason),
		})
	}
	return l
}

func role(n control.NodeView) string {
	if n.Leader {
		return "leader"
	}
	return ""
}

func skew(n control.NodeView) string { return (time.Duration(n.SkewMS) * time.Millisecond).String() }

func newShow(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show a host: state, what it owns, its clock",
		Example: "  belfry node show n1\n" +
			"  belfry node show n1 -o yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				n, err := c.Node(ctx, args[0])
				if err != nil {
					return err
				}
				p := e.Printer()
				return p.Sheet(n, n.Name, sheet(p, n))
			})
		},
	}
}

func sheet(p output.Printer, n control.NodeView) [][2]string {
	pairs := [][2]string{
		{"Name", n.Name},
		{"State", strings.TrimSpace(string(n.State) + "  " + n.Reason)},
		{"Role", role(n)},
		{"Member", n.Member},
		{"Joined", p.Time(n.Joined).Human},
		{"Version", n.Version},
		{"Address", n.Address},
		{"Clock", "ahead of the store's by " + skew(n)},
		{"Buckets", fmt.Sprintf("%d owned, %d belong to it", n.Owned, n.Placed)},
		{"Tasks", fmt.Sprint(n.Tasks)},
	}
	if d := n.Drain; d != nil {
		pairs = append(pairs, [2]string{"Drain", strings.TrimSpace(d.Reason + "  by " + d.By + "  " + p.Time(d.At).Human)})
	}
	return pairs
}
