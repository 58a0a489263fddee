package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// maxDrains bounds the nodes that are drained at once.
const maxDrains = 1000

// Drain asks that a node own nothing.
type Drain struct {
	// Member: only this incarnation, which is about to stop. Empty: the node,
	// until it is undrained.
	Member coordclient.MemberID `json:"member,omitempty"`
	Reason string               `json:"reason,omitempty"`
	By     string               `json:"by,omitempty"`
	At     time.Time            `json:"at,omitzero"` // by the clock of who asked
}

// Of tells whether the drain is meant for the member.
func (d Drain) Of(member coordclient.MemberID) bool { return d.Member == "" || d.Member == member }

type drainRecord struct {
	Format int              `json:"format"`
	Nodes  map[string]Drain `json:"nodes,omitempty"`
}

func (k keys) drains() string { return string(k) + "/drains" }

// Drains lists the drains by node, and gives a channel that closes when they
// may have changed. Errors: coordclient.ErrNotFound (nothing was prepared),
// ErrUnavailable, *CorruptError.
func (s *Store) Drains(ctx context.Context) (map[string]Drain, <-chan struct{}, error) {
	var r drainRecord
	_, changed, err := s.record(ctx, s.keys.drains(), &r, &r.Format)
	if err != nil {
		return nil, nil, fmt.Errorf("drains: %w", err)
	}
	return r.Nodes, changed, nil
}

// Drain asks that a node be drained. What an administrator has asked for is
// replaced by nobody else. Errors: coordclient.ErrNotFound,
// ErrUnavailable, ErrUnknownOutcome, ErrTooLarge, *CorruptError.
func (s *Store) Drain(ctx context.Context, node string, d Drain) error {
	entry := Edit{Code: NodeDrained, By: d.By, Object: node, Reason: cut(d.Reason)}
	if d.Member != "" {
		entry = Edit{} // it stops, which is nobody's edit
	}
	return s.drain(ctx, "drain", node, entry, func(nodes map[string]Drain) (bool, error) {
		there, ok := nodes[node]
		if ok && (there == d || there.Member == "" && (d.Member != "" || there.By != d.By)) {
			return false, nil
		}
		if !ok && len(nodes) >= maxDrains {
			return false, fmt.Errorf("%w: %d nodes are drained", coordclient.ErrTooLarge, len(nodes))
		}
		nodes[node] = d
		return true, nil
	})
}

// Undrain takes back what an administrator has asked for; nothing is no error.
// Errors as of Drain.
func (s *Store) Undrain(ctx context.Context, node string) error {
	return s.drain(ctx, "undrain", node, Edit{Code: NodeUndrained, By: s.by, Object: node}, func(nodes map[string]Drain) (bool, error) {
		d, ok := nodes[node]
		if !ok || d.Member != "" {
			return false, nil
		}
		delete(nodes, node)
		return true, nil
	})
}

// SweepDrains takes back the drains of members that are gone. Errors as of Drain.
func (s *Store) SweepDrains(ctx context.Context, gone func(coordclient.MemberID) bool) error {
	return s.drain(ctx, "undrain", "of those gone", Edit{}, func(nodes map[string]Drain) (bool, error) {
		before := len(nodes)
		maps.DeleteFunc(nodes, func(_ string, d Drain) bool { return d.Member != "" && gone(d.Member) })
		return len(nodes) != before, nil
	})
}

func (s *Store) drain(ctx context.Context, verb, node string, entry Edit, change func(map[string]Drain) (bool, error)) error {
	err := s.alter(ctx, entry, func() (string, any, int64, error) {
		var r drainRecord
		version, _, err := s.record(ctx, s.keys.drains(), &r, &r.Format)
		if err != nil {
			return "", nil, 0, err
		}
		r.Format, r.Nodes = Format, maps.Clone(r.Nodes)
		if r.Nodes == nil {
			r.Nodes = make(map[string]Drain)
		}
		changed, err := change(r.Nodes)
		if err != nil || !changed {
			return "", nil, 0, err
		}
		return s.keys.drains(), r, version, nil
	})
	if err != nil {
		return fmt.Errorf("%s node %s: %w", verb, node, err)
	}
	return nil
}
