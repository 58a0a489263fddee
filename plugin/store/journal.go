package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Bounds of a node's ring of events.
const (
	MaxEvents = 200
	// MaxEventText bounds the text of one in bytes; longer ones are cut.
	MaxEventText = 512
)

// Event is something that happened and that an administrator may want to know.
type Event struct {
	Time   time.Time `json:"time"`
	Level  string    `json:"level"` // info, warn, error
	Code   string    `json:"code"`  // stable
	Object string    `json:"object,omitempty"`
	Text   string    `json:"text"`
	Node   string    `json:"-"` // set by Events
}

type eventsRecord struct {
	Format int     `json:"format"`
	Node   string  `json:"node"`
	Events []Event `json:"events"`
}

// Append adds events to the ring of a node, which keeps the last MaxEvents. It
// rewrites the ring: gather events that come together. Errors:
// coordclient.ErrConflict (somebody else writes to this ring at the same time),
// ErrUnavailable, ErrUnknownOutcome.
func (s *Store) Append(ctx context.Context, node string, events ...Event) error {
	key := s.keys.events() + "/" + Segment(node)
	ring, err := s.blob(ctx, key)
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	var r eventsRecord
	if ring.Version >= 0 {
		if err := decode(ring.Data, coordclient.MaxValue, &r, &r.Format); err != nil {
			s.corrupt(&CorruptError{key, err})
			r = eventsRecord{} // events are no reason to stop: begin the ring afresh
		}
	}
	for _, e := range events {
		e.Time = e.Time.UTC()
		e.Text, e.Object, e.Code = cut(e.Text), cut(e.Object), cut(e.Code)
		r.Events = append(r.Events, e)
	}
	r.Format, r.Node = Format, node
	r.Events = r.Events[max(0, len(r.Events)-MaxEvents):]
	if ring.Data, err = encode(r, coordclient.MaxValue); err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	err = s.kv.Commit(ctx, put(key, ring))
	if errors.Is(err, coordclient.ErrExists) {
		err = coordclient.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("append events: %w", err)
	}
	return nil
}

func cut(s string) string {
	if len(s) <= MaxEventText {
		return s
	}
	return s[:MaxEventText-3] + "..."
}

// Events reads those of all nodes, oldest first; at most limit, the newest
// (limit below 1: all). Error: coordclient.ErrUnavailable.
func (s *Store) Events(ctx context.Context, limit int) ([]Event, error) {
	rings, err := read(ctx, s, s.keys.events(), func(_ string, e coordclient.Entry) (eventsRecord, error) {
		var r eventsRecord
		err := decode(e.Value, coordclient.MaxValue, &r, &r.Format)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	var all []Event
	for _, r := range rings {
		for _, e := range r.Events {
			e.Node = r.Node
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return a.Time.Compare(b.Time) })
	if limit > 0 {
		all = all[max(0, len(all)-limit):]
	}
	return all, nil
}
