package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// readers bounds the reads that one call makes at once.
const readers = 32

// group is the hosts and what is said of them, as one look tells it. What was
// not prepared yet, or not written, is empty.
type group struct {
	cluster store.Cluster
	members []coordclient.Member // oldest first
	live    map[coordclient.MemberID]bool
	paper   store.Placement
	holders []store.Holder // by bucket
	loads   []place.Load   // by bucket, as a leader has surveyed it
	drains  map[string]store.Drain
	clocks  map[coordclient.MemberID]time.Duration // how far each is ahead of the store's, at least
	barrier store.Barrier
	// prepared: hosts that place buckets have been here.
	prepared bool
	leader   coordclient.MemberID
	term     int64
}

// group looks at the group.
func (c *Control) group(ctx context.Context) (*group, error) {
	g := &group{live: make(map[coordclient.MemberID]bool)}
	var err error
	if g.cluster, err = c.store.Cluster(ctx); err != nil {
		return nil, err
	}
	buckets, err := c.store.Span(ctx)
	if err != nil {
		return nil, err
	}
	g.loads = make([]place.Load, buckets)
	if g.members, _, err = c.members.Members(ctx); err != nil {
		return nil, err
	}
	for _, m := range g.members {
		g.live[m.ID] = true
	}
	return g, together(
		func() (err error) { g.holders, err = c.store.Holders(ctx); return err },
		func() (err error) { g.clocks, err = c.store.Clocks(ctx); return err },
		func() (err error) { g.paper, _, _, err = c.store.Placement(ctx); return unlessMissing(err) },
		func() (err error) { g.drains, _, err = c.store.Drains(ctx); return unlessMissing(err) },
		func() (err error) { g.leader, g.term, err = c.store.Leader(ctx); return unlessMissing(err) },
		func() (err error) {
			g.barrier, _, _, err = c.store.Barrier(ctx)
			g.prepared = err == nil
			return unlessMissing(err)
		},
		func() error { return c.surveys(ctx, g.loads) },
	)
}

// unlessMissing lets pass that nobody has prepared a record yet.
func unlessMissing(err error) error {
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil
	}
	return err
}

// surveys reads what the leader has counted. A survey of another format counts
// for nothing.
func (c *Control) surveys(ctx context.Context, loads []place.Load) error {
	f := make([]func() error, 0, readers)
	for first := range min(readers, len(loads)) {
		f = append(f, func() error {
			for b := first; b < len(loads); b += readers {
				s, ok, err := c.store.Survey(ctx, b)
				if err != nil {
					return err
				}
				var kept place.Survey
				if ok && json.Unmarshal(s.Data, &kept) == nil {
					loads[b] = kept.Load
				}
			}
			return nil
		})
	}
	return together(f...)
}

// began tells whether a member has compared its clock, without which the leader
// does not count it.
func (g *group) began(m coordclient.MemberID) bool {
	_, ok := g.clocks[m]
	return ok
}

// present counts the different nodes that have begun.
func (g *group) present() int {
	nodes := make(map[string]bool)
	for _, m := range g.members {
		if g.began(m.ID) {
			nodes[m.ID.Node()] = true
		}
	}
	return len(nodes)
}

// waiting says why nothing is placed at all; empty: nothing waits.
func (g *group) waiting() string {
	switch {
	case len(g.members) == 0:
		return "no host is up"
	case !g.prepared || g.barrier.Open:
		return ""
	case g.barrier.Servers < 2, g.barrier.Lifted:
		return "waiting for a leader"
	}
	return fmt.Sprintf("waiting for servers: %d of %d", g.present(), g.barrier.Servers)
}

// owner is the living member that owns a bucket; empty: nobody.
func (g *group) owner(b int) coordclient.MemberID {
	if m := g.holders[b].Member; g.live[m] {
		return m
	}
	return ""
}

// lead tells who leads.
func (g *group) lead() contract.LeaderView {
	return contract.LeaderView{Node: g.leader.Node(), Member: string(g.leader), Term: g.term, Present: g.live[g.leader]}
}

func (g *group) barrierView() contract.BarrierView {
	b := g.barrier
	return contract.BarrierView{
		Open: b.Open, Servers: b.Servers, Present: g.present(), WithinMS: b.WithinMS, Since: contract.Moment(b.Since),
		Lifted: b.Lifted, LiftedBy: b.LiftedBy,
	}
}

// placed counts the buckets.
func (g *group) placed() contract.PlacedView {
	v := contract.PlacedView{Buckets: len(g.holders)}
	for b := range g.holders {
		to, _ := g.paper.Of(b)
		switch {
		case to == "" || !g.live[to]:
			v.Unplaced++
		case g.owner(b) == to:
			v.Settled++
		default:
			v.Moving++
		}
	}
	return v
}

// nowhere says why a bucket has no place; empty: it has one.
func (g *group) nowhere(b int) string {
	to, why := g.paper.Of(b)
	switch {
	case to == "" && g.waiting() != "":
		return g.waiting()
	case to != "" && !g.live[to]:
		return "node " + to.Node() + " is gone, and no leader has placed it elsewhere yet"
	}
	return why
}
