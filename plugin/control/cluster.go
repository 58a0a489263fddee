package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Leader tells who leads, or led last. Codes: unavailable.
func (c *Control) Leader(ctx context.Context) (contract.LeaderView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.LeaderView{}, failure.Wrap(err)
	}
	return g.lead(), nil
}

// Cluster tells how the group stands. Codes: unavailable.
func (c *Control) Cluster(ctx context.Context) (contract.ClusterView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.ClusterView{}, failure.Wrap(err)
	}
	v := c.clusterOf(g)
	v.Rollover, err = c.rollover(ctx)
	return v, failure.Wrap(err)
}

// rollover tells how long the numbers of the store's writes last; nil: it has no
// such thing.
func (c *Control) rollover(ctx context.Context) (*contract.RolloverView, error) {
	ages, ok := c.kv.(interface {
		Rollover(ctx context.Context) (coordclient.Rollover, error)
	})
	if !ok {
		return nil, nil
	}
	r, err := ages.Rollover(ctx)
	return &contract.RolloverView{Used: r.Used, PerDay: r.PerDay, Days: r.Days}, err
}

func (c *Control) clusterOf(g *group) contract.ClusterView {
	nodes := make(map[string]bool)
	for _, m := range g.members {
		nodes[m.ID.Node()] = true
	}
	return contract.ClusterView{
		Cluster: c.name(g), UUID: g.cluster.UUID, Nodes: len(nodes), Waiting: g.waiting(),
		Leader: g.lead(), Barrier: g.barrierView(), PlacedView: g.placed(),
	}
}

// Placement tells where the buckets are. Codes: unavailable.
func (c *Control) Placement(ctx context.Context) (contract.PlacementView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.PlacementView{}, failure.Wrap(err)
	}
	return g.placement(), nil
}

func (g *group) placement() contract.PlacementView {
	v := contract.PlacementView{Term: g.paper.Term, Waiting: g.waiting(), PlacedView: g.placed(), Members: []contract.PlacedMemberView{}, Without: []contract.UnplacedView{}}
	at := make(map[coordclient.MemberID]int)
	member := func(id coordclient.MemberID) *contract.PlacedMemberView {
		i, ok := at[id]
		if !ok {
			i = len(v.Members)
			at[id] = i
			v.Members = append(v.Members, contract.PlacedMemberView{Node: id.Node(), Member: string(id), Present: g.live[id]})
		}
		return &v.Members[i]
	}
	for _, m := range g.members {
		member(m.ID)
	}
	for b := range g.holders {
		if owner := g.holders[b].Member; owner != "" {
			member(owner).Owned++
		}
		to, _ := g.paper.Of(b)
		if why := g.nowhere(b); why != "" {
			unplaced(&v, why, b, g.loads[b].Tasks)
			continue
		}
		m := member(to)
		m.Placed++
		m.Tasks += g.loads[b].Tasks
		m.PerMinute += g.loads[b].PerMinute
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

// Buckets tells where each bucket is. Codes: unavailable.
func (c *Control) Buckets(ctx context.Context) ([]contract.BucketView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := make([]contract.BucketView, 0, len(g.holders))
	for b := range g.holders {
		v := contract.BucketView{Bucket: b, Owner: g.owner(b).Node(), Reason: g.nowhere(b), Tasks: g.loads[b].Tasks}
		if v.Reason == "" {
			to, _ := g.paper.Of(b)
			v.Node = to.Node()
		}
		views = append(views, v)
	}
	return views, nil
}

// Activate lifts the start-up barrier: what is there is enough. It gives the
// barrier as it was found; one that was open or lifted stays as it is. Codes:
// unavailable, unknown_outcome, conflict.
func (c *Control) Activate(ctx context.Context, by string) (contract.BarrierView, error) {
	g, err := c.group(ctx)
	switch {
	case err != nil:
		return contract.BarrierView{}, failure.Wrap(err)
	case !g.prepared:
		return contract.BarrierView{}, &failure.Error{Code: failure.CodeUnavailable, Message: "there is no barrier yet", Hint: "start a host first: it makes the barrier"}
	}
	return g.barrierView(), failure.Wrap(c.store.Lift(ctx, by))
}

// A Condition is something that a group is waited for to be.
type Condition struct {
	text string
	// missing says what it still lacks; empty: nothing.
	missing func(g *group) string
}

// String gives what ParseCondition was given.
func (c Condition) String() string { return c.text }

// Conditions lists what ParseCondition takes, for help and completion.
func Conditions() []string { return []string{"nodes=N", "leader", "placed"} }

// ParseCondition reads "nodes=3" (so many different nodes have begun), "leader"
// (there is one) or "placed" (every bucket is owned by the member that it
// belongs to). Code: invalid.
func ParseCondition(text string) (Condition, error) {
	name, value, has := strings.Cut(text, "=")
	switch {
	case name == "nodes" && has:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return Condition{}, failure.Invalid("condition %q: give a number of nodes, such as nodes=3", text)
		}
		return Condition{text, func(g *group) string {
			if have := g.present(); have < n {
				return fmt.Sprintf("%d of %d nodes are there", have, n)
			}
			return ""
		}}, nil
	case text == "leader":
		return Condition{text, (*group).leaderless}, nil
	case text == "placed":
		return Condition{text, (*group).unsettled}, nil
	}
	return Condition{}, failure.Invalid("condition %q is unknown: use %s", text, strings.Join(Conditions(), ", "))
}

func (g *group) leaderless() string {
	if g.lead().Present {
		return ""
	}
	return "there is no leader"
}

func (g *group) unsettled() string {
	if why := g.waiting(); why != "" {
		return why
	}
	p := g.placed()
	if p.Settled == p.Buckets {
		return ""
	}
	text := fmt.Sprintf("%d of %d buckets are placed and owned", p.Settled, p.Buckets)
	for b := range g.holders {
		if why := g.nowhere(b); why != "" {
			return text + "; one without a place: " + why
		}
	}
	return text
}

const (
	// groupPace is how often a group is looked at that is waited for.
	groupPace = 250 * time.Millisecond
	// maxSilence is how long the store may meanwhile be unavailable.
	maxSilence = 15 * time.Second
)

// Await waits until all conditions hold at once, and tells what is missing each
// time that this changes. It is bounded by ctx alone. Codes: timeout,
// unavailable.
func (c *Control) Await(ctx context.Context, all []Condition, tell func(missing string)) error {
	return c.await(ctx, "the cluster is not there yet", tell, func(g *group) string {
		for _, condition := range all {
			if missing := condition.missing(g); missing != "" {
				return missing
			}
		}
		return ""
	})
}

// await looks at the group until nothing is missing.
func (c *Control) await(ctx context.Context, late string, tell func(string), missing func(*group) string) error {
	last := ""
	heard := time.Now()
	for {
		g, err := c.group(ctx)
		if !errors.Is(err, coordclient.ErrUnavailable) {
			heard = time.Now()
		}
		switch {
		case ctx.Err() != nil: // told below
		case errors.Is(err, coordclient.ErrNotFound):
			last = told(tell, last, "no host has been here yet")
		case errors.Is(err, coordclient.ErrUnavailable) && time.Since(heard) < maxSilence:
			last = told(tell, last, "the store does not answer")
		case err != nil:
			return failure.Wrap(err)
		default:
			is := missing(g)
			if is == "" {
				return nil
			}
			last = told(tell, last, is)
		}
		if err := wait(ctx, groupPace); err != nil {
			if errors.Is(err, context.Canceled) {
				return err
			}
			return &failure.Error{Code: failure.CodeTimeout, Message: late + ": " + cmp.Or(last, "it did not answer in time"), Err: err, Hint: "see cluster show and placement show"}
		}
	}
}

func told(tell func(string), last, now string) string {
	if now != last && tell != nil {
		tell(now)
	}
	return now
}
