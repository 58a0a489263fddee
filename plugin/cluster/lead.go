package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// stand stands for the lead until loops ends.
func (c *Cluster) stand() {
	for pause := minPause; c.loops.Err() == nil; pause = min(2*pause, maxPause) {
		err := c.d.Port.Lead(c.loops, role, func(ctx context.Context, term coordclient.Term) error {
			pause = minPause
			c.reign(ctx, int64(term))
			return nil
		})
		if c.loops.Err() == nil {
			c.d.Log.Debug("not standing for the lead", "err", err, "again_in", pause)
			wait(c.loops, pause)
		}
	}
}

// reign leads until ctx ends or the lead is taken by another.
func (c *Cluster) reign(ctx context.Context, term int64) {
	log := c.d.Log.With("term", term)
	lead, err := c.takeLead(ctx, term)
	if err != nil {
		log.Warn("lead not taken", "err", err)
		wait(ctx, maxPause)
		return
	}
	log.Info("leading")
	c.tell(func(s *Status) { s.Leading = true })
	defer c.tell(func(s *Status) { s.Leading = false })
	defer c.gathered.Store(nil)
	r := &reign{Cluster: c, lead: lead, register: c.d.Store.Register()}
	var told time.Time // that nothing could be placed
	for pause, idle := minPause, pace; ctx.Err() == nil; {
		busy, err := r.round(ctx)
		switch {
		case errors.Is(err, store.ErrDeposed):
			log.Info("not leading any more", "err", err)
			return
		case err != nil:
			if ctx.Err() == nil && time.Since(told) > retell {
				log.Warn("buckets not placed", "err", err)
				told = time.Now()
			}
			wait(ctx, pause)
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		if idle = min(2*idle, poll); busy {
			idle = pace
		}
		r.rest(ctx, idle)
	}
}

func (c *Cluster) takeLead(ctx context.Context, term int64) (store.Lead, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		lead, err := c.d.Store.TakeLead(ctx, term)
		if err == nil || errors.Is(err, store.ErrDeposed) || ctx.Err() != nil {
			return lead, err
		}
		wait(ctx, pause)
	}
}

// reign is one term of leadership, with what it found out so far. One goroutine
// uses it.
type reign struct {
	*Cluster
	lead     store.Lead
	register *store.Register
	// Closed when the group, the drains, the barrier, a catalogue or the places may
	// have changed; nil: nothing to wait for.
	group, drained, lifted, published, another <-chan struct{}

	ready    map[coordclient.MemberID]bool
	services map[string]map[string]bool // by node
	readAt   time.Time                  // when they were
	loads    []survey                   // by bucket
	// Of measuring buckets again: how many definitions may be read, as of when, and
	// whose turn it is.
	allowance int
	allowed   time.Time
	next      int

	named     int // buckets of tasks by their names
	places    []store.Place
	resolvers []place.Resolver // by place
}

// rest waits until there may be something to decide.
func (r *reign) rest(ctx context.Context, at time.Duration) {
	timer := time.NewTimer(jittered(at))
	defer timer.Stop()
	select {
	case <-r.group:
	case <-r.drained:
	case <-r.lifted:
	case <-r.published:
	case <-r.another:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// untilCalled gives a context that ends when there may be something to decide.
func (r *reign) untilCalled(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	group, drained, lifted, published, another := r.group, r.drained, r.lifted, r.published, r.another
	go func() { // ends with ctx
		defer cancel()
		select {
		case <-group:
		case <-drained:
		case <-lifted:
		case <-published:
		case <-another:
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// round looks at everything, decides, and commits what has changed. True: there
// is more to do soon.
func (r *reign) round(ctx context.Context) (bool, error) {
	v, err := r.gather(ctx)
	if err != nil {
		return false, err
	}
	if len(v.in.Members) == 0 {
		return false, nil // nobody has begun, this member neither
	}
	barrier, pass := r.barrier(&v)
	if pass {
		v.in.Servers = 0
	}
	r.gathered.Store(&v.in)
	plan, err := r.decide(ctx, v.in)
	if err != nil {
		return false, err
	}
	next := store.Placement{Waiting: plan.Waiting}
	for i := range v.in.Members {
		next.Members = append(next.Members, coordclient.MemberID(v.in.Members[i].ID))
	}
	for _, a := range plan.Assignments {
		next.Assign(coordclient.MemberID(a.Member), a.Why)
	}
	changed := barrier != nil || !same(&v.paper, &next)
	if changed {
		d := store.Decision{Placement: next, Version: v.version, Barrier: barrier, BarrierVersion: v.barrierVersion}
		if err := r.d.Store.Decide(ctx, r.lead, d); err != nil {
			return false, err
		}
		r.d.Log.Info("placed", "term", r.lead.Term, "members", len(v.in.Members), "moved", len(plan.Moved), "underway", plan.Underway, "waiting", plan.Waiting)
	}
	learnt, err := r.learn(ctx, v.holders)
	if err != nil {
		return changed, err
	}
	sorted, err := r.sort(ctx, &v, &plan)
	return changed || learnt || sorted, err
}

// inquiry bounds for how long a leader asks, in one round, which buckets have open
// claims. Where much is claimed that takes long, and somebody may want to leave.
const inquiry = 250 * time.Millisecond

// decide plans, and plans again without those that must not be moved because
// they have open claims, or for which there is no time to ask.
func (r *reign) decide(ctx context.Context, in place.Input) (place.Plan, error) {
	asked := make(map[int]bool)
	in.Buckets = slices.Clone(in.Buckets) // others may look at what was gathered
	within, cancel := context.WithTimeout(ctx, inquiry)
	defer cancel()
	for {
		plan := place.Place(in)
		again := false
		for _, b := range plan.Moved {
			if asked[b] {
				continue
			}
			asked[b] = true
			open, err := r.d.Store.Open(within, b)
			if errors.Is(err, coordclient.ErrUnavailable) && within.Err() == nil {
				return plan, err
			}
			// What cannot be read may be anything: it stays where it is.
			in.Buckets[b].Open = open || err != nil
			again = again || in.Buckets[b].Open
		}
		if !again {
			return plan, nil
		}
		if within.Err() != nil {
			for b := range in.Buckets {
				in.Buckets[b].Open = in.Buckets[b].Open || !asked[b]
			}
		}
	}
}

// barrier is what the barrier has to become; nil: what it is. And whether
// anything may be placed.
func (r *reign) barrier(v *view) (*store.Barrier, bool) {
	was := v.barrier
	now := store.Barrier{Servers: r.d.Options.Servers, WithinMS: r.d.Options.ServersWithin.Milliseconds(), Lifted: was.Lifted, LiftedBy: was.LiftedBy}
	if was.Open {
		if !v.empty {
			return nil, true
		}
		now.Lifted, now.LiftedBy = false, "" // it closes
	}
	waited := !was.Open && now.WithinMS > 0 && was.WithinMS == now.WithinMS &&
		r.d.Now().Sub(was.Since).Milliseconds() >= now.WithinMS
	now.Open = place.Nodes(v.in.Members) >= now.Servers || now.Lifted || waited
	if now.Open == was.Open && !now.Open && now.Servers == was.Servers && now.WithinMS == was.WithinMS {
		return nil, false
	}
	return &now, now.Open
}

// same tells whether two placements say the same.
func same(a, b *store.Placement) bool {
	if a.Waiting != b.Waiting || len(a.Buckets) != len(b.Buckets) || len(a.Members) != len(b.Members) {
		return false
	}
	for i, m := range a.Members {
		if m != b.Members[i] {
			return false
		}
	}
	for i := range a.Buckets {
		ma, wa := a.Of(i)
		mb, wb := b.Of(i)
		if ma != mb || wa != wb {
			return false
		}
	}
	return true
}

// describe names a resolver with its settings.
func describe(r place.Resolver) string { return fmt.Sprintf("%T %v", r, r) }
