package store

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxRoll bounds a roll in bytes before it is packed.
const maxRoll = 16 << 20

// Roll is what was read of the definitions that a bucket decides for. A leader
// keeps it in one record, so that who wants all tasks reads a record for each
// bucket and not one for each task.
type Roll struct {
	Definitions []task.Info // tombstones too
	unread      []string    // segments of those that could not be read
}

// rollRecord is a roll as it is stored, packed by DEFLATE. Since every edit of a
// task at rest marks its bucket's node, a task that is not marked since Edit is as
// it is called here. The others are named only, and are read each by itself: those
// on their way to another bucket, which their owners rewrite without a mark,
// tombstones, and those that could not be read.
type rollRecord struct {
	Format int                `json:"format"`
	Edit   int64              `json:"edit"`
	Tasks  []definitionRecord `json:"tasks"`
	Others []string           `json:"others,omitempty"`
}

func (k keys) roll(b int) string { return k.of("rolls", b) }

// Roll reads the definitions that a bucket decides for, each by itself. Those that
// cannot be read are left out and reported. Error: coordclient.ErrUnavailable.
func (s *Store) Roll(ctx context.Context, b int) (Roll, error) {
	n, err := s.buckets(ctx)
	if err != nil {
		return Roll{}, err
	}
	if b >= n {
		return s.rollPlaced(ctx, b)
	}
	segments, err := s.kv.List(ctx, s.keys.tasks(b))
	if err != nil {
		return Roll{}, fmt.Errorf("list %s: %w", s.keys.tasks(b), err)
	}
	return s.call(ctx, segments, func(ctx context.Context, segment string) (task.Info, error) {
		e, err := s.peek(ctx, s.keys.tasks(b)+"/"+segment)
		if err != nil {
			return task.Info{}, err
		}
		info, err := s.decodeNamed(segment, e)
		switch {
		case err != nil:
			return task.Info{}, &CorruptError{e.Key, err}
		case info.Seat.Bucket > 0:
			return task.Info{}, coordclient.ErrNotFound
		}
		return info, nil
	})
}

// rollPlaced is Roll for a bucket of a location.
func (s *Store) rollPlaced(ctx context.Context, b int) (Roll, error) {
	segments, err := s.kv.List(ctx, s.keys.placed(b))
	if err != nil {
		return Roll{}, fmt.Errorf("list %s: %w", s.keys.placed(b), err)
	}
	return s.call(ctx, segments, func(ctx context.Context, segment string) (task.Info, error) {
		key, err := parseTaskSegment(segment)
		if err != nil {
			return task.Info{}, &CorruptError{s.keys.placed(b) + "/" + segment, err}
		}
		return s.seated(ctx, b, key)
	})
}

// call reads the tasks of these segments, several at once. Those that are not
// there, or that another bucket decides for, are left out.
func (s *Store) call(ctx context.Context, segments []string, get func(context.Context, string) (task.Info, error)) (Roll, error) {
	infos, unread := make([]*task.Info, len(segments)), make([]bool, len(segments))
	err := parallel.Each(ctx, len(segments), func(ctx context.Context, i int) error {
		info, err := get(ctx, segments[i])
		corrupt, isCorrupt := errors.AsType[*CorruptError](err)
		switch {
		case isCorrupt:
			s.corrupt(corrupt)
			unread[i] = true
		case errors.Is(err, coordclient.ErrNotFound):
		case err != nil:
			return err
		default:
			infos[i] = &info
		}
		return nil
	})
	if err != nil {
		return Roll{}, fmt.Errorf("read tasks: %w", err)
	}
	roll := Roll{Definitions: make([]task.Info, 0, len(segments))}
	for i, info := range infos {
		switch {
		case info != nil:
			roll.Definitions = append(roll.Definitions, *info)
		case unread[i]:
			roll.unread = append(roll.unread, segments[i])
		}
	}
	return roll, nil
}

// encode makes a record of a roll that is as new as the edit, or newer. Error:
// coordclient.ErrTooLarge.
func (r Roll) encode(edit int64) ([]byte, error) {
	record := rollRecord{Format: Format, Edit: edit, Others: r.unread}
	for i := range r.Definitions {
		info := &r.Definitions[i]
		if info.Deleted || info.Seat.Move != nil {
			record.Others = append(record.Others, taskSegment(info.Key))
			continue
		}
		record.Tasks = append(record.Tasks, definitionRecord{Format, *info})
	}
	data, err := encode(record, maxRoll)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil && packed.Len() > coordclient.MaxValue {
		err = fmt.Errorf("roll of %d bytes: %w (the limit is %d)", packed.Len(), coordclient.ErrTooLarge, coordclient.MaxValue)
	}
	return packed.Bytes(), err
}

func decodeRoll(packed []byte) (rollRecord, error) {
	var r rollRecord
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxRoll+1))
	if err != nil {
		return r, err
	}
	if err := decode(data, maxRoll, &r, &r.Format); err != nil {
		return r, err
	}
	for i := range r.Tasks {
		if err := r.Tasks[i].check(); err != nil {
			return r, fmt.Errorf("task %s: %w", r.Tasks[i].Key, err)
		}
	}
	return r, nil
}

// Called gives the definitions that a bucket decides for, tombstones too, as they
// were at a snapshot or later: of the roll that a leader kept, and those that were
// marked since, each by itself. Without a roll, or with more marks than the
// bucket's node tells, it is Definitions. Error: coordclient.ErrUnavailable.
func (s *Store) Called(ctx context.Context, snap Snapshot) ([]task.Info, error) {
	b := snap.Bucket
	if snap.Corrupt != nil {
		return s.Definitions(ctx, b)
	}
	r, ok, err := s.recall(ctx, b, snap.Node)
	if err != nil {
		return nil, err
	}
	if !ok {
		return s.Definitions(ctx, b)
	}
	roll, err := s.call(ctx, r.afresh, func(ctx context.Context, segment string) (task.Info, error) {
		key, err := parseTaskSegment(segment)
		if err != nil {
			return task.Info{}, &CorruptError{s.keys.tasks(b) + "/" + segment, err}
		}
		return s.seated(ctx, b, key)
	})
	if err != nil {
		return nil, fmt.Errorf("roll of bucket %d: %w", b, err)
	}
	roll.Definitions = append(roll.Definitions, r.kept...)
	slices.SortFunc(roll.Definitions, func(a, b task.Info) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return roll.Definitions, nil
}

// recalled is what a roll still tells of a bucket.
type recalled struct {
	kept   []task.Info // as they are
	afresh []string    // segments of those that must be read by themselves, in order
}

// recall reads the roll of a bucket whose node is n. False: there is none that
// tells how the bucket's tasks are now.
func (s *Store) recall(ctx context.Context, b int, n Node) (recalled, bool, error) {
	if s.singly {
		return recalled{}, false, nil
	}
	e, err := s.peek(ctx, s.keys.roll(b))
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return recalled{}, false, nil
	case err != nil:
		return recalled{}, false, fmt.Errorf("roll of bucket %d: %w", b, err)
	}
	roll, err := decodeRoll(e.Value)
	if err != nil {
		s.corrupt(&CorruptError{e.Key, err})
		return recalled{}, false, nil //nolint:nilerr // the tasks are there, each by itself
	}
	marked, ok := n.since(roll.Edit) // not ok, too, if it is newer than the node that was read
	if !ok {
		return recalled{}, false, nil
	}
	r := recalled{kept: make([]task.Info, 0, len(roll.Tasks)), afresh: slices.Clone(roll.Others)}
	for _, key := range marked {
		r.afresh = append(r.afresh, taskSegment(key))
	}
	slices.Sort(r.afresh)
	r.afresh = slices.Compact(r.afresh)
	for i := range roll.Tasks {
		if _, again := slices.BinarySearch(r.afresh, taskSegment(roll.Tasks[i].Key)); !again {
			r.kept = append(r.kept, s.standing(roll.Tasks[i].Info))
		}
	}
	return r, true, nil
}

// Named gives the definitions of the tasks whose names fall into a bucket,
// tombstones too, by key: of its roll those that it still tells, the others each by
// itself. Whichever bucket decides for it, a task has one such bucket, so that who
// goes through all of them meets each task once. Error: coordclient.ErrUnavailable.
func (s *Store) Named(ctx context.Context, b int) ([]task.Info, error) {
	r, err := s.recallNow(ctx, b)
	if err != nil {
		return nil, err
	}
	segments, err := s.kv.List(ctx, s.keys.tasks(b))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.keys.tasks(b), err)
	}
	at := make(map[string]int, len(r.kept))
	for i := range r.kept {
		at[taskSegment(r.kept[i].Key)] = i
	}
	infos := make([]task.Info, 0, len(segments))
	var others []string
	for _, segment := range segments {
		if i, ok := at[segment]; ok {
			infos = append(infos, r.kept[i])
		} else {
			others = append(others, segment)
		}
	}
	afresh, _, err := readThese(ctx, s, s.keys.tasks(b), others, s.decodeNamed)
	if err != nil {
		return nil, err
	}
	infos = append(infos, afresh...)
	slices.SortFunc(infos, func(a, b task.Info) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	return infos, nil
}

// recallNow is recall for a bucket whose node was not read; nothing is kept where
// no roll tells.
func (s *Store) recallNow(ctx context.Context, b int) (recalled, error) {
	n, _, err := s.nodeOnce(ctx, b)
	corrupt, isCorrupt := errors.AsType[*CorruptError](err)
	switch {
	case isCorrupt:
		s.corrupt(corrupt)
		return recalled{}, nil
	case err != nil:
		return recalled{}, fmt.Errorf("bucket %d: %w", b, err)
	}
	r, _, err := s.recall(ctx, b, n)
	return r, err
}
