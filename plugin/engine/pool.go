package engine

import (
	"sync"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// pool counts workers: one cap over all, and one for each named limit. It
// wakes buckets that could not get one, in the order in which they asked.
// Safe for concurrent use.
type pool struct {
	cap   int
	limit func(name string) int

	mu      sync.Mutex
	used    int
	named   map[string]int
	waiting map[string][]*owner // by limit; "" is the cap over all
}

func newPool(workers int, limit func(string) int) *pool {
	if limit == nil {
		limit = func(string) int { return 0 }
	}
	return &pool{cap: workers, limit: limit, named: make(map[string]int), waiting: make(map[string][]*owner)}
}

// reserve takes a worker for a run under these limits. If there is none, o is
// woken when there may be.
func (p *pool) reserve(limits []string, o *owner) bucket.Room {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used >= p.cap {
		p.wait("", o)
		return bucket.Full
	}
	for _, name := range limits {
		if !p.free(name) {
			p.wait(name, o)
			return bucket.Busy
		}
	}
	p.used++
	for _, name := range limits {
		p.named[name]++
	}
	return bucket.Reserved
}

// release gives a worker back.
func (p *pool) release(limits []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used--
	for _, name := range limits {
		if p.named[name]--; p.named[name] <= 0 {
			delete(p.named, name)
		}
		p.rouse(name)
	}
	p.rouse("")
}

// pass wakes the next bucket that waits for one of these limits, if there is
// still room. Who was woken calls it when it has taken what it wanted.
func (p *pool) pass(names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if p.free(name) {
			p.rouse(name)
		}
	}
}

func (p *pool) free(name string) bool {
	if name == "" {
		return p.used < p.cap
	}
	limit := p.limit(name)
	return limit < 1 || p.named[name] < limit
}

func (p *pool) wait(name string, o *owner) {
	for _, waiting := range p.waiting[name] {
		if waiting == o {
			return
		}
	}
	p.waiting[name] = append(p.waiting[name], o)
}

func (p *pool) rouse(name string) {
	queue := p.waiting[name]
	if len(queue) == 0 {
		return
	}
	next := queue[0]
	if len(queue) == 1 {
		delete(p.waiting, name)
	} else {
		p.waiting[name] = queue[1:]
	}
	next.room(name)
}

// leave forgets a bucket that is no longer owned.
func (p *pool) leave(o *owner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, queue := range p.waiting {
		for i, waiting := range queue {
			if waiting == o {
				queue = append(queue[:i:i], queue[i+1:]...)
				break
			}
		}
		if len(queue) == 0 {
			delete(p.waiting, name)
		} else {
			p.waiting[name] = queue
		}
	}
}
