// Package calendar is the noun calendar: named times at which tasks may run, or
// may not.
package calendar

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// New makes the noun.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "calendar",
		GroupID: "core",
		Short:   "List, change and import the calendars that tasks keep to",
		Long: "A calendar is open on dates, at weekly times, from when a cron expression fires, or at the events of an iCalendar\n" +
			"file. Tasks name calendars that allow them to run or forbid it: belfry task set NAME --allow CALENDAR --outside defer.",
		Args: cobra.NoArgs,
	}
	cmd.AddCommand(newList(e), newShow(e), newNext(e), newSet(e), newImport(e), newDelete(e))
	return cmd
}

func complete(e *env.Env) cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
		all, err := c.Calendars(ctx)
		names := make([]string, 0, len(all))
		for i := range all {
			names = append(names, all[i].Name)
		}
		return names, err
	})
}

func newList(e *env.Env) *cobra.Command {
	return e.Sortable(e.Watchable(&cobra.Command{
		Use:     "list",
		Short:   "List calendars, whether they are open, and when that changes",
		Example: "  belfry calendar list\n  belfry calendar list -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.Scope.NoTasks = true
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.CalendarView, error) {
				return c.Calendars(ctx)
			}, frame().Print)
		},
	}), frame().SortKeys())
}

func frame() output.Frame[contract.CalendarView] {
	type view = contract.CalendarView
	return output.Frame[view]{
		Name: func(v view) string { return v.Name },
		Fields: []output.Field[view]{
			output.Says("NAME", func(v view) string { return v.Name }),
			output.Says("NOW", state),
			output.When("CHANGES", func(v view) *time.Time { return v.Changes }),
			output.Says("ZONE", func(v view) string { return zone(&v.Definition) }),
			output.Tells("TIMES", func(v view) string { return times(&v.Definition) }),
			output.Adds("REVISION", func(v view) string { return fmt.Sprint(v.Revision) }),
			output.Adds("BY", func(v view) string { return v.By }),
			output.Adds("DESCRIPTION", func(v view) string { return v.Description }),
		},
		Empty: "No calendars. Make one with belfry calendar set or import.",
	}
}

func state(v contract.CalendarView) string {
	switch {
	case v.Fault != "":
		return "broken"
	case v.Open:
		return "open"
	}
	return "closed"
}

func zone(d *calendar.Definition) string {
	if d.Zone == "" {
		return "UTC"
	}
	return d.Zone
}

// times says a definition in one line.
func times(d *calendar.Definition) string {
	const most = 2
	var parts []string
	for _, list := range [][]string{d.Weekly, d.Dates, d.Cron} {
		parts = append(parts, list...)
	}
	if n := len(d.Events); n > 0 {
		parts = append(parts, fmt.Sprintf("%d events", n))
	}
	if len(parts) > most+1 {
		parts = append(parts[:most:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(parts, "; ")
}

func newShow(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Show a calendar, and the tasks that name it",
		Example:           "  belfry calendar show office\n  belfry calendar show office -o yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				v, err := c.Calendar(ctx, args[0])
				if err != nil {
					return err
				}
				p := e.Printer()
				return p.Sheet(v, v.Name, sheet(p, v))
			})
		},
	}
}

func sheet(p output.Printer, v contract.CalendarView) [][2]string {
	pairs := [][2]string{
		{"Name", v.Name},
		{"Now", strings.TrimSpace(state(v) + "  " + v.Fault)},
		{"Changes", p.Instant(v.Changes)},
		{"Zone", zone(&v.Definition)},
	}
	for _, list := range []struct {
		name  string
		texts []string
	}{{"Weekly", v.Weekly}, {"Date", v.Dates}, {"Cron", v.Cron}, {"Event", events(&v.Definition)}} {
		for _, text := range list.texts {
			pairs = append(pairs, [2]string{list.name, text})
		}
	}
	if v.Tasks != nil {
		pairs = append(pairs, [2]string{"Tasks", strings.Join(v.Tasks, ", ")})
	}
	pairs = append(pairs, [2]string{"Revision", fmt.Sprint(v.Revision)}, [2]string{"Edited", strings.TrimSpace(p.Instant(&v.Edited) + "  " + v.By)})
	if v.Description != "" {
		pairs = append(pairs, [2]string{"Description", v.Description})
	}
	return pairs
}

// events says each event in a line.
func events(d *calendar.Definition) []string {
	lines := make([]string, 0, len(d.Events))
	for i := range d.Events {
		ev := &d.Events[i]
		long := ev.For
		if long == "" {
			long = fmt.Sprintf("%d days", max(1, ev.Days))
		}
		parts := []string{ev.Start, "for " + long, ev.Zone, ev.Rule}
		if n := len(ev.Except); n > 0 {
			parts = append(parts, fmt.Sprintf("except %d", n))
		}
		if n := len(ev.Also); n > 0 {
			parts = append(parts, fmt.Sprintf("and %d more", n))
		}
		parts = append(parts, ev.Note)
		lines = append(lines, strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
	}
	return lines
}

func newNext(e *env.Env) *cobra.Command {
	var n int
	var from string
	cmd := &cobra.Command{
		Use:               "next NAME",
		Short:             "Show when a calendar is open next",
		Example:           "  belfry calendar next office\n  belfry calendar next office -n 20 --from 2027-03-20",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			after := e.Now()
			if from != "" {
				at, err := contract.ParseTime(from, e.Now())
				if err != nil {
					return env.Usage("--from: %v", err)
				}
				after = at
			}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]contract.OpeningView, error) {
				return c.Openings(ctx, args[0], n, after)
			}, openings().Print)
		},
	}
	cmd.Flags().IntVarP(&n, "number", "n", 5, "how many times (at most 1000)")
	cmd.Flags().StringVar(&from, "from", "", "count from this time (RFC 3339, a date, or +1h from now)")
	return cmd
}

func openings() output.Frame[contract.OpeningView] {
	type view = contract.OpeningView
	return output.Frame[view]{
		Name: func(v view) string { return v.Opens.Format(time.RFC3339) },
		Fields: []output.Field[view]{
			output.Says("OPENS", func(v view) string { return v.Opens.Format(time.RFC3339) }),
			output.Says("CLOSES", func(v view) string {
				if v.Closes == nil {
					return "never"
				}
				return v.Closes.Format(time.RFC3339)
			}),
			output.Says("DAY", func(v view) string { return v.Opens.Weekday().String() }),
		},
		Empty: "It does not open.",
	}
}
