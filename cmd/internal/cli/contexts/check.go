package contexts

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// checked is the JSON contract of `context check`.
type checked struct {
	Name       string `json:"name"`
	Connect    string `json:"connect"`
	User       string `json:"user"` // of ZooKeeper; empty: none is given
	ReadOnly   bool   `json:"read_only"`
	Production bool   `json:"production"`
	Cluster    string `json:"cluster"`
	UUID       string `json:"uuid"`
	Nodes      int    `json:"nodes"`
	Leader     string `json:"leader"`
	Waiting    string `json:"waiting"`
	ElapsedMS  int64  `json:"elapsed_ms"`
}

func newCheck(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "check [NAME]",
		Short: "Tell whether a context, or where commands go from here, can be reached, and as whom",
		Long: "Tell whether a context, or where commands go from here, can be reached, as whom, and what its store says of the group.\n" +
			"Nothing is changed. Exit code 6: it cannot be reached; 4: it lets nobody in without other credentials.",
		Example: "  belfry context check\n" +
			"  belfry context check sample\n" +
			"  belfry context check sample -o json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if e.Connect+e.Coordination+e.Context != "" {
					return env.Usage("give the name of a context, or one of --connect, --coordination and --context")
				}
				e.Context = args[0]
			}
			t, err := e.Target()
			if err != nil {
				return err
			}
			found := checked{Name: t.Name(), Connect: t.String(), User: t.Access.User, ReadOnly: t.ReadOnly || e.ReadOnly, Production: t.Production}
			began := e.Now()
			err = e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				v, err := c.Cluster(ctx)
				found.tell(v)
				return err
			})
			if err != nil {
				return err
			}
			elapsed := e.Now().Sub(began)
			found.ElapsedMS = elapsed.Milliseconds()
			return e.Printer().Sheet(found, found.Name, found.pairs(t, elapsed))
		},
	}
}

func (c *checked) tell(v contract.ClusterView) {
	c.Cluster, c.UUID, c.Nodes, c.Waiting, c.Leader = v.Cluster, v.UUID, v.Nodes, v.Waiting, v.Leader.Text()
}

func (c *checked) pairs(t env.Target, elapsed time.Duration) [][2]string {
	as := "whoever runs this, as the socket's permissions let in"
	if t.Socket == "" {
		as = cmp.Or(c.User, "nobody in particular: the context names no user")
	}
	return [][2]string{
		{"Name", c.Name},
		{"Address", c.Connect},
		{"Reached", fmt.Sprintf("yes, in %s", elapsed.Round(time.Millisecond))},
		{"As", as},
		{"Mode", cmp.Or(mode(c.ReadOnly, c.Production), "changes are allowed")},
		{"Cluster", strings.TrimSpace(c.Cluster + "  " + c.UUID)},
		{"Hosts", fmt.Sprint(c.Nodes)},
		{"Leader", c.Leader},
		{"Waiting", cmp.Or(c.Waiting, "-")},
	}
}
