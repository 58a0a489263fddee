package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of making up for instants.
const (
	// MaxFill is how many instants one commit asks for.
	MaxFill = 500
	// maxFilled is how many instants are remembered one by one as asked for. When
	// there are more, the oldest are taken for asked for with all before them.
	maxFilled = 5000
)

// filled is which instants of a task were ever asked to be made up for.
type filled struct {
	Format int `json:"format"`
	// Floor: it, and every instant before it. Unix milliseconds.
	Floor int64 `json:"floor,omitempty"`
	// Instants after it, ascending.
	Instants []int64 `json:"instants"`
}

func (f *filled) has(at int64) bool {
	_, found := slices.BinarySearch(f.Instants, at)
	return found || at <= f.Floor
}

func (f *filled) add(instants []int64) {
	f.Instants = append(f.Instants, instants...)
	slices.Sort(f.Instants)
	if over := len(f.Instants) - maxFilled; over > 0 {
		f.Floor = f.Instants[over-1]
		f.Instants = slices.Delete(f.Instants, 0, over)
	}
}

func (k keys) fills() string { return string(k) + "/fills" }

func (k keys) fill(uid string) string { return k.fills() + "/" + Segment(uid) }

// Filled tells which of the instants of the task uid were asked to be made up for
// before. Errors: coordclient.ErrUnavailable, *CorruptError.
func (s *Store) Filled(ctx context.Context, uid string, instants []time.Time) ([]time.Time, error) {
	f, _, err := s.filled(ctx, uid)
	if err != nil {
		return nil, fmt.Errorf("instants made up for: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(instants), func(t time.Time) bool { return !f.has(t.UnixMilli()) }), nil
}

func (s *Store) filled(ctx context.Context, uid string) (filled, int64, error) {
	f := filled{Format: Format}
	key := s.keys.fill(uid)
	e, err := s.peek(ctx, key)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return f, -1, nil
	case err != nil:
		return f, 0, err
	}
	if err := decode(e.Value, coordclient.MaxValue, &f, &f.Format); err != nil {
		return f, 0, &CorruptError{key, err}
	}
	return f, e.Version, nil
}

// Fill asks for a run of a task for each of some past instants, at most MaxFill,
// that was never asked to be made up for before: that it was is remembered, in
// the same commit, for as long as the task is there. It gives the instants that
// this call has asked for. Errors: coordclient.ErrNotFound, ErrTooLarge,
// ErrUnavailable, ErrUnknownOutcome, *CorruptError.
func (s *Store) Fill(ctx context.Context, key task.Key, instants []time.Time, reason string) ([]time.Time, error) {
	key = key.Normal()
	fail := func(err error) ([]time.Time, error) {
		return nil, fmt.Errorf("make up for instants of task %s: %w", key, err)
	}
	if len(instants) > MaxFill {
		return fail(fmt.Errorf("%d instants: %w (the limit is %d)", len(instants), coordclient.ErrTooLarge, MaxFill))
	}
	home, err := s.HomeOf(ctx, key)
	if err != nil {
		return fail(err)
	}
	for try := 0; ; try++ {
		info, err := s.live(ctx, home, key)
		if err != nil {
			return fail(err)
		}
		asked, err := s.fill(ctx, home, &info, instants, reason)
		moved := errors.Is(err, coordclient.ErrConflict) || errors.Is(err, coordclient.ErrExists)
		if moved && try < maxRefetch {
			continue // somebody else edited the task, or asked for instants of it
		}
		if err != nil {
			return fail(err)
		}
		return asked, nil
	}
}

func (s *Store) fill(ctx context.Context, home int, info *task.Info, instants []time.Time, reason string) ([]time.Time, error) {
	f, version, err := s.filled(ctx, info.UID)
	if err != nil {
		return nil, err
	}
	b := seatIn(info, home)
	var (
		asked []time.Time
		fresh []int64
		ops   []coordclient.Op
	)
	for _, at := range instants {
		ms := at.UnixMilli()
		if f.has(ms) || slices.Contains(fresh, ms) {
			continue
		}
		r := task.Request{ID: task.FillID(info.UID, at), Kind: task.RequestRun, Task: info.Key, UID: info.UID, Scheduled: at.UTC(), Reason: cut(reason)}
		value, err := encode(requestRecord{Format, r}, MaxRequest)
		if err != nil {
			return nil, err
		}
		asked, fresh = append(asked, at.UTC()), append(fresh, ms)
		ops = append(ops, coordclient.Create(s.keys.request(b, r.ID), value))
	}
	if len(asked) == 0 {
		return nil, nil
	}
	f.add(fresh)
	value, err := encode(f, coordclient.MaxValue)
	if err != nil {
		return nil, err
	}
	remembered := coordclient.Create(s.keys.fill(info.UID), value)
	if version >= 0 {
		remembered = coordclient.Set(s.keys.fill(info.UID), value, version)
	}
	id := s.newID()
	return asked, s.edit(ctx, change{
		bucket: b, marks: []string{requestMark + Segment(id)},
		ops:     append(ops, remembered, coordclient.Check(s.keys.task(home, info.Key), info.Revision-1)),
		landed:  func(context.Context) error { return nil }, // the mark is this commit's alone
		entries: []Edit{{Code: FillRequested, By: s.by, Task: info.Key, Reason: cut(reason), ID: id}},
	})
}
