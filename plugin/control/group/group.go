package group

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Group is the hosts and what is said of them, as one look tells it. What was
// not prepared yet, or not written, is empty.
type Group struct {
	Cluster store.Cluster
	Members []coordclient.Member // oldest first
	Live    map[coordclient.MemberID]bool
	Paper   store.Placement
	Holders []store.Holder // by bucket
	Loads   []place.Load   // by bucket, as a leader has surveyed it
	Drains  map[string]store.Drain
	Clocks  map[coordclient.MemberID]time.Duration // how far each is ahead of the store's, at least
	Barrier store.Barrier
	// Prepared: hosts that place buckets have been here.
	Prepared bool
	Leader   coordclient.MemberID
	Term     int64
}

// Name says where the group is, as a host says; "standalone": none does.
func (g *Group) Name() string {
	for _, m := range g.Members {
		var info contract.NodeInfo
		if json.Unmarshal(m.Value, &info) == nil && info.Cluster != "" {
			return info.Cluster
		}
	}
	return "standalone"
}

// View is the group without its tasks, by a name that says where it is. Of how
// long the store goes on it tells nothing.
func (g *Group) View(name string) contract.ClusterView {
	nodes := make(map[string]bool)
	for _, m := range g.Members {
		nodes[m.ID.Node()] = true
	}
	return contract.ClusterView{
		Cluster: name, UUID: g.Cluster.UUID, Nodes: len(nodes), Waiting: g.Waiting(),
		Leader: g.Lead(), Barrier: g.BarrierView(), PlacedView: g.Placed(),
	}
}

// began tells whether a member has compared its clock, without which the leader
// does not count it.
func (g *Group) began(m coordclient.MemberID) bool {
	_, ok := g.Clocks[m]
	return ok
}

// present counts the different nodes that have begun.
func (g *Group) present() int {
	nodes := make(map[string]bool)
	for _, m := range g.Members {
		if g.began(m.ID) {
			nodes[m.ID.Node()] = true
		}
	}
	return len(nodes)
}

// Waiting says why nothing is placed at all; empty: nothing waits.
func (g *Group) Waiting() string {
	switch {
	case len(g.Members) == 0:
		return "no host is up"
	case !g.Prepared || g.Barrier.Open:
		return ""
	case g.Barrier.Servers < 2, g.Barrier.Lifted:
		return "waiting for a leader"
	}
	return fmt.Sprintf("waiting for servers: %d of %d", g.present(), g.Barrier.Servers)
}

// owner is the living member that owns a bucket; empty: nobody.
func (g *Group) owner(b int) coordclient.MemberID {
	if m := g.Holders[b].Member; g.Live[m] {
		return m
	}
	return ""
}

// Lead tells who leads.
func (g *Group) Lead() contract.LeaderView {
	return contract.LeaderView{Node: g.Leader.Node(), Member: string(g.Leader), Term: g.Term, Present: g.Live[g.Leader]}
}

// BarrierView shows the start-up barrier.
func (g *Group) BarrierView() contract.BarrierView {
	b := g.Barrier
	return contract.BarrierView{
		Open: b.Open, Servers: b.Servers, Present: g.present(), WithinMS: b.WithinMS, Since: contract.Moment(b.Since),
		Lifted: b.Lifted, LiftedBy: b.LiftedBy,
	}
}

// Placed counts the buckets.
func (g *Group) Placed() contract.PlacedView {
	v := contract.PlacedView{Buckets: len(g.Holders)}
	for b := range g.Holders {
		to, _ := g.Paper.Of(b)
		switch {
		case to == "" || !g.Live[to]:
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
func (g *Group) nowhere(b int) string {
	to, why := g.Paper.Of(b)
	switch {
	case to == "" && g.Waiting() != "":
		return g.Waiting()
	case to != "" && !g.Live[to]:
		return "node " + to.Node() + " is gone, and no leader has placed it elsewhere yet"
	}
	return why
}
