package cluster

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

func newMend(e *env.Env) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "mend",
		Short: "Find claim logs that lack entries, and let their buckets be owned again",
		Long: "Find claim logs that lack entries, and put empty ones in their place. Belfry never loses an entry, but a\n" +
			"ZooKeeper server can lose writes that it has acknowledged. A bucket with such a log is owned by nobody, and its\n" +
			"tasks do not fire (BUCKET_STATE_BROKEN). A host that finds one asks another ZooKeeper server first; mend what\n" +
			"no server has any more. What the lost entries decided stays unknown: a firing that only they knew of may\n" +
			"happen again.",
		Example: "  belfry cluster mend --dry-run\n" +
			"  belfry cluster mend --yes",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				gaps, err := c.Gaps(ctx)
				if err != nil {
					return err
				}
				if lost := entries(gaps); lost > 0 && !dryRun {
					question := fmt.Sprintf("%d entries of claim logs are lost. Type their number to go on without them:", lost)
					if err := e.Confirm(ctx, env.Question{Text: question, Word: fmt.Sprint(lost)}); err != nil {
						return err
					}
					if err := mend(ctx, e, c, gaps); err != nil {
						return err
					}
				}
				return gapFrame().Print(e.Printer(), gaps)
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what is missing, and change nothing")
	return cmd
}

func entries(gaps []control.MendView) int {
	n := 0
	for _, g := range gaps {
		n += len(g.Missing)
	}
	return n
}

func mend(ctx context.Context, e *env.Env, c *control.Control, gaps []control.MendView) error {
	for i := range gaps {
		g := &gaps[i]
		if g.Fault != "" {
			continue
		}
		if err := c.Mend(ctx, *g, e.Who()); err != nil {
			return err
		}
		g.Mended = true
	}
	return nil
}

func gapFrame() output.Frame[control.MendView] {
	type view = control.MendView
	return output.Frame[view]{
		Name: func(v view) string { return fmt.Sprint(v.Bucket) },
		Fields: []output.Field[view]{
			output.Says("BUCKET", func(v view) string { return fmt.Sprint(v.Bucket) }),
			output.Says("MISSING", func(v view) string { return fmt.Sprint(len(v.Missing)) }),
			output.Says("MENDED", func(v view) string { return fmt.Sprint(v.Mended) }),
			output.Tells("FAULT", func(v view) string { return v.Fault }),
		},
		Empty: "No claim log lacks an entry.",
	}
}
