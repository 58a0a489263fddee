package exchange

import (
	"sync"
	"time"
)

// pace lets so many requests through in a second, all of them at once if they come
// so (the generic cell rate algorithm, ITU-T I.371). The zero value lets all
// through. Safe for concurrent use.
type pace struct {
	every time.Duration // between two requests at a steady pace

	mu   sync.Mutex
	next time.Time // when the next request would come at that pace
}

func newPace(rate int) *pace {
	if rate <= 0 {
		return &pace{}
	}
	return &pace{every: time.Second / time.Duration(rate)}
}

// take lets a request through, or says that it is one too many.
func (p *pace) take(now time.Time) bool {
	if p.every == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	if p.next.Sub(now) > time.Second-p.every {
		return false
	}
	p.next = p.next.Add(p.every)
	return true
}
