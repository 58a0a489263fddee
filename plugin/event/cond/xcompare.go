package cond

// compare decides a comparison by section 3.4 of XPath 1.0.
func (r *evaluation) compare(e *expr, a, b value) bool {
	an, aIsNodes := a.([]*node)
	bn, bIsNodes := b.([]*node)
	_, aIsBool := a.(bool)
	_, bIsBool := b.(bool)
	switch {
	case aIsNodes && bIsNodes:
		return r.comparePairs(e, an, bn)
	case aIsNodes && !bIsBool:
		return r.compareEach(an, func(n *node) bool { return r.atoms(e.text, r.value(n), b) })
	case bIsNodes && !aIsBool:
		return r.compareEach(bn, func(n *node) bool { return r.atoms(e.text, a, r.value(n)) })
	case aIsNodes:
		a = len(an) > 0
	case bIsNodes:
		b = len(bn) > 0
	}
	held := r.atoms(e.text, a, b)
	if held {
		r.foundAtom(e.args[0], a)
		r.foundAtom(e.args[1], b)
	}
	return held
}

// compareEach tells whether the comparison holds for any of the nodes. All are
// looked at while there is room, since each that holds is worth telling.
func (r *evaluation) compareEach(nodes []*node, holds func(*node) bool) bool {
	held := false
	for _, n := range nodes {
		r.spend(1)
		if !holds(n) {
			continue
		}
		held = true
		r.found(n)
		if len(r.verdict.Found) >= MaxFound {
			return true
		}
	}
	return held
}

func (r *evaluation) comparePairs(e *expr, as, bs []*node) bool {
	bv := make([]string, len(bs))
	for i, n := range bs {
		bv[i] = r.value(n)
	}
	for _, a := range as {
		av := r.value(a)
		for i, b := range bs {
			r.spend(1 + min(len(av), len(bv[i]))/64)
			if r.atoms(e.text, av, bv[i]) {
				r.found(a)
				r.found(b)
				return true
			}
		}
	}
	return false
}

// foundAtom notes the value of a computed operand under its own text.
func (r *evaluation) foundAtom(e *expr, v value) {
	if e.kind == exprLiteral || e.kind == exprNumber || e.typ == typeBool {
		return
	}
	r.verdict.add(r.text[e.pos:e.end], r.str(v))
}

// atoms compares two values that are no node-sets.
func (r *evaluation) atoms(op string, a, b value) bool {
	if op == "=" || op == "!=" {
		return r.equal(a, b) == (op == "=")
	}
	x, y := r.number(a), r.number(b)
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	default:
		return x >= y
	}
}

func (r *evaluation) equal(a, b value) bool {
	_, ab := a.(bool)
	_, bb := b.(bool)
	if ab || bb {
		return r.boolean(a) == r.boolean(b)
	}
	_, an := a.(float64)
	_, bn := b.(float64)
	if an || bn {
		return r.number(a) == r.number(b)
	}
	return r.str(a) == r.str(b)
}
