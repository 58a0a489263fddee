package run

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newReply(e *env.Env) *cobra.Command {
	var value, exception string
	cmd := &cobra.Command{
		Use:   "reply FIRE-ID",
		Short: "End a run that waits for a reply, in the place of what it called",
		Long: "reply ends a WAITING run where what it called is known to have ended and its own reply was lost: with a value it\n" +
			"is OK, with an exception FAILED. A run has one end: what comes after it changes nothing.",
		Example: "  belfry run reply $(belfry run list --outcome waiting -n 1 -o name) --value installed || true\n" +
			"  belfry run reply $(belfry run list --outcome waiting -n 1 -o name) --exception \"disk full\" || true",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			said := task.Reply{OK: true, Value: value}
			if cmd.Flags().Changed("exception") {
				said = task.Reply{Value: exception}
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				answer, err := c.EndRun(ctx, args[0], said)
				switch {
				case err != nil:
					return err
				case answer.State == call.ReplyAccepted:
					e.Say("run %s ends with this reply", args[0])
					return nil
				}
				text := "run " + args[0] + " has its end already"
				if answer.Outcome != "" {
					text += ": " + answer.Outcome
				}
				return &failure.Error{Code: failure.CodeConflict, Message: text, Hint: "see run show " + args[0]}
			})
		},
	}
	cmd.Flags().StringVar(&value, "value", "", "what was returned")
	cmd.Flags().StringVar(&exception, "exception", "", "what went wrong")
	cmd.MarkFlagsMutuallyExclusive("value", "exception")
	cmd.MarkFlagsOneRequired("value", "exception")
	return cmd
}
