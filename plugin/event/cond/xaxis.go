package cond

// axes walks each axis from a node, in the axis's own order.
var axes = map[string]func(n *node, visit func(*node)){
	"self":  func(n *node, visit func(*node)) { visit(n) },
	"child": func(n *node, visit func(*node)) { each(n.children, visit) },
	"parent": func(n *node, visit func(*node)) {
		if n.parent != nil {
			visit(n.parent)
		}
	},
	"attribute":  func(n *node, visit func(*node)) { each(n.attrs, visit) },
	"descendant": descendants,
	"descendant-or-self": func(n *node, visit func(*node)) {
		visit(n)
		descendants(n, visit)
	},
	"ancestor": func(n *node, visit func(*node)) {
		for n = n.parent; n != nil; n = n.parent {
			visit(n)
		}
	},
	"ancestor-or-self": func(n *node, visit func(*node)) {
		for ; n != nil; n = n.parent {
			visit(n)
		}
	},
	"following-sibling": func(n *node, visit func(*node)) {
		_, after := n.siblings()
		each(after, visit)
	},
	"preceding-sibling": func(n *node, visit func(*node)) {
		before, _ := n.siblings()
		for i := len(before) - 1; i >= 0; i-- {
			visit(before[i])
		}
	},
	"following": following,
	"preceding": preceding,
}

func each(nodes []*node, visit func(*node)) {
	for _, n := range nodes {
		visit(n)
	}
}

func descendants(n *node, visit func(*node)) {
	for _, c := range n.children {
		visit(c)
		descendants(c, visit)
	}
}

// siblings gives those before and after n; an attribute has none.
func (n *node) siblings() (before, after []*node) {
	if n.parent == nil || n.kind == attributeNode {
		return nil, nil
	}
	all := n.parent.children
	lo, hi := 0, len(all) // children are in document order
	for lo < hi {
		if mid := (lo + hi) / 2; all[mid].order < n.order {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return all[:lo], all[lo+1:]
}

// following are the nodes after n in document order, but descendants and
// attributes; those of an attribute begin with its element's children.
func following(n *node, visit func(*node)) {
	if n.kind == attributeNode {
		n = n.parent
		descendants(n, visit)
	}
	for ; n != nil; n = n.parent {
		_, after := n.siblings()
		for _, s := range after {
			visit(s)
			descendants(s, visit)
		}
	}
}

// preceding are the nodes before n, but ancestors and attributes, the nearest
// first.
func preceding(n *node, visit func(*node)) {
	if n.kind == attributeNode {
		n = n.parent
	}
	for ; n != nil; n = n.parent {
		before, _ := n.siblings()
		for i := len(before) - 1; i >= 0; i-- {
			backwards(before[i], visit)
		}
	}
}

func backwards(n *node, visit func(*node)) {
	for i := len(n.children) - 1; i >= 0; i-- {
		backwards(n.children[i], visit)
	}
	visit(n)
}

// matches applies a node test. A name without a prefix matches what is written
// without a prefix, in no namespace or in a default one.
func (t nodeTest) matches(n *node, axis string) bool {
	switch t.kind {
	case "node":
		return true
	case "text":
		return n.kind == textNode
	case "comment":
		return n.kind == commentNode
	case "processing-instruction":
		return n.kind == instructionNode && (t.name == "" || t.name == n.local)
	}
	principal := elementNode
	if axis == "attribute" {
		principal = attributeNode
	}
	switch {
	case n.kind != principal:
		return false
	case t.bound:
		return n.space == t.space && (t.name == "" || t.name == n.local)
	default:
		return t.name == "" || t.name == n.local && n.prefix == ""
	}
}
