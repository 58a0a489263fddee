package zk

import (
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// health decides what a session is worth, by the times of what happened on its
// connection. It reads no clock: callers give the time, monotonic reading and
// all. Safe for concurrent use.
type health struct {
	mu        sync.Mutex
	timeout   time.Duration // T, as the server granted it
	state     coordclient.State
	changed   chan struct{} // closed when the state changes
	lost      chan struct{} // closed when it is Lost
	cause     error         // why it is not Healthy
	connected bool
	joined    chan struct{} // closed on each connection made
	proven    time.Time     // when the last acknowledged write was sent; zero before there is a session
	since     time.Time     // a write sent before this makes nothing Healthy
	ticked    time.Time     // when somebody last looked
	onLost    func(error)   // called once with the cause, without mu; may be nil
}

// The times of a session, as shares of its time-out T.
func beatEvery(t time.Duration) time.Duration  { return t / 4 }
func proveEvery(t time.Duration) time.Duration { return t / 8 } // a companion's: who looks at it is not to take old for new
func stallAfter(t time.Duration) time.Duration { return t / 4 }
func lateAfter(t time.Duration) time.Duration  { return t / 4 }
func quietAfter(t time.Duration) time.Duration { return t / 2 }
func lostAfter(t time.Duration) time.Duration  { return t * 2 / 3 }

// tickEvery is how often a session is looked at.
func tickEvery(t time.Duration) time.Duration {
	return min(max(t/40, 5*time.Millisecond), 50*time.Millisecond)
}

func newHealth(timeout time.Duration, now time.Time) *health {
	return &health{
		timeout: timeout,
		changed: make(chan struct{}),
		lost:    make(chan struct{}),
		joined:  make(chan struct{}),
		cause:   errConnecting,
		ticked:  now,
	}
}

// look is the state at this time.
func (h *health) look(now time.Time) (coordclient.State, <-chan struct{}, error) {
	h.mu.Lock()
	lost := h.tick(now)
	state, changed, cause := h.state, h.changed, h.cause
	h.mu.Unlock()
	h.tell(lost)
	return state, changed, cause
}

// usable is nil while requests can be sent.
func (h *health) usable(now time.Time) error {
	h.mu.Lock()
	lost := h.tick(now)
	ok, cause := h.connected && h.state != coordclient.Lost, h.cause
	h.mu.Unlock()
	h.tell(lost)
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, cause)
}

// tick is the session's own clock; it reports whether the session is lost by
// it, now. Needs mu.
func (h *health) tick(now time.Time) bool {
	// The monotonic clock stands still while the machine sleeps, the wall clock
	// does not; and a step of the wall clock costs no more than one write.
	gap := max(now.Sub(h.ticked), now.Round(0).Sub(h.ticked.Round(0)))
	h.ticked = now
	if h.state == coordclient.Lost {
		return false
	}
	silent := time.Duration(0)
	if !h.proven.IsZero() {
		silent = now.Sub(h.proven)
	}
	switch {
	case silent >= lostAfter(h.timeout):
		return h.lose(fmt.Errorf("%w for %s", errSilent, silent.Round(time.Millisecond)))
	case gap > stallAfter(h.timeout):
		h.suspend(now, fmt.Errorf("%w for %s", errStalled, gap.Round(time.Millisecond)))
	case silent > quietAfter(h.timeout):
		h.suspend(now, fmt.Errorf("%w for %s", errSilent, silent.Round(time.Millisecond)))
	}
	return false
}

// acked: a write sent at that time was acknowledged now.
func (h *health) acked(sent, now time.Time) {
	h.mu.Lock()
	lost := h.tick(now)
	switch late := now.Sub(sent); {
	case h.state == coordclient.Lost:
	case late > lateAfter(h.timeout):
		h.prove(sent)
		h.suspend(now, fmt.Errorf("%w after %s", errLate, late.Round(time.Millisecond)))
	default:
		h.prove(sent)
		if h.connected && !sent.Before(h.since) {
			h.turn(coordclient.Healthy, nil)
		}
	}
	h.mu.Unlock()
	h.tell(lost)
}

func (h *health) prove(sent time.Time) {
	if sent.After(h.proven) {
		h.proven = sent
	}
}

// connect: the session has a connection, of this time-out.
func (h *health) connect(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == coordclient.Lost || h.connected {
		return
	}
	h.connected, h.since = true, now
	close(h.joined)
	h.joined = make(chan struct{})
}

// disconnect: the connection is gone.
func (h *health) disconnect(now time.Time, cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == coordclient.Lost {
		return
	}
	h.connected = false
	h.suspend(now, cause)
}

// connections gives whether there is one, and a channel that closes when the
// next is made.
func (h *health) connections() (bool, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.connected, h.joined
}

// granted: the server gave the session, asked for at begun, this time-out.
func (h *health) granted(timeout time.Duration, begun time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timeout = timeout
	h.prove(begun)
}

func (h *health) t() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.timeout
}

// end makes the session Lost, for good.
func (h *health) end(cause error) {
	h.mu.Lock()
	lost := h.lose(cause)
	h.mu.Unlock()
	h.tell(lost)
}

func (h *health) lose(cause error) bool {
	if h.state == coordclient.Lost {
		return false
	}
	h.connected = false
	h.turn(coordclient.Lost, cause)
	close(h.lost)
	return true
}

func (h *health) suspend(now time.Time, cause error) {
	h.since = now
	h.turn(coordclient.Suspended, cause)
}

func (h *health) turn(state coordclient.State, cause error) {
	h.cause = cause
	if h.state == state {
		return
	}
	h.state = state
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *health) tell(lost bool) {
	if lost && h.onLost != nil {
		h.onLost(h.cause) // which does not change any more
	}
}
