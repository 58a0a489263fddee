package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
)

// Rings gives, for each node that has told of something, a channel that closes
// when it may have told more. A node that tells for the first time later is not
// among them. Error: coordclient.ErrUnavailable.
func (s *Store) Rings(ctx context.Context) (map[string]<-chan struct{}, error) {
	segments, err := s.kv.List(ctx, s.keys.events())
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	rings := make(map[string]<-chan struct{}, len(segments))
	for _, segment := range segments {
		_, changed, err := s.kv.Get(ctx, s.keys.events()+"/"+segment)
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			continue
		case err != nil:
			return nil, fmt.Errorf("events: %w", err)
		}
		rings[segment] = changed
	}
	return rings, nil
}
