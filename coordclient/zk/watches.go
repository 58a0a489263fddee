package zk

import (
	"sync"
	"time"
)

// maxWatches bounds the watches set at the server by one session. A read above
// it is given a channel that closes after rereadAfter instead: read again.
const (
	maxWatches  = 16384
	rereadAfter = 5 * time.Second
)

// watches turns the library's events into channels that close. There is at
// most one watch at the server for a path and a kind, however often it is read.
// Nothing here blocks or calls the library, so that its callback may come in.
type watches struct {
	mu     sync.Mutex
	set    map[watchKey]*watch
	group  chan struct{} // closed by any event at or below the members
	prefix string        // of the members
	over   bool
}

type watchKey struct {
	path     string
	children bool // of its list of children, not of its value
}

type watch struct {
	c       chan struct{}
	armed   bool // the server knows of it
	closed  bool
	readers int // that have begun to set it, and neither armed nor dropped it yet
}

func newWatches(members string) *watches {
	return &watches{set: make(map[watchKey]*watch), group: make(chan struct{}), prefix: members}
}

// begin gives the watch of a key before it is read. Unless it is armed, the
// read must set it and then call arm, or drop.
func (w *watches) begin(key watchKey) (it *watch, armed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	it, ok := w.set[key]
	if ok {
		if !it.armed {
			it.readers++
		}
		return it, it.armed
	}
	it = &watch{c: make(chan struct{}), readers: 1}
	switch {
	case w.over:
		it.shut()
	case len(w.set) >= maxWatches:
		it.armed = true // by the clock
		time.AfterFunc(rereadAfter, func() { w.shut(it) })
		return it, true
	default:
		w.set[key] = it
	}
	return it, false
}

// arm: the read has set the watch. It gives the channel that will close, or is
// closed, if the event was faster than the answer.
func (w *watches) arm(it *watch) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	it.armed = true
	it.readers--
	return it.c
}

// drop: the read has failed and set nothing. While others read, one of them may
// have set it, and its event may come any moment.
func (w *watches) drop(key watchKey, it *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if it.readers--; it.readers == 0 && !it.armed && w.set[key] == it {
		delete(w.set, key)
	}
}

// wake closes what watches a path, of both kinds: at worst it is read again.
func (w *watches) wake(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	for _, children := range []bool{false, true} {
		key := watchKey{path, children}
		if it, ok := w.set[key]; ok {
			delete(w.set, key)
			it.shut()
		}
	}
	if path == w.prefix || len(path) > len(w.prefix) && path[len(w.prefix)] == '/' && path[:len(w.prefix)] == w.prefix {
		close(w.group)
		w.group = make(chan struct{})
	}
}

// members gives the channel that closes when the group may have changed.
func (w *watches) members() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.group
}

// end closes all, for good.
func (w *watches) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.over = true
	for key, it := range w.set {
		delete(w.set, key)
		it.shut()
	}
	close(w.group)
}

func (w *watches) shut(it *watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	it.shut()
}

// shut needs mu.
func (it *watch) shut() {
	if !it.closed {
		it.closed = true
		close(it.c)
	}
}
