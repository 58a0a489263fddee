package event

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/seed42aab489/belfry/plugin/event/cond"
)

// DefaultSubject is the subject of a mail whose trigger has no template.
const DefaultSubject = `[belfry] {{.Service}}: {{.Trigger}} rang{{with .Found}}: {{.}}{{end}}`

// Data is what a subject or body template sees.
type Data struct {
	Service, Query, Trigger, Topic string
	// Expression is the condition as written.
	Expression string
	// Found is the first value that the condition rested on, "quantityInStock 5",
	// and how many more there are. Values lists them. Both may be empty.
	Found  string
	Values []cond.Found
	// Input tells whether the query rang by what it was given.
	Input bool
	// Task is "tenant/type/name", FireID its firing, Scheduled the instant; empty
	// for a request that is not a firing.
	Task, FireID string
	Scheduled    time.Time
	Request      string
	At           time.Time
	// Rows are at most 20 rows of the document, each by column; Total counts all.
	// Table is them as text.
	Rows  []map[string]string
	Total int
	Table string
}

// maxTemplate bounds a template in bytes, maxRanges how deep loops may nest.
const (
	maxTemplate = 8 << 10
	maxRanges   = 2
)

// compileTemplate parses a template and tries it, so that a wrong name refuses
// the deployment. Loops go over fields of the data alone, so that a template
// always ends.
func compileTemplate(name, text string) (*template.Template, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("%s template: %d bytes, at most %d", name, len(text), maxTemplate)
	}
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{"printf": printf}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s template: %w", name, trimTemplate(err))
	}
	if len(t.Templates()) > 1 {
		return nil, fmt.Errorf("%s template: define and block are not available", name)
	}
	if t.Tree != nil {
		if err := checkNodes(t.Tree, t.Root, 0); err != nil {
			return nil, fmt.Errorf("%s template: %w", name, err)
		}
	}
	sample := &Data{Service: "s", Query: "q", Trigger: "t", Found: "v 1", Values: []cond.Found{{Name: "v", Value: "1"}}}
	if _, err := execute(t, sample); err != nil {
		return nil, fmt.Errorf("%s template: %w", name, err)
	}
	return t, nil
}

// trimTemplate drops the "template: " that the library puts before its errors.
func trimTemplate(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "template: "))
}

func checkNodes(tree *parse.Tree, n parse.Node, ranges int) error {
	lists := func(ranges int, ls ...*parse.ListNode) error {
		for _, l := range ls {
			if l == nil {
				continue
			}
			for _, c := range l.Nodes {
				if err := checkNodes(tree, c, ranges); err != nil {
					return err
				}
			}
		}
		return nil
	}
	fault := func(format string, args ...any) error {
		where, _ := tree.ErrorContext(n)
		return fmt.Errorf("%s: "+format, append([]any{where}, args...)...)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		return lists(ranges, n)
	case *parse.IfNode:
		return lists(ranges, n.List, n.ElseList)
	case *parse.WithNode:
		return lists(ranges, n.List, n.ElseList)
	case *parse.RangeNode:
		if ranges == maxRanges {
			return fault("loops nest at most %d deep", maxRanges)
		}
		if !overField(n.Pipe) {
			return fault("a loop goes over .Rows, .Values or a row, nothing else")
		}
		return lists(ranges+1, n.List, n.ElseList)
	case *parse.TemplateNode:
		return fault("template is not available")
	}
	return nil
}

// overField tells whether a loop goes over . or a field of the data.
func overField(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 || len(p.Cmds[0].Args) != 1 {
		return false
	}
	switch a := p.Cmds[0].Args[0].(type) {
	case *parse.DotNode:
		return true
	case *parse.FieldNode:
		return a.Ident[len(a.Ident)-1] == "Rows" || a.Ident[len(a.Ident)-1] == "Values"
	case *parse.VariableNode:
		last := a.Ident[len(a.Ident)-1]
		return len(a.Ident) == 2 && a.Ident[0] == "$" && (last == "Rows" || last == "Values")
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

// execute runs a template, up to MaxText bytes of output.
func execute(t *template.Template, d *Data) (string, error) {
	w := &bounded{left: MaxText}
	if err := t.Execute(w, d); err != nil {
		return "", trimTemplate(err)
	}
	return w.b.String(), nil
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
