package follow

import "sync"

// mark names something that may have changed.
type mark struct {
	kind   markKind
	bucket int
	watch  string // which one of a kind that has several
}

type markKind uint8

const (
	markBucket markKind = iota
	markGroup
	markServices
	markEvents
	markCalendars
	markClock // of the member in watch
)

// wakes gathers what watches tell. Safe for concurrent use.
type wakes struct {
	bell    chan struct{} // holds one ring
	end     chan struct{}
	running sync.WaitGroup

	mu    sync.Mutex    // guards what follows
	woken map[mark]bool // since take
	armed map[mark]bool // somebody waits for its watch
}

func newWakes() *wakes {
	return &wakes{bell: make(chan struct{}, 1), end: make(chan struct{}), woken: make(map[mark]bool), armed: make(map[mark]bool)}
}

// stop ends what arm has begun.
func (w *wakes) stop() {
	close(w.end)
	w.running.Wait()
}

// arm waits for a watch until it closes, or for stop. Of two watches of one mark
// that are open at once, the earlier is enough.
func (w *wakes) arm(m mark, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if changed == nil || w.armed[m] {
		return
	}
	w.armed[m] = true
	w.running.Go(func() { // ends with the watch, or with stop
		select {
		case <-changed:
			w.wake(m)
		case <-w.end:
		}
	})
}

func (w *wakes) wake(m mark) {
	w.mu.Lock()
	w.woken[m] = true
	delete(w.armed, m)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default: // it has rung already
	}
}

func (w *wakes) take() map[mark]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.woken
	w.woken = make(map[mark]bool)
	return taken
}
