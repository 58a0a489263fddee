package cond

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The languages of conditions. An empty language is XPath.
const (
	XPath = "XPath"
	CEL   = "CEL"
)

// MaxExpression is the longest expression in bytes.
const MaxExpression = 4 << 10

// ErrBudget says that the evaluation took more steps than MaxSteps, or cost more than
// MaxCost.
var ErrBudget = errors.New("the condition is too expensive for this document")

// SyntaxError is a fault of an expression, at a place in it counted from 1 in
// characters.
type SyntaxError struct {
	Line, Column int
	Text         string
}

// Error gives "line:column: text".
func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Text) }

// Condition is a compiled expression. It is immutable and safe for concurrent
// use.
type Condition struct {
	text string
	eval func(*Document) (Verdict, error)
}

// Verdict is what a condition says of a document.
type Verdict struct {
	Holds bool
	// Found lists, for a person, values that the decision rested on: at most
	// MaxFound. It may be empty.
	Found []Found
}

// Found is a value of the document, or of a part of the expression.
type Found struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Bounds of Verdict.Found.
const (
	MaxFound      = 8
	maxFoundValue = 80 // characters
)

// Compile compiles an expression. Its error is a *SyntaxError where there is a
// place to name.
func Compile(language, expression string) (*Condition, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, errors.New("the expression is empty")
	}
	if len(expression) > MaxExpression {
		return nil, fmt.Errorf("the expression has %d bytes, at most %d are allowed", len(expression), MaxExpression)
	}
	if !utf8.ValidString(expression) {
		return nil, errors.New("the expression is not valid UTF-8")
	}
	c := &Condition{text: expression}
	var err error
	switch {
	case language == "" || strings.EqualFold(language, XPath):
		c.eval, err = compileXPath(expression)
	case strings.EqualFold(language, CEL):
		c.eval, err = compileCEL(expression)
	default:
		return nil, fmt.Errorf("language %q is not known: use %s or %s", language, XPath, CEL)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// String gives the expression as written.
func (c *Condition) String() string { return c.text }

// Eval evaluates the condition. Errors: ErrBudget; CEL: whatever makes the
// expression have no value, such as a field that the document does not have.
func (c *Condition) Eval(d *Document) (Verdict, error) { return c.eval(d) }

// add appends a value unless it is there already or there are too many.
func (v *Verdict) add(name, value string) {
	if len(v.Found) >= MaxFound {
		return
	}
	f := Found{Name: cut(name, maxFoundValue), Value: cut(strings.Join(strings.Fields(value), " "), maxFoundValue)}
	for _, have := range v.Found {
		if have == f {
			return
		}
	}
	v.Found = append(v.Found, f)
}

// cut shortens s to n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// at makes a SyntaxError for the byte offset pos of text.
func at(text string, pos int, format string, args ...any) error {
	pos = min(pos, len(text))
	before := text[:pos]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &SyntaxError{Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
}
