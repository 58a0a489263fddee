package zk

import (
	"strings"
	"testing"
)

func TestWatches(t *testing.T) {
	t.Parallel()
	w := newWatches("/r/members")
	key := watchKey{path: "/r/keys/a"}
	first, armed := w.begin(key)
	if armed {
		t.Fatal("armed before it was set")
	}
	c := w.arm(first)
	second, armed := w.begin(key)
	if !armed || second != first {
		t.Error("a second read must not set a second watch")
	}
	w.wake("/r/keys/b")
	if isClosed(c) {
		t.Error("woken by another path")
	}
	w.wake(key.path)
	if !isClosed(c) {
		t.Error("not woken")
	}
	early, _ := w.begin(key)
	w.wake(key.path) // the event comes before the answer is looked at
	if c := w.arm(early); !isClosed(c) {
		t.Error("an early event was lost")
	}
	a, _ := w.begin(key)
	b, _ := w.begin(key) // both read at once
	w.arm(a)
	w.drop(key, b) // and the second fails
	if _, armed := w.begin(key); !armed {
		t.Error("a failed read dropped the watch of another")
	}
	w.wake(key.path)
	c1, _ := w.begin(key)
	c2, _ := w.begin(key)
	w.drop(key, c1)                   // the first is given up,
	w.wake(key.path)                  // what the second has set fires,
	if c := w.arm(c2); !isClosed(c) { // and then its answer is looked at
		t.Error("an event was lost because another read was given up")
	}
	c3, _ := w.begin(key)
	w.drop(key, c3)
	if len(w.set) != 0 {
		t.Error("a watch that nobody has set is kept")
	}
	again, _ := w.begin(key)
	ca := w.arm(again)
	group := w.members()
	w.wake("/r/membersx")
	if isClosed(group) {
		t.Error("the group was woken by another path")
	}
	w.wake("/r/members/m")
	if !isClosed(group) {
		t.Error("the group was not woken")
	}
	w.end()
	w.end()
	w.wake("/r/members")
	if last, _ := w.begin(key); !isClosed(ca) || !isClosed(w.members()) || !isClosed(w.arm(last)) {
		t.Error("the end must close all, also what comes after it")
	}
}

func TestWatchesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWatches("/m")
	for i := range maxWatches {
		key := watchKey{path: "/" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)}
		it, _ := w.begin(key)
		w.arm(it)
	}
	over, armed := w.begin(watchKey{path: "/one/more"})
	if !armed || isClosed(over.c) {
		t.Error("beyond the bound no watch may be set, and the channel is open at first")
	}
	if len(w.set) != maxWatches {
		t.Errorf("%d watches", len(w.set))
	}
}
