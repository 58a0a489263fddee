package form

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// besideWidth is the width of the body from which on the preview stands beside
// the fields, not below.
const besideWidth = 110

// below is how many lines the preview takes below the fields.
const below = 9

// listed is how many fields are seen.
func (f Form) listed(s *screen.Scene) int {
	n := s.Height - 1
	if s.Width < besideWidth {
		n -= below
	}
	return max(3, n)
}

// top is the first field that is seen.
func (f Form) top(s *screen.Scene) int {
	shown := f.shown()
	at := max(0, slices.Index(shown, f.at))
	return widget.Cursor{At: at, Top: max(0, at-f.listed(s)+2)}.Within(len(shown), f.listed(s)).Top
}

// View draws the form.
func (f Form) View(s *screen.Scene) []string {
	_, pre := f.preview(s)
	if s.Width >= besideWidth {
		left := s.Width * 11 / 20
		fields := f.lines(s, pre, left)
		told := f.told(s, pre, s.Width-left-3, s.Height)
		bar := s.Draw(theme.Frame, s.Theme.Glyphs.Vertical)
		return widget.Beside(fields, left, " "+bar+" ", told, s.Height)
	}
	lines := f.lines(s, pre, s.Width)
	for len(lines) < s.Height-below {
		lines = append(lines, "")
	}
	lines = append(lines, s.Rule(""))
	return append(lines, f.told(s, pre, s.Width, below-1)...)
}

const labelWidth = 12

// lines are the fields, with what is wrong with one, or the help of the one that
// has the keys, at its right or below it.
func (f Form) lines(s *screen.Scene, pre preview.View, width int) []string {
	shown := f.shown()
	top := f.top(s)
	var lines []string
	for _, i := range shown[top:min(len(shown), top+f.listed(s))] {
		x := f.fields[i]
		here := i == f.at
		lead := "  "
		label := s.Draw(theme.Faint, widget.Fit(x.label, labelWidth, ""))
		if here {
			lead = s.Draw(theme.Key, s.Theme.Glyphs.Cursor) + " "
			label = s.Draw(theme.Title, widget.Fit(x.label, labelWidth, ""))
		}
		room := width - labelWidth - 4
		note, role := "", theme.Faint
		fault, wrong := pre.Fault(x.name)
		if x.name == fieldRetry && !wrong {
			fault, wrong = pre.Fault("policy")
		}
		switch {
		case wrong:
			note, role = s.Theme.Glyphs.Bad+" "+fault.Text, theme.Bad
		case here && x.calendars():
			note = hint(s, x)
		case here:
			note = x.help
		}
		value := f.valueView(s, x, here, min(room, max(24, room/2)))
		rest := room - widget.Width(value) - 1
		lines = append(lines, lead+label+"  "+value+" "+s.Draw(role, widget.Cut(widget.Clean(note), rest, s.Theme.Glyphs.Ellipsis)))
	}
	if top+f.listed(s) < len(shown) {
		lines = append(lines, s.Draw(theme.Faint, fmt.Sprintf("  %d more below", len(shown)-top-f.listed(s))))
	}
	return lines
}

func (f Form) valueView(s *screen.Scene, x field, here bool, width int) string {
	switch {
	case x.fixed:
		return s.Draw(theme.Faint, widget.Fit(widget.Clean(x.value()), width, ""))
	case x.choices != nil && here:
		return widget.Fit(s.Key("<")+" "+s.Draw(theme.Selected, widget.Clean(x.value()))+" "+s.Key(">"), width, "")
	}
	return x.line.View(s.Theme, width, here && x.choices == nil)
}

// told is what the definition would do: the sentence, the first instants, what
// clocks do to them, and what is wrong.
func (f Form) told(s *screen.Scene, pre preview.View, width, height int) []string {
	var lines []string
	add := func(r theme.Role, text string) {
		for _, l := range widget.Wrap(text, width) {
			lines = append(lines, s.Draw(r, l))
		}
	}
	if here := f.fields[f.at]; here.name == fieldCron {
		if fault, ok := pre.Fault(fieldCron); ok {
			if fault.Column > 0 {
				add(theme.Bad, fmt.Sprintf("%s  at column %d", here.value(), fault.Column))
			}
			add(theme.Bad, fault.Text)
		}
	} else if fault, ok := pre.Fault(here.name); ok {
		add(theme.Bad, fault.Text)
		if fault.Hint != "" {
			add(theme.Faint, fault.Hint)
		}
	}
	if pre.Text != "" {
		add(theme.Title, pre.Text+"; "+screen.Count(pre.Year, "firing")+" a year")
	}
	for _, w := range pre.Warnings {
		add(theme.Warn, "! "+w)
	}
	for _, c := range pre.Clock {
		add(theme.Warn, "! "+c.At.Format("2006-01-02")+": "+c.Note)
	}
	for _, n := range pre.Next {
		lines = append(lines, f.instant(s, n, width)...)
	}
	if len(pre.Next) == 0 && pre.Text != "" {
		add(theme.Warn, "! it never fires")
	}
	return lines[:min(len(lines), height)]
}

// instant tells of a coming instant: when it is, and who fires with it, or what
// calendars do to it, on a line of its own where there is little room.
func (f Form) instant(s *screen.Scene, n contract.NextView, width int) []string {
	const layout = "Mon 2006-01-02 15:04:05 -0700"
	text, note, role := n.At.Format(layout)+"  "+ahead(s, n.At), "", theme.Plain
	if n.Why != "" {
		note, role = screen.Fate(n), theme.Warn
	} else if others := f.company(s, n.At); others > 0 {
		note = "with " + screen.Count(others, "other task")
	}
	if note == "" || widget.Width(text)+2+widget.Width(note) <= width {
		return []string{s.Draw(role, widget.Cut(text+"  "+note, width, s.Theme.Glyphs.Ellipsis))}
	}
	return []string{s.Draw(role, text), s.Draw(role, widget.Cut("    "+note, width, s.Theme.Glyphs.Ellipsis))}
}

// ahead writes when an instant comes.
func ahead(s *screen.Scene, at time.Time) string {
	if d := at.Sub(s.Now); d >= time.Second {
		return "in " + widget.Span(d)
	}
	return "at once"
}

// company counts the other tasks whose next firing is in the same minute.
func (f Form) company(s *screen.Scene, at time.Time) int {
	n := 0
	const minute = int64(time.Minute / time.Millisecond)
	for _, r := range s.Picture.Tasks {
		if r.Next != 0 && int64(r.Next)/minute == at.UnixMilli()/minute && (!f.edits || r.Key != f.was.Key) {
			n++
		}
	}
	return n
}
