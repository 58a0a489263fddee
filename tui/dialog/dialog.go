// Package dialog holds what is put above a screen: questions, texts to read, the
// palette.
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

// Confirm asks whether an order is to be carried out, and shows what it changes.
type Confirm struct {
	order order.Order
	line  widget.Line // a reason, or the word that allows a heavy order
}

// NewConfirm makes the question.
func NewConfirm(o order.Order) Confirm { return Confirm{order: o} }

// Title is the order.
func (c Confirm) Title() string { return c.order.Title() }

// typed tells whether there is something to type.
func (c Confirm) typed() bool { return c.order.Weight() == order.Heavy || c.order.Reasoned() }

// Scopes of its keys.
func (c Confirm) Scopes() []intent.Scope {
	if c.typed() {
		return []intent.Scope{intent.Answer, intent.Typing}
	}
	return []intent.Scope{intent.Dialog}
}

// Update answers an intent.
func (c Confirm) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	switch in.Action {
	case intent.Back:
		return c, screen.Close{}
	case intent.Accept:
		if c.Why(s, intent.Accept) != "" {
			return c, nil
		}
		return c, screen.Carry{Order: c.final()}
	case intent.Command:
		return c, screen.Explain{Order: c.final()}
	}
	if c.typed() {
		c.line, _ = c.line.Edit(in)
	}
	return c, nil
}

// final is the order with the reason that was typed.
func (c Confirm) final() order.Order {
	o := c.order
	if o.Weight() != order.Heavy && o.Reasoned() {
		o.Reason = strings.TrimSpace(c.line.Text())
	}
	return o
}

// Why says why an action does nothing now.
func (c Confirm) Why(_ *screen.Scene, a intent.Action) string {
	if a == intent.Accept && c.order.Weight() == order.Heavy && strings.TrimSpace(c.line.Text()) != c.order.Word() {
		return "what is typed is not " + c.order.Word()
	}
	return ""
}

// View draws the question.
func (c Confirm) View(s *screen.Scene) []string {
	lines := []string{"", s.Line(theme.Title, upperFirst(c.order.Title())+"?"), "", s.Line(theme.Faint, "This will change, in "+s.Context+":")}
	for _, e := range c.order.Effects(s.Picture, s.Now) {
		role := theme.Plain
		if strings.HasPrefix(e, "!") {
			role = theme.Warn
		}
		for i, l := range widget.Wrap(e, max(10, s.Width-6)) {
			lead := "  " + s.Theme.Glyphs.Dot + " "
			if i > 0 {
				lead = "    "
			}
			lines = append(lines, lead+s.Draw(role, l))
		}
	}
	lines = append(lines, "", s.Line(theme.Faint, "The same as a command:"))
	for i, l := range c.final().Commands() {
		if i == 3 {
			lines = append(lines, s.Line(theme.Faint, "  and so on"))
			break
		}
		for _, part := range widget.Wrap(withFlags(s, l), max(10, s.Width-4)) {
			lines = append(lines, "  "+part)
		}
	}
	lines = append(lines, "")
	switch {
	case c.order.Weight() == order.Heavy:
		lines = append(lines, s.Fit("Type "+s.Draw(theme.Title, c.order.Word())+" to "+string(c.order.Verb)+": "+c.line.View(s.Theme, min(40, s.Width/2), true)))
		if why := c.Why(s, intent.Accept); why != "" {
			lines = append(lines, s.Line(theme.Faint, "enter is off: "+why))
		}
	case c.order.Reasoned():
		lines = append(lines, s.Fit("Reason, for those who come after (may be empty): "+c.line.View(s.Theme, max(10, s.Width-52), true)))
	default:
		lines = append(lines, s.Fit(s.Key("y")+" yes   "+s.Key("n")+" no, change nothing"))
	}
	return lines[max(0, len(lines)-s.Height):]
}

func upperFirst(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// withFlags puts into a command what makes belfry talk to this group.
func withFlags(s *screen.Scene, command string) string {
	if s.Flags == "" {
		return command
	}
	return strings.Replace(command, "belfry ", "belfry "+s.Flags+" ", 1)
}

// Page is a text to read: help, the command line of an order, an answer.
type Page struct {
	title  string
	text   string // what Copy copies
	lines  []string
	cursor int
}

// NewCommand shows the command lines of an order.
func NewCommand(s *screen.Scene, o order.Order) Page {
	p := Page{title: "command line"}
	var all []string
	for _, l := range o.Commands() {
		l = withFlags(s, l)
		all = append(all, l)
		p.lines = append(p.lines, widget.Wrap(l, max(10, s.Width-2))...)
	}
	p.text = strings.Join(all, "\n")
	p.lines = append([]string{"", s.Line(theme.Title, upperFirst(o.Title())+", as a command:"), ""}, p.lines...)
	p.lines = append(p.lines, "", s.Fit(s.Key("c")+" copies it, "+s.Key("esc")+" closes"))
	return p
}

// NewAnswer shows what a tried operation answered.
func NewAnswer(s *screen.Scene, d order.Done) Page {
	p := Page{title: d.Order.Title(), text: string(d.Body)}
	p.lines = []string{s.Line(theme.Title, d.Text), ""}
	for _, l := range strings.Split(string(d.Body), "\n") {
		if len(p.lines) >= maxAnswer {
			p.lines = append(p.lines, s.Line(theme.Warn, "and more, which is not shown; c copies all of it"))
			break
		}
		p.lines = append(p.lines, widget.Wrap(l, max(10, s.Width))...)
	}
	return p
}

// maxAnswer bounds the lines of an answer that are shown.
const maxAnswer = 2000

// NewHelp shows the keys of scopes.
func NewHelp(s *screen.Scene, scopes []intent.Scope) Page {
	p := Page{title: "help"}
	add := func(line string) { p.lines = append(p.lines, s.Fit(line)) }
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
			add("  " + s.Key(widget.Fit(strings.Join(keys, " "), 18, "")) + "  " + text)
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
	return p
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
		return p, screen.Copy{Text: p.text}
	}
	// A text has no line that keys act on: movement moves what is seen.
	c := widget.Cursor{At: p.cursor}
	if c, ok := c.Move(in, max(1, len(p.lines)-s.Height+1), s.Height); ok {
		p.cursor = c.At
	}
	return p, nil
}

// Why says why an action does nothing now.
func (p Page) Why(_ *screen.Scene, a intent.Action) string {
	if a == intent.Copy && p.text == "" {
		return "there is nothing to copy"
	}
	return ""
}

// View draws the page.
func (p Page) View(s *screen.Scene) []string {
	top := min(p.cursor, max(0, len(p.lines)-s.Height))
	shown := append([]string{}, p.lines[top:min(len(p.lines), top+s.Height)]...)
	if below := len(p.lines) - top - s.Height; below > 0 {
		shown[len(shown)-1] = s.Draw(theme.Faint, strconv.Itoa(below+1)+" more lines below")
	}
	return shown
}

// Palette finds what can be done by its name.
type Palette struct {
	line   widget.Line
	cursor widget.Cursor
	below  screen.Screen
}

// NewPalette makes the palette of what can be done in a screen.
func NewPalette(below screen.Screen) Palette { return Palette{below: below} }

// Title is "Palette".
func (Palette) Title() string { return "palette" }

// Scopes of its keys.
func (Palette) Scopes() []intent.Scope { return []intent.Scope{intent.Typing} }

// found lists what fits the words.
func (p Palette) found() []intent.Binding {
	words := screen.WordFilter(p.line).Terms()
	var all []intent.Binding
	for _, b := range intent.Of(append(p.below.Scopes(), intent.Everywhere)...) {
		if b.Scope == intent.List || b.Scope == intent.Typing || b.Action == intent.Palette || b.Action == intent.Back {
			continue
		}
		if words.Match([2]string{"name", string(b.Action)}, [2]string{"help", b.Help}, [2]string{"label", b.Label}) {
			all = append(all, b)
		}
	}
	return all
}

// Update answers an intent.
func (p Palette) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	found := p.found()
	if c, ok := p.cursor.Move(in, len(found), s.Height-3); ok {
		p.cursor = c
		return p, nil
	}
	switch in.Action {
	case intent.Back:
		return p, screen.Close{}
	case intent.Accept:
		at := p.cursor.Within(len(found), s.Height-3).At
		if at < len(found) {
			return p, screen.Again{Action: found[at].Action}
		}
		return p, nil
	case intent.Click:
		if at := in.Row - 3 + p.cursor.Top; in.Row >= 3 && at < len(found) {
			return p, screen.Again{Action: found[at].Action}
		}
		return p, nil
	}
	p.line, _ = p.line.Edit(in)
	p.cursor = widget.Cursor{}
	return p, nil
}

// Why says why an action does nothing now.
func (p Palette) Why(*screen.Scene, intent.Action) string { return "" }

// off says why a line does nothing now.
func (p Palette) off(s *screen.Scene, b intent.Binding) string {
	if b.Writes {
		if off := s.Off(); off != "" {
			return off
		}
	}
	return p.below.Why(s, b.Action)
}

// View draws the palette.
func (p Palette) View(s *screen.Scene) []string {
	found := p.found()
	lines := []string{s.Key(":") + p.line.View(s.Theme, s.Width-1, true), s.Rule("")}
	if len(found) == 0 {
		return append(lines, "", "Nothing has these words.")
	}
	table := widget.Table{
		Columns: []widget.Column{{Title: "NAME", Width: 18}, {Title: "KEY", Width: 8}, {Title: "WHAT IT DOES", Width: 20, Grow: 1}},
		Len:     len(found), Cursor: p.cursor,
		Row: func(i int) []widget.Cell {
			b := found[i]
			what, role := b.Help, theme.Plain
			if off := p.off(s, b); off != "" {
				what, role = what+" (off: "+off+")", theme.Faint
			}
			return []widget.Cell{{Text: string(b.Action), Role: role}, {Text: intent.Shown(b.Keys[0]), Role: theme.Key}, {Text: what, Role: role}}
		},
	}
	return append(lines, table.View(s.Theme, s.Width, s.Height-2)...)
}
