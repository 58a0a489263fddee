package screen

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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

// term is one word of a filter: text, or a regular expression.
type term struct {
	word, field string
	not         bool
	expr        *regexp.Regexp // nil: word is looked for
}

// expression begins a regular expression, where a word or the value of a field
// would be.
const expression = "~"

// Terms takes the filter apart. An expression that is broken, or not begun, looks
// for nothing.
func (f Filter) Terms() Terms {
	terms, _ := f.parse()
	return terms
}

// Fault says what is wrong with the expressions of the filter; empty: nothing is.
func (f Filter) Fault() string {
	_, fault := f.parse()
	return fault
}

func (f Filter) parse() (all Terms, fault string) {
	for _, word := range strings.Fields(f.line.Text()) {
		t := term{}
		if rest, ok := strings.CutPrefix(word, "!"); ok && rest != "" {
			t.not, word = true, rest
		}
		field, expr, ok := strings.Cut(word, expression)
		switch {
		case !ok || strings.Contains(field, "="):
			t.word = strings.ToLower(word)
			if field, value, ok := strings.Cut(t.word, "="); ok && field != "" {
				t.field, t.word = field, value
			}
		case expr == "":
			continue
		default:
			var err error
			if t.expr, err = regexp.Compile("(?i)" + expr); err != nil {
				fault = broken(err)
				continue
			}
			t.field, t.word = strings.ToLower(field), strings.ToLower(word)
		}
		all = append(all, t)
	}
	return all, fault
}

// broken says what is wrong with an expression, in a few words.
func broken(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		text = string(e.Code)
		if e.Expr != "" && e.Code != syntax.ErrMissingParen {
			text += ": " + strings.TrimPrefix(e.Expr, "(?i)")
		}
	}
	return text
}

// Match tells whether all terms let a line pass. fields are its words by name.
func (ts Terms) Match(fields ...[2]string) bool {
	for i := range ts {
		if ts[i].among(fields) == ts[i].not {
			return false
		}
	}
	return true
}

// among tells whether a term is found in a field, or in the one that it names.
func (t *term) among(fields [][2]string) bool {
	known := false
	for i := range fields {
		if t.field != "" && fields[i][0] != t.field {
			continue
		}
		known = true
		if t.in(fields[i][1]) {
			return true
		}
	}
	if t.field == "" || known {
		return false
	}
	text := t.word // "a=b" and "a~b" may be text after all
	if t.expr == nil {
		text = t.field + "=" + t.word
	}
	return slices.ContainsFunc(fields, func(f [2]string) bool { return containsFold(f[1], text) })
}

func (t *term) in(text string) bool {
	if t.expr != nil {
		return t.expr.MatchString(text)
	}
	return containsFold(text, t.word)
}

// containsFold is strings.Contains for a lower-case word, whatever the case of s. It
// is asked of every text of every task with each key, so it makes no copies.
func containsFold(s, word string) bool {
	if word == "" {
		return true
	}
	for i := 0; i+len(word) <= len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf: // whose other case may be of another length
			return strings.Contains(strings.ToLower(s[i:]), word)
		case c == word[0] || 'A' <= c && c <= 'Z' && c+'a'-'A' == word[0]:
			if strings.EqualFold(s[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

// View draws the line; empty when there is no filter.
func (f Filter) View(s *Scene, shown, of int) string {
	if !f.Shown() {
		return ""
	}
	count := s.Draw(theme.Faint, ofLines(shown, of))
	if fault := f.Fault(); fault != "" {
		count = s.Draw(theme.Bad, widget.Cut(widget.Clean(fault), s.Width/2, s.Theme.Glyphs.Ellipsis))
	}
	width := s.Width - widget.Width(count) - 3
	return s.Draw(theme.Key, "/") + f.line.View(s.Theme, width, f.typing) + " " + count
}

func ofLines(shown, of int) string {
	if shown == of {
		return strconv.Itoa(of) + " lines"
	}
	return strconv.Itoa(shown) + " of " + strconv.Itoa(of)
}
