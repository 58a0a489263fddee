package task

import (
	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
)

// completes offers values of the flags that define a task.
func completes(e *env.Env, cmd *cobra.Command) {
	offer := func(flag string, complete cobra.CompletionFunc) { _ = cmd.RegisterFlagCompletionFunc(flag, complete) }
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	offer("service", e.CompleteServices())
	offer("operation", e.CompleteOperations(func(cmd *cobra.Command, _ []string) string { return cmd.Flag("service").Value.String() }))
	offer("misfire", fixed("fire-once", "fire-all", "skip"))
	offer("overlap", fixed("allow", "queue", "skip"))
	offer("delivery", fixed("at-most-once", "at-least-once", "effectively-once"))
	offer("on-deadline", fixed("fail", "retry"))
	offer("location", fixed("default", "nodes", "rules", "round-robin", "random", "fixed", "active-passive"))
	offer("after", e.CompleteTasks())
}
