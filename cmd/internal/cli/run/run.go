// Package run holds the commands of the noun "run".
package run

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
		Use:     "run",
		Aliases: []string{"runs"},
		Short:   "See what became of firings",
		Long: "A run is one attempt at a firing. Instants that were decided not to run leave a record too, with the\n" +
			"outcome SKIPPED and the reason.",
		GroupID: "core",
	}
	cmd.AddCommand(newList(e), newShow(e), newOutput(e), newCancel(e), newRerun(e), newReply(e))
	return cmd
}

func newList(e *env.Env) *cobra.Command {
	var filter control.RunFilter
	var since, until time.Duration
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List runs, the newest first",
		Example: "  belfry run list --task stock-watch\n" +
			"  belfry run list --outcome failed --since 24h -o json\n" +
			"  belfry run list --node n1 --since 2h --until 1h",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since > 0 {
				filter.Since = e.Now().Add(-since)
			}
			if until > 0 {
				filter.Until = e.Now().Add(-until)
			}
			filter.Outcome = strings.ToUpper(filter.Outcome)
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]view, error) { return c.Runs(ctx, filter) }, frame().Print)
		},
	}
	cmd.Flags().StringVar(&filter.Task, "task", "", "only runs of the task with this name")
	cmd.Flags().StringVar(&filter.Outcome, "outcome", "", "only runs that ended so ("+strings.Join(outcomes(), ", ")+")")
	cmd.Flags().DurationVar(&since, "since", 0, "only runs scheduled within this time, such as 24h")
	cmd.Flags().DurationVar(&until, "until", 0, "only runs scheduled longer ago than this, such as 1h")
	cmd.Flags().StringVar(&filter.Node, "node", "", "only runs of this host")
	cmd.Flags().IntVarP(&filter.Limit, "limit", "n", 100, "at most so many; 0 for all that is kept")
	_ = cmd.RegisterFlagCompletionFunc("task", e.CompleteTasks())
	_ = cmd.RegisterFlagCompletionFunc("node", e.CompleteNodes())
	_ = cmd.RegisterFlagCompletionFunc("outcome", env.OneOf(outcomes()...))
	return e.Sortable(e.Watchable(cmd), frame().SortKeys())
}

func outcomes() []string {
	var names []string
	for _, o := range control.Outcomes() {
		names = append(names, strings.ToLower(string(o)))
	}
	return names
}

func newShow(e *env.Env) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "show FIRE-ID",
		Short: "Show every attempt at a firing",
		Example: "  belfry run show $(belfry run list --task stock-watch -n 1 -o name)\n" +
			"  belfry run show $(belfry run list -n 1 -o name) -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]view, error) { return c.Run(ctx, args[0]) },
				func(p output.Printer, attempts []view) error {
					if p.Structured() || len(attempts) != 1 {
						return frame().Print(p, attempts)
					}
					return p.Sheet(attempts, args[0], Sheet(p, attempts[0]))
				})
		},
	})
}

type view = contract.RunView

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(r view) string { return r.FireID },
		Fields: []output.Field[view]{
			output.Says("TASK", func(r view) string { return r.Task }),
			output.When("SCHEDULED", func(r view) *time.Time { return &r.Scheduled }),
			output.Says("OUTCOME", func(r view) string { return r.Outcome }),
			output.Says("TOOK", took),
			output.Says("TRY", func(r view) string { return fmt.Sprint(r.Attempt) }),
			output.Says("NODE", func(r view) string { return r.Node }),
			output.Tells("ERROR", because),
			output.Adds("LATE", late),
			output.Adds("FIRE ID", func(r view) string { return r.FireID }),
		},
		Empty: "No runs yet. `belfry task list` shows when tasks fire next.",
	}
}

func took(r view) string {
	if r.Started == nil || r.Ended == nil {
		return ""
	}
	return r.Ended.Sub(*r.Started).Round(time.Millisecond).String()
}

func late(r view) string {
	if r.Started == nil {
		return ""
	}
	return r.Started.Sub(r.Scheduled).Round(time.Millisecond).String()
}

func because(r contract.RunView) string {
	if r.Skips > 1 {
		return fmt.Sprintf("%s (%d instants)", r.Reason, r.Skips)
	}
	return strings.TrimSpace(r.Reason + " " + r.Error)
}

// Print writes a list of runs.
func Print(p output.Printer, runs []view) error { return frame().Print(p, runs) }

// Sheet lists what is known of one run.
func Sheet(p output.Printer, r contract.RunView) [][2]string {
	pairs := [][2]string{
		{"Task", r.Task},
		{"Fire id", r.FireID},
		{"Scheduled", p.Instant(&r.Scheduled)},
		{"Started", p.Instant(r.Started)},
		{"Ended", p.Instant(r.Ended)},
		{"Outcome", strings.TrimSpace(r.Outcome + " " + because(r))},
		{"Attempt", fmt.Sprint(r.Attempt)},
		{"Node", r.Node},
	}
	if r.Deadline != nil {
		pairs = append(pairs, [2]string{"Reply by", p.Instant(r.Deadline)})
	}
	if r.Value != "" {
		pairs = append(pairs, [2]string{"Value", r.Value})
	}
	return pairs
}
