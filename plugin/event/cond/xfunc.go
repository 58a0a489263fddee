package cond

import (
	"math"
	"strings"
	"unicode/utf8"
)

// function is one of XPath's own.
type function struct {
	result      valueType
	least, most int  // arguments
	nodes       bool // each argument must be a node-set
	do          func(r *evaluation, c context, args []*expr) value
}

// refused are functions of XPath 1.0, or of what is often taken for it, that
// have no meaning here.
var refused = map[string]string{
	"id":           "documents here have no type declaration, so no ids",
	"lower-case":   "it is XPath 2.0; use translate()",
	"upper-case":   "it is XPath 2.0; use translate()",
	"matches":      "it is XPath 2.0; write the condition in CEL",
	"replace":      "it is XPath 2.0; use translate()",
	"ends-with":    "it is XPath 2.0; use substring() with string-length()",
	"exists":       "it is XPath 2.0; write boolean()",
	"empty":        "it is XPath 2.0; write not()",
	"max":          "it is XPath 2.0; write not(//x[. < //x])",
	"min":          "it is XPath 2.0; write not(//x[. > //x])",
	"avg":          "it is XPath 2.0; write sum(//x) div count(//x)",
	"current-date": "it is XPath 2.0; a condition sees the document alone",
}

// strOr is the string of argument i, or of the context node where there is none.
func (r *evaluation) strOr(c context, args []*expr, i int) string {
	if i < len(args) {
		return r.strArg(c, args, i)
	}
	return r.value(c.node)
}

func (r *evaluation) strArg(c context, args []*expr, i int) string {
	s := r.str(r.eval(args[i], c))
	r.spend(len(s) / 64)
	return s
}

func (r *evaluation) numArg(c context, args []*expr, i int) float64 {
	return r.number(r.eval(args[i], c))
}

// nodeArg is the first node of the argument, or the context node, or nil.
func (r *evaluation) nodeArg(c context, args []*expr) *node {
	if len(args) == 0 {
		return c.node
	}
	if nodes := r.eval(args[0], c).([]*node); len(nodes) > 0 {
		return nodes[0]
	}
	return nil
}

// ofString makes a function of one optional string.
func ofString(result valueType, f func(string) value) function {
	return function{result: result, most: 1, do: func(r *evaluation, c context, args []*expr) value {
		return f(r.strOr(c, args, 0))
	}}
}

// ofStrings makes a function of two strings.
func ofStrings(result valueType, f func(a, b string) value) function {
	return function{result: result, least: 2, most: 2, do: func(r *evaluation, c context, args []*expr) value {
		return f(r.strArg(c, args, 0), r.strArg(c, args, 1))
	}}
}

// ofNode makes a function of an optional node-set.
func ofNode(f func(*node) string) function {
	return function{result: typeString, most: 1, nodes: true, do: func(r *evaluation, c context, args []*expr) value {
		if n := r.nodeArg(c, args); n != nil {
			return f(n)
		}
		return ""
	}}
}

// ofNumber makes a function of a number.
func ofNumber(f func(float64) float64) function {
	return function{result: typeNumber, least: 1, most: 1, do: func(r *evaluation, c context, args []*expr) value {
		return f(r.numArg(c, args, 0))
	}}
}

// constant makes a function without arguments.
func constant(result valueType, f func(context) value) function {
	return function{result: result, do: func(_ *evaluation, c context, _ []*expr) value { return f(c) }}
}

// functions are those of XPath 1.0, section 4, but id().
var functions = map[string]function{
	"last":     constant(typeNumber, func(c context) value { return float64(c.size) }),
	"position": constant(typeNumber, func(c context) value { return float64(c.position) }),
	"true":     constant(typeBool, func(context) value { return true }),
	"false":    constant(typeBool, func(context) value { return false }),

	"local-name":    ofNode(func(n *node) string { return n.local }),
	"namespace-uri": ofNode(func(n *node) string { return n.space }),
	"name":          ofNode((*node).name),

	"string":          ofString(typeString, func(s string) value { return s }),
	"string-length":   ofString(typeNumber, func(s string) value { return float64(utf8.RuneCountInString(s)) }),
	"normalize-space": ofString(typeString, func(s string) value { return strings.Join(strings.FieldsFunc(s, blank), " ") }),
	"starts-with":     ofStrings(typeBool, func(a, b string) value { return strings.HasPrefix(a, b) }),
	"contains":        ofStrings(typeBool, func(a, b string) value { return strings.Contains(a, b) }),
	"substring-before": ofStrings(typeString, func(a, b string) value {
		before, _, found := strings.Cut(a, b)
		if !found {
			return ""
		}
		return before
	}),
	"substring-after": ofStrings(typeString, func(a, b string) value {
		_, after, _ := strings.Cut(a, b)
		return after
	}),

	"floor":   ofNumber(math.Floor),
	"ceiling": ofNumber(math.Ceil),
	"round":   ofNumber(round),

	"count":     {result: typeNumber, least: 1, most: 1, nodes: true, do: count},
	"sum":       {result: typeNumber, least: 1, most: 1, nodes: true, do: sum},
	"boolean":   {result: typeBool, least: 1, most: 1, do: boolean},
	"not":       {result: typeBool, least: 1, most: 1, do: not},
	"number":    {result: typeNumber, most: 1, do: number},
	"concat":    {result: typeString, least: 2, most: -1, do: concat},
	"substring": {result: typeString, least: 2, most: 3, do: substring},
	"translate": {result: typeString, least: 3, most: 3, do: translate},
	"lang":      {result: typeBool, least: 1, most: 1, do: lang},
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }

// round goes to the nearest integer, halves towards positive infinity.
func round(f float64) float64 {
	if math.Abs(f) >= 1<<52 || math.IsNaN(f) {
		return f
	}
	whole := math.Floor(f)
	if f-whole >= 0.5 {
		whole++
	}
	return math.Copysign(whole, f)
}

func count(r *evaluation, c context, args []*expr) value {
	return float64(len(r.eval(args[0], c).([]*node)))
}

func sum(r *evaluation, c context, args []*expr) value {
	total := 0.0
	for _, n := range r.eval(args[0], c).([]*node) {
		total += toNumber(r.value(n))
	}
	return total
}

func boolean(r *evaluation, c context, args []*expr) value {
	return r.boolean(r.eval(args[0], c))
}

func not(r *evaluation, c context, args []*expr) value {
	return !r.boolean(r.eval(args[0], c))
}

func number(r *evaluation, c context, args []*expr) value {
	if len(args) == 0 {
		return toNumber(r.value(c.node))
	}
	return r.numArg(c, args, 0)
}

func concat(r *evaluation, c context, args []*expr) value {
	var b strings.Builder
	for i := range args {
		b.WriteString(r.strArg(c, args, i))
	}
	return b.String()
}

// substring takes the characters whose place p, from 1, is at least
// round(start) and less than round(start) + round(length).
func substring(r *evaluation, c context, args []*expr) value {
	s := []rune(r.strArg(c, args, 0))
	from := round(r.numArg(c, args, 1))
	to := math.Inf(1)
	if len(args) == 3 {
		to = from + round(r.numArg(c, args, 2))
	}
	first, last := len(s), 0
	for i := range s {
		if p := float64(i + 1); p >= from && p < to {
			first, last = min(first, i), i+1
		}
	}
	if first >= last {
		return ""
	}
	return string(s[first:last])
}

func translate(r *evaluation, c context, args []*expr) value {
	s, from, to := r.strArg(c, args, 0), []rune(r.strArg(c, args, 1)), []rune(r.strArg(c, args, 2))
	table := make(map[rune]rune, len(from))
	for i, f := range from {
		if _, have := table[f]; have {
			continue
		}
		table[f] = -1 // removed
		if i < len(to) {
			table[f] = to[i]
		}
	}
	return strings.Map(func(x rune) rune {
		if t, ok := table[x]; ok {
			return t
		}
		return x
	}, s)
}

func lang(r *evaluation, c context, args []*expr) value {
	want := strings.ToLower(r.strArg(c, args, 0))
	for n := c.node; n != nil; n = n.parent {
		for _, a := range n.attrs {
			if a.local == "lang" && a.prefix == "xml" {
				have := strings.ToLower(a.text)
				return have == want || strings.HasPrefix(have, want+"-")
			}
		}
	}
	return false
}
