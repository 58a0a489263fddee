package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
)

// work is what is being done about a bucket.
type work struct {
	acquires bool
	cancel   context.CancelFunc // gives up waiting for the bucket to be free
}

// follow does what the placement says, until loops ends.
func (c *Cluster) follow() {
	pause, register := minPause, c.d.Store.Register()
	for c.loops.Err() == nil {
		paper, group, err := c.look(c.loops, register)
		if err != nil && c.loops.Err() == nil {
			c.d.Log.Debug("placement not read", "err", err, "again_in", pause)
		}
		next := c.next()
		if err != nil {
			next, pause = jittered(pause), min(2*pause, maxPause)
		} else {
			pause = minPause
		}
		timer := time.NewTimer(next)
		select {
		case <-paper:
		case <-group:
		case <-c.nudges: // a session that has healed, too
		case <-timer.C:
		case <-c.loops.Done():
		}
		timer.Stop()
	}
}

// next is when to look again without being told.
func (c *Cluster) next() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Until(c.resyncs))
}

// look reads paper and group, and begins what follows from them.
func (c *Cluster) look(ctx context.Context, register *store.Register) (paper, group <-chan struct{}, err error) {
	var (
		p       store.Placement
		members []coordclient.Member
		buckets int
	)
	err = parallel.Do(
		func() (err error) { p, _, paper, err = c.d.Store.Placement(ctx); return err },
		func() (err error) { members, group, err = c.d.Port.Members(ctx); return err },
		func() (err error) { buckets, err = c.d.Store.Span(ctx); return err },
	)
	if err != nil {
		return nil, nil, err
	}
	c.seen(members)
	c.reconcile(&p, buckets) // first: to look at every bucket takes long where the store is busy
	if err := c.free(ctx, &p, register, buckets); err != nil {
		return nil, nil, err
	}
	return paper, group, nil
}

// seen takes in who is there.
func (c *Cluster) seen(members []coordclient.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range members {
		if m.ID.Node() == c.me.Node() {
			c.newest = m.ID // they are oldest first
		}
	}
	same := len(members) == len(c.alive)
	for _, m := range members {
		same = same && c.alive[m.ID]
	}
	if same {
		return
	}
	c.alive = make(map[coordclient.MemberID]bool, len(members))
	for _, m := range members {
		c.alive[m.ID] = true
	}
	close(c.regroup)
	c.regroup = make(chan struct{})
}

// reconcile begins to acquire and release what has to be, and tells how the
// member stands.
func (c *Cluster) reconcile(p *store.Placement, buckets int) {
	mine, amiss := 0, 0
	c.mu.Lock()
	owned := c.owned() // under mu: whoever has finished work is in it
	unfit := c.unfit()
	for b := range buckets {
		to, _ := p.Of(b)
		wanted := to == c.me && unfit == "" && c.known
		if to == c.me {
			mine++
		}
		w := c.work[b]
		switch {
		case w != nil && w.acquires && !wanted:
			w.cancel()
		case w != nil:
		case wanted && !owned[b]:
			c.acquire(b)
		case !wanted && owned[b]:
			c.release(b)
		}
		if wanted != owned[b] || c.work[b] != nil {
			amiss++
		}
	}
	placed := len(p.Buckets) == buckets && slices.Contains(p.Members, c.me)
	c.mu.Unlock()
	c.tell(func(s *Status) {
		s.Waiting, s.Unfit, s.Mine, s.Owned = "", unfit, mine, len(owned)
		if placed {
			s.Waiting = p.Waiting
		}
		s.Settled = placed && amiss == 0
	})
}

// free sets free, once in a while, what the store says is this member's but
// neither belongs to it nor is served: the rest of an acquisition that was given
// up. And it forgets nothing that was lost in silence.
func (c *Cluster) free(ctx context.Context, p *store.Placement, register *store.Register, buckets int) error {
	c.mu.Lock()
	due, all := !time.Now().Before(c.resyncs), c.resyncs.IsZero()
	c.mu.Unlock()
	if !due {
		return nil
	}
	if all {
		register.Forget()
	}
	holders, err := register.Holders(ctx, buckets, func(b int, h store.Holder) bool {
		to, _ := p.Of(b)
		return (h.Member == c.me) != (to == c.me)
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.resyncs = time.Now().Add(jittered(resync))
	var stray []int
	owned := c.owned()
	for b, h := range holders {
		if to, _ := p.Of(b); h.Member == c.me && to != c.me && !owned[b] && c.work[b] == nil {
			stray = append(stray, b)
		}
	}
	c.mu.Unlock()
	// Nobody else in this process acquires them meanwhile: only this goroutine
	// begins that.
	for _, b := range stray {
		freed, err := c.d.Store.Surrender(ctx, b)
		if err != nil {
			return err
		}
		if freed { // else it was released a moment ago
			c.d.Log.Info("bucket set free that was not served", "bucket", b)
		}
	}
	return nil
}

func (c *Cluster) owned() map[int]bool {
	owned := make(map[int]bool)
	for _, b := range c.d.Owner.Owned() {
		owned[b] = true
	}
	return owned
}
