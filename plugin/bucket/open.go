package bucket

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// open decides on a claim that no worker here is at: a further attempt, or the
// end.
func (r *round) open(e *entry, o *Open, paused bool) {
	if r.now < o.wake(paused) || r.over() {
		return
	}
	if o.awaits() {
		r.deadline(e, o)
		return
	}
	tooOld := o.Delivery == task.EffectivelyOnce && r.now-o.Claimed > r.s.rules.OpenFor.Milliseconds()
	switch {
	case !o.Settled && o.Delivery == task.AtMostOnce && e.info != nil && e.info.Reply != nil:
		r.sentOrNot(e, o)
	case !o.Settled && o.Delivery == task.AtMostOnce:
		r.end(e, o, task.Unknown, "its owner went away during the run; at-most-once does not run it again")
	case tooOld:
		r.end(e, o, task.Unknown, "open for longer than the inbox can vouch for")
	case o.Again >= task.MaxReclaims:
		r.end(e, o, task.Unknown, "attempts used up: "+o.Error)
	case e.info == nil || Meaning(e.info) != o.Meaning:
		r.changed(e, o)
	default:
		r.again(e, o)
	}
}

func (r *round) again(e *entry, o *Open) {
	hash, room := r.reserve(e.info, o.Hash)
	switch room {
	case Changed:
		r.changed(e, o)
	case Reserved:
		r.add(Decision{Info: promised(e.info, o.Delivery), Claimed: o.Claimed, Windows: e.windows, Given: o.Input, Record: Record{
			Kind: Reclaim, UID: e.cur.UID, At: o.At, Manual: o.Manual, Attempt: o.Attempt + 1,
			Revision: e.info.Revision, Meaning: o.Meaning, Hash: hash, Delivery: o.Delivery,
		}})
	}
}

// promised is the definition with the delivery that the claim was made with.
func promised(info *task.Info, d task.Delivery) *task.Info {
	if info.Delivery == d {
		return info
	}
	own := *info
	own.Delivery = d
	return &own
}

// changed ends a firing whose operation is not what it was: it is never run
// with a new meaning. A definite answer of its last attempt stands.
func (r *round) changed(e *entry, o *Open) {
	const why = "the operation changed or is gone since the claim; not attempted again"
	if o.Settled && !o.Doubt && (o.Outcome == task.Failed || o.Outcome == task.TimedOut) {
		r.end(e, o, o.Outcome, why+": "+o.Error)
		return
	}
	r.end(e, o, task.Unknown, why)
}

func (r *round) end(e *entry, o *Open, outcome task.Outcome, why string) {
	r.add(Decision{Info: e.info, Record: Record{
		Kind: Settle, UID: e.cur.UID, At: o.At, Manual: o.Manual, Attempt: o.Attempt, End: r.now,
		Outcome: outcome, Error: bounded(why), Final: true,
	}})
}

// Ended is how an attempt of this owner ended.
type Ended struct {
	FireID         task.FireID
	UID            string
	At             int64 // Unix milliseconds
	Manual         string
	Attempt        int
	Started, Ended time.Time
	Result         task.Result
}

// Settle makes the record of an ended attempt: it ends the firing, or says when
// there is to be another attempt, as the task's delivery and retry policy say.
// A reply that came before the attempt ended is its end. Take, unless empty, is
// the request (to cancel it, or its reply) that is dealt with. False:
// the claim is not open for this attempt, there is nothing to record.
func (s *State) Settle(a Ended) (rec Record, take string, ok bool) {
	e := s.entries[a.UID]
	if e == nil {
		return Record{}, "", false
	}
	_, o := e.find(a.At, a.Manual)
	if o == nil || o.Attempt != a.Attempt || o.Settled {
		return Record{}, "", false
	}
	r := Record{
		Kind: Settle, UID: a.UID, At: a.At, Manual: a.Manual, Attempt: a.Attempt, Start: a.Started.UnixMilli(),
		End: a.Ended.UnixMilli(), Outcome: a.Result.Outcome, Error: bounded(a.Result.Error), Rows: a.Result.Rows,
		NotSent: a.Result.NotSent, Open: a.Result.Open, Refused: a.Result.Refused,
	}
	if r.Outcome != task.Waiting { // the value of that is the reply's
		r.Value = task.Head([]byte(a.Result.Output), task.MaxReplyValue)
	}
	if q := s.replyTo(fireID(a.UID, a.At, a.Manual)); q != nil && r.Outcome != task.OK {
		r.answered(q)
		return r, q.ID, true
	}
	var retry task.Retry
	if e.info != nil {
		retry = e.info.Retry
	}
	if r.Outcome == task.Waiting {
		r.RetryAt = e.waitUntil(a.Result.Deadline, r.Start)
	}
	o.verdict(&r, retry)
	return r, o.cancel, true
}

// verdict fills in whether the record ends the firing.
func (o *Open) verdict(r *Record, retry task.Retry) {
	atMostOnce := o.Delivery == task.AtMostOnce
	switch {
	case r.Outcome == task.OK, r.Outcome == task.Skipped:
		r.Final = true
	case o.cancel != "":
		r.Outcome, r.Final, r.RetryAt = task.Cancelled, true, 0
	case r.Outcome == task.Waiting:
	case r.Refused:
		r.Final = true
		if o.Doubt {
			r.Outcome = task.Unknown // an attempt before it may have had its effect
		}
	case atMostOnce && !r.NotSent:
		if r.Open || r.Outcome == task.Interrupted {
			r.Outcome = task.Unknown // it may have had its effect
		}
		r.Final = true
	case r.Outcome == task.Interrupted:
		r.Open = !r.NotSent
		r.RetryAt = r.End
	case r.Open, r.NotSent && o.Doubt, r.Outcome == task.TimedOut && o.Delivery == task.EffectivelyOnce:
		r.Open = true
		if o.Again+1 >= task.MaxReclaims {
			r.Outcome, r.Final = task.Unknown, true
			return
		}
		r.RetryAt = r.End + retry.Delay(o.Again+2).Milliseconds()
	case r.NotSent:
		r.retry(o.Unsent, max(retry.Max, task.MinNotSentRetries), retry)
	default:
		r.retry(o.Failed, retry.Max, retry)
	}
}

// retry allows so many attempts after the first, of which some were made.
func (r *Record) retry(made, allowed int, policy task.Retry) {
	if made >= allowed {
		r.Final = true
		return
	}
	r.RetryAt = r.End + policy.Delay(made+2).Milliseconds()
}
