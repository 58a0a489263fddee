package bucket

import (
	"cmp"
	"slices"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Apply takes in a batch of this owner that was committed, and the requests
// that it took.
func (s *State) Apply(b *Batch, taken []string) {
	for i := range b.Records {
		r := &b.Records[i]
		s.apply(b, r, true)
		if e := s.entries[r.UID]; e != nil {
			s.rearm(e)
		}
	}
	s.seq = b.Seq
	if len(taken) > 0 {
		s.requests = slices.DeleteFunc(s.requests, func(r task.Request) bool { return slices.Contains(taken, r.ID) })
	}
	s.Abandon()
}

// Abandon looks again at everything that the last Decide took off the heap:
// its decisions were not committed, or were applied.
func (s *State) Abandon() {
	parked := s.parked
	s.parked, s.asked = nil, false
	for _, e := range parked {
		s.rearm(e)
	}
}

func (s *State) apply(b *Batch, r *Record, live bool) {
	e := s.entries[r.UID]
	if e == nil {
		if r.Kind == Forget || r.Kind == Give {
			return
		}
		e = &entry{cur: Cursor{UID: r.UID}, gone: 1} // until its definition is read
		s.entries[r.UID] = e
	}
	switch r.Kind {
	case Claim:
		e.claim(b, r, live)
	case Reclaim:
		e.reclaim(b, r, live)
	case Settle:
		s.settle(e, b, r)
	case Skip:
		decided := e.cur.Decided
		e.skip(r)
		if r.Until != 0 && r.Count == 0 {
			return // nothing was due there
		}
		p := past{
			at: r.At, end: b.Time, until: r.Until, manual: r.Manual, node: b.Node, count: int32(r.Count),
			outcome: codeOf(outcomes, task.Skipped), reason: codeOf(reasons, r.Reason),
		}
		if !e.extend(&p, decided) {
			s.remember(e, p)
		}
	case Defer:
		e.cur.Decided = max(e.cur.Decided, r.At)
		e.cur.Deferred = append(e.cur.Deferred, Deferred{At: r.At, NotBefore: r.Start})
	case Alerted:
		e.cur.Alerted = r.Start
	case Forget, Give:
		s.forget(e)
	case Adopt:
		s.adopted(e, b, r, live)
	}
}

func (e *entry) claim(b *Batch, r *Record, live bool) {
	if r.Manual == "" && !e.undefer(r.At) {
		e.cur.Decided = max(e.cur.Decided, r.At)
	}
	if i, o := e.find(r.At, r.Manual); o != nil {
		e.cur.Open = slices.Delete(e.cur.Open, i, i+1) // records find claims by their firing: there is one
	}
	e.cur.Counts.Fired++
	e.cur.Open = append(e.cur.Open, &Open{
		At: r.At, Manual: r.Manual, Attempt: r.Attempt, Tried: b.Time, Node: b.Node, Claimed: b.Time,
		Revision: r.Revision, Meaning: r.Meaning, Hash: r.Hash, Delivery: r.Delivery, Input: r.Input, held: live,
	})
}

// undefer takes an instant off the deferred ones, if it is one.
func (e *entry) undefer(at int64) bool {
	i := slices.IndexFunc(e.cur.Deferred, func(d Deferred) bool { return d.At == at })
	if i < 0 {
		return false
	}
	e.cur.Deferred = slices.Delete(e.cur.Deferred, i, i+1)
	return true
}

func (e *entry) find(at int64, manual string) (int, *Open) {
	for i, o := range e.cur.Open {
		if o.At == at && o.Manual == manual {
			return i, o
		}
	}
	return -1, nil
}

func (e *entry) reclaim(b *Batch, r *Record, live bool) {
	_, o := e.find(r.At, r.Manual)
	if o == nil {
		return
	}
	if !o.Settled {
		o.Again++
		o.Doubt = true
	}
	if r.Hash != "" {
		o.Hash = r.Hash
	}
	o.Attempt, o.Tried, o.Node, o.Waited = r.Attempt, b.Time, b.Node, 0
	o.Settled, o.held, o.due = false, live, 0
}

func (s *State) settle(e *entry, b *Batch, r *Record) {
	p := past{
		at: r.At, start: r.Start, end: r.End, manual: r.Manual, node: b.Node, err: r.Error,
		value: r.Value, attempt: int32(r.Attempt), outcome: codeOf(outcomes, r.Outcome),
	}
	i, o := e.find(r.At, r.Manual)
	if o == nil {
		e.amend(p)
		return
	}
	if r.Outcome == task.Waiting {
		o.await(r)
		return
	}
	p.node = o.Node // whoever made the attempt
	if r.Outcome == task.Skipped {
		p.count, p.reason = 1, codeOf(reasons, task.ReasonBackoff)
	}
	if r.Refused {
		p.reason = codeOf(reasons, task.ReasonEgress)
	}
	s.remember(e, p)
	if r.Outcome == task.OK {
		e.cur.LastOK, e.cur.Alerted = r.End, 0
	}
	if r.Final {
		e.cur.Open = slices.Delete(e.cur.Open, i, i+1)
		e.count(r.Outcome, 1)
		return
	}
	o.Settled, o.held, o.RetryAt, o.Outcome, o.Error = true, false, r.RetryAt, r.Outcome, r.Error
	switch {
	case r.Open || r.Outcome == task.Interrupted:
		o.Again++
		o.Doubt = o.Doubt || r.Open
	case r.NotSent:
		o.Unsent++
	default:
		o.Failed++
	}
}

// amend lets a late answer replace an UNKNOWN. The first end of a firing wins
// otherwise.
func (e *entry) amend(p past) {
	for i := len(e.runs) - 1; i >= 0; i-- {
		was := &e.runs[i]
		if was.at != p.at || was.manual != p.manual {
			continue
		}
		if outcomes[was.outcome] == task.Unknown {
			e.count(task.Unknown, -1)
			e.count(outcomes[p.outcome], 1)
			*was = p
		}
		return
	}
}

func (e *entry) count(outcome task.Outcome, n int64) {
	switch outcome {
	case task.OK:
		e.cur.Counts.OK += n
	case task.Failed, task.TimedOut:
		e.cur.Counts.Failed += n
	case task.Unknown:
		e.cur.Counts.Unknown += n
	case task.Skipped: // claimed, and then not run
		e.cur.Counts.Fired -= n
		e.cur.Counts.Skipped += n
	}
}

func (e *entry) skip(r *Record) {
	switch {
	case r.Manual != "":
		return
	case r.Until != 0:
		e.cur.Decided = max(e.cur.Decided, r.Until)
	default:
		e.undefer(r.At)
	}
	e.cur.Counts.Skipped += int64(r.Count)
}

// extend lets the last thing remembered stand for what was skipped outside the
// task's windows too, if it is such a skip and nothing was decided since: a night
// is one line of its history.
func (e *entry) extend(p *past, decided int64) bool {
	if len(e.runs) == 0 || p.until == 0 || reasons[p.reason] != task.ReasonWindow {
		return false
	}
	last := &e.runs[len(e.runs)-1]
	if last.until != decided || last.outcome != p.outcome || last.reason != p.reason {
		return false
	}
	last.end, last.until, last.node, last.count = p.end, p.until, p.node, min(last.count+p.count, MaxCount)
	return true
}

func (s *State) remember(e *entry, p past) {
	if len(e.runs) == 0 {
		s.withRuns++
	}
	e.remember(p, share(s.withRuns))
	s.values += len(p.value)
	if s.values > MaxRuns {
		s.dropValues()
	}
}

// dropValues keeps the values of runs within what can be stored of them: it
// forgets those of all but the last run of each task, and of these the oldest.
func (s *State) dropValues() {
	s.values = 0
	var last []*past
	for _, e := range s.entries {
		for i := range e.runs {
			p := &e.runs[i]
			switch {
			case p.value == "":
			case i < len(e.runs)-1:
				p.value = ""
			default:
				last = append(last, p)
				s.values += len(p.value)
			}
		}
	}
	slices.SortFunc(last, func(a, b *past) int { return cmp.Compare(a.end, b.end) })
	for _, p := range last {
		if s.values <= MaxRuns/2 {
			return
		}
		s.values -= len(p.value)
		p.value = ""
	}
}

func (s *State) forget(e *entry) {
	delete(s.entries, e.cur.UID)
	if e.info != nil && s.keys[e.info.Key] == e {
		delete(s.keys, e.info.Key)
	}
	if len(e.runs) > 0 {
		s.withRuns--
	}
	s.wakes.remove(e)
	e.dead = true
}
