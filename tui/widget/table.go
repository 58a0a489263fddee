package widget

import (
	"strings"

	"github.com/seed42aab489/belfry/tui/theme"
)

// Column is a column of a table.
type Column struct {
	Title string
	// Width in cells; a column of none is not shown. One with Grow above 0 gets more where there is room, as
	// much as the others that grow, up to Most.
	Width, Grow, Most int
	// Drop: the columns with the highest leave first where there is no room; 0
	// never does.
	Drop  int
	Right bool
	// Sorted is the glyph of a column that the table is sorted by.
	Sorted string
}

// Cell is a text in a table. It is cleaned when it is drawn.
type Cell struct {
	Text string
	Role theme.Role
	// Drawn is text that is drawn already and shown in the place of Text.
	Drawn string
}

// Table is a list in columns, of which only what is seen is asked for.
type Table struct {
	Columns []Column
	Len     int
	Row     func(i int) []Cell
	Marked  func(i int) bool // nil: none is
	Cursor  Cursor
	// Idle: keys do not act on this table just now.
	Idle bool
}

const gap = 2

// View draws a header and the lines that height leaves.
func (t Table) View(th theme.Theme, width, height int) []string {
	widths := t.widths(width - 2)
	lines := []string{th.Draw(theme.Faint, Fit("  "+t.head(th, widths), width, ""))}
	seen := height - 1
	c := t.Cursor.Within(t.Len, seen)
	for i := c.Top; i < min(t.Len, c.Top+seen); i++ {
		lines = append(lines, t.line(th, i, widths, width, i == c.At))
	}
	return lines
}

func (t Table) head(th theme.Theme, widths []int) string {
	var b strings.Builder
	for i, c := range t.Columns {
		if widths[i] == 0 {
			continue
		}
		title := c.Title
		if c.Sorted != "" {
			title += " " + c.Sorted
		}
		b.WriteString(fitted(title, c, widths[i], th) + strings.Repeat(" ", gap))
	}
	return b.String()
}

func fitted(s string, c Column, width int, th theme.Theme) string {
	if c.Right {
		return FitRight(s, width, th.Glyphs.Ellipsis)
	}
	return Fit(s, width, th.Glyphs.Ellipsis)
}

func (t Table) line(th theme.Theme, i int, widths []int, width int, here bool) string {
	lead := " "
	if here {
		lead = th.Glyphs.Cursor
	}
	mark := " "
	if t.Marked != nil && t.Marked(i) {
		mark = th.Glyphs.Mark
	}
	selected := here && !t.Idle
	var b strings.Builder
	b.WriteString(lead + mark)
	for j, cell := range t.Row(i) {
		if widths[j] == 0 {
			continue
		}
		text := fitted(Clean(cell.Text), t.Columns[j], widths[j], th)
		switch {
		case cell.Drawn != "" && !selected:
			text = Fit(cell.Drawn, widths[j], "")
		case cell.Drawn != "":
			text = Fit(plain(cell.Drawn), widths[j], "")
		case !selected:
			text = th.Draw(cell.Role, text)
		}
		b.WriteString(text + strings.Repeat(" ", gap))
	}
	s := Fit(b.String(), width, "")
	if selected {
		return th.Draw(theme.Selected, s)
	}
	return s
}

// widths shares out the room; 0: the column is not shown.
func (t Table) widths(room int) []int {
	widths := make([]int, len(t.Columns))
	total := 0
	for i, c := range t.Columns {
		if widths[i] = c.Width; c.Width > 0 {
			total += c.Width + gap
		}
	}
	for total-gap > room {
		worst := -1
		for i, c := range t.Columns {
			if widths[i] > 0 && c.Drop > 0 && (worst < 0 || c.Drop > t.Columns[worst].Drop) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		total -= widths[worst] + gap
		widths[worst] = 0
	}
	for spare := room - (total - gap); spare > 0; {
		given := 0
		for i, c := range t.Columns {
			if widths[i] == 0 || c.Grow == 0 || c.Most > 0 && widths[i] >= c.Most {
				continue
			}
			more := min(c.Grow, spare-given)
			if c.Most > 0 {
				more = min(more, c.Most-widths[i])
			}
			widths[i] += more
			given += more
		}
		if given == 0 {
			break
		}
		spare -= given
	}
	return widths
}
