package firecheck

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// moved checks that one bucket at a time decides for a task.
func (j *judge) moved(e Event, t *judged, r *bucket.Record) {
	switch {
	case r.Kind == bucket.Adopt && !t.away:
		j.fault(ErrTwoBuckets, e, r.FireID(), "bucket %d took it from nobody", e.Bucket)
	case r.Kind != bucket.Adopt && t.away:
		j.fault(ErrTwoBuckets, e, r.FireID(), "%s by bucket %d while it is on its way", r.Kind, e.Bucket)
	case r.Kind != bucket.Adopt && t.seated && t.seat != e.Bucket:
		j.fault(ErrTwoBuckets, e, r.FireID(), "%s by bucket %d, but bucket %d has it", r.Kind, e.Bucket, t.seat)
	}
	t.seat, t.seated, t.away = e.Bucket, true, r.Kind == bucket.Give
}

// overdue tells whether a waiting run should have ended some time before end.
func (f *judgedFire) overdue(end time.Time) bool {
	const patience = 2 * time.Second
	return end.UnixMilli() > f.deadline+patience.Milliseconds() ||
		slices.ContainsFunc(f.replies, func(e Event) bool { return e.At.Add(patience).Before(end) })
}

// replied judges a settlement by the replies that were stored before it.
func (j *judge) replied(e Event, f *judgedFire, r *bucket.Record) {
	waited := f.waiting
	f.waiting = r.Outcome == task.Waiting
	if f.waiting {
		f.deadline = r.RetryAt
		if r.Final || waited {
			j.fault(ErrBadLog, e, r.FireID(), "WAITING, and final %t, waited %t", r.Final, waited)
		}
		return
	}
	if r.Value != "" || waited && (r.Outcome == task.OK || r.Outcome == task.Failed) {
		said := task.Reply{OK: r.Outcome == task.OK, Value: r.Value}
		if !r.Final || !slices.ContainsFunc(f.replies, func(e Event) bool { return e.Reply == said }) {
			j.fault(ErrNoReply, e, r.FireID(), "%s %q, final %t, %d replies", r.Outcome, r.Value, r.Final, len(f.replies))
		}
		return
	}
	if !waited || r.Outcome == task.Cancelled {
		return
	}
	late := time.Duration(e.Batch.Time-f.deadline) * time.Millisecond
	if late < 0 && !slices.ContainsFunc(f.replies, func(e Event) bool { return e.At.UnixMilli() > f.deadline }) {
		j.fault(ErrNoReply, e, r.FireID(), "%s %s before its deadline", r.Outcome, -late)
	}
	for _, reply := range f.replies {
		if reply.At.UnixMilli() <= f.deadline {
			j.fault(ErrLostReply, e, r.FireID(), "%s, though %+v was there by %s", r.Outcome, reply.Reply, reply.At.Format("04:05.000"))
			return
		}
	}
}
