package control

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/place"
)

// readers bounds the reads that one call makes at once.
const readers = 32

// group looks at the group.
func (c *Control) group(ctx context.Context) (*group.Group, error) {
	g := &group.Group{Live: make(map[coordclient.MemberID]bool)}
	var err error
	if g.Cluster, err = c.store.Cluster(ctx); err != nil {
		return nil, err
	}
	buckets, err := c.store.Span(ctx)
	if err != nil {
		return nil, err
	}
	g.Loads = make([]place.Load, buckets)
	if g.Members, _, err = c.members.Members(ctx); err != nil {
		return nil, err
	}
	for _, m := range g.Members {
		g.Live[m.ID] = true
	}
	return g, together(
		func() (err error) { g.Holders, err = c.store.Holders(ctx); return err },
		func() (err error) { g.Clocks, err = c.store.Clocks(ctx); return err },
		func() (err error) { g.Paper, _, _, err = c.store.Placement(ctx); return unlessMissing(err) },
		func() (err error) { g.Drains, _, err = c.store.Drains(ctx); return unlessMissing(err) },
		func() (err error) { g.Leader, g.Term, err = c.store.Leader(ctx); return unlessMissing(err) },
		func() (err error) {
			g.Barrier, _, _, err = c.store.Barrier(ctx)
			g.Prepared = err == nil
			return unlessMissing(err)
		},
		func() error { return c.surveys(ctx, g.Loads) },
	)
}

// unlessMissing lets pass that nobody has prepared a record yet.
func unlessMissing(err error) error {
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil
	}
	return err
}

// surveys reads what the leader has counted. A survey of another format counts
// for nothing.
func (c *Control) surveys(ctx context.Context, loads []place.Load) error {
	f := make([]func() error, 0, readers)
	for first := range min(readers, len(loads)) {
		f = append(f, func() error {
			for b := first; b < len(loads); b += readers {
				s, ok, err := c.store.Survey(ctx, b)
				if err != nil {
					return err
				}
				var kept place.Survey
				if ok && json.Unmarshal(s.Data, &kept) == nil {
					loads[b] = kept.Load
				}
			}
			return nil
		})
	}
	return together(f...)
}
