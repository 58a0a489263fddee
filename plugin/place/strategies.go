package place

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// anywhere are all indices of members.
func anywhere(members []Member) []int {
	all := make([]int, len(members))
	for i := range all {
		all[i] = i
	}
	return all
}

// RoundRobin shares tasks out evenly by load, for the weight of members (WSO2:
// RoundRobinTaskLocationResolver; MI: RoundRobinResolver).
type RoundRobin struct{}

func newRoundRobin(properties []Property) (Resolver, error) {
	if len(properties) == 0 {
		return RoundRobin{}, nil
	}
	if p := properties[0]; p.Name != "task_server_count" {
		return nil, unknown(p)
	}
	return nil, errors.New(`property "task_server_count" belongs elsewhere: set taskServerCount, or -Dtask.server.count`)
}

// Class is one for all.
func (RoundRobin) Class(task.Key) string { return "" }

// Locate gives all members.
func (RoundRobin) Locate(_ string, members []Member) (where []int, why string) {
	return anywhere(members), ""
}

// Spread is Balanced.
func (RoundRobin) Spread() Spread { return Spread{} }

// Random puts each bucket on a member drawn for it, and leaves it there (WSO2:
// RandomTaskLocationResolver).
type Random struct {
	RoundRobin
	Seed uint64 // what is drawn depends on it alone, the bucket and the node
}

func newRandom(properties []Property) (Resolver, error) {
	var r Random
	for _, p := range properties {
		if p.Name != "seed" {
			return nil, unknown(p, "seed")
		}
		seed, err := strconv.ParseUint(strings.TrimSpace(p.Value), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("property %q: %q is not a whole number from 0", p.Name, p.Value)
		}
		r.Seed = seed
	}
	return r, nil
}

// Spread is Scattered.
func (r Random) Spread() Spread { return Spread{Kind: Scattered, Seed: r.Seed} }

// ActivePassive puts everything on one member; the others wait for it to go
// (MI: ActivePassiveResolver).
type ActivePassive struct{ RoundRobin }

func newActivePassive(properties []Property) (Resolver, error) {
	if len(properties) > 0 {
		return nil, unknown(properties[0])
	}
	return ActivePassive{}, nil
}

// Spread is Together.
func (ActivePassive) Spread() Spread { return Spread{Kind: Together} }

// FixedParam is the original's property of a fixed location.
const FixedParam = "__FIXED_LOCATION_RESOLVER_PARAM__"

// Fixed puts everything on the member at an index, among those there are in the
// order of their nodes' names, counting from 0 and beyond the last from the
// first again (WSO2: FixedLocationResolver).
type Fixed struct {
	RoundRobin
	Index int
}

func newFixed(properties []Property) (Resolver, error) {
	f := Fixed{Index: nowhere}
	for _, p := range properties {
		if p.Name != FixedParam && p.Name != "index" {
			return nil, unknown(p, FixedParam)
		}
		n, err := strconv.Atoi(strings.TrimSpace(p.Value))
		if err != nil || n < 0 {
			return nil, fmt.Errorf("property %q: %q is not a whole number from 0", p.Name, p.Value)
		}
		f.Index = n
	}
	if f.Index == nowhere {
		return nil, fmt.Errorf("property %q is missing: the index of a server, from 0", FixedParam)
	}
	return f, nil
}

// Locate gives the one member.
func (f Fixed) Locate(_ string, members []Member) (where []int, why string) {
	all := anywhere(members)
	slices.SortStableFunc(all, func(a, b int) int { return strings.Compare(members[a].Node, members[b].Node) })
	i := f.Index % len(all)
	return all[i : i+1], ""
}

// OnNodes shares tasks out among the nodes named (MI: TaskNodeResolver, and
// pinnedServers).
type OnNodes struct {
	RoundRobin
	Names []string
}

func newOnNodes(properties []Property) (Resolver, error) {
	var o OnNodes
	for _, p := range properties {
		if p.Name != "task_nodes" && p.Name != "pinnedServers" {
			return nil, unknown(p, "task_nodes", "pinnedServers")
		}
		for name := range strings.SplitSeq(p.Value, ",") {
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(o.Names, name) {
				o.Names = append(o.Names, name)
			}
		}
	}
	if len(o.Names) == 0 {
		return nil, fmt.Errorf("property %q is missing: names of nodes with commas between them", "task_nodes")
	}
	return o, nil
}

// Locate gives those that are named.
func (o OnNodes) Locate(_ string, members []Member) (where []int, why string) {
	for i := range members {
		if slices.Contains(o.Names, members[i].Node) {
			where = append(where, i)
		}
	}
	return where, "none of the nodes " + strings.Join(o.Names, ", ") + " can take it"
}
