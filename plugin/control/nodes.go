package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// NodeInfo is the value of a member: what a host publishes of itself.
type NodeInfo struct {
	Version string `json:"version"`
	Address string `json:"address"`
	State   string `json:"state"` // a contract.NodeState that only the host knows; empty: healthy
	Running int    `json:"running"`
	// Cluster is where the group is, as zk://...; empty: the host is alone.
	Cluster string `json:"cluster,omitempty"`
	// Replies is the base address at which the host takes replies to calls of
	// tasks. Empty: plain HTTP at Address; NoReplies: none that can be told.
	Replies string `json:"replies,omitempty"`
	// Formerly are the incarnations that the host's process had before.
	Formerly []coordclient.MemberID `json:"formerly,omitempty"`
}

// NoReplies is NodeInfo.Replies of a host that can be named for no reply.
const NoReplies = "none"

// Nodes lists the hosts of the group, oldest first, and after them the nodes
// that are gone while the placement, buckets or a drain still name them. Code: unavailable.
func (c *Control) Nodes(ctx context.Context) ([]contract.NodeView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	return g.nodes(), nil
}

// Node tells of one node, also if it is gone, as far as Nodes does. Of a node that is there twice for
// a while, the newest counts. Codes: not_found, unavailable.
func (c *Control) Node(ctx context.Context, name string) (contract.NodeView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.NodeView{}, failure.Wrap(err)
	}
	return g.find(name)
}

func (g *group) find(name string) (contract.NodeView, error) {
	all := g.nodes()
	var names []string
	found := -1
	for i, v := range all {
		names = append(names, v.Name)
		if v.Name == name {
			found = i
		}
	}
	if found < 0 {
		return contract.NodeView{}, &failure.Error{Code: failure.CodeNotFound, Message: "there is no node " + name, Hint: failure.Nearest(name, names)}
	}
	return all[found], nil
}

// LastNode tells whether no other node than this one may own tasks, and this one
// may: to drain it stops all of them. Codes: not_found, unavailable.
func (c *Control) LastNode(ctx context.Context, name string) (bool, error) {
	g, err := c.group(ctx)
	if err != nil {
		return false, failure.Wrap(err)
	}
	v, err := g.find(name)
	if err != nil || v.State == contract.NodeGone || v.Drain != nil {
		return false, err
	}
	others := slices.ContainsFunc(g.nodes(), func(o contract.NodeView) bool {
		return o.Name != name && o.State == contract.NodeHealthy
	})
	return !others, nil
}

// DrainNode asks that a node own nothing until it is undrained, also after
// restarts. Asked again by the same administrator it changes nothing but the
// reason. Codes: not_found, exists (another has it drained), invalid,
// unavailable, unknown_outcome, conflict.
func (c *Control) DrainNode(ctx context.Context, name, reason, by string) (contract.NodeView, error) {
	if len(reason) > check.MaxDescription {
		return contract.NodeView{}, failure.Invalid("reason of %d bytes: the limit is %d", len(reason), check.MaxDescription)
	}
	g, err := c.group(ctx)
	if err != nil {
		return contract.NodeView{}, failure.Wrap(err)
	}
	if _, err := g.find(name); err != nil {
		return contract.NodeView{}, err
	}
	there, drained := g.drains[name]
	drained = drained && there.Member == ""
	if drained && there.By != by {
		return contract.NodeView{}, alreadyDrained(name, there)
	}
	if drained && (reason == "" || reason == there.Reason) {
		return c.Node(ctx, name)
	}
	wanted := store.Drain{Reason: reason, By: by, At: c.now().UTC()}
	if err := c.store.Drain(ctx, name, wanted); err != nil {
		return contract.NodeView{}, failure.Wrap(err)
	}
	drains, _, err := c.store.Drains(ctx)
	if err != nil {
		return contract.NodeView{}, failure.Wrap(err)
	}
	if is := drains[name]; is.By != by {
		return contract.NodeView{}, alreadyDrained(name, is)
	}
	return c.Node(ctx, name)
}

func alreadyDrained(name string, d store.Drain) *failure.Error {
	return &failure.Error{
		Code: failure.CodeExists, Message: "node " + name + " is drained already, " + drainView(d).Text(),
		Hint: "nothing was changed; node show " + name + " tells how far it is",
	}
}

// UndrainNode takes back what DrainNode asked for, and tells whether there was
// such a drain. Codes: not_found, conflict (it is being stopped), unavailable,
// unknown_outcome.
func (c *Control) UndrainNode(ctx context.Context, name string) (bool, error) {
	g, err := c.group(ctx)
	if err != nil {
		return false, failure.Wrap(err)
	}
	if _, err := g.find(name); err != nil {
		return false, err
	}
	d, ok := g.drains[name]
	switch {
	case !ok:
		return false, nil
	case d.Member != "" && g.live[d.Member]:
		return false, &failure.Error{Code: failure.CodeConflict, Message: "node " + name + " is being stopped", Hint: "it hands over what it owns; start it again when it is gone"}
	}
	if d.Member != "" { // it is gone
		return true, failure.Wrap(c.store.SweepDrains(ctx, func(m coordclient.MemberID) bool { return m == d.Member }))
	}
	return true, failure.Wrap(c.store.Undrain(ctx, name))
}

// AwaitDrained waits until a node that is drained owns nothing, and tells what
// it still owns each time that this changes. It is bounded by ctx alone. Codes:
// timeout, conflict (it was undrained meanwhile), not_found, unavailable.
func (c *Control) AwaitDrained(ctx context.Context, name string, tell func(left string)) error {
	var failed error
	err := c.await(ctx, "node "+name+" is not drained yet", tell, func(g *group) string {
		v, err := g.find(name)
		switch {
		case err != nil:
			failed = err
			return ""
		case v.Drain == nil:
			failed = &failure.Error{Code: failure.CodeConflict, Message: "node " + name + " was undrained meanwhile"}
			return ""
		case v.State == contract.NodeGone || v.Owned == 0 && v.Placed == 0:
			return ""
		}
		text := fmt.Sprintf("%s still owns %d of %d buckets", name, v.Owned, len(g.holders))
		if missing := g.leaderless(); missing != "" {
			text += "; " + missing + ", so nothing is placed elsewhere"
		}
		return text
	})
	if failed != nil {
		return failed
	}
	return err
}
