package dialog

import (
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Commands lists the command lines that do what the keys of a screen do, to
// learn them or to put them into a script.
type Commands struct {
	commands []screen.Command
	scopes   []intent.Scope // of the screen
	cursor   widget.Cursor
}

// NewCommands makes the list for a screen of these scopes.
func NewCommands(commands []screen.Command, scopes []intent.Scope) Commands {
	return Commands{commands: commands, scopes: append(append([]intent.Scope{}, scopes...), intent.Everywhere)}
}

// Title is "command line".
func (Commands) Title() string { return "command line" }

// Scopes of its keys.
func (Commands) Scopes() []intent.Scope { return []intent.Scope{intent.Page, intent.List} }

// wholeLines is how many lines the command under the cursor is shown in whole.
const wholeLines = 6

func (c Commands) seen(s *screen.Scene) int {
	return max(1, min(len(c.commands), s.Height-wholeLines-4))
}

func (c Commands) here(s *screen.Scene) []string {
	at := c.cursor.Within(len(c.commands), c.seen(s)).At
	lines := make([]string, len(c.commands[at].Lines))
	for i, l := range c.commands[at].Lines {
		lines[i] = withFlags(s, l)
	}
	return lines
}

// Update answers an intent.
func (c Commands) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if moved, ok := c.cursor.Move(in, len(c.commands), c.seen(s)); ok {
		c.cursor = moved
		return c, nil
	}
	switch in.Action {
	case intent.Back, intent.Command:
		return c, screen.Close{}
	case intent.Copy:
		return c, screen.Copy{Text: strings.Join(c.here(s), "\n")}
	case intent.Click:
		if at := in.Row - 3 + c.cursor.Top; in.Row >= 3 && at < len(c.commands) {
			c.cursor.At = at
		}
	}
	return c, nil
}

// Why says why an action does nothing now.
func (Commands) Why(*screen.Scene, intent.Action) string { return "" }

// Commands of the list itself: there are none.
func (Commands) Commands(*screen.Scene) []screen.Command { return nil }

// View draws the list, and below it the one under the cursor in whole.
func (c Commands) View(s *screen.Scene) []string {
	lines := []string{s.Line(theme.Title, "The same as a command line:"), ""}
	table := widget.Table{
		Columns: []widget.Column{{Title: "KEY", Width: 6}, {Title: "WHAT", Width: 14}, {Title: "COMMAND", Width: 20, Grow: 1}},
		Len:     len(c.commands), Cursor: c.cursor,
		Row: func(i int) []widget.Cell {
			one := c.commands[i]
			b, _ := intent.Find(one.Action, c.scopes...)
			key := ""
			if len(b.Keys) > 0 {
				key = intent.Shown(b.Keys[0])
			}
			label := one.Label
			if label == "" {
				label = b.Label
			}
			if label == "" {
				label = string(one.Action)
			}
			text := strings.Join(one.Lines[:1], "")
			if more := len(one.Lines) - 1; more > 0 {
				text = fmt.Sprintf("(%d of them) %s", more+1, text)
			}
			return []widget.Cell{{Text: key, Role: theme.Key}, {Text: label}, {Text: withFlags(s, text)}}
		},
	}
	lines = append(lines, table.View(s.Theme, s.Width, c.seen(s)+1)...)
	lines = append(lines, s.Rule(""))
	for _, l := range c.here(s) {
		for _, part := range widget.WrapCommand(l, max(10, s.Width-2)) {
			if len(lines) == s.Height-1 {
				return append(lines, s.Line(theme.Faint, "and so on; c copies all of it"))
			}
			lines = append(lines, "  "+part)
		}
	}
	return lines
}
