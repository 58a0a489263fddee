// Package widget holds what screens are made of: fitted text, tables, lines to
// type in, bars and strips. Values in, text out: nothing here knows what it shows.
package widget

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Clean takes out of text what is not for the eye, so that nothing that comes
// from elsewhere can write to the terminal or break a line.
func Clean(s string) string {
	bad := func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return ' '
		}
		return r
	}, s)
}

// Width is how many cells drawn text takes.
func Width(s string) int { return ansi.StringWidth(s) }

// Cut shortens drawn text to width cells, ending in tail where something is lost.
func Cut(s string, width int, tail string) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, tail)
}

// Fit cuts drawn text to width cells or fills it up with spaces.
func Fit(s string, width int, tail string) string {
	s = Cut(s, width, tail)
	if n := width - Width(s); n > 0 {
		s += strings.Repeat(" ", n)
	}
	return s
}

// FitRight is Fit with the spaces in front.
func FitRight(s string, width int, tail string) string {
	s = Cut(s, width, tail)
	if n := width - Width(s); n > 0 {
		s = strings.Repeat(" ", n) + s
	}
	return s
}

// Spread puts one text at the left and one at the right of width cells. The left
// one gives way.
func Spread(left, right string, width int, tail string) string {
	room := width - Width(right)
	if room < 1 {
		return Fit(right, width, tail)
	}
	return Fit(left, room, tail) + right
}

// Beside puts two lists of lines side by side, in height lines, the left one in
// so many cells.
func Beside(left []string, width int, between string, right []string, height int) []string {
	line := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return ""
	}
	lines := make([]string, height)
	for i := range lines {
		lines[i] = Fit(line(left, i), width, "") + between + line(right, i)
	}
	return lines
}

// Wrap breaks plain text into lines of at most width cells, at spaces where that
// is possible.
func Wrap(s string, width int) []string {
	if width < 1 {
		return nil
	}
	return strings.Split(ansi.Wrap(Clean(s), width, "-/"), "\n")
}

// WrapCommand breaks a command line as Wrap does, but never within a word: its
// flags stay whole where they fit.
func WrapCommand(s string, width int) []string {
	if width < 1 {
		return nil
	}
	const hyphen, whole = "-", "\u2011" // which no line is broken at
	text := ansi.Wrap(strings.ReplaceAll(Clean(s), hyphen, whole), width, "")
	return strings.Split(strings.ReplaceAll(text, whole, hyphen), "\n")
}

// Span writes a length of time in at most seven cells: "22s", "3m12s", "14h26m",
// "39d12h".
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Span(-d)
	case d < time.Second && d > 0:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	case d < 1000*24*time.Hour:
		return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// Ago writes how long ago something was, to the second.
func Ago(d time.Duration) string {
	if d < time.Second {
		return "now"
	}
	return Span(d) + " ago"
}

// Bars draws numbers as bars, one cell each, the largest full. Zero is drawn as
// the lowest.
func Bars(values []int, glyphs []string) string {
	most := 0
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		i := 0
		if most > 0 && v > 0 {
			i = 1 + (len(glyphs)-2)*v/most
		}
		b.WriteString(glyphs[i])
	}
	return b.String()
}

// plain takes the styles off drawn text.
func plain(s string) string { return ansi.Strip(s) }
