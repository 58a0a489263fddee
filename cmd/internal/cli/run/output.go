package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
)

func newOutput(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "output FIRE-ID",
		Short: "Show what a run was answered",
		Long: "Show the head of what a run was answered, or what a reply to it returned. It is kept of runs by hand, and of\n" +
			"every run of a task with --keep-output, beside the run's record, so it outlives the host: tasks.output_bytes\n" +
			"(1 KiB) of it, as long as the recent runs of its hosts leave room. An answer that was cut ends with an ellipsis.",
		Example: "  belfry run output $(belfry task run stock-watch --wait -o name)\n" +
			"  belfry run output $(belfry task run stock-watch --wait -o name) -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				r, err := c.Output(ctx, args[0])
				if err != nil {
					return err
				}
				if p := e.Printer(); p.Structured() {
					return p.Value(r)
				}
				_, err = fmt.Fprintln(e.Out, printable(r.Value))
				return err
			})
		},
	}
}

// printable leaves out of an answer what would move a terminal's cursor or
// change its colours.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && (r < 0x7f || r > 0x9f) {
			return r
		}
		return -1
	}, strings.TrimRight(text, "\n"))
}
