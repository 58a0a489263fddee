// Package render makes text from templates that strangers write: those of
// text/template, with what could run on or fill memory left out. It is pure.
//
// Not available: define, block, template, loops over anything but fields that
// the caller names, nested loops beyond MaxLoops, widths of printf beyond two
// digits. Available beside the usual: json writes a value as JSON, xml escapes
// it for an element or attribute.
package render

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// MaxLoops is how deep loops may nest.
const MaxLoops = 2

// Rules bound the templates of one use.
type Rules struct {
	MaxTemplate int // bytes
	MaxOutput   int // bytes
	// Loops names the fields of the data that loops may go over, beside the dot
	// of another loop.
	Loops []string
}

// Template is a compiled template. Safe for concurrent use.
type Template struct {
	t   *template.Template
	max int
}

// Compile parses a template and tries it on sample, so that a wrong name is
// found now. Errors name line and column.
func Compile(name, text string, r Rules, sample any) (*Template, error) {
	if len(text) > r.MaxTemplate {
		return nil, fmt.Errorf("%s template: %d bytes, at most %d", name, len(text), r.MaxTemplate)
	}
	funcs := template.FuncMap{"printf": printf, "json": toJSON, "xml": toXML}
	t, err := template.New(name).Option("missingkey=error").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s template: %w", name, trim(err))
	}
	if len(t.Templates()) > 1 {
		return nil, fmt.Errorf("%s template: define and block are not available", name)
	}
	if t.Tree != nil {
		if err := (checker{t.Tree, r.Loops}).node(t.Root, place{}); err != nil {
			return nil, fmt.Errorf("%s template: %w", name, err)
		}
	}
	c := &Template{t, r.MaxOutput}
	if _, err := c.Execute(sample); err != nil {
		return nil, fmt.Errorf("%s template: %w", name, err)
	}
	return c, nil
}

// Execute gives the text for data.
func (t *Template) Execute(data any) (string, error) {
	w := &bounded{left: t.max}
	if err := t.t.Execute(w, data); err != nil {
		return "", trim(err)
	}
	return w.b.String(), nil
}

// trim drops the "template: " that the library puts before its errors.
func trim(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "template: "))
}

// checker refuses what might not end.
type checker struct {
	tree  *parse.Tree
	loops []string
}

// place is where a node is: how deep in loops, and whether the dot is a part of
// what may be looped over. A dot that "with" has set may be any number, and a
// loop may count to it.
type place struct {
	loops int
	part  bool
}

func (c checker) lists(at place, lists ...*parse.ListNode) error {
	for _, l := range lists {
		if l == nil {
			continue
		}
		for _, n := range l.Nodes {
			if err := c.node(n, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c checker) node(n parse.Node, at place) error {
	fault := func(format string, args ...any) error {
		where, _ := c.tree.ErrorContext(n)
		return fmt.Errorf("%s: "+format, append([]any{where}, args...)...)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		return c.lists(at, n)
	case *parse.IfNode:
		return c.lists(at, n.List, n.ElseList)
	case *parse.WithNode:
		within := place{at.loops, c.overField(n.Pipe, at)}
		return errors.Join(c.lists(within, n.List), c.lists(at, n.ElseList))
	case *parse.RangeNode:
		if at.loops == MaxLoops {
			return fault("loops nest at most %d deep", MaxLoops)
		}
		if !c.overField(n.Pipe, at) {
			return fault("a loop goes over .%s or a part of it, nothing else", strings.Join(c.loops, ", ."))
		}
		return errors.Join(c.lists(place{at.loops + 1, true}, n.List), c.lists(at, n.ElseList))
	case *parse.TemplateNode:
		return fault("template is not available")
	}
	return nil
}

// overField tells whether a loop goes over a field that may be looped over, or
// a part of it.
func (c checker) overField(p *parse.PipeNode, at place) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	switch a := p.Cmds[0].Args[0].(type) {
	case *parse.DotNode:
		return at.part
	case *parse.FieldNode:
		return slices.Contains(c.loops, a.Ident[len(a.Ident)-1])
	case *parse.VariableNode:
		return len(a.Ident) == 2 && a.Ident[0] == "$" && slices.Contains(c.loops, a.Ident[1])
	default:
		return false
	}
}

var wide = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{3}|\*)`)

// printf is the usual one, without widths that fill memory.
func printf(format string, args ...any) (string, error) {
	if wide.MatchString(format) {
		return "", fmt.Errorf("printf %q: a width has at most two digits", format)
	}
	return fmt.Sprintf(format, args...), nil
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func toXML(v any) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(fmt.Sprint(v)))
	return b.String(), err
}

type bounded struct {
	b    strings.Builder
	left int
}

func (w *bounded) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errors.New("the output is too long")
	}
	return w.b.Write(p)
}
