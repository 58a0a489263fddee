package overview

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// NewEvents makes `belfry events`.
func NewEvents(e *env.Env) *cobra.Command {
	var f control.EventFilter
	var since time.Duration
	cmd := &cobra.Command{
		Use:        "events",
		SuggestFor: []string{"log", "logs"},
		Short:      "Show what happened: deployments, failed runs, edits, messages sent, sessions lost",
		Example: "  belfry events\n" +
			"  belfry events -n 20 -o json\n" +
			"  belfry events --for task/stock-watch --since 1h --level warn",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since > 0 {
				f.Since = e.Now().Add(-since)
			}
			f.Level, f.Code = strings.ToLower(f.Level), strings.ToUpper(f.Code)
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.EventView, error) {
				return c.EventsOf(ctx, f)
			}, eventFrame().Print)
		},
	}
	cmd.Flags().StringVar(&f.About, "for", "", "only events of task/NAME, or of or told by node/NAME, or of this object as the list shows it")
	cmd.Flags().DurationVar(&since, "since", 0, "only events within this time, such as 1h")
	cmd.Flags().StringVar(&f.Level, "level", "", "only events of at least this level ("+strings.Join(control.Levels(), ", ")+")")
	cmd.Flags().StringVar(&f.Code, "kind", "", "only events of this code, such as RUN_FAILED")
	cmd.Flags().IntVarP(&f.Limit, "limit", "n", 50, "at most so many, the newest; 0 for all that is kept")
	cmd.Flags().BoolVarP(&e.Watch, "follow", "f", false, "go on and show what happens, as it is told")
	_ = cmd.RegisterFlagCompletionFunc("for", e.CompleteAbout())
	_ = cmd.RegisterFlagCompletionFunc("level", env.OneOf(control.Levels()...))
	_ = cmd.RegisterFlagCompletionFunc("kind", e.Complete(codes))
	return e.Sortable(cmd, eventFrame().SortKeys())
}

// codes are those of the events that are kept.
func codes(ctx context.Context, c *control.Control) ([]string, error) {
	events, err := c.Events(ctx, 0)
	var all []string
	for _, v := range events {
		all = append(all, v.Code)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

func eventFrame() output.Frame[contract.EventView] {
	type view = contract.EventView
	return output.Frame[view]{
		Name: func(v view) string { return v.Code },
		Fields: []output.Field[view]{
			output.When("TIME", func(v view) *time.Time { return &v.Time }),
			output.Says("LEVEL", func(v view) string { return v.Level }),
			output.Says("CODE", func(v view) string { return v.Code }),
			output.Says("OBJECT", func(v view) string { return v.Object }),
			output.Adds("NODE", func(v view) string { return v.Node }),
			output.Tells("TEXT", func(v view) string { return v.Text }),
		},
		Empty: "Nothing has happened yet.",
	}
}
