package place

import (
	"fmt"
	"slices"
	"strings"
)

// reach is where something may be.
type reach struct {
	members []int  // ascending
	why     string // if there are none
	apart   bool   // because the demands have no member in common
}

func (r reach) of(member int) bool {
	_, ok := slices.BinarySearch(r.members, member)
	return ok
}

// reachOf is where a bucket may be.
func (p *planner) reachOf(b int) reach {
	demands, group := p.in.Buckets[b].Load.Demands, p.in.Buckets[b].Group
	var key strings.Builder
	key.WriteString(group)
	for _, d := range demands {
		fmt.Fprintf(&key, "%q%q", d.Class, d.Service)
	}
	r, ok := p.reaches[key.String()]
	if !ok {
		r = p.common(b, demands)
		p.reaches[key.String()] = r
	}
	return r
}

// common is where all demands of bucket b may be met at once.
func (p *planner) common(b int, demands []Demand) reach {
	if len(p.usable) == 0 {
		return reach{why: p.nobody()}
	}
	all := reach{members: p.usable}
	var met []Demand
	for _, d := range demands {
		r := p.meet(b, d)
		if len(r.members) == 0 {
			return r
		}
		both := all.both(r)
		if len(both) == 0 {
			return reach{why: p.clash(b, met, d), apart: true}
		}
		all.members = both
		met = append(met, d)
	}
	return all
}

func (r reach) both(other reach) []int {
	var both []int
	for _, m := range r.members {
		if other.of(m) {
			both = append(both, m)
		}
	}
	return both
}

// clash says which earlier demand cannot be met together with d, or that it is
// all of them.
func (p *planner) clash(b int, met []Demand, d Demand) string {
	for _, other := range met {
		if len(p.meet(b, other).both(p.meet(b, d))) == 0 {
			return fmt.Sprintf("tasks of this bucket need different members: %s is on %s, %s on %s",
				other, p.names(p.meet(b, other)), d, p.names(p.meet(b, d)))
		}
	}
	return fmt.Sprintf("no member meets all %d demands of the tasks in this bucket", len(met)+1)
}

func (p *planner) names(r reach) string {
	const most = 3
	var names []string
	for _, m := range r.members[:min(len(r.members), most)] {
		names = append(names, p.in.Members[m].Node)
	}
	if len(r.members) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// nobody says why no member at all may own anything.
func (p *planner) nobody() string {
	if len(p.in.Members) == 0 {
		return "no member is there"
	}
	for i := range p.in.Members {
		if m := &p.in.Members[i]; m.Unfit != "" {
			return fmt.Sprintf("no member may own it: node %s: %s", m.Node, m.Unfit)
		}
	}
	return "no member may own it"
}

// meet is where one demand of bucket b may be met.
func (p *planner) meet(b int, d Demand) reach {
	key := grouped{p.in.Buckets[b].Group, d}
	r, ok := p.demands[key]
	if !ok {
		r = p.locate(p.resolver(b), d)
		p.demands[key] = r
	}
	return r
}

func (p *planner) locate(resolver Resolver, d Demand) reach {
	var (
		with    []int
		members []Member
	)
	for _, i := range p.usable {
		if m := p.in.Members[i]; d.Service == "" || m.Services == nil || m.Services[d.Service] {
			with, members = append(with, i), append(members, m)
		}
	}
	if len(with) == 0 {
		// Deployed nowhere, it is as good anywhere: its firings then leave a record
		// of what is missing, and are retried, where an unplaced task would be silent.
		for _, i := range p.usable {
			with, members = append(with, i), append(members, p.in.Members[i])
		}
	}
	where, why := resolver.Locate(d.Class, members)
	var r reach
	for _, i := range where {
		if i >= 0 && i < len(with) {
			r.members = append(r.members, with[i])
		}
	}
	slices.Sort(r.members)
	r.members = slices.Compact(r.members)
	if len(r.members) == 0 {
		r.why = why
		if why == "" {
			r.why = "the location resolver gives no member"
		}
	}
	return r
}
