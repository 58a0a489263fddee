package bucket

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// awaits tells whether the claim waits for a reply.
func (o *Open) awaits() bool { return o.Settled && o.Outcome == task.Waiting }

// await makes the claim wait for a reply, as the record says.
func (o *Open) await(r *Record) {
	o.Settled, o.held, o.RetryAt, o.Outcome, o.Error = true, false, r.RetryAt, r.Outcome, r.Error
	o.Doubt = o.Doubt || r.Open
	if r.Start != 0 {
		o.Tried = r.Start
	}
}

// waitUntil is the deadline of a reply to an attempt that began at start.
func (e *entry) waitUntil(said time.Time, start int64) int64 {
	if !said.IsZero() {
		return said.UnixMilli()
	}
	wait := task.DefaultReplyDeadline
	if e.info != nil && e.info.Reply != nil {
		wait = e.info.Reply.Wait()
	}
	return start + wait.Milliseconds()
}

// replyTo is the reply to a firing that nobody has taken yet; nil: none.
func (s *State) replyTo(id task.FireID) *task.Request {
	for i := range s.requests {
		if q := &s.requests[i]; q.Kind == task.RequestReply && q.FireID == id {
			return q
		}
	}
	return nil
}

// answered makes the record say what the reply says.
func (r *Record) answered(q *task.Request) {
	r.Outcome, r.Final, r.RetryAt, r.NotSent, r.Open, r.Refused = task.OK, true, 0, false, false, false
	r.Error, r.Value = "", q.Reply.Value
	if !q.Reply.OK {
		r.Outcome, r.Error = task.Failed, bounded(q.Reply.Value)
	}
}

// reply ends the firing that the reply is to. One to a firing that has ended
// changes nothing.
func (r *round) reply(e *entry, q task.Request) {
	o := e.byID(q.FireID)
	switch {
	case o == nil:
		r.take(q)
	case o.held: // its attempt ends first
	case o.awaits() && q.Asked.UnixMilli() > o.RetryAt:
		r.deadline(e, o) // and the reply is looked at again
		r.mark(e, q)
	default:
		rec := o.settle(e, r.now)
		rec.answered(&q)
		r.add(Decision{Info: e.info, Record: rec})
		r.values += len(rec.Value)
		r.answer(e, q)
	}
}

// deadline ends an attempt whose reply did not come in time, unless it did and
// was not looked at yet.
func (r *round) deadline(e *entry, o *Open) {
	if q := r.s.replyTo(fireID(e.cur.UID, o.At, o.Manual)); q != nil && q.Asked.UnixMilli() <= o.RetryAt {
		return
	}
	rec := o.settle(e, r.now)
	rec.Outcome, rec.Error, rec.Final = task.TimedOut, "no reply by the deadline", true
	switch {
	case o.Delivery == task.AtMostOnce && o.Doubt:
		rec.Outcome, rec.Error = task.Unknown, "its owner went away as it was sent, and no reply came"
	case o.Delivery != task.AtMostOnce && e.info != nil && e.info.Reply.Retries():
		rec.Final = false
		rec.retry(o.Failed, e.info.Retry.Max, e.info.Retry)
	}
	r.add(Decision{Info: e.info, Record: rec})
}

// sentOrNot lets an at-most-once claim whose owner went away wait for a reply,
// which is the only one to tell whether its request was sent.
func (r *round) sentOrNot(e *entry, o *Open) {
	rec := o.settle(e, r.now)
	rec.Outcome, rec.Open, rec.RetryAt = task.Waiting, true, e.waitUntil(time.Time{}, o.Tried)
	rec.Error = "its owner went away as it was sent"
	r.add(Decision{Info: e.info, Record: rec})
}

// settle begins the record of an end that no worker here has seen.
func (o *Open) settle(e *entry, now int64) Record {
	return Record{
		Kind: Settle, UID: e.cur.UID, At: o.At, Manual: o.Manual, Attempt: o.Attempt, Start: o.Tried, End: now,
	}
}
