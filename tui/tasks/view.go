package tasks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/runs"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// View draws the list.
func (t List) View(s *screen.Scene) []string {
	rows := t.rows(s.Picture)
	if len(s.Picture.Tasks) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "No tasks yet."), "",
			"A task calls an operation of a data service on a schedule.",
			"Press "+s.Key("n")+" to choose an operation and schedule it.",
			"Press "+s.Key("2")+" to see the services, "+s.Key("?")+" for all keys.",
		)
	}
	t = t.settle(rows, t.listed(s))
	lines := []string{t.counts(s), t.coming(s, rows), s.Rule("")}
	if l := t.filter.View(s, len(rows), len(s.Picture.Tasks)); l != "" {
		lines = append(lines, l)
	}
	if len(rows) == 0 {
		return append(lines, "", "No task has these words. "+s.Key("esc")+" shows all.")
	}
	table := widget.Table{
		Columns: t.columns(s), Len: len(rows), Cursor: t.cursor, Idle: t.filter.Typing(),
		Row:    func(i int) []widget.Cell { return t.row(s, rows[i]) },
		Marked: func(i int) bool { return t.marked[rows[i].Key] },
	}
	lines = append(lines, table.View(s.Theme, s.Width, t.listed(s)+1)...)
	for len(lines) < s.Height-1 {
		lines = append(lines, "")
	}
	return append(lines, t.note(s, rows))
}

// counts is the line that sums the tasks up.
func (t List) counts(s *screen.Scene) string {
	text := s.Draw(theme.Title, screen.Count(len(s.Picture.Tasks), "task"))
	if len(t.marked) > 0 {
		text += "  " + s.Draw(theme.Key, t.markedText(s))
	}
	if reading, ok := s.Reading(); ok {
		text += "  " + s.Draw(theme.Busy, reading)
	}
	for _, state := range worst {
		n := s.Picture.Count(state)
		if n == 0 {
			continue
		}
		glyph, role := s.State(state)
		mark, word, _ := strings.Cut(glyph, " ")
		text += "  " + s.Draw(role, fmt.Sprintf("%s %d %s", mark, n, word))
	}
	return s.Fit(text)
}

// comingMinutes is how far ahead the line of coming firings looks.
const comingMinutes = 60

// coming draws how many of the tasks fire next in each of the coming minutes.
func (t List) coming(s *screen.Scene, rows []*follow.Row) string {
	minutes := make([]int, comingMinutes)
	total := 0
	now := s.Now.UnixMilli()
	for _, v := range rows {
		if v.Runs == 0 {
			continue
		}
		if m := (int64(v.Runs) - now) / time.Minute.Milliseconds(); m < comingMinutes {
			minutes[max(0, m)]++
			total++
		}
	}
	label := "next firings, by minute "
	room := s.Width - widget.Width(label) - 16
	if room < 20 {
		return ""
	}
	shown := min(comingMinutes, room)
	text := fmt.Sprintf(" %d within 1h", total)
	if most := slices.Max(minutes); most > 1 {
		at := s.Now.Add(time.Duration(slices.Index(minutes, most)) * time.Minute)
		more := fmt.Sprintf(", most %d at %s", most, at.UTC().Format("15:04"))
		if widget.Width(label+text+more)+shown <= s.Width {
			text += more
		}
	}
	return s.Fit(s.Draw(theme.Faint, label) + widget.Bars(minutes[:shown], s.Theme.Glyphs.Bars) + s.Draw(theme.Faint, text))
}

func (t List) columns(s *screen.Scene) []widget.Column {
	columns := []widget.Column{
		{Title: "NAME", Width: 16, Grow: 3, Most: 44},
		{Title: "STATE", Width: 10},
		{Title: "SCHEDULE", Width: 18, Grow: 2, Most: 34, Drop: 4},
		{Title: "NEXT", Width: 7, Right: true},
		{Title: "LAST RUNS", Width: 12, Drop: 6},
		{Title: "P95", Width: 6, Right: true, Drop: 7},
		{Title: "LAST", Width: 22, Grow: 1, Most: 30, Drop: 2},
		{Title: "NODE", Width: 6, Grow: 1, Most: 16},
		{Title: "OPERATION", Width: 20, Grow: 1, Most: 44, Drop: 8},
	}
	for i, c := range columns {
		if c.Title != sorts[t.sort] {
			continue
		}
		columns[i].Sorted = s.Theme.Glyphs.Up
		if t.turned {
			columns[i].Sorted = s.Theme.Glyphs.Down
		}
	}
	return columns
}

func (t List) row(s *screen.Scene, v *follow.Row) []widget.Cell {
	state, role := s.State(v.State)
	node := v.Node
	if s.Stale() {
		state = s.Theme.Glyphs.Unknown + state[strings.IndexByte(state, ' '):]
		role = theme.Faint
		if node != "" {
			node += "?"
		}
	}
	last, lastRole := "never", theme.Faint
	if run, ok := v.Last(); ok {
		_, word, r := s.Outcome(run)
		at := run.Scheduled
		if run.Ended != nil {
			at = *run.Ended
		}
		last, lastRole = word+" "+widget.Ago(s.Now.Sub(at)), r
		if r == theme.Good {
			lastRole = theme.Plain
		}
	}
	slowest := "-"
	if v.P95 >= 0 {
		slowest = runs.Took(v.P95)
	}
	return []widget.Cell{
		{Text: v.Name},
		{Text: state, Role: role},
		{Text: screen.Schedule(v.Trigger), Role: theme.Faint},
		{Text: ahead(s, v)},
		{Drawn: runs.Recent(s, v.Latest(), 12)},
		{Text: slowest, Role: theme.Faint},
		{Text: last, Role: lastRole},
		{Text: screen.OrDash(node)},
		{Text: v.Calls, Role: theme.Faint},
	}
}

// ahead writes how far ahead a task fires next, or the pause that it is in ends, or
// the opening comes that its calendars defer it to.
func ahead(s *screen.Scene, v *follow.Row) string {
	switch {
	case v.State == contract.Paused && v.PausedUntil != 0:
		return s.Theme.Glyphs.Paused + s.In(v.PausedUntil.Time())
	case v.Runs != 0 && v.Runs != v.Next:
		return "→" + s.In(v.Runs.Time())
	}
	return s.In(v.Next.Time())
}

// note says of the task under the cursor what its line does not.
func (t List) note(s *screen.Scene, rows []*follow.Row) string {
	v := rows[t.cursor.At]
	if v.Reason != "" {
		return s.Line(theme.Warn, v.Name+": "+v.Reason)
	}
	text := v.Name
	if n, ok := s.Picture.Coming(v.Key); ok {
		text += ", next " + n.At.UTC().Format("Mon 02 Jan 2006 15:04:05 MST")
		if n.Why != "" {
			text += " (" + screen.Fate(n) + ")"
		}
	}
	if all, _ := s.Picture.Task(v.Key); all.Description != "" {
		text += ": " + all.Description
	} else {
		text += ": " + v.Calls + ", " + screen.Schedule(v.Trigger)
	}
	return s.Line(theme.Faint, text)
}
