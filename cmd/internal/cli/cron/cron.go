// Package cron holds the commands of the noun "cron": expressions, tried
// without a host.
package cron

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cron",
		Short: "Try cron expressions: when they fire, what they mean",
		Long: "Try cron expressions without a host. Quartz's syntax has six or seven fields, seconds first, with ? L W # LW L-3;\n" +
			"five fields as in a crontab, @daily and its like, and @every 5m work too.",
		GroupID: "setup",
	}
	cmd.AddCommand(newNext(e), newDescribe(e), newParse(e))
	return cmd
}

func parse(expr string) (*trigger.Cron, error) {
	c, err := trigger.ParseCron(expr)
	if err != nil {
		return nil, env.Usage("%v", err)
	}
	return c, nil
}

const maxNext = 10_000

func newNext(e *env.Env) *cobra.Command {
	var zone, from string
	var n int
	cmd := &cobra.Command{
		Use:   "next EXPR",
		Short: "Show when an expression fires next",
		Example: "  belfry cron next \"0 30 2 * * ?\" --tz America/New_York --from 2027-03-13T00:00:00Z -n 3\n" +
			"  belfry cron next \"*/5 * * * *\" -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := parse(args[0])
			if err != nil {
				return err
			}
			in, err := trigger.LoadZone(zone)
			if err != nil {
				return env.Usage("--%v", err)
			}
			at := e.Now()
			if from != "" {
				if at, err = time.Parse(time.RFC3339, from); err != nil {
					return env.Usage("--from %q: write it like 2027-03-13T00:00:00Z", from)
				}
			}
			if n < 1 || n > maxNext {
				return env.Usage("-n %d: 1 to %d", n, maxNext)
			}
			return e.Printer().List(listing(e.Printer(), c, in, at, n))
		},
	}
	cmd.Flags().StringVar(&zone, "tz", "UTC", "time zone of the expression, such as Europe/Berlin")
	cmd.Flags().StringVar(&from, "from", "", "count from this time (RFC 3339; default now)")
	cmd.Flags().IntVarP(&n, "number", "n", 5, fmt.Sprintf("how many instants (at most %d)", maxNext))
	return cmd
}

func listing(p output.Printer, c *trigger.Cron, in *time.Location, at time.Time, n int) output.Listing {
	instants := []string{}
	l := output.Listing{
		Columns: []output.Column{{Name: "LOCAL"}, {Name: "UTC"}, {Name: "WHEN"}, {Name: "NOTE"}},
		Empty:   "It never fires after that.",
	}
	for range n {
		next, ok := c.Next(at, in)
		if !ok {
			break
		}
		at = next
		utc := at.UTC().Format(time.RFC3339)
		instants = append(instants, utc)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(at.In(in).Format("Mon 2006-01-02 15:04:05 -0700")), output.Text(utc),
			{Human: output.Relative(at.Sub(p.Now))},
			{Human: c.Note(at, in), Plain: c.Note(at, in)},
		})
	}
	l.Data, l.Names = instants, instants
	return l
}

func newDescribe(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "describe EXPR",
		Short: "Say in English when an expression fires",
		Example: "  belfry cron describe \"0 0/15 9-17 ? * MON-FRI\"\n" +
			"  belfry cron describe \"0 0 12 L-3 * ?\" -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := parse(args[0])
			if err != nil {
				return err
			}
			if e.Printer().Structured() {
				return e.Printer().Value(map[string]string{"expression": args[0], "description": c.Describe()})
			}
			_, err = fmt.Fprintln(e.Out, c.Describe())
			return err
		},
	}
}

func newParse(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "parse EXPR",
		Short: "Take an expression apart; exit 2 if it is not one",
		Example: "  belfry cron parse \"0 0 12 ? * FRI#2\"\n" +
			"  belfry cron parse \"*/5 * * * *\" -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := parse(args[0])
			if err != nil {
				return err
			}
			x := c.Explain()
			pairs := [][2]string{{"Expression", x.Expression}, {"Form", string(x.Form)}, {"Fires", x.Description}}
			for _, f := range x.Fields {
				pairs = append(pairs, [2]string{f.Name, strings.TrimSpace(f.Text + "  " + values(f.Values))})
			}
			pairs = append(pairs, [2]string{"Clock change", x.ClockChange})
			for _, w := range x.Warnings {
				pairs = append(pairs, [2]string{"Warning", w})
			}
			return e.Printer().Sheet(x, x.Expression, pairs)
		},
	}
}

func values(vs []int) string {
	if len(vs) == 0 {
		return ""
	}
	return strings.Trim(fmt.Sprint(vs), "[]")
}
