// Package dialog holds what is put above a screen: questions, texts to read, the
// palette.
package dialog

import (
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

// Commands are those of the order.
func (c Confirm) Commands(*screen.Scene) []screen.Command {
	return []screen.Command{{Action: intent.Accept, Label: string(c.order.Verb), Lines: c.final().Commands()}}
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
		for _, part := range widget.WrapCommand(withFlags(s, l), max(10, s.Width-4)) {
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
