package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
)

// publishedAtOnce bounds the changes of one commit of Publish.
const publishedAtOnce = 32

// Service is what a host has published of one of its services. It outlives the
// host, so that tasks can be checked while no host is up.
type Service struct {
	Node      string
	Name      string
	Data      []byte // opaque here
	Published time.Time
}

// Publish makes the catalogue of this member's node what services says: name to
// opaque data, at most coordclient.MaxValue bytes each. Only differences are
// written. Errors: bucket.ErrFenced, ErrUnavailable, ErrUnknownOutcome;
// coordclient.ErrTooLarge.
func (o *Owner) Publish(ctx context.Context, services map[string][]byte) error {
	base := o.keys.node(o.me.Node())
	segments, err := o.kv.List(ctx, base)
	if err != nil {
		return fmt.Errorf("publish services: %w", portError(err))
	}
	gone := make(map[string]bool, len(segments))
	for _, segment := range segments {
		gone[segment] = true
	}
	var ops []coordclient.Op
	for name, data := range services {
		segment := Segment(name)
		value, err := encode(serviceRecord{Format, name, data}, coordclient.MaxValue)
		if err != nil {
			return fmt.Errorf("publish service %s: %w", name, err)
		}
		delete(gone, segment)
		op, err := o.publish(ctx, base+"/"+segment, value)
		if err != nil {
			return fmt.Errorf("publish service %s: %w", name, portError(err))
		}
		ops = append(ops, op...)
	}
	for segment := range gone {
		ops = append(ops, coordclient.Delete(base+"/"+segment, coordclient.AnyVersion))
	}
	for batch := range slices.Chunk(ops, publishedAtOnce) {
		if err := o.publishBatch(ctx, batch); err != nil {
			return fmt.Errorf("publish services: %w", portError(err))
		}
	}
	return nil
}

// publish gives what it takes to make key hold value.
func (o *Owner) publish(ctx context.Context, key string, value []byte) ([]coordclient.Op, error) {
	there, err := o.blob(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case there.Version < 0:
		return []coordclient.Op{coordclient.Create(key, value)}, nil
	case bytes.Equal(there.Data, value):
		return nil, nil
	}
	return []coordclient.Op{coordclient.Set(key, value, there.Version)}, nil
}

// publishBatch commits together what fits, and one by one what does not.
func (o *Owner) publishBatch(ctx context.Context, ops []coordclient.Op) error {
	err := o.kv.Commit(ctx, append([]coordclient.Op{coordclient.CheckMember(o.me)}, ops...)...)
	if !errors.Is(err, coordclient.ErrTooLarge) || len(ops) < 2 {
		return err
	}
	for _, op := range ops {
		if err := o.kv.Commit(ctx, coordclient.CheckMember(o.me), op); err != nil {
			return err
		}
	}
	return nil
}

type serviceRecord struct {
	Format int    `json:"format"`
	Name   string `json:"name"`
	Data   []byte `json:"data"`
}

// Catalogue reads what all nodes have published, by node and service. Records
// that cannot be read are left out and reported. Error:
// coordclient.ErrUnavailable.
func (s *Store) Catalogue(ctx context.Context) ([]Service, error) {
	nodes, err := s.kv.List(ctx, s.keys.catalogue())
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	byNode := make([][]Service, len(nodes))
	err = parallel.Each(ctx, len(nodes), func(ctx context.Context, i int) error {
		node, err := unescape(nodes[i])
		if err != nil {
			s.corrupt(&CorruptError{s.keys.catalogue() + "/" + nodes[i], err})
			return nil //nolint:nilerr // it is reported and left out
		}
		byNode[i], err = read(ctx, s, s.keys.catalogue()+"/"+nodes[i], func(_ string, e coordclient.Entry) (Service, error) {
			var r serviceRecord
			err := decode(e.Value, coordclient.MaxValue, &r, &r.Format)
			return Service{node, r.Name, r.Data, e.Modified}, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return slices.Concat(byNode...), nil
}
