// Package audit holds the command that tells who edited what.
package audit

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

// New makes `belfry audit`.
func New(e *env.Env) *cobra.Command {
	var f control.AuditFilter
	var since time.Duration
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who edited what, and when",
		Long: "Show who edited what, and when: each edit of a task, run asked for, drain. An entry is written by the commit that it\n" +
			"tells of. Each bucket of tasks keeps the last 50. Names are what the companion says of its user: they are a\n" +
			"record among colleagues, no proof.",
		Example: "  belfry audit\n" +
			"  belfry audit --for task/stock-watch --since 24h -o json",
		Args:    cobra.NoArgs,
		GroupID: "cluster",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since > 0 {
				f.Since = e.Now().Add(-since)
			}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]control.AuditView, error) { return c.Audit(ctx, f) }, frame().Print)
		},
	}
	cmd.Flags().StringVar(&f.By, "by", "", "only edits by this user, as the list shows it")
	cmd.Flags().StringVar(&f.Object, "for", "", "only edits of task/NAME, node/NAME, calendar/NAME or cluster")
	cmd.Flags().StringVar(&f.Object, "object", "", "only edits of it; the same as --for")
	cmd.Flags().DurationVar(&since, "since", 0, "only edits within this time, such as 24h")
	cmd.Flags().IntVarP(&f.Limit, "limit", "n", 100, "at most so many, the newest; 0 for all that is kept")
	_ = cmd.RegisterFlagCompletionFunc("for", e.CompleteAbout())
	_ = cmd.RegisterFlagCompletionFunc("object", e.CompleteAbout())
	return e.Sortable(e.Watchable(cmd), frame().SortKeys())
}

func frame() output.Frame[control.AuditView] {
	type view = control.AuditView
	return output.Frame[view]{
		Name: func(a view) string { return a.ID },
		Fields: []output.Field[view]{
			output.When("TIME", func(a view) *time.Time { return &a.At }),
			output.Says("BY", func(a view) string { return a.By }),
			output.Says("CODE", func(a view) string { return a.Code }),
			output.Says("OBJECT", func(a view) string { return a.Object }),
			output.Tells("WHAT", func(a view) string { return strings.Join(a.Fields, ", ") }),
			output.Tells("REASON", func(a view) string { return a.Reason }),
			output.Adds("ID", func(a view) string { return a.ID }),
		},
		Empty: "Nobody has edited anything yet.",
	}
}
