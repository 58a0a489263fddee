package strictxml

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Scope holds the elements that are open, and refuses those beyond the bounds of a
// document and those whose names break the rules of namespaces, which the decoder
// does not (Namespaces in XML 1.0). The zero value has none open.
type Scope struct {
	declared [][]string     // by each open element
	known    map[string]int // namespace: by how many of them it is declared
}

// NameError says what is wrong with an element, or with its attribute of that
// number; -1: with the element itself. It is safe to be shown.
type NameError struct {
	Attr int
	What string
}

// Error gives what is wrong.
func (e *NameError) Error() string { return e.What }

func nameError(attr int, format string, args ...any) *NameError {
	return &NameError{attr, fmt.Sprintf(format, args...)}
}

// Depth is how many elements are open.
func (s *Scope) Depth() int { return len(s.declared) }

// Open checks an element that begins; nil: it is as it should be. After an error
// the scope is of no use any more.
func (s *Scope) Open(start xml.StartElement) *NameError {
	switch {
	case s.Depth() >= MaxDepth:
		return nameError(-1, "elements are nested more than %d deep", MaxDepth)
	case len(start.Name.Local) > MaxName:
		return nameError(-1, "a name is longer than %d bytes", MaxName)
	case len(start.Attr) > MaxAttributes:
		return nameError(-1, "<%s> has more than %d attributes", clip(start.Name.Local), MaxAttributes)
	}
	var declared []string
	for i, a := range start.Attr {
		if len(a.Name.Local) > MaxName {
			return nameError(i, "a name is longer than %d bytes", MaxName)
		}
		for _, before := range start.Attr[:i] {
			if before.Name == a.Name {
				return nameError(i, "attribute %q is given twice", clip(a.Name.Local))
			}
		}
		if !declares(a) {
			continue
		}
		if what := misdeclares(a); what != "" {
			return nameError(i, "%s", what)
		}
		declared = append(declared, a.Value)
	}
	s.add(declared)
	// The decoder leaves a prefix that is not declared in the namespace's place.
	if !s.has(start.Name.Space) {
		return nameError(-1, "prefix %q is not declared", clip(start.Name.Space))
	}
	for i, a := range start.Attr {
		if a.Name.Space != "xmlns" && !s.has(a.Name.Space) {
			return nameError(i, "prefix %q is not declared", clip(a.Name.Space))
		}
	}
	return nil
}

// Close ends the element that was opened last.
func (s *Scope) Close() {
	last := s.Depth() - 1
	for _, space := range s.declared[last] {
		s.known[space]--
	}
	s.declared = s.declared[:last]
}

func (s *Scope) add(declared []string) {
	if s.known == nil {
		s.known = map[string]int{"": 1, Namespace: 1}
	}
	s.declared = append(s.declared, declared)
	for _, space := range declared {
		s.known[space]++
	}
}

func (s *Scope) has(space string) bool { return s.known[space] > 0 }

// declares tells whether an attribute declares a namespace.
func declares(a xml.Attr) bool {
	return a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns"
}

// misdeclares tells why a declaration is none; empty: it is one.
func misdeclares(a xml.Attr) string {
	prefix := a.Name.Local
	if a.Name.Space == "" {
		prefix = ""
	}
	switch {
	case prefix == "xmlns" || a.Value == xmlnsSpace:
		return "the prefix xmlns and its namespace cannot be declared"
	case (prefix == "xml") != (a.Value == Namespace):
		return "the prefix xml and its namespace belong together"
	case prefix != "" && a.Value == "":
		return fmt.Sprintf("prefix %q is declared to be nothing", clip(prefix))
	}
	return ""
}

// clip cuts what a document says to what is worth saying back.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
