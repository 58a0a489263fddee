package screen

import (
	"strings"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// filter is a line of words that a list is searched by. The zero value lets all
// pass.
type filter struct {
	line   widget.Line
	typing bool
}

func (f filter) scopes(of ...intent.Scope) []intent.Scope {
	if f.typing {
		return []intent.Scope{intent.Typing}
	}
	return of
}

// update answers intents while it has the keys, and the one that gives them to
// it. False: the intent is for others.
func (f filter) update(in intent.Intent) (filter, bool) {
	if !f.typing {
		switch {
		case in.Action == intent.Filter:
			f.typing = true
			return f, true
		case in.Action == intent.Back && f.line.Text() != "":
			return filter{}, true
		}
		return f, false
	}
	switch in.Action {
	case intent.Accept:
		f.typing = false
		return f, true
	case intent.Back:
		return filter{}, true
	}
	var ok bool
	f.line, ok = f.line.Edit(in)
	return f, ok
}

// terms is a filter taken apart.
type terms []term

type term struct {
	word, field string
	not         bool
}

func (f filter) terms() terms {
	var all terms
	for _, word := range strings.Fields(strings.ToLower(f.line.Text())) {
		t := term{}
		if rest, ok := strings.CutPrefix(word, "!"); ok && rest != "" {
			t.not, word = true, rest
		}
		t.word = word
		if field, value, ok := strings.Cut(word, "="); ok && field != "" {
			t.field, t.word = field, value
		}
		all = append(all, t)
	}
	return all
}

// match tells whether all terms let a line pass. fields are its words by name.
func (ts terms) match(fields ...[2]string) bool {
	for _, t := range ts {
		found, known := false, false
		for _, f := range fields {
			if t.field != "" && f[0] != t.field {
				continue
			}
			known = true
			if containsFold(f[1], t.word) {
				found = true
				break
			}
		}
		if t.field != "" && !known {
			for _, f := range fields { // "a=b" may be text after all
				found = found || containsFold(f[1], t.field+"="+t.word)
			}
		}
		if found == t.not {
			return false
		}
	}
	return true
}

// containsFold is strings.Contains for a lower-case word, whatever the case of s,
// without a copy where s has no capitals.
func containsFold(s, word string) bool {
	return strings.Contains(s, word) || strings.Contains(strings.ToLower(s), word)
}

// view draws the line; empty when there is no filter.
func (f filter) view(s *Scene, shown, of int) string {
	if !f.typing && f.line.Text() == "" {
		return ""
	}
	count := s.role(theme.Faint, widgetCount(shown, of))
	width := s.Width - widget.Width(count) - 3
	return s.role(theme.Key, "/") + f.line.View(s.Theme, width, f.typing) + " " + count
}

func widgetCount(shown, of int) string {
	if shown == of {
		return itoa(of) + " lines"
	}
	return itoa(shown) + " of " + itoa(of)
}
