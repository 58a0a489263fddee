package source

import (
	"slices"
	"strings"
)

// cut is a place in a statement: an offset into one of its parts.
type cut struct{ part, offset int }

// here is the parser's place.
func (p *parser) here() cut { return cut{len(p.st.parts), p.part.Len()} }

// bound takes a word of n bytes and notes whether the assignments of an UPDATE
// begin behind it or end before it.
func (p *parser) bound(word string, n int) {
	switch {
	case p.st.Verb != "update" || p.depth > 0:
	case word == "set" && p.st.set == nil:
		p.keep(n)
		p.st.set = []cut{p.here()}
		return
	case slices.Contains([]string{"where", "from", "returning", "order", "limit"}, word):
		p.endSet()
	}
	p.keep(n)
}

// comma notes one between two assignments.
func (p *parser) comma() {
	if p.st.set != nil && !p.setEnded && p.depth == 0 {
		p.st.set = append(p.st.set, p.here())
	}
}

// endSet notes that there are no more assignments.
func (p *parser) endSet() {
	if p.st.set != nil && !p.setEnded {
		p.st.set, p.setEnded = append(p.st.set, p.here()), true
	}
}

// WithoutAssignments gives an UPDATE without those of its assignments that hold one
// of the placeholders for which drop says so, and which placeholders it still has,
// by their numbers in this one; false: no assignment would be left. A statement
// that is no UPDATE, or begins WITH, stays as it is.
//
// Source: WSO2 SQLQuery.generateSQLupdateQuery.
func (s *Statement) WithoutAssignments(drop func(placeholder int) bool) (*Statement, []int, bool) {
	b := &cutter{from: s}
	if len(s.set) < 2 {
		b.copy(cut{}, s.end())
		return b.statement(), b.kept, true
	}
	b.copy(cut{}, s.set[0])
	left := 0
	for k, end := range s.set[1:] {
		begin := s.set[k]
		dropped := false
		for i := begin.part; i < end.part; i++ {
			dropped = dropped || drop(i)
		}
		if dropped {
			continue
		}
		if k > 0 { // it begins with its comma
			begin.offset++
		}
		if left++; left > 1 {
			b.text.WriteByte(',')
		}
		b.copy(begin, end)
	}
	b.text.WriteByte(' ')
	b.copy(s.set[len(s.set)-1], s.end())
	return b.statement(), b.kept, left > 0
}

func (s *Statement) end() cut {
	last := len(s.parts) - 1
	return cut{last, len(s.parts[last])}
}

// cutter makes a statement of pieces of another.
type cutter struct {
	from   *Statement
	text   strings.Builder
	parts  []string
	params []string
	kept   []int
}

func (b *cutter) copy(begin, end cut) {
	for i := begin.part; i < end.part; i++ {
		b.text.WriteString(b.from.parts[i][begin.offset:])
		b.parts, b.params, b.kept = append(b.parts, b.text.String()), append(b.params, b.from.Params[i]), append(b.kept, i)
		b.text.Reset()
		begin.offset = 0
	}
	b.text.WriteString(b.from.parts[end.part][begin.offset:end.offset])
}

func (b *cutter) statement() *Statement {
	c := *b.from
	c.set, c.Params, c.parts = nil, b.params, append(b.parts, b.text.String())
	return &c
}
