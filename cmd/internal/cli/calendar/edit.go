package calendar

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/tui/order"
)

// editing are the flags that every edit takes, beside those of env.Edits.
type editing struct {
	revision int64
}

func (o *editing) flags(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&o.revision, "revision", 0, "only if the calendar is at this revision; -1: only if there is none (default: whichever it is)")
}

// store stores a calendar and shows what came of it.
func (o *editing) store(ctx context.Context, e *env.Env, c *control.Control, d calendar.Definition) error {
	p := e.Printer()
	was, err := c.Calendar(ctx, d.Name)
	if err != nil && failure.Of(err).Code != failure.CodeNotFound {
		return err
	}
	v, err := c.SetCalendar(ctx, d, o.revision)
	if err != nil {
		return err
	}
	e.Did(env.Change{Object: "calendar/" + v.Name, Verbed: "stored", Before: was.Revision, After: v.Revision})
	switch {
	case was.Revision == 0:
		e.Undo("belfry calendar delete " + v.Name + " --yes")
	case was.Revision != v.Revision:
		e.Undo(again(&was.Definition)...)
	}
	return p.Sheet(v, v.Name, sheet(p, v))
}

func newSet(e *env.Env) *cobra.Command {
	var d calendar.Definition
	var o editing
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Make a calendar, or change the parts that are given",
		Long: "Make a calendar, or change the parts that are given; an empty value (--date '') takes a part away. It is open while\n" +
			"any of its parts is. The change holds from the answer on for all tasks that name it.\n\n" +
			"  --weekly   \"mon-fri 09:00-17:00\", \"sat,sun\", \"fri 22:00-06:00\", by the clocks of --zone\n" +
			"  --date     2026-12-25, 2026-12-24..2027-01-01, or 12-25 of every year\n" +
			"  --cron     \"0 0 22 ? * SUN for 4h\": open from when the expression fires, for so long",
		Example: "  belfry calendar set office --zone Europe/London --weekly \"mon-fri 09:00-17:00\"\n" +
			"  belfry calendar set freeze --date 2026-12-20..2027-01-03 --date 12-31\n" +
			"  belfry calendar set patching --cron \"0 0 22 ? * SUN#2 for 4h\"",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				wanted, err := before(ctx, c, args[0])
				if err != nil {
					return err
				}
				for flag, set := range map[string]func(){
					"weekly":      func() { wanted.Weekly = given(d.Weekly) },
					"date":        func() { wanted.Dates = given(d.Dates) },
					"cron":        func() { wanted.Cron = given(d.Cron) },
					"zone":        func() { wanted.Zone = d.Zone },
					"through":     func() { wanted.Through = d.Through },
					"description": func() { wanted.Description = d.Description },
				} {
					if cmd.Flags().Changed(flag) {
						set()
					}
				}
				return o.store(ctx, e, c, wanted)
			})
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&d.Weekly, "weekly", nil, "days of the week and times of the day; repeatable")
	f.StringArrayVar(&d.Dates, "date", nil, "a day, or a range of days; repeatable")
	f.StringArrayVar(&d.Cron, "cron", nil, "a cron expression and for how long it opens; repeatable")
	f.StringVar(&d.Zone, "zone", "", "time zone, such as Europe/Berlin (default UTC)")
	f.StringVar(&d.Through, "through", "", "follow the rules of imported events up to this date (default "+calendar.DefaultThrough+")")
	f.StringVar(&d.Description, "description", "", "what the calendar is for")
	o.flags(cmd)
	return e.Edits(cmd)
}

// again is the command that makes a calendar as it was; none, if it was imported: no
// flag says its events.
func again(d *calendar.Definition) []string {
	if len(d.Events) > 0 {
		return nil
	}
	words := []string{"belfry calendar set " + d.Name}
	for _, list := range []struct {
		flag  string
		texts []string
	}{
		{"weekly", d.Weekly}, {"date", d.Dates}, {"cron", d.Cron}, {"zone", []string{d.Zone}}, {"through", []string{d.Through}}, {"description", []string{d.Description}},
	} {
		if len(list.texts) == 0 {
			list.texts = []string{""} // takes the part away
		}
		for _, text := range list.texts {
			words = append(words, "--"+list.flag+" "+order.Quote(text))
		}
	}
	return []string{strings.Join(words, " ")}
}

// before is a calendar as it is, or a new one.
func before(ctx context.Context, c *control.Control, name string) (calendar.Definition, error) {
	v, err := c.Calendar(ctx, name)
	if err != nil && failure.Of(err).Code == failure.CodeNotFound {
		return calendar.Definition{Name: name}, nil
	}
	return v.Definition, err
}

// given leaves empty texts out.
func given(texts []string) []string {
	var out []string
	for _, text := range texts {
		if strings.TrimSpace(text) != "" {
			out = append(out, text)
		}
	}
	return out
}

func newImport(e *env.Env) *cobra.Command {
	var name, zone, from, through string
	var o editing
	cmd := &cobra.Command{
		Use:   "import FILE.ics",
		Short: "Make a calendar of the events of an iCalendar file, or replace it by them",
		Long: "Make a calendar of the events of an iCalendar file (RFC 5545), or replace it by them: with their recurrence rules,\n" +
			"exceptions and moved occurrences. Cancelled events and those that take no time are left out. Rules are followed from\n" +
			"--from to --through; beyond it the calendar is closed. - reads stdin.",
		Example: "  belfry calendar import holidays.ics\n" +
			"  belfry calendar import maintenance.ics --name patching --zone Europe/Berlin --through 2030-12-31",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := read(e, args[0])
			if err != nil {
				return err
			}
			d, err := calendar.Import(file, zone)
			if err != nil {
				return env.Usage("%s: %v", args[0], err)
			}
			d.From, d.Through = from, through
			if d.Name = name; name == "" {
				d.Name = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error { return o.store(ctx, e, c, d) })
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the calendar (default: that of the file)")
	cmd.Flags().StringVar(&zone, "zone", "", "time zone of events that name none, and of days (default: that of the file, else UTC)")
	cmd.Flags().StringVar(&from, "from", "", "follow rules from this date on (default "+calendar.DefaultFrom+")")
	cmd.Flags().StringVar(&through, "through", "", "follow rules up to this date (default "+calendar.DefaultThrough+")")
	o.flags(cmd)
	return e.Edits(cmd)
}

func read(e *env.Env, name string) ([]byte, error) {
	in := e.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, env.Usage("%v", err)
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, calendar.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

func newDelete(e *env.Env) *cobra.Command {
	var revision int64
	cmd := &cobra.Command{
		Use:               "delete NAME",
		SuggestFor:        []string{"rm", "remove"},
		Short:             "Delete a calendar that no task names",
		Example:           "  belfry calendar delete freeze --yes\n  belfry calendar delete freeze -y -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				was, err := c.Calendar(ctx, args[0])
				if err != nil {
					return err
				}
				if err := e.Confirm(ctx, env.Question{Text: fmt.Sprintf("Delete calendar %s? Type its name:", args[0]), Word: args[0]}); err != nil {
					return err
				}
				if err := c.DeleteCalendar(ctx, args[0], revision); err != nil {
					return err
				}
				e.Did(env.Change{Object: "calendar/" + args[0], Verbed: "deleted"})
				e.Undo(again(&was.Definition)...)
				return nil
			})
		},
	}
	cmd.Flags().Int64Var(&revision, "revision", 0, "only if the calendar is at this revision (default: whichever it is)")
	return e.Edits(cmd)
}
