package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Nodes lists the hosts of the group, oldest first, and after them the nodes
// that are gone while the placement, buckets or a drain still name them. Code: unavailable.
func (c *Control) Nodes(ctx context.Context) ([]contract.NodeView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	return g.Nodes(), nil
}

// Node tells of one node, also if it is gone, as far as Nodes does. Of a node that is there twice for
// a while, the newest counts. Codes: not_found, unavailable.
func (c *Control) Node(ctx context.Context, name string) (contract.NodeView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.NodeView{}, failure.Wrap(err)
	}
	return g.Node(name)
}

// LastNode tells whether no other node than these may own tasks, and one of these
// may: to drain them stops all of them. Codes: not_found, unavailable.
func (c *Control) LastNode(ctx context.Context, names ...string) (bool, error) {
	g, err := c.group(ctx)
	if err != nil {
		return false, failure.Wrap(err)
	}
	may := false
	for _, name := range names {
		v, err := g.Node(name)
		if err != nil {
			return false, err
		}
		may = may || v.State != contract.NodeGone && v.Drain == nil
	}
	others := slices.ContainsFunc(g.Nodes(), func(o contract.NodeView) bool {
		return !slices.Contains(names, o.Name) && o.State == contract.NodeHealthy
	})
	return may && !others, nil
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
	if _, err := g.Node(name); err != nil {
		return contract.NodeView{}, err
	}
	there, drained := g.Drains[name]
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
		Code: failure.CodeExists, Message: "node " + name + " is drained already, " + group.DrainView(d).Text(),
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
	if _, err := g.Node(name); err != nil {
		return false, err
	}
	d, ok := g.Drains[name]
	switch {
	case !ok:
		return false, nil
	case d.Member != "" && g.Live[d.Member]:
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
	err := c.await(ctx, "node "+name+" is not drained yet", tell, func(g *group.Group) string {
		v, err := g.Node(name)
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
		text := fmt.Sprintf("%s still owns %d of %d buckets", name, v.Owned, len(g.Holders))
		if missing := g.Leaderless(); missing != "" {
			text += "; " + missing + ", so nothing is placed elsewhere"
		}
		return text
	})
	if failed != nil {
		return failed
	}
	return err
}
