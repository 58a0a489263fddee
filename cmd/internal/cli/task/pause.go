package task

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/order"
)

func newPause(e *env.Env, key *keyFlags) *cobra.Command {
	var until string
	var length time.Duration
	cmd := &cobra.Command{
		Use:   "pause NAME...",
		Short: "Stop tasks from firing; what runs already finishes",
		Long: "Stop tasks from firing, until somebody resumes them or, with --for or --until, until a time: they resume by\n" +
			"themselves then, whatever runs or does not run at that moment. What runs already finishes. Instants of the pause\n" +
			"never fire; the first that may is one at its very end." + manyNames,
		Example: "  belfry task pause stock-watch --reason \"database upgrade\"\n" +
			"  belfry task pause stock-watch --for 2h\n" +
			"  belfry task pause nightly stock-watch --until +30m",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			end, err := pauseEnd(cmd.Flags(), length, until, e.Now())
			if err != nil {
				return err
			}
			verbed := "paused"
			var last order.End
			if !end.IsZero() {
				verbed += " until " + end.UTC().Format(time.RFC3339)
				last = order.End{Text: end.UTC().Format(time.RFC3339), At: end}
			}
			stop, err := control.PauseEnd(end, e.Now())
			if err != nil {
				return err
			}
			return alter(e, cmd, key, args, edits{
				verb: "pause", verbed: verbed, change: control.Pausing(e.Reason, stop),
				order: func(was task.Info) order.Order {
					o := order.Order{Verb: order.Pause, Tasks: []task.Key{was.Key}, Until: last, Was: was}
					if was.Paused {
						o.Verb = order.Anew
					}
					return o
				},
			})
		},
	}
	cmd.Flags().DurationVar(&length, "for", 0, "resume by itself after this time, such as 2h")
	cmd.Flags().StringVar(&until, "until", "", "resume by itself at this time (RFC 3339, or +2h from now)")
	cmd.MarkFlagsMutuallyExclusive("for", "until")
	return e.Edits(cmd)
}

// pauseEnd is when --for or --until end a pause; zero: neither was given.
func pauseEnd(f *pflag.FlagSet, length time.Duration, until string, now time.Time) (time.Time, error) {
	switch {
	case f.Changed("for") && length <= 0:
		return time.Time{}, env.Usage("--for %s: give a time above zero", length)
	case f.Changed("for"):
		return now.Add(length), nil
	case f.Changed("until"):
		end, err := contract.ParseTime(until, now)
		if err == nil && end.IsZero() {
			err = errors.New("it names no time")
		}
		if err != nil {
			return time.Time{}, env.Usage("--until: %v", err)
		}
		return end, nil
	default:
		return time.Time{}, nil
	}
}

func newResume(e *env.Env, key *keyFlags) *cobra.Command {
	return e.Edits(&cobra.Command{
		Use:   "resume NAME...",
		Short: "Let paused tasks fire again; instants of the pause never fire",
		Long:  "Let paused tasks fire again; instants of the pause never fire." + manyNames,
		Example: "  belfry task resume stock-watch\n" +
			"  belfry task resume nightly stock-watch",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return alter(e, cmd, key, args, edits{
				verb: "resume", verbed: "resumed", change: control.Resuming,
				order: func(was task.Info) order.Order {
					return order.Order{Verb: order.Resume, Tasks: []task.Key{was.Key}, Was: was}
				},
			})
		},
	})
}
