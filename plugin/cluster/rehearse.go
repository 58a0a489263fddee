package cluster

import (
	"slices"

	"github.com/seed42aab489/belfry/plugin/place"
)

// Rehearse places the buckets as this member would as the leader, were the nodes
// named gone: by what it gathered last and by the same code, and it commits
// nothing. In is what was placed, without them. False: this member does not lead.
func (c *Cluster) Rehearse(without []string) (in place.Input, plan place.Plan, leads bool) {
	gathered := c.gathered.Load()
	if gathered == nil {
		return in, plan, false
	}
	in = *gathered
	in.Members = slices.DeleteFunc(slices.Clone(in.Members), func(m place.Member) bool { return slices.Contains(without, m.Node) })
	there := make(map[string]bool, len(in.Members))
	for i := range in.Members {
		there[in.Members[i].ID] = true
	}
	in.Buckets = slices.Clone(in.Buckets)
	for b := range in.Buckets {
		if !there[in.Buckets[b].Owner] {
			in.Buckets[b].Owner = ""
		}
	}
	return in, place.Place(in), true
}
