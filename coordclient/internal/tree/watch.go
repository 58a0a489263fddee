package tree

import "strings"

// siblings share this many watch channels: the names that hash alike wake
// together. A watch may be woken without a change of its own, and in return
// reading a million entries leaves a bounded number of channels behind.
const slotsPerParent = 64

type slot struct {
	parent string
	n      uint8
}

func slotOf(key string) slot {
	i := strings.LastIndexByte(key, '/')
	// FNV-1a, so that a simulation runs the same way each time.
	h := uint32(2166136261)
	for _, c := range []byte(key[i+1:]) {
		h = (h ^ uint32(c)) * 16777619
	}
	return slot{parent: key[:i], n: uint8(h % slotsPerParent)}
}

// Watch gives a channel that closes when key may have changed.
func (t *Tree[P]) Watch(key string) <-chan struct{} {
	s := slotOf(key)
	c, ok := t.watches[s]
	if !ok {
		c = make(chan struct{})
		s.parent = strings.Clone(s.parent)
		t.watches[s] = c
	}
	return c
}

func (t *Tree[P]) wake(key string) {
	s := slotOf(key)
	if c, ok := t.watches[s]; ok {
		delete(t.watches, s)
		close(c)
	}
}

// WakeAll closes every watch.
func (t *Tree[P]) WakeAll() {
	for s, c := range t.watches {
		delete(t.watches, s)
		close(c)
	}
}
