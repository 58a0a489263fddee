package insight

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

func newDoctor(e *env.Env) *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: group,
		Short:   "Look for everything that is not as it should be, and say what helps",
		Long: "Look for everything that is not as it should be: the store and its records, hosts and their clocks, the leader, where\n" +
			"buckets are, tasks, services, messages. Each finding has a stable code. Exits with 0 if nothing failed, with 2 if\n" +
			"something did, and with --strict also with 1 if there are warnings.",
		Example: "  belfry doctor || true\n" +
			"  belfry doctor -o json || true",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				d, err := c.Diagnose(ctx)
				if err != nil {
					return err
				}
				pairs := append(found(d.Checks), [2]string{"RESULT", fmt.Sprintf("%d ok, %d warnings, %d failures", d.Passed, d.Warnings, d.Failures)})
				if err := e.Printer().Sheet(d, "", pairs); err != nil {
					return err
				}
				switch {
				case d.Failures > 0:
					return &env.Outcome{Code: env.Found, Message: "something failed", Exit: failure.CodeInvalid.Exit()}
				case strict && d.Warnings > 0:
					return env.Differs("there are warnings")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 if there are warnings")
	return cmd
}
