package cond

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// MaxSteps bounds an XPath evaluation: nodes visited, values compared, and each
// 64 bytes of text handled. They take about half a second.
const MaxSteps = 2_000_000

// value is one of bool, float64, string and []*node; the nodes are distinct and
// in document order.
type value any

// context is where an expression is evaluated.
type context struct {
	node           *node
	position, size int
}

// evaluation is one run of an expression. A spent budget unwinds it by a panic
// with ErrBudget, which evalXPath recovers: it would otherwise have to be passed
// through every function of the language.
type evaluation struct {
	text    string
	doc     *Document
	left    int
	verdict Verdict
}

func compileXPath(text string) (func(*Document) (Verdict, error), error) {
	e, err := parseXPath(text)
	if err != nil {
		return nil, err
	}
	return func(d *Document) (Verdict, error) { return evalXPath(text, e, d) }, nil
}

func evalXPath(text string, e *expr, d *Document) (v Verdict, err error) {
	run := &evaluation{text: text, doc: d, left: MaxSteps}
	defer func() {
		if r := recover(); r == ErrBudget { //nolint:errorlint // the very value of spend
			v, err = Verdict{}, ErrBudget
		} else if r != nil {
			panic(r)
		}
	}()
	result := run.eval(e, context{node: d.root, position: 1, size: 1})
	run.verdict.Holds = run.boolean(result)
	if nodes, ok := result.([]*node); ok {
		for _, n := range nodes[:min(len(nodes), MaxFound)] {
			run.found(n)
		}
	}
	if !run.verdict.Holds {
		run.verdict.Found = nil
	}
	return run.verdict, nil
}

func (r *evaluation) spend(n int) {
	if r.left -= n; r.left < 0 {
		panic(ErrBudget)
	}
}

// found notes, for a person, a node that made something true; an element that
// holds others would say too much.
func (r *evaluation) found(n *node) {
	switch {
	case n.kind == attributeNode:
		r.verdict.add("@"+n.local, n.text)
	case n.kind == elementNode && n.leaf():
		r.verdict.add(n.local, n.value())
	case n.kind == textNode && n.parent.kind == elementNode:
		r.verdict.add(n.parent.local, n.text)
	}
}

func (r *evaluation) eval(e *expr, c context) value {
	r.spend(1)
	switch e.kind {
	case exprLiteral:
		return e.text
	case exprNumber:
		return e.number
	case exprNegate:
		return -r.number(r.eval(e.args[0], c))
	case exprCall:
		return e.call.do(r, c, e.args)
	case exprBinary:
		return r.binary(e, c)
	case exprFilter:
		nodes := r.eval(e.args[0], c).([]*node)
		for _, p := range e.preds {
			nodes = r.filter(nodes, p)
		}
		return nodes
	default:
		return r.path(e, c)
	}
}

func (r *evaluation) binary(e *expr, c context) value {
	switch e.text {
	case "or":
		return r.boolean(r.eval(e.args[0], c)) || r.boolean(r.eval(e.args[1], c))
	case "and":
		return r.boolean(r.eval(e.args[0], c)) && r.boolean(r.eval(e.args[1], c))
	}
	a, b := r.eval(e.args[0], c), r.eval(e.args[1], c)
	switch e.text {
	case "|":
		return r.distinct(slices.Concat(a.([]*node), b.([]*node)))
	case "+":
		return r.number(a) + r.number(b)
	case "-":
		return r.number(a) - r.number(b)
	case "*":
		return r.number(a) * r.number(b)
	case "div":
		return r.number(a) / r.number(b)
	case "mod":
		return math.Mod(r.number(a), r.number(b))
	default:
		return r.compare(e, a, b)
	}
}

// distinct sorts nodes into document order, each once.
func (r *evaluation) distinct(nodes []*node) []*node {
	r.spend(len(nodes))
	order := func(a, b *node) int { return a.order - b.order }
	if !slices.IsSortedFunc(nodes, order) {
		slices.SortFunc(nodes, order)
	}
	return slices.Compact(nodes)
}

func (r *evaluation) path(e *expr, c context) value {
	nodes := []*node{c.node}
	switch {
	case e.root:
		nodes[0] = r.doc.root
	case len(e.args) > 0:
		nodes = r.eval(e.args[0], c).([]*node)
	}
	for _, s := range e.steps {
		var next []*node
		for _, n := range nodes {
			next = append(next, r.step(s, n)...)
		}
		nodes = r.distinct(next)
	}
	return nodes
}

// step selects from one node, and filters by position along the axis.
func (r *evaluation) step(s step, n *node) []*node {
	var found []*node
	axes[s.axis](n, func(m *node) {
		r.spend(1)
		if s.test.matches(m, s.axis) {
			found = append(found, m)
		}
	})
	for _, p := range s.preds {
		found = r.filter(found, p)
	}
	return found
}

func (r *evaluation) filter(nodes []*node, pred *expr) []*node {
	var kept []*node
	for i, n := range nodes {
		v := r.eval(pred, context{node: n, position: i + 1, size: len(nodes)})
		if f, ok := v.(float64); ok && f == float64(i+1) || !ok && r.boolean(v) {
			kept = append(kept, n)
		}
	}
	return kept
}

func (r *evaluation) boolean(v value) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	default:
		return len(v.([]*node)) > 0
	}
}

func (r *evaluation) number(v value) float64 {
	switch v := v.(type) {
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	default:
		return toNumber(r.str(v))
	}
}

func (r *evaluation) str(v value) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return formatNumber(v)
	case string:
		return v
	default:
		if nodes := v.([]*node); len(nodes) > 0 {
			return r.value(nodes[0])
		}
		return ""
	}
}

// value is the string-value of a node, paid for.
func (r *evaluation) value(n *node) string {
	s, nodes := n.read()
	r.spend(nodes + len(s)/64)
	return s
}

// toNumber converts by section 4.4: white space, a sign, digits; else NaN.
func toNumber(s string) float64 {
	s = strings.Trim(s, " \t\r\n")
	digits := strings.TrimPrefix(s, "-")
	if strings.Trim(digits, "0123456789.") != "" || strings.Count(digits, ".") > 1 || strings.Trim(digits, ".") == "" {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range: infinite, as IEEE 754 rounds
	return f
}

// formatNumber converts by section 4.2.
func formatNumber(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	default:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
}
