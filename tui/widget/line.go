package widget

import (
	"slices"
	"unicode"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/theme"
)

// maxLine bounds what can be typed into a line, in characters.
const maxLine = 4096

// Line is a line to type in. The zero value is empty.
type Line struct {
	text []rune
	at   int // the cursor is before this one
}

// NewLine makes a line that holds text, with the cursor at its end.
func NewLine(text string) Line {
	l := Line{}
	return l.insert(text)
}

// Text gives what was typed.
func (l Line) Text() string { return string(l.text) }

// Column is where the cursor is, in characters from 0.
func (l Line) Column() int { return l.at }

// Edit answers an intent of typing. False: it was another intent.
func (l Line) Edit(in intent.Intent) (Line, bool) {
	switch in.Action {
	case intent.Insert:
		return l.insert(in.Text), true
	case intent.Erase:
		if l.at > 0 {
			l.at--
			l.text = slices.Delete(slices.Clone(l.text), l.at, l.at+1)
		}
	case intent.EraseNext:
		if l.at < len(l.text) {
			l.text = slices.Delete(slices.Clone(l.text), l.at, l.at+1)
		}
	case intent.EraseWord:
		from := l.at
		for from > 0 && unicode.IsSpace(l.text[from-1]) {
			from--
		}
		for from > 0 && !unicode.IsSpace(l.text[from-1]) {
			from--
		}
		l.text = slices.Delete(slices.Clone(l.text), from, l.at)
		l.at = from
	case intent.EraseLine:
		return Line{}, true
	case intent.Left:
		l.at = max(0, l.at-1)
	case intent.Right:
		l.at = min(len(l.text), l.at+1)
	case intent.Home:
		l.at = 0
	case intent.End:
		l.at = len(l.text)
	default:
		return l, false
	}
	return l, true
}

// insert adds text at the cursor; line breaks and control characters become
// spaces, as a pasted text may have them.
func (l Line) insert(s string) Line {
	add := []rune(Clean(s))
	add = add[:min(len(add), maxLine-min(maxLine, len(l.text)))]
	l.text = slices.Insert(slices.Clone(l.text), l.at, add...)
	l.at += len(add)
	return l
}

// View draws the line in width cells, with the cursor when it has the keys.
func (l Line) View(th theme.Theme, width int, here bool) string {
	if width < 2 {
		return ""
	}
	if !here {
		return Fit(Clean(l.Text()), width, th.Glyphs.Ellipsis)
	}
	from := 0
	for from < l.at && Width(string(l.text[from:l.at])) > width-2 {
		from++
	}
	under, after := " ", ""
	if l.at < len(l.text) {
		under, after = string(l.text[l.at]), string(l.text[l.at+1:])
	}
	return Fit(string(l.text[from:l.at])+th.Draw(theme.Selected, under)+after, width, "")
}
