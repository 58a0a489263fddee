// Package insight holds the commands that tell why, what if, and what is wrong:
// explain, simulate, timeline, doctor, check.
package insight

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/task"
)

// group is where these commands are in the help.
const group = "insight"

// Commands makes all of them.
func Commands(e *env.Env) []*cobra.Command {
	return []*cobra.Command{newExplain(e), newSimulate(e), newTimeline(e), newDoctor(e), newCheck(e)}
}

func newExplain(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "explain",
		GroupID: group,
		Short:   "Tell why something does what it does or does not, and what codes mean",
	}
	key := task.Key{}
	var exit bool
	sub := &cobra.Command{
		Use:   "task NAME",
		Short: "Tell why a task does not fire, fires late, or where it does",
		Long: "Tell why a task does not fire, fires late, or where it does: findings with stable codes, what helps, and what each\n" +
			"host is to the task.",
		Example: "  belfry explain task stock-watch\n" +
			"  belfry explain task nightly -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			key.Name = args[0]
			healthy := true
			e.Scope.Tasks = []task.Key{key.Normal()}
			err := env.Show(e, cmd, func(ctx context.Context, c *control.Control) (explain.Explanation, error) {
				return c.ExplainTask(ctx, key.Normal())
			}, func(p output.Printer, x explain.Explanation) error {
				healthy = x.Healthy
				return p.Sheet(x, x.Task.Name, explanation(p, x))
			})
			if err == nil && exit && !healthy {
				return env.Differs("task %s is not as scheduled", args[0])
			}
			return err
		},
	}
	sub.Flags().StringVar(&key.Tenant, "tenant", "", "tenant of the task")
	sub.Flags().StringVar(&key.Type, "type", "", "type of the task")
	sub.Flags().BoolVar(&exit, "exit-code", false, "exit with 1 unless all is as scheduled")
	cmd.AddCommand(e.Watchable(sub), newExplainCode(e))
	return cmd
}

func explanation(p output.Printer, x explain.Explanation) [][2]string {
	t := x.Task
	pairs := [][2]string{
		{"Task", t.Name},
		{"State", strings.TrimSpace(string(t.State) + "  " + t.Node)},
		{"Next", p.Instant(t.Next)},
	}
	pairs = append(pairs, found(x.Findings)...)
	for _, n := range x.Nodes {
		text := n.Node + "  may run it"
		switch {
		case !n.Eligible:
			text = n.Node + "  may not: " + n.Why
		case n.Owner:
			text += ", and owns it"
		}
		pairs = append(pairs, [2]string{"Node", text})
	}
	return pairs
}

// found lists findings with what helps below each.
func found(findings []explain.Finding) [][2]string {
	var pairs [][2]string
	for _, f := range findings {
		pairs = append(pairs, [2]string{strings.ToUpper(string(f.Level)), fmt.Sprintf("%s  %s", f.Code, f.Text)})
		for _, fix := range f.Fix {
			pairs = append(pairs, [2]string{"", "  " + fix})
		}
	}
	return pairs
}
