package place

import (
	"fmt"
	"slices"
	"strings"
)

// Member is a host, as far as placement is concerned.
type Member struct {
	// ID is "<node>.<incarnation>".
	ID   string
	Node string
	// Addresses are the host's name, its IP addresses and its canonical name:
	// what address patterns match.
	Addresses []string
	// Labels: the value of LabelIdentifier counts as an address.
	Labels map[string]string
	// Weight is the share of load it takes; below 1: 1.
	Weight int
	// Services are those deployed, by name. Nil: not known, taken as all.
	Services map[string]bool
	// Unfit says why it may own nothing; empty: it may.
	Unfit string
}

// LabelIdentifier is the label by which the original names a member in rules.
const LabelIdentifier = "localMemberIdentifier"

func (m *Member) weight() int64 { return int64(max(m.Weight, 1)) }

// Bucket is a unit of ownership, with what is known of it.
type Bucket struct {
	Load Load
	// Placed is the member that it was placed on last; empty: nobody.
	Placed string
	// Owner is the living member that owns it now; empty: nobody.
	Owner string
	// Open: it has claims without an end, so it is not moved for balance.
	Open bool
	// Resolver says where its tasks may be; nil: Input.Resolver. Group names it:
	// buckets of one group have the same. Empty: that of the Input.
	Resolver Resolver
	Group    string
}

// Input is all that a plan depends on.
type Input struct {
	Members  []Member // oldest first
	Buckets  []Bucket // by number
	Resolver Resolver // nil: RoundRobin
	// Servers is how many different nodes there must be; 0: any number.
	Servers int
	// Share of the buckets that may be on their way for balance at once; at
	// least one is. Zero: DefaultShare.
	Share float64
}

// DefaultShare is the share of the buckets that may move for balance at once.
const DefaultShare = 0.125

// Assignment is where a bucket belongs.
type Assignment struct {
	Member string // empty: nowhere
	Why    string // why nowhere
	// Apart: there are members for each of its tasks, but none for all of them.
	Apart bool
}

// Plan is a placement.
type Plan struct {
	Assignments []Assignment // by bucket
	// Waiting is why nothing is placed at all; empty: something may be.
	Waiting string
	// Moved lists the buckets that are taken, for balance, from a member that
	// could keep them.
	Moved []int
	// Underway counts the buckets whose owner is not yet, or not any more, the
	// member that they belong to.
	Underway int
}

// Place decides.
func Place(in Input) Plan {
	if in.Resolver == nil {
		in.Resolver = RoundRobin{}
	}
	if have := Nodes(in.Members); have < in.Servers {
		return waiting(len(in.Buckets), fmt.Sprintf("waiting for servers: %d of %d", have, in.Servers))
	}
	p := newPlanner(in)
	p.keep()
	p.settle()
	p.even()
	return p.plan()
}

// Nodes counts the different nodes among members: a node that was restarted
// quickly is there twice for a while, and counts once.
func Nodes(members []Member) int {
	nodes := make(map[string]bool, len(members))
	for i := range members {
		nodes[members[i].Node] = true
	}
	return len(nodes)
}

func waiting(buckets int, why string) Plan {
	p := Plan{Assignments: make([]Assignment, buckets), Waiting: why}
	for b := range p.Assignments {
		p.Assignments[b].Why = why
	}
	return p
}

// nowhere is the place of a bucket without one.
const nowhere = -1

// grouped is a demand under the resolver of a group.
type grouped struct {
	group string
	Demand
}

// planner works on members by their index.
type planner struct {
	in       Input
	byID     map[string]int
	newest   map[string]int // the newest incarnation of each node
	usable   []int          // those that may own something
	demands  map[grouped]reach
	reaches  map[string]reach // by the demands of a bucket
	reach    []reach          // by bucket
	kinds    []SpreadKind     // by bucket
	place    []int            // by bucket
	settled  []bool           // by bucket: it stayed where it was, and is owned there
	load     []int64          // by member
	empty    []int64          // by member: how many buckets without tasks
	moved    []int
	underway int // moves that are not done yet
}

func (p *planner) resolver(b int) Resolver {
	if r := p.in.Buckets[b].Resolver; r != nil {
		return r
	}
	return p.in.Resolver
}

func newPlanner(in Input) *planner {
	p := &planner{
		in:   in,
		byID: make(map[string]int), newest: make(map[string]int),
		demands: make(map[grouped]reach), reaches: make(map[string]reach),
		reach: make([]reach, len(in.Buckets)), place: make([]int, len(in.Buckets)), kinds: make([]SpreadKind, len(in.Buckets)), settled: make([]bool, len(in.Buckets)),
		load: make([]int64, len(in.Members)), empty: make([]int64, len(in.Members)),
	}
	for i := range in.Members {
		m := &in.Members[i]
		p.byID[m.ID], p.newest[m.Node] = i, i
	}
	for i := range in.Members {
		if m := &in.Members[i]; m.Unfit == "" && p.newest[m.Node] == i {
			p.usable = append(p.usable, i)
		}
	}
	for b := range in.Buckets {
		p.reach[b], p.kinds[b] = p.reachOf(b), p.resolver(b).Spread().Kind
	}
	return p
}

// keep leaves buckets where they are and may stay.
func (p *planner) keep() {
	for b := range p.in.Buckets {
		p.place[b] = nowhere
		bucket := &p.in.Buckets[b]
		at, ok := p.home(bucket.Placed)
		if !ok || !p.reach[b].of(at) {
			continue
		}
		p.put(b, at)
		p.settled[b] = bucket.Owner == p.in.Members[at].ID
	}
}

// home is the present incarnation of the member's node.
func (p *planner) home(member string) (int, bool) {
	if member == "" {
		return 0, false
	}
	node := member
	if dot := strings.LastIndexByte(member, '.'); dot >= 0 {
		node = member[:dot]
	}
	if i, ok := p.byID[member]; ok {
		node = p.in.Members[i].Node
	}
	i, ok := p.newest[node]
	return i, ok
}

func (p *planner) put(b, member int) {
	load, l := p.scale(b)
	if from := p.place[b]; from != nowhere {
		load[from] -= l
	}
	p.place[b] = member
	load[member] += l
}

// scale is what a bucket is balanced on, and what it weighs there: load, or the
// number of empty buckets. Were they on one scale, every empty bucket would be
// moved to whichever member has a little less to do.
func (p *planner) scale(b int) (by []int64, weight int64) {
	if p.vacant(b) {
		return p.empty, 1
	}
	return p.load, p.in.Buckets[b].Load.weight()
}

func (p *planner) vacant(b int) bool { return p.in.Buckets[b].Load.weight() == 0 }

func (p *planner) plan() Plan {
	plan := Plan{Assignments: make([]Assignment, len(p.place)), Moved: p.moved, Underway: p.underway + len(p.moved)}
	for b, at := range p.place {
		if at == nowhere {
			plan.Assignments[b].Why, plan.Assignments[b].Apart = p.reach[b].why, p.reach[b].apart
		} else {
			plan.Assignments[b].Member = p.in.Members[at].ID
		}
	}
	return plan
}

// homeless lists the buckets without a place that may have one, the heaviest
// first.
func (p *planner) homeless() []int {
	var list []int
	for b, at := range p.place {
		if at == nowhere && len(p.reach[b].members) > 0 {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int {
		wa, wb := p.in.Buckets[a].Load.weight(), p.in.Buckets[b].Load.weight()
		switch {
		case wa > wb:
			return -1
		case wa < wb:
			return 1
		}
		return 0
	})
	return list
}
