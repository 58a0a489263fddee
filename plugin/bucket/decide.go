package bucket

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Room is what a pool says to a firing that wants a worker.
type Room uint8

// The answers of a pool.
const (
	// Reserved: a worker waits for the firing, until its run ends or the claim
	// is given up.
	Reserved Room = iota
	// Busy: a cap that the firing counts against is used up.
	Busy
	// Full: no worker is free, whoever asks.
	Full
	// Changed: the target is not the one that was asked for. Nothing is reserved.
	Changed
)

// Pool is what Decide asks for workers.
type Pool interface {
	// Reserve asks for a worker, and gives the hash of what stands behind the
	// operation now; empty: nothing, and a worker is reserved all the same, to
	// find that out. Pinned, unless empty, is the hash that it must have.
	Reserve(info *task.Info, pinned string) (hash string, room Room)
}

// Decision is a record with what its owner needs to act on it.
type Decision struct {
	Record
	// Info of a Claim or Reclaim is what is to run, of a Forget the tombstone to
	// drop, if there is one; of a Give or Adopt the task. It must not be changed.
	Info *task.Info
	// Parcel of a Give is the state that goes with the task.
	Parcel []byte
	// Claimed is when the firing was first claimed, in Unix milliseconds; zero
	// for a Claim, which is made by the batch's time.
	Claimed int64
	// Windows of a Claim or Reclaim are those of its task; nil: it has none.
	Windows *calendar.Windows
	// Given is the input of a Claim or Reclaim.
	Given task.Input
	// Take is the request that the record answers; empty: none.
	Take string
}

// Decided is what a call of Decide came to.
type Decided struct {
	Decisions []Decision
	// Take lists the requests about which there is nothing to decide.
	Take []string
	// Cancel lists firings whose runs are to be cancelled. Each is listed once.
	Cancel []task.FireID
	// Full: more is due, but no worker is free. Decide again when one may be.
	Full bool
}

// Decide says what is to be committed at this time: claims of what is due, as
// far as workers can be reserved, skips, deferrals, further attempts, ends of
// what earlier owners left open. At most limit decisions. The state is not
// changed: hand the batch to Apply when it is committed, or call Abandon.
func (s *State) Decide(now time.Time, pool Pool, limit int) Decided {
	s.lately = now.UnixMilli()
	s.Abandon()
	r := &round{s: s, now: now.UnixMilli(), pool: pool, limit: limit}
	r.out.Decisions = make([]Decision, 0, s.usual)
	r.answerRequests()
	for len(s.wakes) > 0 && s.wakes[0].wake <= r.now && !r.over() {
		e := s.wakes[0]
		s.wakes.remove(e)
		s.parked = append(s.parked, e)
		if r.asked[e] == "" {
			r.entry(e)
		}
	}
	// The next round is likely to be about as large.
	s.usual = (s.usual + len(r.out.Decisions) + 1) / 2
	return r.out
}

// round is one call of Decide.
type round struct {
	s     *State
	now   int64
	pool  Pool
	limit int
	out   Decided
	// asked are tasks that this round answers a request about, by its kind. All
	// else about them is for the next, further replies apart.
	asked map[*entry]task.RequestKind
	// answers counts the requests answered, values the bytes of their values.
	answers, values int
	// fired and put are of the task at hand: that a claim of it was decided, and
	// how many deferrals.
	fired bool
	put   int
}

func (r *round) over() bool { return r.out.Full || len(r.out.Decisions) >= r.limit }

func (r *round) add(d Decision) { r.out.Decisions = append(r.out.Decisions, d) }

func (r *round) skip(e *entry, at, until int64, count int, why task.Reason) {
	r.add(Decision{Record: Record{Kind: Skip, UID: e.cur.UID, At: at, Until: until, Count: count, Reason: why}})
}

// reserve asks for a worker, and notes what a refusal means for the round.
func (r *round) reserve(info *task.Info, pinned string) (string, Room) {
	if r.over() {
		return "", Busy
	}
	hash, room := r.pool.Reserve(info, pinned)
	r.out.Full = r.out.Full || room == Full
	return hash, room
}

// running tells whether a run of the task is open, or decided on just now.
func (r *round) running(e *entry) bool { return r.fired || len(e.cur.Open) > 0 }

// queued is how many firings of the task wait, those decided just now too.
func (r *round) queued(e *entry) int { return r.put + len(e.cur.Deferred) }

func (r *round) deferTo(e *entry, at, notBefore int64, why task.Reason) {
	r.put++
	r.add(Decision{Record: Record{Kind: Defer, UID: e.cur.UID, At: at, Start: notBefore, Reason: why}})
}

func (r *round) entry(e *entry) {
	r.fired, r.put = false, 0
	if e.arriving() {
		r.adoptParcel(e)
		return
	}
	before := len(r.out.Decisions)
	if end, over := e.ended(); over {
		r.ended(e, end)
		return
	}
	r.s.stand(e, r.now)
	for _, o := range e.cur.Open {
		r.open(e, o, e.info.Paused)
	}
	start := from(e.info)
	if e.overdue() {
		first := min(nextAfter(e.past, e.cur.Decided), start)
		why := task.ReasonPast
		if e.resumed {
			why = task.ReasonPaused
		}
		r.skip(e, first, start, countUpTo(e.past, e.cur.Decided, start), why)
	}
	if e.leaving() {
		r.give(e, before)
		return
	}
	if e.info.Paused {
		r.dropDeferred(e, never, task.ReasonPaused)
		return
	}
	r.dropDeferred(e, start, task.ReasonPast)
	base := max(e.cur.Decided, start)
	if e.shut == nil && r.deferred(e, start) {
		r.instants(e, base)
	}
	if after, deadline := e.silence(); after > 0 && deadline <= r.now {
		r.add(Decision{Record: Record{Kind: Alerted, UID: e.cur.UID, At: deadline, Start: after}, Info: e.info})
	}
}

// ended deals with a deleted task: what is undecided is skipped, what is open
// runs to its end, and then it is forgotten.
func (r *round) ended(e *entry, end int64) {
	r.dropDeferred(e, never, task.ReasonDeleted)
	if first, n := e.unfinished(end); first != 0 {
		r.skip(e, first, end, n, task.ReasonDeleted)
	}
	for _, o := range e.cur.Open {
		r.open(e, o, false)
	}
	if len(e.cur.Open) > 0 {
		return
	}
	d := Decision{Record: Record{Kind: Forget, UID: e.cur.UID, At: end}}
	if e.info != nil && e.info.Deleted && e.gone == 0 {
		d.Info = e.info
	}
	r.add(d)
}

// dropDeferred skips the deferred instants up to end.
func (r *round) dropDeferred(e *entry, end int64, why task.Reason) {
	for _, d := range e.cur.Deferred {
		if d.At <= end {
			r.skip(e, d.At, 0, 1, why)
		}
	}
}

// deferred claims what was deferred and may go now. False: something of it
// waits for a worker.
func (r *round) deferred(e *entry, start int64) bool {
	if len(e.cur.Deferred) > 0 && !e.open(r.now) {
		return true // they wait for the opening
	}
	for i, d := range e.cur.Deferred {
		switch {
		case d.At <= start:
			continue
		case d.NotBefore > r.now:
			return true
		case e.info.Overlap == task.OverlapQueue && (i > 0 || r.running(e)):
			return true
		case e.info.Overlap == task.OverlapSkip && (i > 0 || r.running(e)):
			r.skip(e, d.At, 0, 1, task.ReasonOverlap)
		case !r.claim(e, d.At):
			return false
		}
	}
	return true
}

// claim claims a scheduled instant if a worker can be reserved.
func (r *round) claim(e *entry, at int64) bool {
	hash, room := r.reserve(e.info, "")
	if room != Reserved {
		return false
	}
	r.fired = true
	r.add(Decision{Record: claimRecord(e, at, "", hash), Info: e.info, Windows: e.windows})
	return true
}

func claimRecord(e *entry, at int64, manual, hash string) Record {
	return Record{
		Kind: Claim, UID: e.cur.UID, At: at, Manual: manual, Attempt: 1, Revision: e.info.Revision,
		Meaning: Meaning(e.info), Hash: hash, Delivery: e.info.Delivery,
	}
}
