package task

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newList(e *env.Env) *cobra.Command {
	var filter control.TaskFilter
	var states []string
	var due, failed time.Duration
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List tasks with their state, next and last firing",
		Example: "  belfry task list\n" +
			"  belfry task list --state failed,paused -o name\n" +
			"  belfry task list --failed 24h --prefix stock\n" +
			"  belfry task list --due 1h\n" +
			"  belfry task list --sort-by -fired -o wide\n" +
			"  belfry task list --node n1 -o wide",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, state := range states {
				filter.States = append(filter.States, contract.State(strings.ToLower(state)))
			}
			if cmd.Flags().Changed("due") {
				filter.DueBy = e.Now().Add(due)
			}
			if cmd.Flags().Changed("failed") {
				filter.FailedSince = e.Now().Add(-failed)
			}
			// The noun's flags have defaults; a list shows all unless they were given.
			filter.Tenant, filter.Type = given(cmd, "tenant"), given(cmd, "type")
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (*output.Spool[view], error) {
				found := output.NewSpool(contract.ByName)
				return found, c.EachTask(ctx, filter, found.Add)
			}, func(p output.Printer, found *output.Spool[view]) error { return frame().Write(p, found.Each) })
		},
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "only tasks in one of these states ("+strings.Join(stateNames(), ", ")+")")
	cmd.Flags().DurationVar(&due, "due", 0, "only tasks that fire next within this time, such as 1h")
	cmd.Flags().DurationVar(&failed, "failed", 0, "only tasks of which a run failed within this time, such as 24h")
	cmd.Flags().StringVar(&filter.NamePrefix, "prefix", "", "only tasks whose name begins so")
	cmd.Flags().StringVar(&filter.Service, "service", "", "only tasks that call this service")
	cmd.Flags().StringVar(&filter.Node, "node", "", "only tasks that this node owns")
	_ = cmd.RegisterFlagCompletionFunc("state", env.OneOf(stateNames()...))
	_ = cmd.RegisterFlagCompletionFunc("service", e.CompleteServices())
	_ = cmd.RegisterFlagCompletionFunc("node", e.CompleteNodes())
	return e.Sortable(e.Watchable(cmd), frame().SortKeys())
}

func stateNames() []string {
	var names []string
	for _, s := range contract.States() {
		names = append(names, string(s))
	}
	return names
}

func given(cmd *cobra.Command, flag string) string {
	if f := cmd.Flag(flag); f != nil && f.Changed {
		return f.Value.String()
	}
	return ""
}

func newShow(e *env.Env, key *keyFlags) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "show NAME",
		Short: "Show a task: definition, state, next and last firing",
		Example: "  belfry task show stock-watch\n" +
			"  belfry task show stock-watch -o yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Scope.Tasks = []task.Key{named(key, args[0])}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (view, error) { return c.Task(ctx, named(key, args[0])) },
				func(p output.Printer, t view) error { return p.Sheet(t, ref(keyOf(&t)), sheet(p, t)) })
		},
	})
}
