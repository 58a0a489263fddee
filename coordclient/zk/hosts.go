package zk

import (
	"math/rand/v2"
	"sync"
	"time"
)

// hosts decides which server is dialled next: in random order at first, later
// the one not tried for the longest time, and those that failed lately after
// all others. It is the library's HostProvider; unlike the library's own it
// does not look names up, and does not end when one is unknown.
type hosts struct {
	mu       sync.Mutex
	list     []host
	current  int // -1 before the first
	joined   bool
	failures int             // since a connection was made
	over     <-chan struct{} // the session's end
	hopeless chan struct{}   // closed when every server's certificate was refused, or ours by it
	giveUp   sync.Once
}

type host struct {
	address string
	tried   time.Time
	failed  time.Time // zero if its last attempt was good
	fault   error     // of its last attempt; nil: none, or none yet
}

// A server that failed is tried after the others for this long; between rounds
// in which all failed there is a pause that doubles.
const (
	remember  = 30 * time.Second
	firstWait = 20 * time.Millisecond
	maxWait   = 500 * time.Millisecond
)

func newHosts(addresses []string, over <-chan struct{}) *hosts {
	h := &hosts{current: -1, over: over, hopeless: make(chan struct{})}
	for _, i := range rand.Perm(len(addresses)) {
		h.list = append(h.list, host{address: addresses[i]})
	}
	return h
}

// Init is for the library, which hands back what it was given.
func (h *hosts) Init([]string) error { return nil }

// Len is the number of servers.
func (h *hosts) Len() int { return len(h.list) }

// Connected: the server last given has made the session a connection.
func (h *hosts) Connected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joined, h.failures = true, 0
	h.list[h.current].failed, h.list[h.current].fault = time.Time{}, nil
}

// blame: the server last given is connected, but of no use.
func (h *hosts) blame() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.joined = false
}

// Next gives the next server. retryStart is false while the session lasts: the
// pause between rounds is made here. When it is over it is true, which alone
// makes the library look whether it was closed.
func (h *hosts) Next() (server string, retryStart bool) {
	if wait := h.pause(time.Now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-h.over:
		}
	}
	select {
	case <-h.over:
		retryStart = true
	default:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	best := 0
	for i := range h.list {
		if h.list[i].before(h.list[best], now) {
			best = i
		}
	}
	h.current, h.joined = best, false
	h.list[best].tried = now
	return h.list[best].address, retryStart
}

// pause settles how the last attempt went and gives the time to wait.
func (h *hosts) pause(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current >= 0 && !h.joined {
		h.list[h.current].failed = now
		h.failures++
	}
	rounds := h.failures / len(h.list)
	if rounds == 0 || h.failures%len(h.list) != 0 {
		return 0
	}
	return min(firstWait<<min(rounds-1, 10), maxWait)
}

func (a host) before(b host, now time.Time) bool {
	bad := func(h host) bool { return !h.failed.IsZero() && now.Sub(h.failed) < remember }
	if bad(a) != bad(b) {
		return bad(b)
	}
	return a.tried.Before(b.tried)
}
