package screen

import (
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Filter is a line of words that a list is searched by. The zero value lets all
// pass.
type Filter struct {
	line   widget.Line
	typing bool
}

// WordFilter makes a filter of words that are there already.
func WordFilter(line widget.Line) Filter { return Filter{line: line} }

// Typing tells whether the filter has the keys.
func (f Filter) Typing() bool { return f.typing }

// Words are what is looked for; empty: all passes.
func (f Filter) Words() string { return f.line.Text() }

// Shown tells whether the filter takes a line of the screen.
func (f Filter) Shown() bool { return f.typing || f.Words() != "" }

// Scopes are the filter's own while it has the keys, else those of its screen.
func (f Filter) Scopes(of ...intent.Scope) []intent.Scope {
	if f.typing {
		return []intent.Scope{intent.Typing}
	}
	return of
}

// Update answers intents while it has the keys, and the one that gives them to
// it. False: the intent is for others.
func (f Filter) Update(in intent.Intent) (Filter, bool) {
	if !f.typing {
		switch {
		case in.Action == intent.Filter:
			f.typing = true
			return f, true
		case in.Action == intent.Back && f.line.Text() != "":
			return Filter{}, true
		}
		return f, false
	}
	switch in.Action {
	case intent.Accept:
		f.typing = false
		return f, true
	case intent.Back:
		return Filter{}, true
	}
	var ok bool
	f.line, ok = f.line.Edit(in)
	return f, ok
}

// Terms is a filter taken apart.
type Terms []term

type term struct {
	word, field string
	not         bool
}

// Terms takes the filter apart.
func (f Filter) Terms() Terms {
	var all Terms
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

// Match tells whether all terms let a line pass. fields are its words by name.
func (ts Terms) Match(fields ...[2]string) bool {
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

// View draws the line; empty when there is no filter.
func (f Filter) View(s *Scene, shown, of int) string {
	if !f.Shown() {
		return ""
	}
	count := s.Draw(theme.Faint, ofLines(shown, of))
	width := s.Width - widget.Width(count) - 3
	return s.Draw(theme.Key, "/") + f.line.View(s.Theme, width, f.typing) + " " + count
}

func ofLines(shown, of int) string {
	if shown == of {
		return strconv.Itoa(of) + " lines"
	}
	return strconv.Itoa(shown) + " of " + strconv.Itoa(of)
}
