package control

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
)

// Leader tells who leads, or led last. Codes: unavailable.
func (c *Control) Leader(ctx context.Context) (contract.LeaderView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.LeaderView{}, failure.Wrap(err)
	}
	return g.Lead(), nil
}

// Cluster tells how the group stands. Codes: unavailable.
func (c *Control) Cluster(ctx context.Context) (contract.ClusterView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.ClusterView{}, failure.Wrap(err)
	}
	v := g.View(c.name(g))
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
	if r == (coordclient.Rollover{}) {
		return nil, err
	}
	return &contract.RolloverView{Used: r.Used, PerDay: r.PerDay, Days: r.Days}, err
}

// Placement tells where the buckets are. Codes: unavailable.
func (c *Control) Placement(ctx context.Context) (contract.PlacementView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return contract.PlacementView{}, failure.Wrap(err)
	}
	return g.Placement(), nil
}

// Buckets tells where each bucket is. Codes: unavailable.
func (c *Control) Buckets(ctx context.Context) ([]contract.BucketView, error) {
	g, err := c.group(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	return g.Buckets(), nil
}

// Activate lifts the start-up barrier: what is there is enough. It gives the
// barrier as it was found; one that was open or lifted stays as it is. Codes:
// unavailable, unknown_outcome, conflict.
func (c *Control) Activate(ctx context.Context, by string) (contract.BarrierView, error) {
	g, err := c.group(ctx)
	switch {
	case err != nil:
		return contract.BarrierView{}, failure.Wrap(err)
	case !g.Prepared:
		return contract.BarrierView{}, &failure.Error{Code: failure.CodeUnavailable, Message: "there is no barrier yet", Hint: "start a host first: it makes the barrier"}
	}
	return g.BarrierView(), failure.Wrap(c.store.Lift(ctx, by))
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
func (c *Control) Await(ctx context.Context, all []group.Condition, tell func(missing string)) error {
	return c.await(ctx, "the cluster is not there yet", tell, func(g *group.Group) string {
		for _, condition := range all {
			if missing := condition.Missing(g); missing != "" {
				return missing
			}
		}
		return ""
	})
}

// await looks at the group until nothing is missing.
func (c *Control) await(ctx context.Context, late string, tell func(string), missing func(*group.Group) string) error {
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
