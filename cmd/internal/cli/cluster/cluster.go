// Package cluster holds the commands of the noun "cluster".
package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cluster",
		Short:   "See how the group of hosts stands, and wait for it",
		GroupID: "cluster",
	}
	cmd.AddCommand(newShow(e), newWait(e), newActivate(e), newMend(e))
	return cmd
}

func newShow(e *env.Env) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "show",
		Short: "Show the group: leader, start-up barrier, how much is placed",
		Example: "  belfry cluster show\n" +
			"  belfry cluster show -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (contract.ClusterView, error) { return c.Cluster(ctx) },
				func(p output.Printer, v contract.ClusterView) error { return p.Sheet(v, v.Cluster, sheet(v)) })
		},
	})
}

func sheet(v contract.ClusterView) [][2]string {
	pairs := [][2]string{
		{"Cluster", v.Cluster},
		{"Id", v.UUID},
		{"Nodes", fmt.Sprint(v.Nodes)},
		{"Leader", v.Leader.Text()},
		{"Barrier", barrier(v.Barrier)},
	}
	if v.Waiting != "" {
		pairs = append(pairs, [2]string{"Waiting", v.Waiting})
	}
	if r := v.Rollover; r != nil && r.Days > 0 {
		pairs = append(pairs, [2]string{"ZooKeeper", fmt.Sprintf("%.0f writes a day; %.2f %% of their numbers used, the rest lasts %.0f days", r.PerDay, 100*r.Used, r.Days)})
	}
	return append(pairs, [2]string{"Buckets", fmt.Sprintf("%d: %d settled, %d moving, %d without a place", v.Buckets, v.Settled, v.Moving, v.Unplaced)})
}

// barrier is the start-up barrier as a person reads it.
func barrier(b contract.BarrierView) string {
	text := "closed"
	if b.Open {
		text = "open"
	}
	if b.Servers > 1 {
		text += fmt.Sprintf(", %d of %d servers", b.Present, b.Servers)
	}
	if b.Lifted {
		text += ", lifted by " + b.LiftedBy
	}
	return text
}

// retryPause is how long `cluster wait` leaves a store alone that cannot be
// reached.
const retryPause = time.Second

func newWait(e *env.Env) *cobra.Command {
	var conditions []string
	cmd := &cobra.Command{
		Use:   "wait",
		Short: "Wait until the group is as wanted; exit code 7 if it is not in time",
		Long: "Wait until all conditions hold at once: nodes=N (so many different nodes), leader (there is one), placed (each\n" +
			"bucket is owned by the host that it belongs to). While nobody answers it tries again, until --timeout.",
		Example: "  belfry cluster wait --for leader --timeout 30s\n" +
			"  belfry cluster wait --for nodes=1,placed --timeout 1m",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []group.Condition
			for _, text := range conditions {
				condition, err := group.ParseCondition(text)
				if err != nil {
					return err
				}
				all = append(all, condition)
			}
			if len(all) == 0 {
				return env.Usage("say what to wait for: --for %s", strings.Join(group.Conditions(), ", --for "))
			}
			if err := await(cmd.Context(), e, all); err != nil {
				return err
			}
			if e.Printer().Structured() {
				return e.Printer().Value(map[string]any{"conditions": conditions, "met": true})
			}
			e.Say("met: %s", strings.Join(conditions, ", "))
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&conditions, "for", nil, strings.Join(group.Conditions(), ", ")+"; several must hold at once")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{"nodes=", "leader", "placed"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace))
	return cmd
}

// await tries again while nobody answers.
func await(ctx context.Context, e *env.Env, all []group.Condition) error {
	if e.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.Timeout)
		defer cancel()
	}
	said := ""
	for {
		err := e.Control(ctx, func(ctx context.Context, c *control.Control) error {
			return c.Await(ctx, all, func(missing string) { e.Say("waiting: %s", missing) })
		})
		if err == nil || failure.Of(err).Code != failure.CodeUnavailable {
			return err
		}
		if message := err.Error(); message != said && ctx.Err() == nil {
			said = message
			e.Say("waiting: %s", message)
		}
		timer := time.NewTimer(retryPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(ctx.Err(), context.Canceled) {
				return ctx.Err()
			}
			return &failure.Error{Code: failure.CodeTimeout, Message: "the cluster is not there yet: " + err.Error(), Err: err, Hint: failure.Of(err).Hint}
		}
	}
}

func newActivate(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "activate",
		Short: "Lift the start-up barrier: the servers that are there are enough",
		Long: "Lift the start-up barrier (task.server.count), for when not all servers will come. It holds until all hosts are\n" +
			"gone; the next start waits again. Where nothing waits it changes nothing.",
		Example: "  belfry cluster activate\n" +
			"  belfry cluster activate -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				before, err := c.Activate(ctx, e.Who())
				if err != nil {
					return err
				}
				switch {
				case before.Open:
					e.Say("the barrier is open: nothing waits")
				case before.Lifted:
					e.Say("the barrier was lifted already, by %s", before.LiftedBy)
				default:
					e.Say("the barrier is lifted, with %d of %d servers", before.Present, before.Servers)
				}
				if p := e.Printer(); p.Structured() || p.Format == output.Name {
					v, err := c.Cluster(ctx)
					if err != nil {
						return err
					}
					return p.Sheet(v, v.Cluster, nil)
				}
				return nil
			})
		},
	}
}
