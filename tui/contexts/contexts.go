// Package contexts holds the screen of the groups that have a name, from which
// the screens go to another.
package contexts

import (
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Screen lists the contexts.
type Screen struct {
	cursor widget.Cursor
	moved  bool // it was moved from the context that is shown
}

// New makes the list.
func New() Screen { return Screen{} }

// Title is "Contexts".
func (Screen) Title() string { return "Contexts" }

// Scopes of its keys.
func (Screen) Scopes() []intent.Scope { return []intent.Scope{intent.Contexts, intent.List} }

const headHeight = 2

func (c Screen) seen(s *screen.Scene) int { return max(1, s.Height-headHeight-3) }

// at is the cursor: on the context that is shown, until it is moved.
func (c Screen) at(s *screen.Scene) widget.Cursor {
	if !c.moved {
		c.cursor.At = slices.IndexFunc(s.Contexts, func(one screen.Context) bool { return one.Name == s.Context })
	}
	return c.cursor.Within(len(s.Contexts), c.seen(s))
}

func (c Screen) here(s *screen.Scene) (screen.Context, bool) {
	at := c.at(s).At
	if at >= len(s.Contexts) {
		return screen.Context{}, false
	}
	return s.Contexts[at], true
}

// Update answers an intent.
func (c Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if moved, ok := c.at(s).Move(in, len(s.Contexts), c.seen(s)); ok {
		c.cursor, c.moved = moved, true
		return c, nil
	}
	here, ok := c.here(s)
	switch in.Action {
	case intent.Back:
		return c, screen.Close{}
	case intent.Copy:
		if ok {
			return c, screen.Copy{Text: here.Name}
		}
	case intent.Switch:
		if ok && c.Why(s, intent.Switch) == "" {
			return c, screen.Switch{Context: here.Name}
		}
	case intent.Click:
		if at := in.Row - headHeight - 1 + c.cursor.Top; in.Row > headHeight && at < len(s.Contexts) {
			c.cursor.At, c.moved = at, true
		}
	}
	return c, nil
}

// Why says why an action does nothing now.
func (c Screen) Why(s *screen.Scene, a intent.Action) string {
	here, ok := c.here(s)
	switch {
	case a != intent.Switch && a != intent.Copy:
	case !ok:
		return "there is no context"
	case a == intent.Switch && here.Fault != "":
		return here.Fault
	case a == intent.Switch && here.Name == s.Context:
		return "it is the one that is shown"
	}
	return ""
}

// Commands are those of what the keys do with the context under the cursor.
func (c Screen) Commands(s *screen.Scene) []screen.Command {
	all := []screen.Command{{Action: intent.GoContexts, Label: "list", Lines: []string{order.Line("context list")}}}
	if here, ok := c.here(s); ok {
		all = append(all, screen.Command{Action: intent.Switch, Lines: []string{order.Line("tui --context", order.Quote(here.Name))}})
	}
	return all
}

// View draws the list.
func (c Screen) View(s *screen.Scene) []string {
	if len(s.Contexts) == 0 {
		lines := []string{"", s.Draw(theme.Title, "No context has a name yet."), ""}
		lines = append(lines, widget.Wrap("A context is a name for a cluster or a host, so that these screens and every command can go to it by that name:", s.Width)...)
		return append(lines,
			"",
			"  belfry context add prod --connect zk://zk1:2181,zk2:2181,zk3:2181/belfry",
			"  belfry context add here --connect unix://var/belfryd.sock",
			"",
			s.Fit(s.Key("esc")+" goes back to "+widget.Clean(s.Context)),
		)
	}
	marked := 0 // the width of the marks: none where there are none
	for _, one := range s.Contexts {
		marked = max(marked, len(marks(one)))
	}
	table := widget.Table{
		Columns: []widget.Column{
			{Title: "CONTEXT", Width: 16, Grow: 1, Most: 40}, {Title: "", Width: 8}, {Title: "", Width: marked}, {Title: "LEADS TO", Width: 20, Grow: 4},
		},
		Len: len(s.Contexts), Cursor: c.at(s),
		Row: func(i int) []widget.Cell {
			one := s.Contexts[i]
			state, role := "", theme.Plain
			switch {
			case one.Name == s.Context:
				state, role = s.Theme.Glyphs.Live+" shown", theme.Good
			case one.Fault != "":
				state, role = s.Theme.Glyphs.Bad, theme.Bad
			case one.Chosen:
				state, role = "current", theme.Faint
			}
			address := one.Address
			if one.Fault != "" {
				address = one.Fault
			}
			return []widget.Cell{{Text: one.Name}, {Text: state, Role: role}, {Text: marks(one), Role: theme.Key}, {Text: address, Role: theme.Faint}}
		},
	}
	lines := []string{s.Line(theme.Title, screen.Count(len(s.Contexts), "context")), s.Rule("")}
	lines = append(lines, table.View(s.Theme, s.Width, c.seen(s)+1)...)
	for len(lines) < s.Height-1 {
		lines = append(lines, "")
	}
	return append(lines, s.Line(theme.Faint, "Commands still go to the current one; belfry context use NAME changes that."))
}

// marks are those that the header has too.
func marks(one screen.Context) string {
	var words []string
	if one.Danger {
		words = append(words, "[PROD]")
	}
	if one.Sealed {
		words = append(words, "[RO]")
	}
	return strings.Join(words, " ")
}
