package firecheck

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Rules are what a history is judged by.
type Rules struct {
	// End is when all had come to rest.
	End time.Time
	// Skew is how far a process's clock may be from the others'.
	Skew time.Duration
	// Misfire is the threshold below which what is late simply fires.
	Misfire time.Duration
	// Late is how late a firing may be without a trouble. Zero: this is not judged.
	Late time.Duration
	// Troubles in which firings were late with reason, in order.
	Troubles []Trouble
}

// Trouble is a time in which a fault was at work, and what it needs to be over:
// an instant between From and To may fire up to Late after To.
type Trouble struct{ From, To time.Time }

// judge reads a history and finds what it breaks.
type judge struct {
	rules   Rules
	tasks   map[string]*judged
	buckets map[int]*ledger
	batches map[string]bool
	// calendars are those stored so far
	calendars calendars
	running   map[task.FireID]Event
	// clocks are the latest times that processes gave their batches: one whose clock
	// is set back does not take a pause as lasting again that it saw end.
	clocks map[int]int64
	faults []error
}

// ledger is how far a bucket's log has come.
type ledger struct{ seq, epoch int64 }

// judged is a task by its uid.
type judged struct {
	uid      string
	defs     []task.Info
	known    bool // some record is about it
	cursor   int64
	deferred map[int64]bool
	owed     []int64 // instants before an edit that are still to be skipped
	fires    map[task.FireID]*judgedFire
	gone     bool
	seat     int // the bucket that has it
	seated   bool
	away     bool // on its way to another bucket
}

type judgedFire struct {
	at       int64
	delivery task.Delivery
	attempt  int
	settled  int // the last attempt that was settled
	unsent   bool
	final    task.Outcome
	effects  int
	begun    bool
	deferred bool
	waiting  bool  // for a reply
	deadline int64 // of it
	replies  []Event
}

// Verdict judges a history that came to rest, and gives what it breaks.
func Verdict(h []Event, rules Rules) []error {
	j := &judge{
		rules: rules, tasks: make(map[string]*judged), buckets: make(map[int]*ledger), batches: make(map[string]bool), clocks: make(map[int]int64),
		calendars: make(calendars), running: make(map[task.FireID]Event),
	}
	for _, e := range h {
		switch e.What {
		case Committed:
			j.batch(e)
		case Defined:
			j.define(e)
		case Noted:
			j.calendars.take(e.Calendar)
		case Began:
			j.begin(e)
		case Effected:
			j.effect(e)
		case Replied:
			if f := j.task(e.Fire.UID()).fires[e.Fire]; f != nil {
				f.replies = append(f.replies, e)
			}
		case Ended:
			delete(j.running, e.Fire)
		case Crashed:
			for id, r := range j.running {
				if r.Proc == e.Proc {
					delete(j.running, id)
				}
			}
		}
	}
	for _, t := range j.tasks {
		j.rest(t)
	}
	return j.faults
}

func (j *judge) fault(promise error, e Event, id task.FireID, format string, args ...any) {
	j.faults = append(j.faults, fmt.Errorf("%w: %s at %s by p%d: %s",
		promise, Stamp(id), e.At.Format("04:05.000"), e.Proc, fmt.Sprintf(format, args...)))
}

func (j *judge) task(uid string) *judged {
	t := j.tasks[uid]
	if t == nil {
		t = &judged{uid: uid, deferred: make(map[int64]bool), fires: make(map[task.FireID]*judgedFire)}
		j.tasks[uid] = t
	}
	return t
}

func (t *judged) def() task.Info {
	if len(t.defs) == 0 {
		return task.Info{}
	}
	return t.defs[len(t.defs)-1]
}

func (j *judge) define(e Event) {
	t := j.task(e.Info.UID)
	from := e.Info.From.UnixMilli()
	if len(t.defs) > 0 && t.known {
		t.owed = append(t.owed, Instants(t.def(), t.cursor, from)...)
	}
	t.defs = append(t.defs, e.Info)
}

// lapse ends a pause that was to last until then, as an edit at its end would.
func (j *judge) lapse(t *judged, now int64) {
	def := t.def()
	if !def.Paused || def.Deleted || def.PauseUntil == nil || now < def.PauseUntil.UnixMilli() {
		return
	}
	def.Paused = false
	if end := def.PauseUntil.Add(-time.Millisecond); def.From.Before(end) {
		def.From = end
	}
	j.define(Event{Info: def})
}

func (j *judge) batch(e Event) {
	// A late copy of a batch that is folded already is no second one.
	id := fmt.Sprint(e.Bucket, "/", e.Batch.Epoch, "/", e.Batch.Op)
	if j.batches[id] {
		return
	}
	j.batches[id] = true
	j.clocks[e.Proc] = max(j.clocks[e.Proc], e.Batch.Time)
	j.follows(e)
	for i := range e.Batch.Records {
		r := &e.Batch.Records[i]
		t := j.task(r.UID)
		j.lapse(t, j.clocks[e.Proc])
		t.known = true
		if t.gone {
			j.fault(ErrBadLog, e, r.FireID(), "%s after FORGET", r.Kind)
		}
		j.moved(e, t, r)
		switch r.Kind {
		case bucket.Claim:
			j.claim(e, t, r)
		case bucket.Reclaim:
			j.reclaim(e, t, r)
		case bucket.Settle:
			j.settle(e, t, r)
		case bucket.Skip:
			j.skip(e, t, r)
		case bucket.Defer:
			j.deferOutside(e, t, r)
			j.decide(e, t, r)
			t.deferred[r.At] = true
		case bucket.Forget:
			j.forget(e, t)
		}
	}
}

// follows checks that a batch is the next of its bucket.
func (j *judge) follows(e Event) {
	l := j.buckets[e.Bucket]
	if l == nil {
		l = &ledger{seq: e.Batch.Seq - 1}
		j.buckets[e.Bucket] = l
	}
	if e.Batch.Seq != l.seq+1 {
		j.fault(ErrBadLog, e, "", "bucket %d: entry %d follows %d", e.Bucket, e.Batch.Seq, l.seq)
	}
	if e.Batch.Epoch < l.epoch {
		j.fault(ErrBadLog, e, "", "bucket %d: entry %d of epoch %d after epoch %d", e.Bucket, e.Batch.Seq, e.Batch.Epoch, l.epoch)
	}
	l.seq, l.epoch = e.Batch.Seq, max(l.epoch, e.Batch.Epoch)
}

// decide checks a claim or deferral of an undecided instant.
func (j *judge) decide(e Event, t *judged, r *bucket.Record) {
	def := t.def()
	if r.At <= t.cursor {
		j.fault(ErrDoubleDecision, e, r.FireID(), "%s, decided up to %d", r.Kind, t.cursor)
	}
	if def.Paused || def.Deleted {
		j.fault(ErrFiredAfterPause, e, r.FireID(), "%s", r.Kind)
	}
	if !slices.Contains(Instants(def, r.At-1, r.At), r.At) {
		j.fault(ErrNotScheduled, e, r.FireID(), "%s", r.Kind)
	}
	if e.Batch.Time < r.At-5 {
		j.fault(ErrEarlyFiring, e, r.FireID(), "%s %d ms before its time", r.Kind, r.At-e.Batch.Time)
	}
	for _, at := range Instants(def, t.cursor, r.At-1) {
		j.fault(ErrLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "%s of a later one", r.Kind)
	}
	j.pass(e, t, r.At)
	t.cursor = max(t.cursor, r.At)
}

// pass checks that what an edit owes was skipped before anything later.
func (j *judge) pass(e Event, t *judged, at int64) {
	for _, owed := range t.owed {
		if owed < at {
			j.fault(ErrLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(owed)), "before an edit, and passed over")
		}
	}
	t.owed = nil
}

func (j *judge) claim(e Event, t *judged, r *bucket.Record) {
	id := r.FireID()
	if t.fires[id] != nil {
		j.fault(ErrDoubleDecision, e, id, "claimed before")
	}
	t.fires[id] = &judgedFire{at: r.At, delivery: r.Delivery, attempt: 1}
	def := t.def()
	j.claimInside(e, t, r)
	switch {
	case r.Manual != "":
		if def.Paused || def.Deleted {
			j.fault(ErrFiredAfterPause, e, id, "by hand")
		}
	case t.deferred[r.At]:
		delete(t.deferred, r.At)
		t.fires[id].deferred = true
		if def.Paused || def.Deleted || r.At <= def.From.UnixMilli() {
			j.fault(ErrFiredAfterPause, e, id, "deferred")
		}
	default:
		j.decide(e, t, r)
	}
}

func (j *judge) reclaim(e Event, t *judged, r *bucket.Record) {
	id, f := r.FireID(), t.fires[r.FireID()]
	switch {
	case f == nil || f.final != "":
		j.fault(ErrRunAfterSettle, e, id, "RECLAIM of what is not open")
		return
	case r.Attempt != f.attempt+1:
		j.fault(ErrBadLog, e, id, "attempt %d follows %d", r.Attempt, f.attempt)
	case t.def().Paused && !t.def().Deleted:
		j.fault(ErrFiredAfterPause, e, id, "attempt %d", r.Attempt)
	case f.waiting:
		j.fault(ErrWaitingRerun, e, id, "RECLAIM, attempt %d waits until %d", f.attempt, f.deadline)
	case f.delivery == task.AtMostOnce && !(f.settled == f.attempt && f.unsent):
		j.fault(ErrRanTwice, e, id, "RECLAIM, attempt %d may have reached its target", f.attempt)
	}
	f.attempt = r.Attempt
}

func (j *judge) settle(e Event, t *judged, r *bucket.Record) {
	id, f := r.FireID(), t.fires[r.FireID()]
	if f == nil || f.final != "" || r.Attempt != f.attempt {
		j.fault(ErrBadLog, e, id, "SETTLE of attempt %d, which is not open", r.Attempt)
		return
	}
	f.settled, f.unsent = r.Attempt, r.NotSent
	j.replied(e, f, r)
	if !r.Final {
		return
	}
	f.final = r.Outcome
	if r.Outcome == task.OK && f.effects == 0 {
		j.fault(ErrLostEffect, e, id, "no effect")
	}
	if r.Outcome == task.Failed && f.effects > 0 && f.delivery == task.EffectivelyOnce {
		j.fault(ErrLostEffect, e, id, "settled as FAILED, but it had its effect")
	}
}

func (j *judge) skip(e Event, t *judged, r *bucket.Record) {
	def := t.def()
	switch {
	case r.Manual != "":
		return
	case r.Until == 0:
		if !t.deferred[r.At] {
			j.fault(ErrDoubleDecision, e, r.FireID(), "SKIP of what is not deferred")
		}
		delete(t.deferred, r.At)
		return
	case r.Until <= t.cursor:
		j.fault(ErrDoubleDecision, e, r.FireID(), "SKIP up to %d, decided up to %d", r.Until, t.cursor)
	}
	late := time.Duration(e.Batch.Time-r.Until) * time.Millisecond
	switch r.Reason {
	case task.ReasonMissed, task.ReasonCatchUp, task.ReasonReplaced:
		if late <= j.rules.Misfire {
			j.fault(ErrWrongMisfire, e, r.FireID(), "%s when %s late", r.Reason, late)
		}
	case task.ReasonOverlap:
		if def.Overlap != task.OverlapSkip && def.Overlap != task.OverlapQueue {
			j.fault(ErrNotScheduled, e, r.FireID(), "skipped for an overlap that is allowed")
		}
	case task.ReasonPast, task.ReasonPaused:
		if r.Until > def.From.UnixMilli() {
			j.fault(ErrLostFiring, e, r.FireID(), "skipped as past up to %d", r.Until)
		}
	case task.ReasonDeleted:
		if !def.Deleted {
			j.fault(ErrLostFiring, e, r.FireID(), "skipped as deleted")
		}
	}
	if late < -j.rules.Skew {
		j.fault(ErrLostFiring, e, r.FireID(), "skipped %s before its time", -late)
	}
	j.skipOutside(e, t, r)
	j.checkCount(e, t, r)
	t.owed = slices.DeleteFunc(t.owed, func(at int64) bool { return at <= r.Until })
	t.cursor = max(t.cursor, r.Until)
}

// checkCount checks that a range says how many instants it stands for.
func (j *judge) checkCount(e Event, t *judged, r *bucket.Record) {
	if r.Reason == task.ReasonPast || r.Reason == task.ReasonPaused || r.Reason == task.ReasonDeleted {
		return // counted by whichever definition its owner knew
	}
	if n := len(Instants(t.def(), t.cursor, r.Until)); n != r.Count {
		j.fault(ErrLostFiring, e, r.FireID(), "SKIP stands for %d instants and says %d", n, r.Count)
	}
}

func (j *judge) forget(e Event, t *judged) {
	t.gone = true
	def := t.def()
	for id, f := range t.fires {
		if f.final == "" {
			j.fault(ErrUnsettled, e, id, "its task is forgotten")
		}
	}
	for _, at := range append(Instants(def, t.cursor, def.DeletedAt.UnixMilli()), t.owed...) {
		j.fault(ErrLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "its task is forgotten")
	}
}
