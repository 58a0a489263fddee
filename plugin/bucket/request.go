package bucket

import "github.com/seed42aab489/belfry/plugin/task"

// maxAnswers bounds the requests that one batch answers.
const maxAnswers = 100

// answerRequests deals with what administrators asked for. What has to wait
// stays among the requests.
func (r *round) answerRequests() {
	waiting, idle := r.s.idleRequests()
	if idle {
		return
	}
	r.s.asked = true
	for _, q := range r.s.requests {
		if r.over() || len(r.out.Take) >= maxAnswers {
			return
		}
		if waiting[q.ID] {
			continue
		}
		e := r.s.entries[q.UID]
		if r.asked[e] {
			continue
		}
		if q.Kind == task.RequestCancel {
			r.cancel(e, q)
		} else {
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
	for _, q := range s.requests {
		e := s.entries[q.UID]
		switch {
		case e == nil:
		case q.Kind == task.RequestCancel:
			o := e.byID(q.FireID)
			if o != nil && o.held && o.cancel != "" {
				waiting[q.ID] = true // its run is being cancelled
			}
		case e.info != nil && e.info.Overlap == task.OverlapQueue && !e.info.Paused && len(e.cur.Open) > 0:
			if _, over := e.ended(); !over {
				waiting[q.ID] = true
			}
		}
	}
	return waiting, len(waiting) == len(s.requests)
}

// run claims a firing by hand, or refuses it. It never moves the cursor.
func (r *round) run(e *entry, q task.Request) {
	if e == nil {
		r.take(q)
		return
	}
	refuse := func(why task.Reason) {
		r.add(Decision{Info: e.info, Record: Record{
			Kind: Skip, UID: q.UID, At: q.Asked.UnixMilli(), Manual: q.ID, Reason: why,
		}})
		r.answer(e, q)
	}
	switch _, over := e.ended(); {
	case over || e.info == nil:
		refuse(task.ReasonDeleted)
		return
	case e.info.Paused:
		refuse(task.ReasonPaused)
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
	r.add(Decision{Record: claimRecord(e, q.Asked.UnixMilli(), q.ID, hash), Info: e.info})
	r.answer(e, q)
}

// cancel ends a firing that is open or deferred. A run that is going is
// cancelled first, and the request is taken when it has ended.
func (r *round) cancel(e *entry, q task.Request) {
	if e == nil {
		r.take(q)
		return
	}
	o := e.byID(q.FireID)
	switch {
	case o == nil:
		r.cancelDeferred(e, q)
	case o.held:
		o.cancel = q.ID
		r.out.Cancel = append(r.out.Cancel, q.FireID)
		return
	default:
		why := "cancelled by request"
		if o.Doubt || !o.Waiting {
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
		}
	}
}

func (r *round) take(q task.Request) { r.out.Take = append(r.out.Take, q.ID) }

// answer takes the request, and leaves all else about its task to the next
// round, which knows what came of it.
func (r *round) answer(e *entry, q task.Request) {
	if r.asked == nil {
		r.asked = make(map[*entry]bool)
	}
	r.asked[e] = true
	r.take(q)
}

func (e *entry) byID(id task.FireID) *Open {
	for _, o := range e.cur.Open {
		if fireID(e.cur.UID, o.At, o.Manual) == id {
			return o
		}
	}
	return nil
}
