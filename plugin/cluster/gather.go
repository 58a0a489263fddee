package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// view is all that a leader decides by.
type view struct {
	members        []coordclient.Member
	paper          store.Placement
	version        int64
	barrier        store.Barrier
	barrierVersion int64
	holders        []store.Holder
	empty          bool // none is there of those that the paper knows
	in             place.Input
}

// gather reads a view. It watches first and reads then. What does not depend on
// anything else is read at once: where the store is busy, each answer takes long.
func (r *reign) gather(ctx context.Context) (view, error) {
	var (
		v      view
		clocks map[coordclient.MemberID]time.Duration
		drains map[string]store.Drain
	)
	err := parallel.Do(
		func() (err error) { v.members, r.group, err = r.d.Port.Members(ctx); return err },
		func() (err error) { v.paper, v.version, _, err = r.d.Store.Placement(ctx); return err },
		func() (err error) { v.barrier, v.barrierVersion, r.lifted, err = r.d.Store.Barrier(ctx); return err },
		func() (err error) { clocks, err = r.d.Store.Clocks(ctx); return err },
		func() (err error) { drains, r.drained, err = r.d.Store.Drains(ctx); return err },
		func() error { return r.listen(ctx) },
		func() error { return r.readPlaces(ctx) },
	)
	if err != nil {
		return v, err
	}
	there := make(map[coordclient.MemberID]bool, len(v.members))
	for _, m := range v.members {
		there[m.ID] = true
	}
	if err = r.tidy(ctx, clocks, drains, there); err != nil {
		return v, err
	}
	ready := r.readyOf(v.members, clocks)
	err = parallel.Do(
		func() error { return r.readServices(ctx) },
		func() (err error) { v.holders, err = r.readHolders(ctx, &v.paper); return err },
	)
	if err != nil {
		return v, err
	}
	if err = r.recall(ctx, v.holders); err != nil {
		return v, err
	}
	v.empty = r.empty(&v)
	v.in = place.Input{Resolver: r.d.Resolver, Servers: r.d.Options.Servers, Share: r.d.Options.Share, Members: r.describe(ready, drains)}
	for b := range v.holders {
		placed, _ := v.paper.Of(b)
		bucket := place.Bucket{Load: r.loads[b].load, Placed: string(placed)}
		bucket.Resolver, bucket.Group = r.resolverFor(b)
		if owner := v.holders[b].Member; there[owner] {
			bucket.Owner = string(owner)
		}
		v.in.Buckets = append(v.in.Buckets, bucket)
	}
	return v, nil
}

// readHolders reads who holds each bucket.
func (r *reign) readHolders(ctx context.Context, paper *store.Placement) ([]store.Holder, error) {
	return r.register.Holders(ctx, r.named+store.LocationBuckets*len(r.places), func(b int, h store.Holder) bool {
		to, _ := paper.Of(b)
		return h.Member != to // it is on its way
	})
}

// tidy removes what members that are gone have left.
func (r *reign) tidy(ctx context.Context, clocks map[coordclient.MemberID]time.Duration, drains map[string]store.Drain, there map[coordclient.MemberID]bool) error {
	if err := r.sweep(ctx, clocks, there); err != nil {
		return err
	}
	for _, drain := range drains {
		if drain.Member != "" && !there[drain.Member] {
			return r.sweepDrains(ctx)
		}
	}
	return nil
}

// empty tells whether none is there of those that the paper knows, under its own
// name or that of a process which has joined again since: losing a session is
// not leaving.
func (r *reign) empty(v *view) bool {
	known := make(map[coordclient.MemberID]bool, len(v.paper.Members))
	for _, m := range v.paper.Members {
		known[m] = true
	}
	for _, m := range v.members {
		if known[m.ID] || slices.ContainsFunc(r.d.Formerly(m), func(f coordclient.MemberID) bool { return known[f] }) {
			return false
		}
	}
	return true
}

// sweep removes what members that are gone said of their clocks.
func (r *reign) sweep(ctx context.Context, clocks map[coordclient.MemberID]time.Duration, there map[coordclient.MemberID]bool) error {
	var now map[coordclient.MemberID]bool
	for m := range clocks {
		if there[m] {
			continue
		}
		// It may have joined since the group was read.
		var err error
		if now == nil {
			if now, err = r.present(ctx); err != nil {
				return err
			}
		}
		if now[m] {
			continue
		}
		if err = r.d.Store.SweepClock(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// present reads who is in the group.
func (r *reign) present(ctx context.Context) (map[coordclient.MemberID]bool, error) {
	members, _, err := r.d.Port.Members(ctx)
	if err != nil {
		return nil, err
	}
	now := make(map[coordclient.MemberID]bool, len(members))
	for _, m := range members {
		now[m.ID] = true
	}
	return now, nil
}

// candidate is a member with what it said of its clock.
type candidate struct {
	coordclient.Member
	skew time.Duration
}

// readyOf gives the members that have begun: of others nothing is known yet.
// They publish their services before, so those of a new one are read anew.
func (r *reign) readyOf(members []coordclient.Member, clocks map[coordclient.MemberID]time.Duration) []candidate {
	var all []candidate
	ready := make(map[coordclient.MemberID]bool)
	for _, m := range members {
		skew, ok := clocks[m.ID]
		if !ok {
			continue
		}
		all = append(all, candidate{m, skew})
		ready[m.ID] = true
		if !r.ready[m.ID] {
			r.services = nil
		}
	}
	r.ready = ready
	return all
}

// describe tells of members what placement has to know.
func (r *reign) describe(members []candidate, drains map[string]store.Drain) []place.Member {
	all := make([]place.Member, 0, len(members))
	for _, member := range members {
		node := member.ID.Node()
		m := r.d.Describe(member.Member)
		m.ID, m.Node = string(member.ID), node
		m.Services = r.services[node]
		if m.Services == nil {
			m.Services = map[string]bool{}
		}
		m.Unfit = off(member.skew)
		if drain, ok := drains[node]; ok && drain.Of(member.ID) {
			m.Unfit = "it is being drained"
			if drain.Reason != "" {
				m.Unfit += ": " + drain.Reason
			}
		}
		all = append(all, m)
	}
	return all
}

// sweepDrains takes back the drains of members that are gone. The group is read
// again after the drains, since a member may have joined in between.
func (r *reign) sweepDrains(ctx context.Context) error {
	return r.d.Store.SweepDrains(ctx, func(m coordclient.MemberID) bool {
		now, err := r.present(ctx)
		return err == nil && !now[m]
	})
}

// listen watches for what members announce, and forgets their services if there
// was an announcement.
func (r *reign) listen(ctx context.Context) error {
	select {
	case <-r.published:
	default:
		if r.published != nil {
			return nil
		}
	}
	published, err := r.d.Store.Announced(ctx)
	if err == nil {
		r.published, r.services = published, nil
	}
	return err
}

// readServices reads the catalogue, if it is known to have changed.
func (r *reign) readServices(ctx context.Context) error {
	if r.services != nil {
		return nil
	}
	return r.rereadServices(ctx)
}

func (r *reign) rereadServices(ctx context.Context) error {
	catalogue, err := r.d.Store.Catalogue(ctx)
	if err != nil {
		return err
	}
	services := make(map[string]map[string]bool)
	for _, s := range catalogue {
		if !r.d.Deployed(s) {
			continue
		}
		if services[s.Node] == nil {
			services[s.Node] = make(map[string]bool)
		}
		services[s.Node][s.Name] = true
	}
	r.services, r.readAt = services, time.Now()
	return nil
}
