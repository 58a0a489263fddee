package cluster

import (
	"context"
	"errors"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

const (
	// groups bounds the tasks that a leader sends to other buckets in one round,
	// because they cannot be where those of their bucket can.
	groups = 32
	// evictions bounds the buckets that a leader sees tasks off from in one round.
	evictions = 8
)

// readPlaces reads what locations there are, and makes their resolvers.
func (r *reign) readPlaces(ctx context.Context) error {
	cluster, err := r.d.Store.Cluster(ctx)
	if err != nil {
		return err
	}
	places, another, err := r.d.Store.Places(ctx)
	if err != nil {
		return err
	}
	r.another, r.places, r.named = another, places, cluster.Buckets
	for i := len(r.resolvers); i < len(places); i++ {
		r.resolvers = append(r.resolvers, r.resolverOf(&places[i]))
	}
	return nil
}

// resolverOf makes the resolver of a place. Places never change.
func (r *reign) resolverOf(p *store.Place) place.Resolver {
	if p.Resolver == "" {
		return r.d.Resolver
	}
	made, err := r.d.Resolvers.Resolver(p.Resolver, p.Properties)
	if err != nil {
		return place.Nowhere{Why: err.Error()}
	}
	return made
}

// resolverFor is the resolver of a bucket, with the name of those that share it.
func (r *reign) resolverFor(b int) (resolver place.Resolver, group string) {
	if p := store.PlaceOf(b, r.named, r.places); p != nil {
		return r.resolvers[(b-r.named)/store.LocationBuckets], p.Name()
	}
	return r.d.Resolver, ""
}

// sort sends tasks to other buckets: those of a bucket that no member may own,
// because its tasks need different ones, and those that are to leave a bucket
// that nobody owns. True: it did.
func (r *reign) sort(ctx context.Context, v *view, plan *place.Plan) (bool, error) {
	sent, evicted := 0, 0
	for b, a := range plan.Assignments {
		if a.Member != "" {
			continue
		}
		if a.Apart && sent < groups {
			n, err := r.part(ctx, b, groups-sent)
			if sent += n; err != nil {
				return true, err
			}
		}
		if r.loads[b].load.Leaving > 0 && v.in.Buckets[b].Owner == "" && evicted < evictions {
			evicted++
			r.evict(ctx, b)
		}
	}
	return sent+evicted > 0, nil
}

// part sends away the tasks of a bucket that demand something else than its
// first ones do.
func (r *reign) part(ctx context.Context, b, limit int) (sent int, err error) {
	definitions, err := r.d.Store.Definitions(ctx, b)
	if err != nil {
		return 0, err
	}
	resolver, _ := r.resolverFor(b)
	load := r.meter.Load(definitions, resolver, r.d.Now())
	if len(load.Demands) < 2 {
		return 0, nil // it was edited since
	}
	for i := range definitions {
		info := &definitions[i]
		demand := place.Demand{Class: resolver.Class(info.Key), Service: info.Needs()}
		if info.Deleted || info.Seat.To() != nil || demand == load.Demands[0] {
			continue
		}
		if sent == limit {
			break
		}
		err := r.d.Store.Group(ctx, info.Key, info.Revision, demand.String())
		switch {
		case errors.Is(err, coordclient.ErrConflict), errors.Is(err, coordclient.ErrNotFound):
			continue // edited since: the next round sees what it is now
		case err != nil:
			return sent, err
		}
		sent++
		r.d.Log.Info("task goes to another bucket", "task", info.Key, "bucket", b, "because", demand.String())
	}
	return sent, nil
}

// evict has the engine see off the tasks that are to leave a bucket that nobody
// may own.
func (r *reign) evict(ctx context.Context, b int) {
	r.mu.Lock()
	if r.work[b] != nil {
		r.mu.Unlock()
		return
	}
	r.work[b] = &work{} // nobody here acquires or frees it meanwhile
	r.mu.Unlock()
	defer r.finished(b)
	if err := r.d.Owner.Evict(ctx, b); err != nil && ctx.Err() == nil {
		r.d.Log.Warn("tasks that are to leave a bucket are still there", "bucket", b, "err", err)
	}
}
