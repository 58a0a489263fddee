package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// MaxRemote bounds a remote service as it is stored, in bytes.
const MaxRemote = 512 << 10

type remoteRecord struct {
	Format int `json:"format"`
	task.RemoteService
}

func (k keys) remotes() string { return string(k) + "/remotes" }

// AddRemote registers a service of another system, and never overwrites. Errors:
// coordclient.ErrExists, ErrTooLarge, ErrUnavailable, ErrUnknownOutcome.
func (s *Store) AddRemote(ctx context.Context, r task.RemoteService) error {
	r.Added = time.Time{} // that of the commit
	value, err := encode(remoteRecord{Format, r}, MaxRemote)
	if err == nil {
		err = s.kv.Commit(ctx, coordclient.Create(s.keys.remotes()+"/"+Segment(r.Name), value))
	}
	if err != nil {
		return fmt.Errorf("service %s: %w", r.Name, err)
	}
	return nil
}

// RemoveRemote forgets a service of another system. Tasks that were made from it
// stay: they hold their call. Errors: coordclient.ErrNotFound, ErrUnavailable,
// ErrUnknownOutcome.
func (s *Store) RemoveRemote(ctx context.Context, name string) error {
	err := s.kv.Commit(ctx, coordclient.Delete(s.keys.remotes()+"/"+Segment(name), coordclient.AnyVersion))
	if err != nil {
		return fmt.Errorf("service %s: %w", name, err)
	}
	return nil
}

// Remotes lists the services of other systems. Records that cannot be read are
// left out and reported. Error: coordclient.ErrUnavailable.
func (s *Store) Remotes(ctx context.Context) ([]task.RemoteService, error) {
	all, err := read(ctx, s, s.keys.remotes(), func(_ string, e coordclient.Entry) (task.RemoteService, error) {
		var r remoteRecord
		err := decode(e.Value, MaxRemote, &r, &r.Format)
		if err == nil && (r.Name == "" || r.Endpoint == "") {
			err = errors.New("no name or no endpoint")
		}
		r.Added = e.Modified
		return r.RemoteService, err
	})
	if err != nil {
		return nil, fmt.Errorf("remote services: %w", err)
	}
	return all, nil
}
