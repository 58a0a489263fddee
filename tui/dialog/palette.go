package dialog

import (
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

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

// Commands of the palette: there are none of its own.
func (Palette) Commands(*screen.Scene) []screen.Command { return nil }

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
