// Package theme is how meaning looks: roles to styles, and states to glyphs. A
// meaning is never told by colour alone: each has a word or a glyph too, and one
// theme has no colours at all.
package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// Role is what a piece of text means.
type Role uint8

// The roles.
const (
	Plain Role = iota
	Faint      // less important, or off
	Title
	Key // that can be pressed
	Good
	Busy
	Warn
	Bad
	Selected // the line that keys act on
	Frame
	Danger // the header of a group that must not be harmed
	roles
)

// Theme draws. The zero value draws without any style. It is immutable.
type Theme struct {
	Name   string
	Glyphs Glyphs
	styles [roles]lipgloss.Style
}

// Glyphs are one cell wide each, and drawn so by all terminals.
type Glyphs struct {
	Running, Waiting, Paused, Blocked, Unplaced, Finished, Failed, Unknown string
	OK, Bad, Again, Skipped, Planned, Cancelled                            string
	Live, Stale, Lost, Cursor, Mark, Crumb, Dot, Nothing, Ellipsis, Now    string
	Up, Down                                                               string
	Bars                                                                   []string
	Horizontal, Vertical, TopLeft, TopRight, BottomLeft, BottomRight       string
	TeeLeft, TeeRight, Block                                               string
}

func unicode() Glyphs {
	return Glyphs{
		Running: "►", Waiting: "●", Paused: "‖", Blocked: "■", Unplaced: "!", Finished: "○", Failed: "✗", Unknown: "?",
		OK: "✓", Bad: "✗", Again: "↻", Skipped: "–", Planned: "○", Cancelled: "×",
		Live: "●", Stale: "◌", Lost: "✗", Cursor: "▸", Mark: "*", Crumb: "›", Dot: "·", Nothing: "·", Ellipsis: "…", Now: "│",
		Up: "▲", Down: "▼",
		Bars:       []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
		Horizontal: "─", Vertical: "│", TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘", TeeLeft: "├", TeeRight: "┤", Block: "█",
	}
}

func ascii() Glyphs {
	return Glyphs{
		Running: ">", Waiting: "o", Paused: "=", Blocked: "#", Unplaced: "!", Finished: ".", Failed: "x", Unknown: "?",
		OK: "+", Bad: "x", Again: "~", Skipped: "-", Planned: "o", Cancelled: "/",
		Live: "*", Stale: "~", Lost: "x", Cursor: ">", Mark: "*", Crumb: ">", Dot: "-", Nothing: ".", Ellipsis: "~", Now: "|",
		Up: "^", Down: "v",
		Bars:       []string{"_", ".", ":", "-", "=", "+", "*", "#"},
		Horizontal: "-", Vertical: "|", TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+", TeeLeft: "+", TeeRight: "+", Block: "#",
	}
}

// Names lists the themes. "auto" is dark or light, as the terminal is.
func Names() []string { return []string{"auto", "dark", "light", "contrast", "colour-blind", "mono"} }

// Options say which theme.
type Options struct {
	Name  string // one of Names; unknown or empty: auto
	Light bool   // the terminal's background is
	// NoColour makes any theme mono.
	NoColour bool
	ASCII    bool
}

// palette is the colours of a theme by role; an empty one is the terminal's own.
type palette struct{ faint, key, good, busy, warn, bad, frame, selected, danger, ink string }

// palettes gives those for a terminal whose background is dark, or light. Ink is the
// text on the backgrounds selected and danger: the terminal's own may be either.
func palettes(light bool) map[string]palette {
	if light {
		return map[string]palette{
			"dark":         dark(),
			"light":        bright(),
			"contrast":     {"", "#0000c0", "#005a00", "#0000c0", "#6b4a00", "#a00000", "", "#ffff00", "#ffb0b0", "#000000"},
			"colour-blind": {"#5f6672", "#005f99", "#005f99", "#005f99", "#7a5c00", "#a34700", "#9aa1ac", "#d0d7de", "#ffd9a8", "#000000"},
		}
	}
	return map[string]palette{
		"dark":     dark(),
		"light":    bright(),
		"contrast": {"", "#00ffff", "#00ff00", "#00ffff", "#ffff00", "#ff9c94", "", "#0000c0", "#a00000", "#ffffff"},
		// Blue, orange and yellow are told apart with any kind of colour blindness.
		"colour-blind": {"#8a8f98", "#56b4e9", "#4d9fd6", "#56b4e9", "#f0e442", "#e8700a", "#5b6270", "#1f3a7a", "#8a3a00", "#ffffff"},
	}
}

func dark() palette {
	return palette{"#8a8f98", "#7fb4ff", "#7bd88f", "#7fd7ff", "#ffd166", "#ff7b72", "#5b6270", "#1f3a7a", "#a4262c", "#ffffff"}
}

func bright() palette {
	return palette{"#5f6672", "#0b5cad", "#1a6f33", "#0b667f", "#855900", "#b42318", "#9aa1ac", "#d0d7de", "#ffb3ae", "#000000"}
}

// New makes a theme.
func New(o Options) Theme {
	t := Theme{Name: o.Name, Glyphs: unicode()}
	if o.ASCII {
		t.Glyphs = ascii()
	}
	name := o.Name
	all := palettes(o.Light)
	p, ok := all[name]
	if !ok && name != "mono" {
		t.Name, name = "auto", "dark"
		if o.Light {
			name = "light"
		}
		p = all[name]
	}
	plain := lipgloss.NewStyle()
	for i := range t.styles {
		t.styles[i] = plain
	}
	t.styles[Title] = plain.Bold(true)
	if o.NoColour || name == "mono" {
		t.styles[Key] = plain.Bold(true)
		t.styles[Faint] = plain.Faint(true)
		t.styles[Busy] = plain.Bold(true)
		t.styles[Warn] = plain.Underline(true)
		t.styles[Bad] = plain.Bold(true).Underline(true)
		t.styles[Selected] = plain.Reverse(true)
		t.styles[Danger] = plain.Reverse(true).Bold(true)
		return t
	}
	of := func(c string) lipgloss.Style {
		if c == "" {
			return plain
		}
		return plain.Foreground(hex(c))
	}
	t.styles[Faint], t.styles[Key], t.styles[Good], t.styles[Busy] = of(p.faint), of(p.key).Bold(true), of(p.good), of(p.busy)
	t.styles[Warn], t.styles[Bad], t.styles[Frame] = of(p.warn), of(p.bad).Bold(true), of(p.frame)
	t.styles[Selected] = of(p.ink).Background(hex(p.selected)).Bold(true)
	t.styles[Danger] = of(p.ink).Background(hex(p.danger)).Bold(true)
	return t
}

func hex(c string) color.Color { return lipgloss.Color(c) }

// Draw renders text in a role.
func (t Theme) Draw(r Role, text string) string {
	if r == Plain || r >= roles || text == "" {
		return text
	}
	return t.styles[r].Render(text)
}

// After gives the name of the theme after this one.
func After(name string) string {
	names := Names()
	for i, n := range names {
		if n == name {
			return names[(i+1)%len(names)]
		}
	}
	return names[0]
}
