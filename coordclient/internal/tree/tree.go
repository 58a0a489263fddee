// Package tree is the state machine behind the embedded and the in-memory
// store: which keys exist, at which versions, what a commit would change, and
// who watches. It does no I/O, reads no clock and holds no lock: its owner does.
//
// A commit is first staged, which decides whether it holds on top of the
// commits staged before it, and applied when its owner has made it durable.
package tree

import (
	"slices"
	"strings"
)

// absent is the version of a node that only has children.
const absent = -1

// Tree holds for each key a version and a payload P, which is whatever its
// owner needs to find the value. Not safe for concurrent use.
type Tree[P any] struct {
	root    node[P]
	size    int
	watches map[slot]chan struct{}
}

type node[P any] struct {
	payload P
	version int64
	kids    map[string]*node[P]
}

// New gives an empty tree.
func New[P any]() *Tree[P] {
	return &Tree[P]{root: node[P]{version: absent}, watches: make(map[slot]chan struct{})}
}

// Len is the number of keys.
func (t *Tree[P]) Len() int { return t.size }

// Get gives the payload and version of a key, and whether it exists.
func (t *Tree[P]) Get(key string) (P, int64, bool) {
	if n := t.find(key); n != nil && n.version != absent {
		return n.payload, n.version, true
	}
	var none P
	return none, 0, false
}

// List names the direct children of prefix, sorted. A child may be a mere
// parent of other keys.
func (t *Tree[P]) List(prefix string) []string {
	n := t.find(prefix)
	if n == nil {
		return nil
	}
	names := make([]string, 0, len(n.kids))
	for name := range n.kids {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Put sets a key without waking anybody: for loading. It tells whether the key
// was new.
func (t *Tree[P]) Put(key string, version int64, payload P) bool {
	n := &t.root
	for rest := key; rest != "" && rest != "/"; {
		var name string
		name, rest = cut(rest)
		kid := n.kids[name]
		if kid == nil {
			if n.kids == nil {
				n.kids = make(map[string]*node[P])
			}
			kid = &node[P]{version: absent}
			n.kids[strings.Clone(name)] = kid
		}
		n = kid
	}
	fresh := n.version == absent
	if fresh {
		t.size++
	}
	n.version, n.payload = version, payload
	return fresh
}

// remove takes a key away, and the parents that nothing needs any more.
func (t *Tree[P]) remove(key string) {
	if t.root.remove(key) {
		t.size--
	}
}

// remove reports whether the key was there.
func (n *node[P]) remove(rest string) bool {
	if rest == "" {
		was := n.version != absent
		var none P
		n.version, n.payload = absent, none
		return was
	}
	name, rest := cut(rest)
	kid := n.kids[name]
	if kid == nil {
		return false
	}
	was := kid.remove(rest)
	if kid.version == absent && len(kid.kids) == 0 {
		delete(n.kids, name)
	}
	return was
}

func (t *Tree[P]) find(key string) *node[P] {
	n := &t.root
	for rest := key; n != nil && rest != "" && rest != "/"; {
		var name string
		name, rest = cut(rest)
		n = n.kids[name]
	}
	return n
}

// cut splits "/a/b/c" into "a" and "/b/c".
func cut(path string) (name, rest string) {
	path = path[1:]
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}
