package group

import (
	"context"
	"encoding/json"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Members tells who is in the group, as coordclient.Members does.
type Members interface {
	Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error)
}

// Look reads how the group is. Errors: those of the store, and of members.
func Look(ctx context.Context, s *store.Store, members Members) (*Group, error) {
	g := &Group{Live: make(map[coordclient.MemberID]bool)}
	var err error
	if g.Cluster, err = s.Cluster(ctx); err != nil {
		return nil, err
	}
	buckets, err := s.Span(ctx)
	if err != nil {
		return nil, err
	}
	g.Loads = make([]place.Load, buckets)
	if g.Members, _, err = members.Members(ctx); err != nil {
		return nil, err
	}
	for _, m := range g.Members {
		g.Live[m.ID] = true
	}
	return g, parallel.Do(
		func() (err error) { g.Holders, err = s.Holders(ctx); return err },
		func() (err error) { g.Clocks, err = s.Clocks(ctx); return err },
		func() (err error) { g.Paper, _, _, err = s.Placement(ctx); return failure.UnlessMissing(err) },
		func() (err error) { g.Drains, _, err = s.Drains(ctx); return failure.UnlessMissing(err) },
		func() (err error) { g.Leader, g.Term, err = s.Leader(ctx); return failure.UnlessMissing(err) },
		func() (err error) {
			g.Barrier, _, _, err = s.Barrier(ctx)
			g.Prepared = err == nil
			return failure.UnlessMissing(err)
		},
		func() error { return surveys(ctx, s, g.Loads) },
	)
}

// surveys reads what the leader has counted. A survey of another format counts
// for nothing.
func surveys(ctx context.Context, s *store.Store, loads []place.Load) error {
	return parallel.Each(ctx, len(loads), func(ctx context.Context, b int) error {
		survey, ok, err := s.Survey(ctx, b)
		if err != nil {
			return err
		}
		var kept place.Survey
		if ok && json.Unmarshal(survey.Data, &kept) == nil {
			loads[b] = kept.Load
		}
		return nil
	})
}
