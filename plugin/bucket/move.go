package bucket

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// MaxParcel is the largest state of a task, in bytes, that is handed to another
// bucket. A task with more open claims than fit waits until some have ended.
const MaxParcel = 16 << 10

// Given is a task that a batch hands to the bucket that its definition names.
type Given struct {
	Info   task.Info
	Parcel []byte // its cursor and recent runs
}

// leaving tells whether the task is to be handed to another bucket.
func (e *entry) leaving() bool { return e.info != nil && e.info.Seat.To() != nil && !e.info.Deleted }

// arriving tells whether the task's state is on its way to this bucket.
func (e *entry) arriving() bool { return e.info != nil && len(e.info.Seat.Carried()) > 0 }

// held tells whether a run of the task is this owner's to settle.
func (e *entry) held() bool {
	return slices.ContainsFunc(e.cur.Open, func(o *Open) bool { return o.held })
}

// adoptParcel decides to take in what another bucket has handed over.
func (r *round) adoptParcel(e *entry) {
	if _, _, err := decodeParcel(e.info.Seat.Carried(), e.cur.UID); err != nil {
		e.fault, e.sched = err, nil // nothing is known of it, so nothing of it is decided
		return
	}
	r.add(Decision{Info: e.info, Record: Record{Kind: Adopt, UID: e.cur.UID, At: r.now, Parcel: e.info.Seat.Carried()}})
}

// give decides to hand a task over, unless something of it is still going on
// here, or the batch says something else of it.
func (r *round) give(e *entry, before int) {
	switch {
	case len(r.out.Decisions) > before || e.overdue() || e.held():
		return
	case slices.ContainsFunc(r.s.requests, func(q task.Request) bool { return q.UID == e.cur.UID }):
		return // it is answered first
	}
	parcel := e.parcel(RunsPerTask)
	if len(parcel) > MaxParcel {
		parcel = e.parcel(1)
	}
	if len(parcel) <= MaxParcel {
		r.add(Decision{Info: e.info, Parcel: parcel, Record: Record{Kind: Give, UID: e.cur.UID, At: r.now}})
	}
}

func (e *entry) parcel(runs int) []byte {
	enc := newEncoder(magicParcel, 512)
	enc.needs(formatMoves)
	e.cur.encode(enc)
	recent := e.runs[max(0, len(e.runs)-runs):]
	if slices.ContainsFunc(recent, func(p past) bool { return reasons[p.reason] == task.ReasonEgress }) {
		enc.needs(formatRefusals)
	}
	enc.uint(uint64(len(recent)))
	for i := range recent {
		recent[i].encode(enc)
	}
	return enc.done()
}

func decodeParcel(data []byte, uid string) (Cursor, []past, error) {
	d := newDecoder(magicParcel, data)
	var c Cursor
	c.decode(d)
	n := d.count()
	if n > RunsPerTask {
		d.fail("%d runs of one task", n)
		n = 0
	}
	var runs []past
	for ; n > 0 && d.err == nil; n-- {
		var p past
		p.decode(d)
		runs = append(runs, p)
	}
	err := d.end()
	if err == nil && c.UID != uid {
		err = fmt.Errorf("%w: it is of %s", ErrCorrupt, c.UID)
	}
	if err != nil {
		return Cursor{}, nil, fmt.Errorf("state carried to this bucket: %w", err)
	}
	return c, runs, nil
}

// adopted takes a parcel in. What its claims' attempts may still do is waited
// for as if this owner had inherited them.
func (s *State) adopted(e *entry, b *Batch, r *Record, live bool) {
	cur, runs, err := decodeParcel(r.Parcel, r.UID)
	if err != nil {
		return // it was read before it was decided on
	}
	if len(e.runs) == 0 && len(runs) > 0 {
		s.withRuns++
	}
	e.cur, e.runs = cur, runs
	if !live || e.info == nil {
		return // its definition is read, and what is open inherited, after replay
	}
	info := *e.info
	info.Seat = info.Seat.Carrying(nil)
	info.Revision++
	e.info, e.sched, e.past = nil, nil, nil
	s.adopt(e, &info)
	s.inherit(e, time.UnixMilli(b.Time))
}

// Evict decides about tasks alone that are to leave for other buckets, for an
// owner that only wants to see them off: nothing of them runs, and runs asked for
// by hand are refused. At most limit decisions, one task's together.
func (s *State) Evict(now time.Time, limit int) []Decision {
	s.Abandon()
	r := &round{s: s, now: now.UnixMilli(), pool: noPool{}, limit: limit}
	for _, e := range s.ordered() {
		if r.over() {
			break
		}
		if !e.leaving() || e.arriving() {
			continue
		}
		before := len(r.out.Decisions)
		r.dismiss(e)
		if len(r.out.Decisions) == before {
			r.entry(e)
		}
	}
	return r.out.Decisions
}

// dismiss answers one request about a task that leaves a bucket without runs.
func (r *round) dismiss(e *entry) {
	for _, q := range r.s.requests {
		if q.UID != e.cur.UID {
			continue
		}
		o := e.byID(q.FireID)
		switch {
		case q.Kind == task.RequestReply && o != nil:
			rec := o.settle(e, r.now)
			rec.answered(&q)
			r.add(Decision{Info: e.info, Record: rec})
		case q.Kind == task.RequestCancel && o != nil:
			r.end(e, o, task.Cancelled, "cancelled by request")
		default:
			r.add(Decision{Info: e.info, Record: Record{
				Kind: Skip, UID: q.UID, At: q.At().UnixMilli(), Manual: q.ID, Reason: task.ReasonRefused,
			}})
		}
		r.answer(e, q)
		return
	}
}

// noPool has no workers.
type noPool struct{}

// Reserve implements Pool.
func (noPool) Reserve(*task.Info, string) (string, Room) { return "", Busy }
