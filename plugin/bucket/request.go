package bucket

import (
	"slices"

	"github.com/seed42aab489/belfry/plugin/task"
)

// maxAnswers bounds the requests that one batch answers.
const maxAnswers = 100

// maxValues bounds the values of the replies that one batch holds, in bytes. One
// reply may go beyond it.
const maxValues = 128 << 10

// answerRequests deals with what administrators asked for. What has to wait
// stays among the requests.
func (r *round) answerRequests() {
	waiting, idle := r.s.idleRequests()
	if idle {
		return
	}
	r.s.asked = true
	for _, q := range r.s.requests {
		if r.over() || r.answers >= maxAnswers || r.values >= maxValues {
			return
		}
		if waiting[q.ID] {
			continue
		}
		e := r.s.entries[q.UID]
		if kind := r.asked[e]; kind != "" && (kind != task.RequestReply || q.Kind != task.RequestReply) {
			continue
		}
		switch {
		case e == nil:
			r.take(q)
		case q.Kind == task.RequestCancel:
			r.cancel(e, q)
		case q.Kind == task.RequestReply:
			r.reply(e, q)
		default:
			r.run(e, q)
		}
	}
}

// idleRequests names the requests that nothing can be done about for now, and
// tells whether those are all.
func (s *State) idleRequests() (waiting map[string]bool, idle bool) {
	if len(s.requests) == 0 {
		return nil, true
	}
	waiting = make(map[string]bool)
	for i, q := range s.requests {
		e := s.entries[q.UID]
		switch {
		case e == nil:
		case e.arriving():
			waiting[q.ID] = true // nothing is known of the task yet
		case q.Kind == task.RequestCancel:
			o := e.byID(q.FireID)
			if o != nil && o.held && o.cancel != "" {
				waiting[q.ID] = true // its run is being cancelled
			}
		case q.Kind == task.RequestReply:
			if o := e.byID(q.FireID); o != nil && o.held {
				waiting[q.ID] = true // its run has not settled
			}
		case e.waits(&s.requests[i]):
			waiting[q.ID] = true
		}
	}
	return waiting, len(waiting) == len(s.requests)
}

// waits tells whether a run by hand waits for the run before it, or, where it
// makes up for a past instant, for the end of a pause.
func (e *entry) waits(q *task.Request) bool {
	if _, over := e.ended(); over || e.info == nil {
		return false
	}
	fill := !q.Scheduled.IsZero()
	switch {
	case e.info.Paused:
		return fill && e.info.PauseUntil == nil
	case fill && e.info.Overlap == task.OverlapAllow || fill && e.info.Overlap == "":
		return slices.ContainsFunc(e.cur.Open, func(o *Open) bool { return task.IsFill(o.Manual) })
	default:
		return len(e.cur.Open) > 0 && (fill || e.info.Overlap == task.OverlapQueue)
	}
}

// due tells whether something scheduled of the task is due, which goes before
// what makes up for the past.
func (e *entry) due(now int64) bool {
	if len(e.cur.Deferred) > 0 && e.cur.Deferred[0].NotBefore <= now {
		return true
	}
	return e.nextFrom(max(e.cur.Decided, from(e.info))) <= now
}

// run claims a firing by hand, or refuses it. It never moves the cursor.
func (r *round) run(e *entry, q task.Request) {
	refuse := func(why task.Reason) {
		r.add(Decision{Info: e.info, Record: Record{
			Kind: Skip, UID: q.UID, At: q.At().UnixMilli(), Manual: q.ID, Reason: why,
		}})
		r.answer(e, q)
	}
	r.s.stand(e, r.now)
	switch _, over := e.ended(); {
	case over || e.info == nil:
		refuse(task.ReasonDeleted)
		return
	case !q.Scheduled.IsZero() && (e.info.Paused || e.waits(&q) || e.overdue() || e.due(r.now)):
		return // its turn comes
	case e.info.Paused:
		refuse(task.ReasonPaused)
		return
	case q.Follows && (e.shut != nil || !e.open(r.now)):
		if e.shut == nil && e.windows.Outside() == task.OutsideSkip {
			refuse(task.ReasonWindow)
		} else {
			r.s.parked = append(r.s.parked, e) // it waits for the opening
		}
		return
	case e.info.Overlap == task.OverlapSkip && len(e.cur.Open) > 0:
		refuse(task.ReasonOverlap)
		return
	case e.info.Overlap == task.OverlapQueue && len(e.cur.Open) > 0:
		return // it waits for the one before
	}
	hash, room := r.reserve(e.info, "")
	if room != Reserved {
		return
	}
	claim := claimRecord(e, q.At().UnixMilli(), q.ID, hash)
	claim.Input = q.Input
	r.add(Decision{Record: claim, Info: e.info, Windows: e.windows, Given: q.Input})
	r.answer(e, q)
}

// cancel ends a firing that is open or deferred. A run that is going is
// cancelled first, and the request is taken when it has ended.
func (r *round) cancel(e *entry, q task.Request) {
	o := e.byID(q.FireID)
	switch {
	case o == nil:
		r.cancelDeferred(e, q)
		return
	case o.held:
		o.cancel = q.ID
		r.out.Cancel = append(r.out.Cancel, q.FireID)
		return
	case o.awaits():
		rec := o.settle(e, r.now)
		rec.Outcome, rec.Error, rec.Final = task.Cancelled, "cancelled by request; what it called may go on", true
		r.add(Decision{Info: e.info, Record: rec})
	default:
		why := "cancelled by request"
		if o.Doubt || !o.Settled {
			why += "; an earlier attempt may have run"
		}
		r.end(e, o, task.Cancelled, why)
	}
	r.answer(e, q)
}

func (r *round) cancelDeferred(e *entry, q task.Request) {
	for _, d := range e.cur.Deferred {
		if fireID(e.cur.UID, d.At, "") == q.FireID {
			r.skip(e, d.At, 0, 1, task.ReasonRefused)
			r.answer(e, q)
			return
		}
	}
	r.take(q) // it has ended
}

// take takes a request about which there is nothing to decide.
func (r *round) take(q task.Request) {
	r.answers++
	r.out.Take = append(r.out.Take, q.ID)
}

// answer takes the request with the record that was decided last, which must
// not be committed without it.
func (r *round) answer(e *entry, q task.Request) {
	r.answers++
	r.out.Decisions[len(r.out.Decisions)-1].Take = q.ID
	r.mark(e, q)
}

// mark leaves all else about a task to the next round, which knows what came of
// this request.
func (r *round) mark(e *entry, q task.Request) {
	if r.asked == nil {
		r.asked = make(map[*entry]task.RequestKind)
	}
	r.asked[e] = q.Kind
}

func (e *entry) byID(id task.FireID) *Open {
	for _, o := range e.cur.Open {
		if fireID(e.cur.UID, o.At, o.Manual) == id {
			return o
		}
	}
	return nil
}
