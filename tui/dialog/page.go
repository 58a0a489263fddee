package dialog

import (
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Page is a text to read: help, the command line of an order, an answer.
type Page struct {
	title  string
	text   func(*screen.Scene) string // what Copy copies; nil: nothing
	draw   func(*screen.Scene) []string
	cursor int
}

// NewAnswer shows what a tried operation answered.
func NewAnswer(d order.Done) Page {
	text := func(*screen.Scene) string { return string(d.Body) }
	return Page{title: d.Order.Title(), text: text, draw: func(s *screen.Scene) []string {
		lines := []string{s.Line(theme.Title, d.Text), ""}
		for _, l := range strings.Split(string(d.Body), "\n") {
			if len(lines) >= maxAnswer {
				return append(lines, s.Line(theme.Warn, "and more, which is not shown; c copies all of it"))
			}
			lines = append(lines, widget.Wrap(l, max(10, s.Width))...)
		}
		return lines
	}}
}

// maxAnswer bounds the lines of an answer that are shown.
const maxAnswer = 2000

// NewHelp shows the keys of scopes.
func NewHelp(scopes []intent.Scope) Page {
	return Page{title: "help", draw: func(s *screen.Scene) []string { return helped(s, scopes) }}
}

// helped are the lines of the help.
func helped(s *screen.Scene, scopes []intent.Scope) []string {
	var lines []string
	add := func(line string) { lines = append(lines, s.Fit(line)) }
	add(s.Key("esc") + " goes back, " + s.Key(":") + " finds anything by its name, " + s.Key("Q") + " quits.")
	add("")
	for _, scope := range append(append([]intent.Scope{}, scopes...), intent.Everywhere) {
		bindings := intent.Of(scope)
		if len(bindings) == 0 {
			continue
		}
		add(s.Draw(theme.Title, upperFirst(string(scope))))
		for _, b := range bindings {
			keys := make([]string, len(b.Keys))
			for i, k := range b.Keys {
				keys[i] = intent.Shown(k)
			}
			text := b.Help
			if off := s.Off(); b.Writes && off != "" {
				text += " (off: " + off + ")"
			}
			const room = 18 // of the keys
			names := s.Key(widget.Fit(strings.Join(keys, " "), room, ""))
			for _, l := range widget.Wrap(text, max(10, s.Width-room-4)) {
				add("  " + names + "  " + l)
				names = strings.Repeat(" ", room)
			}
		}
		add("")
	}
	g := s.Theme.Glyphs
	add(s.Draw(theme.Title, "Signs"))
	add("  " + strings.Join([]string{
		g.Running + " running", g.Waiting + " waiting", g.Paused + " paused", g.Blocked + " blocked", g.Unplaced + " unplaced", g.Finished + " finished", g.Failed + " failed", g.Unknown + " unknown",
	}, "   "))
	add("  " + strings.Join([]string{
		g.OK + " ok", g.Again + " ok after retry", g.Bad + " failed", g.Skipped + " skipped", g.Cancelled + " cancelled", g.Planned + " to come",
	}, "   "))
	return lines
}

// Title of the page.
func (p Page) Title() string { return p.title }

// Scopes of its keys.
func (Page) Scopes() []intent.Scope { return []intent.Scope{intent.Page, intent.List} }

// Update answers an intent.
func (p Page) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	switch in.Action {
	case intent.Back, intent.Help:
		return p, screen.Close{}
	case intent.Copy:
		return p, screen.Copy{Text: p.text(s), What: p.copied(s)}
	}
	// A text has no line that keys act on: movement moves what is seen.
	c := widget.Cursor{At: p.cursor}
	if c, ok := c.Move(in, max(1, len(p.draw(s))-s.Height+1), s.Height); ok {
		p.cursor = c.At
	}
	return p, nil
}

// Why says why an action does nothing now.
func (p Page) Why(s *screen.Scene, a intent.Action) string {
	if a == intent.Copy && (p.text == nil || p.text(s) == "") {
		return "there is nothing to copy"
	}
	return ""
}

// copied says what Copy copies, of more than a line; empty: the text says it.
func (p Page) copied(s *screen.Scene) string {
	if n := strings.Count(p.text(s), "\n"); n > 1 {
		return screen.Count(n, "line")
	}
	return ""
}

// Commands of a text: there are none.
func (Page) Commands(*screen.Scene) []screen.Command { return nil }

// View draws the page.
func (p Page) View(s *screen.Scene) []string {
	lines := p.draw(s)
	top := min(p.cursor, max(0, len(lines)-s.Height))
	shown := append([]string{}, lines[top:min(len(lines), top+s.Height)]...)
	if below := len(lines) - top - s.Height; below > 0 {
		shown[len(shown)-1] = s.Draw(theme.Faint, strconv.Itoa(below+1)+" more lines below")
	}
	return shown
}
