package insight

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
)

// glyphs are what cells are drawn with: of one column each, and no emoji.
type glyphs struct{ ok, failed, skipped, running, planned, paused, nothing string }

func newTimeline(e *env.Env) *cobra.Command {
	var past, future time.Duration
	var ascii bool
	ask := control.TimelineAsk{}
	cmd := &cobra.Command{
		Use:     "timeline [NAME...]",
		GroupID: group,
		Short:   "Show what fired and what is to fire, as strips",
		Long: "Show what fired and what is to fire, as strips: ✓ ran, ✗ failed, – skipped, or to be by its calendars, ► runs,\n" +
			"○ to come, ‖ would come but for a pause. What calendars defer is to come when they open. The worst of a part of\n" +
			"time is drawn. The past is as far as runs are kept: the last 20 of a task.",
		Example: "  belfry timeline\n" +
			"  belfry timeline stock-watch --past 2h --future 6h --cells 80",
	}
	cmd.ValidArgsFunction = e.CompleteTasks()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (timeline.View, error) {
			ask := ask
			ask.Names, ask.From, ask.To = args, e.Now().Add(-past), e.Now().Add(future)
			return c.Timeline(ctx, ask)
		}, func(p output.Printer, v timeline.View) error {
			if p.Structured() {
				return p.Value(v)
			}
			return p.List(strips(p, v, drawn(ascii)))
		})
	}
	f := cmd.Flags()
	f.DurationVar(&past, "past", 24*time.Hour, "how far back")
	f.DurationVar(&future, "future", 24*time.Hour, "how far ahead")
	f.IntVar(&ask.Cells, "cells", 60, fmt.Sprintf("in how many parts (at most %d)", timeline.MaxCells))
	f.IntVarP(&ask.Strips, "limit", "n", 50, fmt.Sprintf("at most so many tasks (%d)", timeline.MaxStrips))
	f.StringVar(&ask.Filter.Service, "service", "", "only tasks that call this service")
	f.StringVar(&ask.Filter.NamePrefix, "prefix", "", "only tasks whose names begin so")
	f.BoolVar(&ascii, "ascii", false, "draw with ASCII characters alone")
	_ = cmd.RegisterFlagCompletionFunc("service", e.CompleteServices())
	return e.Watchable(cmd)
}

func drawn(ascii bool) glyphs {
	if ascii {
		return glyphs{"+", "x", "-", ">", "o", "=", "."}
	}
	return glyphs{"✓", "✗", "–", "►", "○", "‖", "·"}
}

func (g glyphs) of(c timeline.Cell) string {
	switch {
	case c.Failed > 0:
		return g.failed
	case c.Running > 0:
		return g.running
	case c.Skipped > 0:
		return g.skipped
	case c.OK > 0:
		return g.ok
	case c.Planned:
		return g.planned
	case c.Closed:
		return g.skipped
	case c.Paused:
		return g.paused
	}
	return g.nothing
}

// strips are the timeline as a table; the strip's column is headed by where now
// is.
func strips(p output.Printer, v timeline.View, g glyphs) output.Listing {
	now := 0
	if v.CellMS > 0 {
		now = int(v.Now.Sub(v.From).Milliseconds() / v.CellMS)
	}
	left := output.Relative(v.From.Sub(p.Now))
	head := left + strings.Repeat(" ", max(1, now-len(left))) + "now"
	l := output.Listing{
		Columns: []output.Column{{Name: "NAME"}, {Name: "STATE"}, {Name: head + strings.Repeat(" ", max(1, len(cells(v))-len(head)-9)) + output.Relative(v.To.Sub(p.Now))}},
		Empty:   "No tasks. `belfry task create --help` shows how to make one.",
	}
	for _, s := range v.Tasks {
		var b strings.Builder
		for _, c := range s.Cells {
			b.WriteString(g.of(c))
		}
		l.Names = append(l.Names, s.Task)
		l.Rows = append(l.Rows, []output.Cell{output.Text(s.Task), output.Text(string(s.State)), output.Text(b.String())})
	}
	if v.More > 0 {
		l.Rows = append(l.Rows, []output.Cell{output.Text(""), output.Text(""), output.Text(fmt.Sprintf("and %d more tasks", v.More))})
	}
	return l
}

func cells(v timeline.View) []timeline.Cell {
	if len(v.Tasks) == 0 {
		return nil
	}
	return v.Tasks[0].Cells
}
