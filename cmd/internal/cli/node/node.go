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
	"github.com/seed42aab489/belfry/plugin/control/contract"
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

func newList(e *env.Env) *cobra.Command {
	return e.Sortable(e.Watchable(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List hosts with their state and what they own",
		Example: "  belfry node list\n" +
			"  belfry node list -o wide",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.NodeView, error) { return c.Nodes(ctx) }, frame().Print)
		},
	}), frame().SortKeys())
}

type view = contract.NodeView

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(n view) string { return n.Name },
		Fields: []output.Field[view]{
			output.Says("NAME", func(n view) string { return n.Name }),
			output.Says("STATE", func(n view) string { return string(n.State) }),
			output.Says("ROLE", func(n view) string { return role(n) }),
			output.Says("TASKS", func(n view) string { return fmt.Sprint(n.Tasks) }),
			output.Says("BUCKETS", func(n view) string { return fmt.Sprint(n.Owned) }),
			output.When("JOINED", func(n view) *time.Time { return n.Joined }),
			output.Says("ADDRESS", func(n view) string { return n.Address }),
			output.Adds("VERSION", func(n view) string { return n.Version }),
			output.Adds("SKEW", func(n view) string { return skew(n) }),
			output.Adds("MEMBER", func(n view) string { return n.Member }),
			output.Tells("REASON", func(n view) string { return n.Reason }),
		},
		Empty: "No host is up. Start belfryd.",
	}
}

func role(n contract.NodeView) string {
	if n.Leader {
		return "leader"
	}
	return ""
}

func skew(n contract.NodeView) string { return (time.Duration(n.SkewMS) * time.Millisecond).String() }

func newShow(e *env.Env) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "show NAME",
		Short: "Show a host: state, what it owns, its clock",
		Example: "  belfry node show n1\n" +
			"  belfry node show n1 -o yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (view, error) { return c.Node(ctx, args[0]) },
				func(p output.Printer, n view) error { return p.Sheet(n, n.Name, sheet(p, n)) })
		},
	})
}

func sheet(p output.Printer, n contract.NodeView) [][2]string {
	pairs := [][2]string{
		{"Name", n.Name},
		{"State", strings.TrimSpace(string(n.State) + "  " + n.Reason)},
		{"Role", role(n)},
		{"Member", n.Member},
		{"Joined", p.Moment(n.Joined)},
		{"Version", n.Version},
		{"Address", n.Address},
		{"Clock", "ahead of the store's by " + skew(n)},
		{"Buckets", fmt.Sprintf("%d owned, %d belong to it", n.Owned, n.Placed)},
		{"Tasks", fmt.Sprint(n.Tasks)},
	}
	if d := n.Drain; d != nil {
		pairs = append(pairs, [2]string{"Drain", strings.TrimSpace(d.Reason + "  by " + d.By + "  " + p.Moment(d.At))})
	}
	return pairs
}
