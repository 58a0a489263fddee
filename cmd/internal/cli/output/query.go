package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"
	"k8s.io/client-go/util/jsonpath"
)

// maxPicked bounds what one query picks: one that goes on for ever ends there.
const maxPicked = 1_000_000

// query picks from data what is shown.
type query struct {
	pick func(data any) ([]byte, error)
	// item does to each item of a list what pick does to the list; nil: the query
	// wants to see all of it at once. Error: errHalted.
	item func(item any) ([]byte, error)
}

// query reads --jq or the expression of -o; nil: there is none.
func (p Printer) query() (*query, error) {
	kind, expression, has := strings.Cut(p.Format, "=")
	switch {
	case p.JQ != "" && p.Format != "" && p.Format != Table && p.Format != JSON && p.Format != JSONL:
		return nil, fmt.Errorf("--jq picks from JSON: it does not go with -o %s", p.Format)
	case p.JQ != "":
		return jqQuery(p.JQ)
	case !has && (kind == JSONPath || kind == GoTemplate):
		return nil, fmt.Errorf("-o %s needs an expression: -o '%s=…'", kind, kind)
	case has && kind == JSONPath:
		return pathQuery(expression)
	case has && kind == GoTemplate:
		return templateQuery(expression)
	}
	return nil, nil
}

// generic gives v as programs that read its JSON see it, whole numbers as
// numbers that lose no digit.
func generic(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data any
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	return numbered(data), nil
}

func numbered(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, _ := v.Float64() // encoding/json wrote it
		return f
	case []any:
		for i := range v {
			v[i] = numbered(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbered(v[k])
		}
	}
	return v
}

// jqQuery picks by a jq program. Strings are written as they are, all else as
// JSON in one line.
func jqQuery(program string) (*query, error) {
	parsed, err := gojq.Parse(program)
	if err != nil {
		return nil, fmt.Errorf("--jq: %w", err)
	}
	whole, err := gojq.Compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("--jq: %w", err)
	}
	q := &query{pick: func(data any) ([]byte, error) {
		text, err := (&jq{whole, maxPicked}).pick(data)
		if errors.Is(err, errHalted) {
			err = nil
		}
		return text, err
	}}
	if !iterates(parsed) {
		return q, nil
	}
	part, err := gojq.Compile(parsed)
	if err != nil {
		return nil, fmt.Errorf("--jq: %w", err)
	}
	each := &jq{part, maxPicked}
	q.item = func(item any) ([]byte, error) {
		data, err := generic(item)
		if err != nil {
			return nil, err
		}
		return each.pick(data)
	}
	return q, nil
}

// iterates makes of a program that goes through a list, as ".[] | .name" does, the
// one that does the same to an item. False: it is no such program.
func iterates(q *gojq.Query) bool {
	for q.Term == nil {
		if q.Op != gojq.OpPipe || len(q.Patterns) > 0 {
			return false
		}
		q = q.Left
	}
	t := q.Term
	if t.Type != gojq.TermTypeIdentity || len(t.SuffixList) == 0 || !t.SuffixList[0].Iter {
		return false
	}
	t.SuffixList = t.SuffixList[1:]
	return true
}

// jq runs a program, which may pick as many results as are left.
type jq struct {
	code *gojq.Code
	left int
}

func (j *jq) pick(data any) ([]byte, error) {
	var b bytes.Buffer
	results := j.code.Run(data)
	for ; j.left > 0; j.left-- {
		result, more := results.Next()
		if !more {
			return b.Bytes(), nil
		}
		if err := picked(&b, result); err != nil {
			if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
				return b.Bytes(), errHalted
			}
			return nil, fmt.Errorf("--jq: %w", err)
		}
	}
	return nil, fmt.Errorf("--jq: it gives more than %d results", maxPicked)
}

// errHalted: the program asked to end, without an error.
var errHalted = errors.New("halted")

func picked(b *bytes.Buffer, result any) error {
	switch r := result.(type) {
	case error:
		return r
	case string:
		b.WriteString(r)
	default:
		text, err := gojq.Marshal(r)
		if err != nil {
			return err
		}
		b.Write(text)
	}
	b.WriteByte('\n')
	return nil
}

// pathQuery picks by a JSONPath as kubectl reads it. A list is also found under
// .items, as there.
func pathQuery(expression string) (*query, error) {
	path, err := parsePath(expression)
	if err != nil {
		return nil, fmt.Errorf("-o jsonpath: %w", err)
	}
	return &query{pick: func(data any) ([]byte, error) {
		if list, ok := data.([]any); ok {
			data = map[string]any{"items": list}
		}
		var b bytes.Buffer
		if err := path.Execute(&b, data); err != nil {
			return nil, fmt.Errorf("-o jsonpath: %w", err)
		}
		return ended(b.Bytes()), nil
	}}, nil
}

// parsePath reads a JSONPath, in braces or without. The library finds nothing under a
// dot alone, which is the whole for whoever knows jq.
func parsePath(expression string) (*jsonpath.JSONPath, error) {
	if !strings.Contains(expression, "{") {
		expression = "{" + expression + "}"
	}
	path := jsonpath.New("output").AllowMissingKeys(true)
	return path, path.Parse(strings.ReplaceAll(expression, "{.}", "{@}"))
}

// templateQuery picks by a template of Go over the JSON.
func templateQuery(text string) (*query, error) {
	t, err := template.New("output").Option("missingkey=zero").Funcs(template.FuncMap{
		"json": func(v any) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
		"join":  strings.Join,
		"upper": strings.ToUpper,
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("-o go-template: %w", err)
	}
	return &query{pick: func(data any) ([]byte, error) {
		var b bytes.Buffer
		if err := t.Execute(&b, data); err != nil {
			return nil, fmt.Errorf("-o go-template: %w", err)
		}
		return ended(b.Bytes()), nil
	}}, nil
}

// ended makes sure that what is not empty ends its line.
func ended(text []byte) []byte {
	if len(text) > 0 && text[len(text)-1] != '\n' {
		return append(text, '\n')
	}
	return text
}
