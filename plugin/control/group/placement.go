package group

import (
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// Placement tells where the buckets are.
func (g *Group) Placement() contract.PlacementView {
	v := contract.PlacementView{Term: g.Paper.Term, Waiting: g.Waiting(), PlacedView: g.Placed(), Members: []contract.PlacedMemberView{}, Without: []contract.UnplacedView{}}
	at := make(map[coordclient.MemberID]int)
	member := func(id coordclient.MemberID) *contract.PlacedMemberView {
		i, ok := at[id]
		if !ok {
			i = len(v.Members)
			at[id] = i
			v.Members = append(v.Members, contract.PlacedMemberView{Node: id.Node(), Member: string(id), Present: g.Live[id]})
		}
		return &v.Members[i]
	}
	for _, m := range g.Members {
		member(m.ID)
	}
	for b := range g.Holders {
		if owner := g.Holders[b].Member; owner != "" {
			member(owner).Owned++
		}
		to, _ := g.Paper.Of(b)
		if why := g.nowhere(b); why != "" {
			unplaced(&v, why, b, g.Loads[b].Tasks)
			continue
		}
		m := member(to)
		m.Placed++
		m.Tasks += g.Loads[b].Tasks
		m.PerMinute += g.Loads[b].PerMinute
	}
	return v
}

func unplaced(v *contract.PlacementView, why string, b, tasks int) {
	i := slices.IndexFunc(v.Without, func(u contract.UnplacedView) bool { return u.Reason == why })
	if i < 0 {
		i = len(v.Without)
		v.Without = append(v.Without, contract.UnplacedView{Reason: why})
	}
	v.Without[i].Buckets = append(v.Without[i].Buckets, b)
	v.Without[i].Tasks += tasks
}

// Buckets tells where each bucket is.
func (g *Group) Buckets() []contract.BucketView {
	views := make([]contract.BucketView, 0, len(g.Holders))
	for b := range g.Holders {
		v := contract.BucketView{Bucket: b, Owner: g.owner(b).Node(), Reason: g.nowhere(b), Tasks: g.Loads[b].Tasks}
		if v.Reason == "" {
			to, _ := g.Paper.Of(b)
			v.Node = to.Node()
		}
		views = append(views, v)
	}
	return views
}
