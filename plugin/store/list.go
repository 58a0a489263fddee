package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Get reads a task. Errors: coordclient.ErrNotFound, ErrUnavailable,
// *CorruptError.
func (s *Store) Get(ctx context.Context, key task.Key) (task.Info, error) {
	key = key.Normal()
	b, err := s.HomeOf(ctx, key)
	if err != nil {
		return task.Info{}, err
	}
	info, err := s.live(ctx, b, key)
	if err != nil {
		return task.Info{}, fmt.Errorf("task %s: %w", key, err)
	}
	return info, nil
}

// HomeOf is the bucket of a task in this cluster. Errors as of Cluster.
func (s *Store) HomeOf(ctx context.Context, key task.Key) (int, error) {
	n, err := s.buckets(ctx)
	if err != nil {
		return 0, err
	}
	return Home(key.Normal(), n), nil
}

// live reads a definition that is no tombstone.
func (s *Store) live(ctx context.Context, b int, key task.Key) (task.Info, error) {
	info, err := s.definition(ctx, b, key)
	if err == nil && info.Deleted {
		return task.Info{}, fmt.Errorf("%w: it is being deleted", coordclient.ErrNotFound)
	}
	return info, err
}

// definition reads a definition or a tombstone.
func (s *Store) definition(ctx context.Context, b int, key task.Key) (task.Info, error) {
	e, err := s.peek(ctx, s.keys.task(b, key))
	if err != nil {
		return task.Info{}, err
	}
	info, err := s.decodeDefinition(key, e)
	if err != nil {
		return task.Info{}, &CorruptError{e.Key, err}
	}
	return info, nil
}

// decodeDefinition reads a definition, as it stands if the store has a clock.
func (s *Store) decodeDefinition(key task.Key, e coordclient.Entry) (task.Info, error) {
	info, err := decodeDefinition(e.Value, key, e.Version, e.Modified)
	if err != nil {
		return task.Info{}, err
	}
	return s.standing(info), nil
}

func (s *Store) standing(info task.Info) task.Info {
	if s.now == nil {
		return info
	}
	return info.Standing(s.now())
}

// List reads every task, tombstones left out, by key. Records that cannot be
// read are left out and reported. Error: coordclient.ErrUnavailable.
func (s *Store) List(ctx context.Context) ([]task.Info, error) {
	var all []task.Info
	err := s.Each(ctx, func(infos []task.Info) error {
		all = append(all, infos...)
		return nil
	})
	slices.SortFunc(all, func(a, b task.Info) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return all, err
}

// Each gives every task, tombstones left out, to f, those of a bucket at a time,
// from one goroutine at a time, and the buckets in no order. Errors as of List, and the first
// of f's.
func (s *Store) Each(ctx context.Context, f func([]task.Info) error) error {
	buckets, err := s.buckets(ctx)
	if err != nil {
		return err
	}
	var mu sync.Mutex // one bucket at a time
	err = parallel.Each(ctx, buckets, func(ctx context.Context, b int) error {
		infos, err := s.Named(ctx, b)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		return f(slices.DeleteFunc(infos, func(i task.Info) bool { return i.Deleted }))
	})
	if err != nil {
		return fmt.Errorf("list tasks: %w", err)
	}
	return nil
}

// Definitions reads those that a bucket decides for, tombstones too. Errors as of
// List.
func (s *Store) Definitions(ctx context.Context, b int) ([]task.Info, error) {
	roll, err := s.Roll(ctx, b)
	return roll.Definitions, err
}

// seated reads a definition if the bucket decides for it, else
// coordclient.ErrNotFound.
func (s *Store) seated(ctx context.Context, b int, key task.Key) (task.Info, error) {
	home, err := s.HomeOf(ctx, key)
	if err != nil {
		return task.Info{}, err
	}
	info, err := s.definition(ctx, home, key)
	if err == nil && seatIn(&info, home) != b {
		return task.Info{}, fmt.Errorf("%w: bucket %d decides for it", coordclient.ErrNotFound, seatIn(&info, home))
	}
	return info, err
}

// those reads the definitions of these tasks, several at once, and lists the tasks
// that the bucket does not decide for, both in the order of keys. Those that cannot
// be read are left out and reported. Error: coordclient.ErrUnavailable.
func (s *Store) those(ctx context.Context, b int, keys []task.Key) (there []task.Info, gone []task.Key, err error) {
	found, lacks := make([]*task.Info, len(keys)), make([]bool, len(keys))
	err = parallel.Each(ctx, len(keys), func(ctx context.Context, i int) error {
		info, err := s.seated(ctx, b, keys[i])
		corrupt, isCorrupt := errors.AsType[*CorruptError](err)
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			lacks[i] = true
		case isCorrupt:
			s.corrupt(corrupt)
		case err != nil:
			return err
		default:
			found[i] = &info
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range keys {
		switch {
		case lacks[i]:
			gone = append(gone, keys[i])
		case found[i] != nil:
			there = append(there, *found[i])
		}
	}
	return there, gone, nil
}

func (s *Store) decodeNamed(segment string, e coordclient.Entry) (task.Info, error) {
	key, err := parseTaskSegment(segment)
	if err != nil {
		return task.Info{}, err
	}
	return s.decodeDefinition(key, e)
}

// Keys lists the keys of all tasks, tombstones too, without reading them.
// Error: coordclient.ErrUnavailable.
func (s *Store) Keys(ctx context.Context) ([]task.Key, error) {
	buckets, err := s.buckets(ctx)
	if err != nil {
		return nil, err
	}
	byBucket := make([][]task.Key, buckets)
	err = parallel.Each(ctx, buckets, func(ctx context.Context, b int) error {
		segments, err := s.kv.List(ctx, s.keys.tasks(b))
		for _, segment := range segments {
			key, err := parseTaskSegment(segment)
			if err != nil {
				s.corrupt(&CorruptError{s.keys.tasks(b) + "/" + segment, err})
				continue
			}
			byBucket[b] = append(byBucket[b], key)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list task names: %w", err)
	}
	return slices.Concat(byBucket...), nil
}

// read decodes the children of prefix. What is gone meanwhile is left out, what
// is corrupt too, and reported.
func read[T any](ctx context.Context, s *Store, prefix string, decode func(segment string, e coordclient.Entry) (T, error)) ([]T, error) {
	segments, err := s.kv.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	values, _, err := readThese(ctx, s, prefix, segments, decode)
	return values, err
}

// readThese is read for children whose names are known. Gone: some are.
func readThese[T any](ctx context.Context, s *Store, prefix string, segments []string, decode func(segment string, e coordclient.Entry) (T, error)) (values []T, gone bool, err error) {
	found := make([]*T, len(segments))
	var lacks atomic.Bool
	err = parallel.Each(ctx, len(segments), func(ctx context.Context, i int) error {
		e, err := s.peek(ctx, prefix+"/"+segments[i])
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			lacks.Store(true)
			return nil
		case err != nil:
			return err
		}
		if v, err := decode(segments[i], e); err != nil {
			s.corrupt(&CorruptError{e.Key, err})
		} else {
			found[i] = &v
		}
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", prefix, err)
	}
	values = make([]T, 0, len(found))
	for _, v := range found {
		if v != nil {
			values = append(values, *v)
		}
	}
	return values, lacks.Load(), nil
}
