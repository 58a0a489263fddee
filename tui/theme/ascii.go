package theme

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// plainer are the signs that texts hold beside glyphs, each with one of ASCII.
var plainer = map[rune]rune{'›': '>', '·': '-', '→': '>', '←': '<', '–': '-', '…': '~', '↑': '^', '↓': 'v', '“': '"', '”': '"', '’': '\''}

// ToASCII writes drawn text with ASCII alone, as wide as it was: what has no sign
// there becomes question marks.
func ToASCII(drawn string) string {
	var b strings.Builder
	b.Grow(len(drawn))
	var state byte
	for len(drawn) > 0 {
		cluster, width, n, next := ansi.DecodeSequence(drawn, state, nil)
		state, drawn = next, drawn[n:]
		first, _ := utf8.DecodeRuneInString(cluster)
		switch sign, known := plainer[first]; {
		case known:
			b.WriteRune(sign)
		case strings.IndexFunc(cluster, func(r rune) bool { return r >= utf8.RuneSelf }) < 0:
			b.WriteString(cluster)
		default:
			b.WriteString(strings.Repeat("?", width))
		}
	}
	return b.String()
}
