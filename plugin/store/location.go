package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of locations.
const (
	// LocationBuckets is how many buckets the tasks of one location share.
	LocationBuckets = 4
	// MaxLocations bounds the different locations that tasks of a cluster ever
	// had; their buckets stay.
	MaxLocations = 250
	// maxLocation bounds the text of one in bytes.
	maxLocation = 4096
)

// Place is a location that tasks have, with the buckets of these tasks. The
// number of the first is the cluster's number of buckets and LocationBuckets for
// each location before.
type Place struct {
	task.Location
	// Group of tasks that need the same of a member. Without a resolver, that of
	// the hosts' default places them.
	Group string `json:"group,omitempty"`
}

// Name tells a place from others.
func (p *Place) Name() string { return p.Group + "\x00" + p.Location.String() }

type placesRecord struct {
	Format int     `json:"format"`
	Places []Place `json:"places"`
}

func (k keys) places() string { return string(k) + "/places" }

func (k keys) placed(b int) string { return k.of("placed", b) }

func (s *Store) placedKey(b int, key task.Key) string {
	return s.keys.placed(b) + "/" + taskSegment(key)
}

// Places lists the locations, and gives a channel that closes when there may be
// another. Errors: coordclient.ErrNotFound (nothing was prepared), ErrUnavailable,
// *CorruptError.
func (s *Store) Places(ctx context.Context) ([]Place, <-chan struct{}, error) {
	var r placesRecord
	_, changed, err := s.record(ctx, s.keys.places(), &r, &r.Format)
	if err != nil {
		return nil, nil, fmt.Errorf("places: %w", err)
	}
	return r.Places, changed, nil
}

// Span is the number of all buckets, those of locations too. Errors as of
// Cluster.
func (s *Store) Span(ctx context.Context) (int, error) {
	n, err := s.buckets(ctx)
	if err != nil {
		return 0, err
	}
	places, _, err := s.Places(ctx)
	if errors.Is(err, coordclient.ErrNotFound) {
		return n, nil
	}
	return n + LocationBuckets*len(places), err
}

// PlaceOf is the location whose tasks a bucket holds; nil: it holds tasks by
// their names.
func PlaceOf(b, buckets int, places []Place) *Place {
	if i := (b - buckets) / LocationBuckets; b >= buckets && i < len(places) {
		return &places[i]
	}
	return nil
}

// reserve gives the bucket for a task of a place, which it writes down if it is
// new. Errors: coordclient.ErrTooLarge, ErrUnavailable, ErrUnknownOutcome,
// *CorruptError.
func (s *Store) reserve(ctx context.Context, key task.Key, p Place) (int, error) {
	n, err := s.buckets(ctx)
	if err != nil {
		return 0, err
	}
	name := p.Name()
	if len(name) > maxLocation {
		return 0, fmt.Errorf("location of %d bytes: %w (the limit is %d)", len(name), coordclient.ErrTooLarge, maxLocation)
	}
	for try := range maxRefetch {
		var r placesRecord
		version, _, err := s.record(ctx, s.keys.places(), &r, &r.Format)
		if errors.Is(err, coordclient.ErrNotFound) {
			if err = s.Prepare(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return 0, err
		}
		for i := range r.Places {
			if r.Places[i].Name() == name {
				return n + i*LocationBuckets + Home(key, LocationBuckets), nil
			}
		}
		if len(r.Places) >= MaxLocations {
			return 0, fmt.Errorf("%d different locations: %w (no more can be kept apart)", len(r.Places), coordclient.ErrTooLarge)
		}
		err = s.addPlace(ctx, r, version, n, p)
		if err != nil && !errors.Is(err, coordclient.ErrConflict) && !errors.Is(err, coordclient.ErrExists) &&
			!errors.Is(err, coordclient.ErrUnknownOutcome) {
			return 0, err
		}
		if err = backoff(ctx, try); err != nil {
			return 0, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
		}
	}
	return 0, fmt.Errorf("%w: places moved %d times meanwhile", coordclient.ErrUnavailable, maxRefetch)
}

// addPlace writes a place down and makes its buckets.
func (s *Store) addPlace(ctx context.Context, r placesRecord, version int64, buckets int, p Place) error {
	first := buckets + len(r.Places)*LocationBuckets
	r.Format, r.Places = Format, append(r.Places, p)
	value, err := encode(r, coordclient.MaxValue)
	if err != nil {
		return err
	}
	free, err := Node{}.encode()
	if err != nil {
		return err
	}
	ops := []coordclient.Op{coordclient.Set(s.keys.places(), value, version)}
	for b := first; b < first+LocationBuckets; b++ {
		ops = append(ops, coordclient.Create(s.keys.bucket(b), free))
	}
	return s.kv.Commit(ctx, ops...)
}
