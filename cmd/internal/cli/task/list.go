package task

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newList(e *env.Env) *cobra.Command {
	var filter control.TaskFilter
	var state string
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List tasks with their state, next and last firing",
		Example: "  belfry task list\n" +
			"  belfry task list --state failed -o name\n" +
			"  belfry task list --sort-by -fired -o wide\n" +
			"  belfry task list --node n1 -o wide",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter.State = contract.State(state)
			// The noun's flags have defaults; a list shows all unless they were given.
			filter.Tenant, filter.Type = given(cmd, "tenant"), given(cmd, "type")
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (*output.Spool[view], error) {
				found := output.NewSpool(contract.ByName)
				return found, c.EachTask(ctx, filter, found.Add)
			}, func(p output.Printer, found *output.Spool[view]) error { return frame().Write(p, found.Each) })
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only tasks in this state (waiting, running, paused, blocked, unplaced, finished, failed, unknown)")
	cmd.Flags().StringVar(&filter.NamePrefix, "prefix", "", "only tasks whose name begins so")
	cmd.Flags().StringVar(&filter.Service, "service", "", "only tasks that call this service")
	cmd.Flags().StringVar(&filter.Node, "node", "", "only tasks that this node owns")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("service", e.CompleteServices())
	_ = cmd.RegisterFlagCompletionFunc("node", e.CompleteNodes())
	return e.Sortable(e.Watchable(cmd), frame().SortKeys())
}

func states() []string {
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
