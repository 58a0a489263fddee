package cond

import "strings"

type valueType uint8

const (
	typeBool valueType = iota
	typeNumber
	typeString
	typeNodes
)

func (t valueType) String() string {
	return [...]string{"a boolean", "a number", "a string", "a node-set"}[t]
}

type exprKind uint8

const (
	exprLiteral exprKind = iota
	exprNumber
	exprCall
	exprBinary // text is the operator; | among them
	exprNegate
	exprPath   // args[0], if any, gives the start; otherwise the context or root
	exprFilter // args[0] filtered by preds
)

// expr is a node of the syntax tree.
type expr struct {
	kind     exprKind
	typ      valueType
	pos, end int
	text     string
	number   float64
	args     []*expr
	call     function
	root     bool // a path from the root
	steps    []step
	preds    []*expr
}

type step struct {
	axis  string
	test  nodeTest
	preds []*expr
}

// nodeTest is what a step selects of its axis.
type nodeTest struct {
	kind  string // "name", or a node type
	name  string // empty: any
	space string // only with bound
	bound bool   // a name with a prefix
}

// maxNesting bounds the parentheses, predicates and arguments within each other.
const maxNesting = 50

type parser struct {
	text   string
	tokens []token
	i      int
	depth  int
}

func parseXPath(text string) (*expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEOF {
		return nil, at(text, t.pos, "unexpected %s", p.quote(t))
	}
	return e, nil
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) take() token {
	t := p.tokens[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

func (p *parser) is(k tokenKind, texts ...string) bool {
	t := p.peek()
	if t.kind != k {
		return false
	}
	for _, s := range texts {
		if t.text == s {
			return true
		}
	}
	return len(texts) == 0
}

func (p *parser) quote(t token) string {
	if t.kind == tokEOF {
		return "end of the expression"
	}
	return "\"" + p.text[t.pos:t.end] + "\""
}

func (p *parser) expect(text string) error {
	if t := p.peek(); t.kind != tokPunct || t.text != text {
		return at(p.text, t.pos, "expected %q, not %s", text, p.quote(t))
	}
	p.take()
	return nil
}

// levels lists the binary operators, loosest first.
var levels = [][]string{{"or"}, {"and"}, {"=", "!="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "div", "mod"}}

func (p *parser) expression() (*expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, at(p.text, p.peek().pos, "more than %d levels deep", maxNesting)
	}
	defer func() { p.depth-- }()
	return p.binary(0)
}

func (p *parser) binary(level int) (*expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && p.is(tokOperator, levels[level]...) {
		op := p.take()
		var right *expr
		if right, err = p.binary(level + 1); err == nil {
			typ := typeBool
			if level >= 4 {
				typ = typeNumber
			}
			left = &expr{kind: exprBinary, typ: typ, text: op.text, args: []*expr{left, right}, pos: left.pos, end: right.end}
		}
	}
	return left, err
}

func (p *parser) unary() (*expr, error) {
	pos, minus := p.peek().pos, 0
	for p.is(tokOperator, "-") {
		p.take()
		minus++
	}
	e, err := p.union()
	if err != nil || minus == 0 {
		return e, err
	}
	n := &expr{kind: exprNegate, typ: typeNumber, args: []*expr{e}, pos: pos, end: e.end}
	if minus%2 == 0 { // twice negated is still a number
		n = &expr{kind: exprNegate, typ: typeNumber, args: []*expr{n}, pos: pos, end: e.end}
	}
	return n, nil
}

func (p *parser) union() (*expr, error) {
	left, err := p.path()
	for err == nil && p.is(tokOperator, "|") {
		op := p.take()
		var right *expr
		if right, err = p.path(); err == nil {
			if left.typ != typeNodes || right.typ != typeNodes {
				return nil, at(p.text, op.pos, "both sides of | must be node-sets")
			}
			left = &expr{kind: exprBinary, typ: typeNodes, text: "|", args: []*expr{left, right}, pos: left.pos, end: right.end}
		}
	}
	return left, err
}

func (p *parser) path() (*expr, error) {
	t := p.peek()
	primary := t.kind == tokLiteral || t.kind == tokNumber || t.kind == tokFunction || t.kind == tokPunct && t.text == "("
	if !primary {
		return p.location()
	}
	e, err := p.filter()
	if err != nil || !p.is(tokOperator, "/", "//") {
		return e, err
	}
	if e.typ != typeNodes {
		return nil, at(p.text, p.peek().pos, "%s is %s, not a node-set: no path can begin there", p.text[e.pos:e.end], e.typ)
	}
	path := &expr{kind: exprPath, typ: typeNodes, args: []*expr{e}, pos: e.pos}
	if p.take().text == "//" {
		path.steps = append(path.steps, descend())
	}
	return path, p.relative(path)
}

func descend() step { return step{axis: "descendant-or-self", test: nodeTest{kind: "node"}} }

func (p *parser) filter() (*expr, error) {
	e, err := p.primary()
	if err != nil || !p.is(tokPunct, "[") {
		return e, err
	}
	if e.typ != typeNodes {
		return nil, at(p.text, p.peek().pos, "%s is %s, not a node-set: it cannot be filtered", p.text[e.pos:e.end], e.typ)
	}
	f := &expr{kind: exprFilter, typ: typeNodes, args: []*expr{e}, pos: e.pos}
	f.preds, err = p.predicates()
	f.end = p.tokens[p.i-1].end
	return f, err
}

func (p *parser) primary() (*expr, error) {
	t := p.take()
	e := &expr{pos: t.pos, end: t.end, text: t.text}
	switch t.kind {
	case tokLiteral:
		e.kind, e.typ = exprLiteral, typeString
		return e, nil
	case tokNumber:
		e.kind, e.typ, e.number = exprNumber, typeNumber, t.number
		return e, nil
	case tokFunction:
		return p.function(t)
	default: // "("
		in, err := p.expression()
		if err != nil {
			return nil, err
		}
		return in, p.expect(")")
	}
}

func (p *parser) function(t token) (*expr, error) {
	f, ok := functions[t.text]
	if !ok {
		if why, known := refused[t.text]; known {
			return nil, at(p.text, t.pos, "%s() is not available: %s", t.text, why)
		}
		return nil, at(p.text, t.pos, "XPath 1.0 has no function %s()", t.text)
	}
	e := &expr{kind: exprCall, typ: f.result, text: t.text, call: f, pos: t.pos}
	p.take() // "("
	for !p.is(tokPunct, ")") {
		if len(e.args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		a, err := p.expression()
		if err != nil {
			return nil, err
		}
		if f.nodes && a.typ != typeNodes {
			return nil, at(p.text, a.pos, "%s() needs a node-set, %s is %s", t.text, p.text[a.pos:a.end], a.typ)
		}
		e.args = append(e.args, a)
	}
	e.end = p.take().end
	if n := len(e.args); n < f.least || f.most >= 0 && n > f.most {
		return nil, at(p.text, t.pos, "%s() does not take %d arguments", t.text, n)
	}
	return e, nil
}

func (p *parser) location() (*expr, error) {
	t := p.peek()
	e := &expr{kind: exprPath, typ: typeNodes, pos: t.pos, end: t.end}
	if t.kind == tokOperator && (t.text == "/" || t.text == "//") {
		p.take()
		e.root = true
		if t.text == "//" {
			e.steps = append(e.steps, descend())
		} else if !p.stepAhead() {
			return e, nil
		}
	}
	return e, p.relative(e)
}

func (p *parser) stepAhead() bool {
	return p.is(tokName) || p.is(tokType) || p.is(tokAxis) || p.is(tokPunct, ".", "..", "@")
}

// relative reads the steps of a path into e.
func (p *parser) relative(e *expr) error {
	for {
		s, err := p.step()
		if err != nil {
			return err
		}
		e.steps = append(e.steps, s)
		e.end = p.tokens[p.i-1].end
		if !p.is(tokOperator, "/", "//") {
			return nil
		}
		if p.take().text == "//" {
			e.steps = append(e.steps, descend())
		}
	}
}

func (p *parser) step() (step, error) {
	if p.is(tokPunct, ".", "..") {
		s := step{axis: "self", test: nodeTest{kind: "node"}}
		if p.take().text == ".." {
			s.axis = "parent"
		}
		return s, nil
	}
	s := step{axis: "child"}
	switch t := p.peek(); {
	case p.is(tokPunct, "@"):
		p.take()
		s.axis = "attribute"
	case t.kind == tokAxis:
		if _, ok := axes[t.text]; !ok {
			if t.text == "namespace" {
				return s, at(p.text, t.pos, "the namespace axis is not available: compare namespace-uri()")
			}
			return s, at(p.text, t.pos, "XPath 1.0 has no axis %s", t.text)
		}
		s.axis = t.text
		p.take()
		p.take() // "::"
	}
	var err error
	if s.test, err = p.nodeTest(); err == nil {
		s.preds, err = p.predicates()
	}
	return s, err
}

func (p *parser) nodeTest() (nodeTest, error) {
	t := p.take()
	switch t.kind {
	case tokName:
		return p.nameTest(t)
	case tokType:
		test := nodeTest{kind: t.text}
		p.take() // "("
		if t.text == "processing-instruction" && p.is(tokLiteral) {
			test.name = p.take().text
		}
		return test, p.expect(")")
	default:
		return nodeTest{}, at(p.text, t.pos, "expected a path step, not %s", p.quote(t))
	}
}

func (p *parser) nameTest(t token) (nodeTest, error) {
	prefix, local, found := strings.Cut(t.text, ":")
	switch {
	case !found && t.text == "*":
		return nodeTest{kind: "name"}, nil
	case !found:
		return nodeTest{kind: "name", name: t.text}, nil
	case prefix != "xml":
		return nodeTest{}, at(p.text, t.pos, "prefix %s is bound to no namespace here: write *[local-name()='%s']", prefix, local)
	}
	if local == "*" {
		local = ""
	}
	return nodeTest{kind: "name", name: local, bound: true, space: "http://www.w3.org/XML/1998/namespace"}, nil
}

func (p *parser) predicates() ([]*expr, error) {
	var preds []*expr
	for p.is(tokPunct, "[") {
		p.take()
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expect("]"); err != nil {
			return nil, err
		}
		preds = append(preds, e)
	}
	return preds, nil
}
