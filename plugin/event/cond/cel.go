package cond

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// MaxCost bounds a CEL evaluation, in CEL's own units: about one per field read
// or comparison, and one per ten characters handled.
const MaxCost = 1_000_000

// compileCEL compiles a CEL expression over the variables doc and rows.
func compileCEL(text string) (func(*Document) (Verdict, error), error) {
	env, err := cel.NewEnv(
		cel.Variable("doc", cel.DynType),
		cel.Variable("rows", cel.ListType(cel.DynType)),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserRecursionLimit(maxNesting),
		cel.ParserExpressionSizeLimit(MaxExpression),
	)
	if err != nil {
		return nil, fmt.Errorf("cel: %w", err)
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		first := issues.Errors()[0]
		if first.Location.Line() < 1 {
			return nil, fmt.Errorf("cel: %s", first.Message)
		}
		return nil, &SyntaxError{Line: first.Location.Line(), Column: first.Location.Column() + 1, Text: first.Message}
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, fmt.Errorf("the expression gives %s, not a bool", t)
	}
	program, err := env.Program(ast, cel.CostLimit(MaxCost))
	if err != nil {
		return nil, fmt.Errorf("cel: %w", err)
	}
	names := identifiers(text)
	return func(d *Document) (Verdict, error) { return evalCEL(program, names, d) }, nil
}

func evalCEL(program cel.Program, names []string, d *Document) (Verdict, error) {
	root := d.element()
	rows := []any{}
	for _, c := range root.children {
		if c.kind == elementNode && !c.leaf() {
			rows = append(rows, content(c))
		}
	}
	out, _, err := program.Eval(map[string]any{"doc": fields(root), "rows": rows})
	if err != nil {
		var cancelled interpreter.EvalCancelledError
		if errors.As(err, &cancelled) {
			return Verdict{}, ErrBudget
		}
		return Verdict{}, fmt.Errorf("cel: %w", err)
	}
	holds, ok := out.(types.Bool)
	if !ok {
		return Verdict{}, fmt.Errorf("cel: the expression gives %s, not a bool", out.Type().TypeName())
	}
	v := Verdict{Holds: bool(holds)}
	if v.Holds {
		v.named(root, names)
	}
	return v, nil
}

var identifier = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z_][A-Za-z0-9_]*`)

// identifiers lists the names in an expression, outside its strings.
func identifiers(text string) []string {
	var names []string
	for _, s := range identifier.FindAllString(text, -1) {
		if s[0] != '"' && s[0] != '\'' && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// named adds the leaves that the expression names.
func (v *Verdict) named(n *node, names []string) {
	for _, c := range n.children {
		switch {
		case c.kind != elementNode || len(v.Found) >= MaxFound:
		case !c.leaf():
			v.named(c, names)
		case slices.Contains(names, c.local):
			v.add(c.local, c.value())
		}
	}
}

// content is what CEL sees of an element.
func content(n *node) any {
	if !n.leaf() {
		return fields(n)
	}
	for _, a := range n.attrs {
		if a.local == "nil" && a.space == schemaInstance && (a.text == "true" || a.text == "1") {
			return nil
		}
	}
	return scalar(n.value())
}

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

// fields is an element as a map: children by local name, a list where a name
// repeats, and attributes as "@name".
func fields(n *node) map[string]any {
	m := make(map[string]any, len(n.children)+len(n.attrs))
	count := make(map[string]int, len(n.children))
	for _, a := range n.attrs {
		m["@"+a.local] = scalar(a.text)
	}
	for _, c := range n.children {
		if c.kind != elementNode {
			continue
		}
		v := content(c)
		switch count[c.local]++; count[c.local] {
		case 1:
			m[c.local] = v
		case 2:
			m[c.local] = []any{m[c.local], v}
		default:
			m[c.local] = append(m[c.local].([]any), v)
		}
	}
	return m
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// scalar types a text: int or double where it is written as JSON writes them,
// without an exponent, bool for true and false, string otherwise. An integer
// that does not fit stays a string rather than lose digits.
func scalar(s string) any {
	switch {
	case s == "true" || s == "false":
		return s == "true"
	case !decimal.MatchString(s):
		return s
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	if slices.Contains([]byte(s), '.') {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return s
}
