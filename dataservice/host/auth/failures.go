package auth

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of the memory of failed log-ins.
const (
	maxCounted = 20_000 // names and addresses; the oldest are forgotten
	// perAddress is how many times as many failures an address has as a name at
	// an address, since many users may share one.
	perAddress = 10
)

// failures counts wrong credentials. Safe for concurrent use.
type failures struct {
	most   int
	window time.Duration

	mu    sync.Mutex
	by    map[counted]*list.Element // of *count
	order *list.List                // oldest first
}

// counted is what failures are counted by; the name is empty for all of an address.
type counted struct {
	from netip.Prefix
	name string
}

type count struct {
	counted
	failed int
	until  time.Time // when it is forgotten
}

func newFailures(most int, window time.Duration) *failures {
	return &failures{most: most, window: window, by: map[counted]*list.Element{}, order: list.New()}
}

// wait tells how long nothing more is heard; zero: go on.
func (f *failures) wait(from netip.Prefix, name string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	var longest time.Duration
	for who, most := range f.bounds(from, name) {
		if e := f.by[who]; e != nil {
			if c := e.Value.(*count); c.failed >= most && now.Before(c.until) {
				longest = max(longest, c.until.Sub(now))
			}
		}
	}
	return longest
}

// failed counts one failure.
func (f *failures) failed(from netip.Prefix, name string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for who := range f.bounds(from, name) {
		e := f.by[who]
		if e != nil && now.Before(e.Value.(*count).until) {
			e.Value.(*count).failed++
			continue
		}
		if e != nil {
			f.order.Remove(e)
		}
		f.by[who] = f.order.PushBack(&count{counted: who, failed: 1, until: now.Add(f.window)})
		if f.order.Len() > maxCounted {
			delete(f.by, f.order.Remove(f.order.Front()).(*count).counted)
		}
	}
}

// passed forgets what was counted for a name that has proved itself.
func (f *failures) passed(from netip.Prefix, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.by[counted{from, name}]; e != nil && name != "" {
		f.order.Remove(e)
		delete(f.by, counted{from, name})
	}
}

func (f *failures) bounds(from netip.Prefix, name string) map[counted]int {
	bounds := map[counted]int{{from: from}: f.most * perAddress}
	if name != "" {
		bounds[counted{from, name}] = f.most
	}
	return bounds
}

// network is what counts as one address: an IPv4 one, or an IPv6 /64, of which a
// client has all. What is no address, such as a unix socket, is all one.
func network(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the bits suit the address
	return p
}
