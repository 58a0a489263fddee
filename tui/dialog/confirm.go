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
	until widget.Line // when a pause ends of itself
	ends  bool        // the keys go to until
}

// NewConfirm makes the question.
func NewConfirm(o order.Order) Confirm {
	return Confirm{order: o, line: widget.NewLine(o.Reason), until: widget.NewLine(o.Until.Text), ends: o.Verb == order.Anew}
}

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
		return c, screen.Carry{Order: c.final(s)}
	case intent.Instead:
		if less, ok := c.order.Instead(s.Picture); ok {
			return NewConfirm(less), nil
		}
		return c, nil
	case intent.Forward, intent.Backward:
		c.ends = c.order.Ends() && !c.ends
		return c, nil
	}
	switch {
	case c.ends:
		c.until, _ = c.until.Edit(in)
	case c.typed():
		c.line, _ = c.line.Edit(in)
	}
	return c, nil
}

// final is the order with the reason and the end that were typed.
func (c Confirm) final(s *screen.Scene) order.Order {
	o := c.order
	if o.Ends() {
		o.Until = order.ParseEnd(c.until.Text(), s.Now)
	}
	if o.Weight() != order.Heavy && o.Reasoned() {
		o.Reason = strings.TrimSpace(c.line.Text())
	}
	return o
}

// Why says why an action does nothing now.
func (c Confirm) Why(s *screen.Scene, a intent.Action) string {
	switch a {
	case intent.Accept:
		if barred := c.order.Barred(s.Picture); barred != "" {
			return barred
		}
		if c.order.Weight() == order.Heavy && strings.TrimSpace(c.line.Text()) != c.order.Word() {
			return "what is typed is not " + c.order.Word()
		}
		return c.unlike(c.final(s))
	case intent.Forward, intent.Backward:
		if !c.order.Ends() {
			return "there is no other line"
		}
	case intent.Instead:
		if _, ok := c.order.Instead(s.Picture); !ok {
			return "there is nothing to pause"
		}
	}
	return ""
}

// unlike says why an order of a pause would do nothing; empty: it does something.
func (c Confirm) unlike(o order.Order) string {
	if o.Until.Fault == "" && o.Verb == order.Anew && o.Was.Paused && o.Reason == o.Was.PauseReason && o.Until.Text == order.EndOf(o.Was).Text {
		return "the pause is like that already"
	}
	return o.Until.Fault
}

// Label is what a key does: of some questions one line alone is asked.
func (c Confirm) Label(s *screen.Scene, b intent.Binding) string {
	switch {
	case b.Action == intent.Forward && !c.order.Ends():
		return ""
	case b.Action == intent.Accept && c.order.Weight() == order.Heavy:
		return string(c.order.Verb)
	case b.Action == intent.Instead && c.Why(s, b.Action) != "":
		return ""
	}
	return b.Label
}

// Commands are those of the order.
func (c Confirm) Commands(s *screen.Scene) []screen.Command {
	all := []screen.Command{{Action: intent.Accept, Label: string(c.order.Verb), Lines: c.final(s).Commands()}}
	if less, ok := c.order.Instead(s.Picture); ok {
		all = append(all, screen.Command{Action: intent.Instead, Label: string(less.Verb), Lines: less.Commands()})
	}
	return all
}

// View draws the question.
func (c Confirm) View(s *screen.Scene) []string {
	lines := []string{"", s.Line(theme.Title, upperFirst(c.order.Title())+"?"), "", s.Line(theme.Faint, "This will change, in "+s.Context+":")}
	final := c.final(s)
	for _, e := range final.Effects(s.Picture, s.Now) {
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
	for i, l := range final.Commands() {
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
	case c.order.Reasoned():
		lines = append(lines, c.field(s, "Reason, for those who come after (may be empty): ", c.line, !c.ends))
	default:
		lines = append(lines, s.Fit(s.Key("y")+" yes   "+s.Key("n")+" no, change nothing"))
	}
	if c.order.Ends() {
		lines = append(lines, c.field(s, "For or until, like 2h or 2026-12-01 (may be empty): ", c.until, c.ends))
	}
	if why := c.Why(s, intent.Accept); why != "" {
		lines = append(lines, s.Line(theme.Warn, "enter is off: "+why))
	}
	return lines[max(0, len(lines)-s.Height):]
}

// field draws a line to type in. Where there are two, the one with the keys is
// pointed at.
func (c Confirm) field(s *screen.Scene, label string, line widget.Line, here bool) string {
	if c.order.Ends() {
		lead := "  "
		if here {
			lead = s.Key(s.Theme.Glyphs.Cursor) + " "
		}
		label = lead + label
	}
	return s.Fit(label + line.View(s.Theme, max(10, s.Width-widget.Width(label)-1), here))
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
