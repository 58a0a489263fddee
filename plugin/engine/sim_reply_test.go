package engine_test

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// agent is what a call reached that is to be replied to: at once or late, once
// or more often, with one answer or two, or not at all. It needs w.mu.
func (w *world) agent(call task.Call) {
	if call.Info.Reply == nil || w.chance(100) {
		return
	}
	answer := task.Reply{OK: w.rand.IntN(4) > 0, Value: "of " + string(call.FireID)}
	for range 1 + w.rand.IntN(3) {
		wait := w.some(100 * time.Millisecond)
		if w.chance(500) {
			wait = w.some(25 * time.Second)
		}
		if w.chance(50) {
			answer.OK = !answer.OK
		}
		said := answer
		w.agents.Go(func() { // ends soon after wait
			time.Sleep(wait)
			_ = w.admin.Reply(w.life, call.Info.Key, call.FireID, said) // another may be there
		})
	}
}

// overdue tells whether a waiting run should have ended some time before end.
func (f *judgedFire) overdue(end time.Time) bool {
	const patience = 2 * time.Second
	return end.UnixMilli() > f.deadline+patience.Milliseconds() ||
		slices.ContainsFunc(f.replies, func(e event) bool { return e.at.Add(patience).Before(end) })
}

// replied judges a settlement by the replies that were stored before it.
func (j *judge) replied(e event, f *judgedFire, r *bucket.Record) {
	waited := f.waiting
	f.waiting = r.Outcome == task.Waiting
	if f.waiting {
		f.deadline = r.RetryAt
		if r.Final || waited {
			j.fault(errBadLog, e, r.FireID(), "WAITING, and final %t, waited %t", r.Final, waited)
		}
		return
	}
	if r.Value != "" || waited && (r.Outcome == task.OK || r.Outcome == task.Failed) {
		said := task.Reply{OK: r.Outcome == task.OK, Value: r.Value}
		if !r.Final || !slices.ContainsFunc(f.replies, func(e event) bool { return e.reply == said }) {
			j.fault(errNoReply, e, r.FireID(), "%s %q, final %t, %d replies", r.Outcome, r.Value, r.Final, len(f.replies))
		}
		return
	}
	if !waited || r.Outcome == task.Cancelled {
		return
	}
	late := time.Duration(e.batch.Time-f.deadline) * time.Millisecond
	if late < 0 && !slices.ContainsFunc(f.replies, func(e event) bool { return e.at.UnixMilli() > f.deadline }) {
		j.fault(errNoReply, e, r.FireID(), "%s %s before its deadline", r.Outcome, -late)
	}
	for _, reply := range f.replies {
		if reply.at.UnixMilli() <= f.deadline {
			j.fault(errLostReply, e, r.FireID(), "%s, though %+v was there by %s", r.Outcome, reply.reply, reply.at.Format("04:05.000"))
			return
		}
	}
}
