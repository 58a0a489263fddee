package task

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

func newBackfill(e *env.Env, key *keyFlags) *cobra.Command {
	var from, to string
	var asked control.Backfill
	cmd := &cobra.Command{
		Use:   "backfill NAME",
		Short: "Make up for past instants that did not run, each once",
		Long: "Ask for a run for each past instant between two times that is not known to have run: missed while no host was\n" +
			"up, skipped by a policy, or of a pause. They run one after another, the oldest first, behind what is due by the\n" +
			"schedule, and each sees its own instant as the scheduled time. An instant is made up for once: the same backfill\n" +
			"again asks for nothing. Hosts keep the last runs alone; --dry-run tells how many instants are older than that.",
		Example: "  belfry task backfill stock-watch --from -1h --dry-run\n" +
			"  belfry task backfill stock-watch --from -1h --max 3 --reason \"the database was down\"\n" +
			"  belfry task backfill nightly --from 2026-01-01 --to 2026-01-31T12:00:00Z --dry-run -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if asked.From, err = pastTime(from, e.Now()); err != nil {
				return env.Usage("--from: %v", err)
			}
			if asked.To, err = pastTime(to, e.Now()); err != nil {
				return env.Usage("--to: %v", err)
			}
			asked.Reason, asked.DryRun = e.Reason, e.DryRun
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				v, err := c.Backfill(ctx, named(key, args[0]), asked)
				if err != nil {
					return err
				}
				return sayBackfill(e, v)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "from this time on (RFC 3339, a date, or -2h from now)")
	cmd.Flags().StringVar(&to, "to", "-0s", "up to this time (RFC 3339, a date, or -1h from now)")
	cmd.Flags().IntVar(&asked.Max, "max", 100, fmt.Sprintf("at most so many, the oldest first; up to %d", control.MaxBackfill))
	_ = cmd.MarkFlagRequired("from")
	return e.Edits(cmd)
}

// pastTime is parseTime, and a distance before now such as -2h.
func pastTime(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d <= 0 {
		return now.Add(d), nil
	}
	at, err := contract.ParseTime(s, now)
	if err == nil && at.IsZero() {
		err = fmt.Errorf("it names no time: write it like 2026-01-31T06:00:00Z or -2h")
	}
	return at, err
}

func sayBackfill(e *env.Env, v control.BackfillView) error {
	verb := "asked for"
	if v.DryRun {
		verb = "would be asked for"
	}
	runs := "runs"
	if len(v.Instants) == 1 {
		runs = "run"
	}
	text := fmt.Sprintf("task/%s: %d %s %s", v.Task, len(v.Instants), runs, verb)
	for _, part := range []struct {
		n    int
		text string
	}{
		{v.Unsure, "of them older than the runs that are kept, so they may have run"},
		{v.Ran, "ran, or wait to"},
		{v.Before, "were asked for before"},
		{v.Left, "left for another backfill (--max)"},
	} {
		if part.n > 0 {
			text += fmt.Sprintf("; %d %s", part.n, part.text)
		}
	}
	e.Say("%s", text)
	p := e.Printer()
	if p.Structured() {
		return p.Value(v)
	}
	l := output.Listing{Columns: []output.Column{{Name: "INSTANT"}, {Name: "FIRE ID"}}, Names: v.FireIDs, Empty: "Nothing is to be made up for."}
	for i, at := range v.Instants {
		l.Rows = append(l.Rows, []output.Cell{output.Text(at.Format(time.RFC3339)), output.Text(v.FireIDs[i])})
	}
	return p.List(l)
}
