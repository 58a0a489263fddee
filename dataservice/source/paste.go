package source

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// errPasted says that text put into a statement would make another one of it.
var errPasted = errors.New("the text changes the statement")

// Paste gives the statement with text in place of those placeholders for which
// text says so. The statement must stay what it was: one, of the same kind, with
// the same other placeholders, and none of what a text may hold ends it or hides
// what follows.
func (s *Statement) Paste(text func(i int) (string, bool)) (*Statement, error) {
	p := parser{d: s.Dialect, declared: func(string) bool { return true }, st: &Statement{Dialect: s.Dialect, Words: map[string]bool{}}}
	var rest []string
	var b strings.Builder
	b.WriteString(s.parts[0])
	for i, name := range s.Params {
		t, pasted := text(i)
		switch {
		case !pasted:
			rest = append(rest, name)
			if name == "" {
				b.WriteByte('?')
			} else {
				b.WriteString(":" + name)
			}
		case strings.ContainsAny(t, ";:?#\\\x00") || strings.Contains(t, "--") || strings.Contains(t, "/*"):
			return nil, errPasted
		default:
			b.WriteString(t)
		}
		b.WriteString(s.parts[i+1])
	}
	p.s = b.String()
	if err := p.run(); err != nil {
		return nil, err
	}
	st := p.st
	st.parts = append(st.parts, p.part.String())
	st.classify()
	if st.Verb != s.Verb || st.Writes && !s.Writes || !slices.Equal(st.Params, rest) || !s.sameEffect(st) {
		return nil, errPasted
	}
	return st, nil
}

// effects are words that add to what a statement does.
var effects = []string{"union", "intersect", "except", "into", "insert", "update", "delete", "merge", "drop", "alter", "create", "truncate", "call", "exec", "execute"}

// sameEffect tells whether the other statement has none of the words that would
// make it do more.
func (s *Statement) sameEffect(other *Statement) bool {
	for w := range maps.Keys(other.Words) {
		if slices.Contains(effects, w) && !s.Words[w] {
			return false
		}
	}
	return true
}
