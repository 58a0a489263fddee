package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Holder tells who holds a bucket.
type Holder struct {
	// Member owns it, or did when it was last a member; empty: it is free.
	Member coordclient.MemberID
	// Edit counts the edits of its definitions.
	Edit int64
}

// Holder reads who holds a bucket, and gives a channel that closes when that may
// have changed. Errors: coordclient.ErrNotFound, ErrUnavailable, *CorruptError.
func (s *Store) Holder(ctx context.Context, b int) (Holder, <-chan struct{}, error) {
	n, _, changed, err := s.node(ctx, b)
	if err != nil {
		return Holder{}, nil, fmt.Errorf("bucket %d: %w", b, err)
	}
	return n.holder(), changed, nil
}

func (n Node) holder() Holder {
	h := Holder{Member: n.Member, Edit: n.Edit}
	if n.Released {
		h.Member = ""
	}
	return h
}

// Holders reads who holds each bucket, several at once. One whose node cannot be
// read is reported and counts as free. Error: coordclient.ErrUnavailable.
func (s *Store) Holders(ctx context.Context) ([]Holder, error) {
	n, err := s.Span(ctx)
	if err != nil {
		return nil, fmt.Errorf("buckets: %w", err)
	}
	holders := make([]Holder, n)
	err = parallel.Each(ctx, n, func(ctx context.Context, b int) error {
		n, _, err := s.nodeOnce(ctx, b)
		if corrupt, ok := errors.AsType[*CorruptError](err); ok {
			s.corrupt(corrupt)
			return nil
		}
		if err != nil {
			return fmt.Errorf("bucket %d: %w", b, err)
		}
		holders[b] = n.holder()
		return nil
	})
	return holders, err
}

// Edited reads the definitions edited since an edit number that a bucket still
// decides for, and the number of the last edit. Those that cannot be read are left
// out and reported. False: more were edited than the bucket's node tells. Errors:
// coordclient.ErrUnavailable; *CorruptError, of the bucket's node.
func (s *Store) Edited(ctx context.Context, b int, edit int64) (infos []task.Info, last int64, ok bool, err error) {
	n, _, err := s.nodeOnce(ctx, b)
	if err != nil {
		return nil, 0, false, fmt.Errorf("bucket %d: %w", b, err)
	}
	keys, ok := n.since(edit)
	if !ok {
		return nil, n.Edit, false, nil
	}
	if infos, _, err = s.those(ctx, b, keys); err != nil {
		return nil, 0, false, fmt.Errorf("bucket %d: %w", b, err)
	}
	return infos, n.Edit, true, nil
}

// Open tells whether a bucket has claims without an end, as far as its page and
// log tell at this moment. Errors: coordclient.ErrUnavailable, *CorruptError,
// those of bucket.Replay.
func (s *Store) Open(ctx context.Context, b int) (bool, error) {
	snap, err := s.Snapshot(ctx, b)
	if err != nil {
		return false, err
	}
	never := func(*task.Info) (bucket.Schedule, error) { return nil, errNoSchedule }
	state, err := bucket.Replay(snap.Loaded, never, bucket.Rules{})
	if err != nil {
		return false, fmt.Errorf("bucket %d: %w", b, err)
	}
	for _, uid := range state.UIDs() {
		if v, ok := state.View(uid); ok && len(v.Open) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// errNoSchedule: who only counts what is open needs no schedules.
var errNoSchedule = errors.New("no schedule is needed here")

// Survey is what a leader found out about a bucket, kept so that the next one
// need not read every definition again.
type Survey struct {
	Edit int64           // of the definitions that it was made of
	Data json.RawMessage // opaque here
	// Rolled: the roll of these definitions was kept with it, if it fits into a
	// record. Only of what was read.
	Rolled bool
}

type surveyRecord struct {
	Format int             `json:"format"`
	Edit   int64           `json:"edit"`
	Data   json.RawMessage `json:"data"`
	Rolled bool            `json:"rolled,omitempty"`
}

func (k keys) survey(b int) string { return k.of("surveys", b) }

// Survey reads what is known of a bucket; false: nothing. What cannot be read is
// reported and not known. Error: coordclient.ErrUnavailable.
func (s *Store) Survey(ctx context.Context, b int) (Survey, bool, error) {
	var r surveyRecord
	_, _, err := s.record(ctx, s.keys.survey(b), &r, &r.Format)
	corrupt, isCorrupt := errors.AsType[*CorruptError](err)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return Survey{}, false, nil
	case isCorrupt:
		s.corrupt(corrupt)
		return Survey{}, false, nil
	case err != nil:
		return Survey{}, false, fmt.Errorf("survey of bucket %d: %w", b, err)
	}
	return Survey{r.Edit, r.Data, r.Rolled}, true, nil
}

// PutSurvey keeps a survey, as the leader, and the roll of the definitions that it
// was made of, unless that is too long for a record. Errors as of Decide.
func (o *Owner) PutSurvey(ctx context.Context, lead Lead, b int, survey Survey, roll Roll) error {
	value, err := encode(surveyRecord{Format, survey.Edit, survey.Data, true}, coordclient.MaxValue)
	if err != nil {
		return fmt.Errorf("survey of bucket %d: %w", b, err)
	}
	values := map[string][]byte{o.keys.survey(b): value}
	called, err := roll.encode(survey.Edit)
	switch {
	case err == nil:
		values[o.keys.roll(b)] = called
	case !errors.Is(err, coordclient.ErrTooLarge):
		return fmt.Errorf("roll of bucket %d: %w", b, err)
	}
	var ops []coordclient.Op
	for key, value := range values {
		there, err := o.blob(ctx, key)
		if err != nil {
			return fmt.Errorf("survey of bucket %d: %w", b, err)
		}
		there.Data = value
		ops = append(ops, put(key, there))
	}
	if err := o.asLeader(ctx, lead, ops...); err != nil {
		return fmt.Errorf("survey of bucket %d: %w", b, err)
	}
	return nil
}

// Announce tells the leader that this member's catalogue has changed. Errors:
// bucket.ErrFenced, ErrUnavailable.
func (o *Owner) Announce(ctx context.Context) error {
	err := o.announce(ctx)
	if errors.Is(err, coordclient.ErrConflict) {
		return nil // somebody else told it after this member had published
	}
	if err != nil {
		return fmt.Errorf("announce services: %w", portError(err))
	}
	return nil
}

func (o *Owner) announce(ctx context.Context) error {
	e, err := o.peek(ctx, o.keys.catalogue())
	if err != nil {
		return err
	}
	return o.kv.Commit(ctx, coordclient.CheckMember(o.me), coordclient.Set(e.Key, e.Value, e.Version))
}

// Announced gives a channel that closes when a catalogue may have changed.
// Errors: coordclient.ErrNotFound (nothing was prepared), ErrUnavailable.
func (s *Store) Announced(ctx context.Context) (<-chan struct{}, error) {
	_, changed, err := s.kv.Get(ctx, s.keys.catalogue())
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return changed, nil
}

type clockRecord struct {
	Format int                  `json:"format"`
	Member coordclient.MemberID `json:"member"`
	SkewMS int64                `json:"skew_ms"`
}

func (k keys) clocks() string { return string(k) + "/clocks" }

func (k keys) clock(m coordclient.MemberID) string { return k.clocks() + "/" + Segment(string(m)) }

// Compare writes down what the member's clock was found to be, and finds it out
// anew: how far now is ahead of the store's clock, at least, whatever the commit
// took. Errors: bucket.ErrFenced, ErrUnavailable, ErrUnknownOutcome.
func (o *Owner) Compare(ctx context.Context, now func() time.Time, known time.Duration) (time.Duration, error) {
	skew, err := o.compare(ctx, now, known)
	if err != nil {
		return 0, fmt.Errorf("compare clocks: %w", portError(err))
	}
	return skew, nil
}

func (o *Owner) compare(ctx context.Context, now func() time.Time, known time.Duration) (time.Duration, error) {
	key := o.keys.clock(o.me)
	value, err := encode(clockRecord{Format, o.me, known.Milliseconds()}, coordclient.MaxValue)
	if err != nil {
		return 0, err
	}
	there, err := o.blob(ctx, key)
	if err != nil {
		return 0, err
	}
	there.Data = value
	// Whole milliseconds, as the store keeps them.
	before := now().Truncate(time.Millisecond)
	if err := o.kv.Commit(ctx, coordclient.CheckMember(o.me), put(key, there)); err != nil {
		return 0, err
	}
	after := now()
	e, err := o.peek(ctx, key)
	switch {
	case err != nil:
		return 0, err
	case e.Modified.Before(before):
		return before.Sub(e.Modified), nil
	case e.Modified.After(after):
		return after.Sub(e.Modified), nil
	}
	return 0, nil
}

// Clocks reads what members said of their clocks: how far each is ahead of the
// store's. Nothing of those that said nothing yet. Error:
// coordclient.ErrUnavailable.
func (s *Store) Clocks(ctx context.Context) (map[coordclient.MemberID]time.Duration, error) {
	all, err := read(ctx, s, s.keys.clocks(), func(_ string, e coordclient.Entry) (clockRecord, error) {
		var r clockRecord
		err := decode(e.Value, coordclient.MaxValue, &r, &r.Format)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("clocks: %w", err)
	}
	clocks := make(map[coordclient.MemberID]time.Duration, len(all))
	for _, c := range all {
		clocks[c.Member] = time.Duration(c.SkewMS) * time.Millisecond
	}
	return clocks, nil
}

// Clock reads what one member said of its clock, and gives a channel that closes when
// it may have said something else. False: it said nothing yet, and there is no
// channel. Error: coordclient.ErrUnavailable.
func (s *Store) Clock(ctx context.Context, m coordclient.MemberID) (skew time.Duration, changed <-chan struct{}, ok bool, err error) {
	e, changed, err := s.kv.Get(ctx, s.keys.clock(m))
	if errors.Is(err, coordclient.ErrNotFound) {
		return 0, nil, false, nil
	}
	var r clockRecord
	if err == nil {
		err = decode(e.Value, coordclient.MaxValue, &r, &r.Format)
	}
	if err != nil {
		return 0, nil, false, fmt.Errorf("clock of %s: %w", m, err)
	}
	return time.Duration(r.SkewMS) * time.Millisecond, changed, true, nil
}

// SweepClock removes what a member that is gone said of its clock. Error:
// coordclient.ErrUnavailable, ErrUnknownOutcome.
func (s *Store) SweepClock(ctx context.Context, gone coordclient.MemberID) error {
	err := s.kv.Commit(ctx, coordclient.Delete(s.keys.clock(gone), coordclient.AnyVersion))
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		return fmt.Errorf("clock of %s: %w", gone, err)
	}
	return nil
}

// Surrender frees a bucket that this member has on paper but does not serve, as
// after an acquisition that it gave up half-way. The caller makes sure that
// nobody in this process serves or acquires it meanwhile. False: it is not this
// member's. Errors: bucket.ErrFenced, ErrUnavailable, ErrUnknownOutcome,
// *CorruptError.
func (o *Owner) Surrender(ctx context.Context, b int) (freed bool, err error) {
	fail := func(err error) (bool, error) {
		return false, fmt.Errorf("surrender bucket %d: %w", b, portError(err))
	}
	if err := o.kv.Sync(ctx, o.keys.bucket(b)); err != nil {
		return fail(err)
	}
	n, e, err := o.nodeOnce(ctx, b)
	if err != nil {
		return fail(err)
	}
	if !n.Owned(o.me) {
		return false, nil
	}
	if err := o.Release(ctx, fence(b, n, e.Version)); err != nil {
		return fail(err)
	}
	return true, nil
}
