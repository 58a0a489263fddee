package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
)

// MaxReason bounds the reason kept for a bucket without a place, in bytes.
const MaxReason = 300

// ErrDeposed says that whoever commits as the leader is not the leader any
// more, or not of this term.
var ErrDeposed = errors.New("not the leader any more")

// Placement says which member each bucket belongs to: on paper, for who owns it
// is said by its node. The leader writes it.
type Placement struct {
	Format int `json:"format"`
	// Term of the leader that wrote it; 0: nobody did yet.
	Term int64 `json:"term"`
	// Waiting is why nothing may be placed at all; empty: something may.
	Waiting string `json:"waiting,omitempty"`
	// Members are all that it was made for: those that had begun.
	Members []coordclient.MemberID `json:"members"`
	// Buckets holds, by number, an index into Members, or -1: nobody. Empty:
	// nothing was placed yet.
	Buckets []int `json:"buckets"`
	// Why tells, by number, why a bucket is nobody's. Reasons that many buckets
	// share are kept once, in Reasons.
	Why     map[int]int `json:"why,omitempty"`
	Reasons []string    `json:"reasons,omitempty"`
}

// Of is the member that a bucket belongs to, or why it is nobody's.
func (p *Placement) Of(b int) (member coordclient.MemberID, why string) {
	if b >= 0 && b < len(p.Buckets) {
		if i := p.Buckets[b]; i >= 0 && i < len(p.Members) {
			return p.Members[i], ""
		}
	}
	if i, ok := p.Why[b]; ok && i >= 0 && i < len(p.Reasons) {
		return "", p.Reasons[i]
	}
	return "", "it has not been placed yet"
}

// Assign says, for the next bucket, that it belongs to a member, or why to
// nobody.
func (p *Placement) Assign(member coordclient.MemberID, why string) {
	i := slices.Index(p.Members, member)
	if member != "" && i < 0 {
		i = len(p.Members)
		p.Members = append(p.Members, member)
	}
	b := len(p.Buckets)
	if p.Buckets = append(p.Buckets, i); i >= 0 {
		return
	}
	why = strings.ToValidUTF8(why[:min(len(why), MaxReason)], "") // as it will be read
	n := slices.Index(p.Reasons, why)
	if n < 0 {
		n = len(p.Reasons)
		p.Reasons = append(p.Reasons, why)
	}
	if p.Why == nil {
		p.Why = make(map[int]int)
	}
	p.Why[b] = n
}

func (k keys) placement() string { return string(k) + "/placement" }
func (k keys) leader() string    { return string(k) + "/leader" }

// Prepare makes the records that members watch, those that are not there. The
// cluster must have been initialised. Errors: those of coordclient.KV.
func (s *Store) Prepare(ctx context.Context) error {
	for _, record := range []struct {
		key   string
		value any
	}{
		{s.keys.placement(), Placement{Format: Format}},
		{s.keys.leader(), leaderRecord{Format: Format}},
		{s.keys.barrier(), Barrier{Format: Format}},
		{s.keys.drains(), drainRecord{Format: Format}},
		{s.keys.catalogue(), formatRecord{Format}},
		{s.keys.places(), placesRecord{Format: Format}},
		{s.keys.calendars(), calendarsRecord{Format}},
	} {
		value, err := encode(record.value, coordclient.MaxValue)
		if err == nil {
			err = s.make(ctx, record.key, value)
		}
		if err != nil {
			return fmt.Errorf("prepare %s: %w", record.key, err)
		}
	}
	return nil
}

// make creates a key unless it is there.
func (s *Store) make(ctx context.Context, key string, value []byte) error {
	for range maxDoubts {
		_, err := s.peek(ctx, key)
		if !errors.Is(err, coordclient.ErrNotFound) {
			return err
		}
		err = s.kv.Commit(ctx, coordclient.Create(key, value))
		if err == nil || errors.Is(err, coordclient.ErrExists) {
			return nil
		}
		if !errors.Is(err, coordclient.ErrUnknownOutcome) {
			return err
		}
	}
	return coordclient.ErrUnknownOutcome
}

// Placement reads the placement, its version, and a channel that closes when it
// may have changed. Errors: coordclient.ErrNotFound (nothing was prepared),
// ErrUnavailable, *CorruptError.
func (s *Store) Placement(ctx context.Context) (Placement, int64, <-chan struct{}, error) {
	var p Placement
	version, changed, err := s.record(ctx, s.keys.placement(), &p, &p.Format)
	if err != nil {
		return Placement{}, 0, nil, fmt.Errorf("placement: %w", err)
	}
	return p, version, changed, nil
}

// record reads one record with its version and a watch.
func (s *Store) record(ctx context.Context, key string, record any, format *int) (int64, <-chan struct{}, error) {
	e, changed, err := s.kv.Get(ctx, key)
	if err != nil {
		return 0, nil, err
	}
	if err := decode(e.Value, coordclient.MaxValue, record, format); err != nil {
		return 0, nil, &CorruptError{key, err}
	}
	return e.Version, changed, nil
}

type formatRecord struct {
	Format int `json:"format"`
}

type leaderRecord struct {
	Format int                  `json:"format"`
	Term   int64                `json:"term"`
	Member coordclient.MemberID `json:"member"`
}

// Leader tells who took the lead last, and in which term; 0 and empty: nobody
// yet. Whether it still leads depends on whether it is still a member. Errors:
// coordclient.ErrNotFound, ErrUnavailable, *CorruptError.
func (s *Store) Leader(ctx context.Context) (member coordclient.MemberID, term int64, err error) {
	var r leaderRecord
	if _, _, err = s.record(ctx, s.keys.leader(), &r, &r.Format); err != nil {
		return "", 0, fmt.Errorf("leader: %w", err)
	}
	return r.Member, r.Term, nil
}

// Lead is a hold on the leadership: what is committed with it is committed only
// while nobody has taken the lead since.
type Lead struct {
	Term    int64
	version int64
}

// TakeLead makes this member the leader of a term that it was elected for.
// Errors: ErrDeposed (a later term has begun, or it is no member any more),
// coordclient.ErrUnavailable, ErrUnknownOutcome (then take it again),
// *CorruptError.
func (o *Owner) TakeLead(ctx context.Context, term int64) (Lead, error) {
	fail := func(err error) (Lead, error) { return Lead{}, fmt.Errorf("take the lead of term %d: %w", term, err) }
	if err := o.kv.Sync(ctx, o.keys.leader()); err != nil {
		return fail(err)
	}
	var r leaderRecord
	version, _, err := o.record(ctx, o.keys.leader(), &r, &r.Format)
	switch {
	case err != nil:
		return fail(err)
	case r.Term == term && r.Member == o.me:
		return Lead{term, version}, nil // an answer was lost
	case r.Term >= term:
		return fail(fmt.Errorf("%w: %s leads in term %d", ErrDeposed, r.Member, r.Term))
	}
	value, err := encode(leaderRecord{Format, term, o.me}, coordclient.MaxValue)
	if err != nil {
		return fail(err)
	}
	err = o.kv.Commit(ctx, coordclient.CheckMember(o.me), coordclient.Set(o.keys.leader(), value, version))
	switch {
	case errors.Is(err, coordclient.ErrConflict):
		return fail(fmt.Errorf("%w: another took it", ErrDeposed))
	case err != nil:
		return fail(deposed(err))
	}
	return Lead{term, version + 1}, nil
}

// deposed says that the leader's membership is over as what it means.
func deposed(err error) error {
	if errors.Is(err, coordclient.ErrNotMember) {
		return fmt.Errorf("%w: %w", ErrDeposed, err)
	}
	return err
}

// Decision is what a leader commits at once.
type Decision struct {
	Placement Placement
	Version   int64 // of the placement that it replaces
	// Barrier, if any, replaces the barrier at its version.
	Barrier        *Barrier
	BarrierVersion int64
}

// Decide commits a leader's decision. Errors: ErrDeposed, coordclient.ErrConflict
// (placement or barrier moved: read them again), ErrUnavailable,
// ErrUnknownOutcome, ErrTooLarge.
func (o *Owner) Decide(ctx context.Context, lead Lead, d Decision) error {
	d.Placement.Format, d.Placement.Term = Format, lead.Term
	value, err := encode(d.Placement, coordclient.MaxValue)
	if err != nil {
		return fmt.Errorf("place: %w", err)
	}
	ops := []coordclient.Op{coordclient.Set(o.keys.placement(), value, d.Version)}
	if d.Barrier != nil {
		d.Barrier.Format = Format
		if value, err = encode(d.Barrier, coordclient.MaxValue); err != nil {
			return fmt.Errorf("place: %w", err)
		}
		ops = append(ops, coordclient.Set(o.keys.barrier(), value, d.BarrierVersion))
	}
	if err := o.asLeader(ctx, lead, ops...); err != nil {
		return fmt.Errorf("place: %w", err)
	}
	return nil
}

// asLeader commits while the lead holds.
func (o *Owner) asLeader(ctx context.Context, lead Lead, ops ...coordclient.Op) error {
	all := append([]coordclient.Op{coordclient.CheckMember(o.me), coordclient.Check(o.keys.leader(), lead.version)}, ops...)
	err := o.kv.Commit(ctx, all...)
	var failed *coordclient.CommitError
	if errors.As(err, &failed) && failed.Index < 2 {
		return fmt.Errorf("%w: %w", ErrDeposed, err)
	}
	return err
}
