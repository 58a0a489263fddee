package control

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/store"
)

// maxSkew is by how much a host's clock may be off (cluster.MaxSkew).
const maxSkew = 5 * time.Second

// nodes lists those in the group, oldest first, and after them, by name, those
// gone that something still points to: the placement, buckets, or a drain by an
// administrator.
func (g *group) nodes() []contract.NodeView {
	views := make([]contract.NodeView, 0, len(g.members))
	there := make(map[string]bool)
	for _, m := range g.members {
		there[m.ID.Node()] = true
		views = append(views, g.node(m))
	}
	gone := make(map[string]bool)
	for b := range g.holders {
		gone[g.holders[b].Member.Node()] = true
	}
	for node, d := range g.drains {
		gone[node] = gone[node] || d.Member == ""
	}
	for _, m := range g.paper.Members {
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

// node tells how a member stands.
func (g *group) node(m coordclient.Member) contract.NodeView {
	var info NodeInfo
	if len(m.Value) > 0 && json.Unmarshal(m.Value, &info) != nil {
		info = NodeInfo{State: "unreadable"}
	}
	v := contract.NodeView{
		Name: m.ID.Node(), Member: string(m.ID), Joined: contract.Moment(m.Joined), Version: info.Version, Address: info.Address,
		State: contract.NodeState(cmp.Or(info.State, string(contract.NodeHealthy))), Running: info.Running, Leader: g.leader == m.ID,
	}
	for b := range g.holders {
		if to, _ := g.paper.Of(b); to == m.ID {
			v.Placed++
		}
		if g.holders[b].Member == m.ID {
			v.Owned++
			v.Tasks += g.loads[b].Tasks
		}
	}
	skew := g.clocks[m.ID]
	v.SkewMS = skew.Milliseconds()
	if d, ok := g.drains[v.Name]; ok && d.Of(m.ID) {
		v.Drain = drainView(d)
	}
	g.stand(&v, skew)
	return v
}

// stand settles the state of a member, the most telling first.
func (g *group) stand(v *contract.NodeView, skew time.Duration) {
	switch {
	case v.State != contract.NodeHealthy:
	case g.prepared && !g.began(coordclient.MemberID(v.Member)):
		v.State, v.Reason = contract.NodeJoining, "it has not compared its clock yet"
	case v.Drain != nil && v.Drain.Stopping:
		v.State, v.Reason = contract.NodeStopping, v.Drain.Reason
	case v.Drain != nil:
		v.State, v.Reason = contract.NodeDraining, v.Drain.Text()
		if v.Owned == 0 && v.Placed == 0 {
			v.State = contract.NodeDrained
		}
	case skew.Abs() > maxSkew:
		v.State, v.Reason = contract.NodeClockOff, fmt.Sprintf("its clock is off by %s, %s are allowed: it owns nothing", skew, maxSkew)
	}
}

// goneNode tells of a node that is not in the group.
func (g *group) goneNode(node string) contract.NodeView {
	v := contract.NodeView{Name: node, State: contract.NodeGone, Reason: "it is not in the group"}
	for b := range g.holders {
		if g.holders[b].Member.Node() == node {
			v.Owned++
			v.Tasks += g.loads[b].Tasks
		}
	}
	if d, ok := g.drains[node]; ok && d.Member == "" {
		v.Drain = drainView(d)
		v.Reason += "; drained: " + v.Drain.Text()
	}
	return v
}

func drainView(d store.Drain) *contract.DrainView {
	return &contract.DrainView{Reason: d.Reason, By: d.By, At: contract.Moment(d.At), Stopping: d.Member != ""}
}
