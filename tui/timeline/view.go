package timeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// asked is what the strips that are drawn depend on.
type asked struct {
	picture       *follow.Picture
	words         string
	from, to, now time.Time
	top, rows     int
	cells         int
}

// drawing is the strips of the tasks that are seen.
type drawing struct {
	view   timeline.View
	strips []timeline.Strip
}

// strips works out those of the tasks from one on.
func (v Screen) strips(s *screen.Scene, rows []*follow.Row, cells int) *drawing {
	from, to := v.window(s.Now)
	// The cells begin at round times, so that they stand still while time passes.
	per := max(time.Millisecond, to.Sub(from)/time.Duration(cells)).Truncate(time.Millisecond)
	from = from.Truncate(per)
	to = from.Add(time.Duration(cells) * per)
	a := asked{s.Picture, v.filter.Words(), from, to, s.Now, v.cursor.Top, v.seen(s), cells}
	return v.drawn.Of(a, func() *drawing {
		d := &drawing{view: timeline.View{From: from, To: to, Now: s.Now, CellMS: per.Milliseconds()}}
		for _, t := range rows[v.cursor.Top:min(len(rows), v.cursor.Top+v.seen(s))] {
			strip, _ := s.Picture.Strip(t.Key, &d.view)
			d.strips = append(d.strips, strip)
		}
		return d
	})
}

// nameWidth is the room of the names.
func nameWidth(s *screen.Scene) int { return max(14, min(32, s.Width/5)) }

// View draws the screen.
func (v Screen) View(s *screen.Scene) []string {
	if len(s.Picture.Tasks) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "Nothing is scheduled yet."), "",
			"What fired and what is to fire is drawn here, a strip for each task.",
			"Press "+s.Key("1")+" and then "+s.Key("n")+" to choose an operation and schedule it.",
		)
	}
	rows := v.rows(s)
	v = v.settle(rows, v.seen(s))
	left := nameWidth(s)
	cells := max(1, s.Width-left-5)
	d := v.strips(s, rows, cells)
	lines := []string{v.head(s, d)}
	if l := v.filter.View(s, len(rows), len(s.Picture.Tasks)); l != "" {
		lines = append(lines, l)
	}
	pad := strings.Repeat(" ", left+5)
	lines = append(lines, s.Draw(theme.Faint, pad+axis(d.view.From, d.view.To, cells)))
	lines = append(lines, pad+nowMark(s, d, cells))
	if len(rows) == 0 {
		return append(lines, "", "No task has these words. "+s.Key("esc")+" shows all.")
	}
	lines = append(lines, s.Draw(theme.Faint, widget.Fit("    together", left+5, ""))+together(s, d))
	for i, strip := range d.strips {
		lines = append(lines, v.line(s, rows[v.cursor.Top+i], strip, left, v.cursor.Top+i == v.cursor.At))
	}
	for len(lines) < s.Height-1 {
		lines = append(lines, "")
	}
	return append(lines, legend(s))
}

func (v Screen) head(s *screen.Scene, d *drawing) string {
	title := s.Draw(theme.Title, screen.Count(len(s.Picture.Tasks), "task"))
	if text, ok := s.Reading(); ok {
		title += "  " + s.Draw(theme.Busy, text)
	}
	when := fmt.Sprintf("   %s to %s UTC, %s in all", d.view.From.UTC().Format("Mon 02 Jan 15:04"), d.view.To.UTC().Format("Mon 02 Jan 15:04"), length(spans[v.span]))
	return s.Fit(title + s.Draw(theme.Faint, when))
}

// length writes a span in the words of people.
func length(d time.Duration) string {
	if days := int(d.Hours()) / 24; days > 1 {
		return screen.Count(days, "day")
	}
	return screen.Short(d)
}

// line is one task's.
func (v Screen) line(s *screen.Scene, t *follow.Row, strip timeline.Strip, left int, here bool) string {
	g := s.Theme.Glyphs
	lead := "  "
	if here {
		lead = g.Cursor + " "
	}
	state, role := s.State(t.State)
	mark, _, _ := strings.Cut(state, " ")
	if s.Stale() {
		mark, role = g.Unknown, theme.Faint
	}
	name := widget.Fit(widget.Clean(t.Name), left, g.Ellipsis)
	cells := make([]string, len(strip.Cells))
	for i, c := range strip.Cells {
		glyph, r := cell(s, c)
		if here && !v.filter.Typing() {
			r = theme.Selected
		}
		cells[i] = s.Draw(r, glyph)
	}
	if here && !v.filter.Typing() {
		return s.Draw(theme.Selected, lead+mark+" "+name) + " " + strings.Join(cells, "")
	}
	return lead + s.Draw(role, mark) + " " + name + " " + strings.Join(cells, "")
}

// cell draws the worst of a part of time.
func cell(s *screen.Scene, c timeline.Cell) (string, theme.Role) {
	g := s.Theme.Glyphs
	switch {
	case c.Failed > 0:
		return g.Bad, theme.Bad
	case c.Running > 0:
		return g.Running, theme.Busy
	case c.Skipped > 0:
		return g.Skipped, theme.Warn
	case c.OK > 0:
		return g.OK, theme.Good
	case c.Planned:
		return g.Planned, theme.Plain
	case c.Closed:
		return g.Skipped, theme.Faint
	case c.Paused:
		return g.Paused, theme.Faint
	}
	return g.Nothing, theme.Faint
}

// together draws how many of the strips that are seen have something in each
// part of time.
func together(s *screen.Scene, d *drawing) string {
	if len(d.strips) == 0 {
		return ""
	}
	n := make([]int, len(d.strips[0].Cells))
	for _, strip := range d.strips {
		for i, c := range strip.Cells {
			if i < len(n) && (c.OK+c.Failed+c.Running > 0 || c.Planned) {
				n[i]++
			}
		}
	}
	return s.Draw(theme.Faint, widget.Bars(n, s.Theme.Glyphs.Bars))
}

// nowMark points at now, if it is seen.
func nowMark(s *screen.Scene, d *drawing, cells int) string {
	at := int(s.Now.Sub(d.view.From).Milliseconds() / d.view.CellMS)
	const text = "now"
	if s.Now.Before(d.view.From) || at >= cells {
		return ""
	}
	if at+2+len(text) > cells {
		return strings.Repeat(" ", at-len(text)-1) + s.Draw(theme.Key, text+" "+s.Theme.Glyphs.Down)
	}
	return strings.Repeat(" ", at) + s.Draw(theme.Key, s.Theme.Glyphs.Down+" "+text)
}

func legend(s *screen.Scene) string {
	g := s.Theme.Glyphs
	text := strings.Join([]string{
		g.OK + " ok", g.Bad + " failed", g.Running + " running", g.Skipped + " skipped", g.Planned + " to come", g.Paused + " paused",
	}, "  ")
	if more := "  (the worst of each part of time)"; widget.Width(text+more) <= s.Width {
		text += more
	}
	return s.Line(theme.Faint, text)
}

// axis writes times above the cells, at round ones.
func axis(from, to time.Time, cells int) string {
	const apart = 9 // cells between two times, at least
	per := to.Sub(from) / time.Duration(cells)
	step := 365 * 24 * time.Hour
	for _, d := range []time.Duration{
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour,
	} {
		if d >= apart*per {
			step = d
			break
		}
	}
	layout := "15:04"
	if step >= 24*time.Hour {
		layout = "02 Jan"
	}
	line := []rune(strings.Repeat(" ", cells))
	for at := from.UTC().Truncate(step).Add(step); at.Before(to); at = at.Add(step) {
		text := at.Format(layout)
		if step < 24*time.Hour && at.Equal(at.Truncate(24*time.Hour)) {
			text = at.Format("02 Jan")
		}
		i := int(at.Sub(from) / per)
		if i+len(text) < cells {
			copy(line[i:], []rune(text))
		}
	}
	return string(line)
}
