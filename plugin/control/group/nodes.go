package group

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// MaxSkew is by how much a host's clock may be off (cluster.MaxSkew).
const MaxSkew = 5 * time.Second

// Nodes lists those in the group, oldest first, and after them, by name, those
// gone that something still points to: the placement, buckets, or a drain by an
// administrator.
func (g *Group) Nodes() []contract.NodeView {
	views := make([]contract.NodeView, 0, len(g.Members))
	there := make(map[string]bool)
	for _, m := range g.Members {
		there[m.ID.Node()] = true
		views = append(views, g.member(m))
	}
	gone := make(map[string]bool)
	for b := range g.Holders {
		gone[g.Holders[b].Member.Node()] = true
	}
	for node, d := range g.Drains {
		gone[node] = gone[node] || d.Member == ""
	}
	for _, m := range g.Paper.Members {
		gone[m.Node()] = true
	}
	var names []string
	for node, is := range gone {
		if is && node != "" && !there[node] {
			names = append(names, node)
		}
	}
	slices.Sort(names)
	for _, node := range names {
		views = append(views, g.goneNode(node))
	}
	return views
}

// member tells how a member stands.
func (g *Group) member(m coordclient.Member) contract.NodeView {
	var info contract.NodeInfo
	if len(m.Value) > 0 && json.Unmarshal(m.Value, &info) != nil {
		info = contract.NodeInfo{State: "unreadable"}
	}
	v := contract.NodeView{
		Name: m.ID.Node(), Member: string(m.ID), Joined: contract.Moment(m.Joined), Version: info.Version, Address: info.Address,
		State: contract.NodeState(cmp.Or(info.State, string(contract.NodeHealthy))), Reason: info.Reason, Running: info.Running, Leader: g.Leader == m.ID,
	}
	for b := range g.Holders {
		if to, _ := g.Paper.Of(b); to == m.ID {
			v.Placed++
		}
		if g.Holders[b].Member == m.ID {
			v.Owned++
			v.Tasks += g.Loads[b].Tasks
		}
	}
	skew := g.Clocks[m.ID]
	v.SkewMS = skew.Milliseconds()
	if d, ok := g.Drains[v.Name]; ok && d.Of(m.ID) {
		v.Drain = DrainView(d)
	}
	g.stand(&v, skew)
	return v
}

// stand settles the state of a member, the most telling first.
func (g *Group) stand(v *contract.NodeView, skew time.Duration) {
	switch {
	case v.State != contract.NodeHealthy:
	case g.Prepared && !g.began(coordclient.MemberID(v.Member)):
		v.State, v.Reason = contract.NodeJoining, "it has not compared its clock yet"
	case v.Drain != nil && v.Drain.Stopping:
		v.State, v.Reason = contract.NodeStopping, v.Drain.Reason
	case v.Drain != nil:
		v.State, v.Reason = contract.NodeDraining, v.Drain.Text()
		if v.Owned == 0 && v.Placed == 0 {
			v.State = contract.NodeDrained
		}
	case skew.Abs() > MaxSkew:
		v.State, v.Reason = contract.NodeClockOff, fmt.Sprintf("its clock is off by %s, %s are allowed: it owns nothing", skew, MaxSkew)
	}
}

// goneNode tells of a node that is not in the group.
func (g *Group) goneNode(node string) contract.NodeView {
	v := contract.NodeView{Name: node, State: contract.NodeGone, Reason: "it is not in the group"}
	for b := range g.Holders {
		if g.Holders[b].Member.Node() == node {
			v.Owned++
			v.Tasks += g.Loads[b].Tasks
		}
	}
	if d, ok := g.Drains[node]; ok && d.Member == "" {
		v.Drain = DrainView(d)
		v.Reason += "; drained: " + v.Drain.Text()
	}
	return v
}

// DrainView shows a drain.
func DrainView(d store.Drain) *contract.DrainView {
	return &contract.DrainView{Reason: d.Reason, By: d.By, At: contract.Moment(d.At), Stopping: d.Member != ""}
}

// Node tells of one node, also of one that is gone, as far as Nodes does; of a name
// that is there twice, of the newest. Code: not_found.
func (g *Group) Node(name string) (contract.NodeView, error) {
	all := g.Nodes()
	var names []string
	found := -1
	for i, v := range all {
		names = append(names, v.Name)
		if v.Name == name {
			found = i
		}
	}
	if found < 0 {
		return contract.NodeView{}, &failure.Error{Code: failure.CodeNotFound, Message: "there is no node " + name, Hint: cmp.Or(failure.Nearest(name, names), "see node list")}
	}
	return all[found], nil
}
