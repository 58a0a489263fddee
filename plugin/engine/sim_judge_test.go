package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// What a history may break, each with the promise of the package comment.
var (
	errDoubleDecision  = errors.New("for each task and each scheduled instant exactly one claim or skip is committed: decided twice")
	errLostFiring      = errors.New("nothing is lost in silence: an instant was passed over without a record")
	errUnsettled       = errors.New("a claim is settled: it stayed open at rest")
	errEarlyFiring     = errors.New("never early, beyond 5 ms")
	errNotScheduled    = errors.New("never at an instant that was not scheduled")
	errFiredAfterPause = errors.New("when a pause or a delete has been acknowledged, no further firing is claimed")
	errDoubleEffect    = errors.New("effectively-once: the effect happens exactly once")
	errLostEffect      = errors.New("a firing that was settled as OK had its effect")
	errRanTwice        = errors.New("at-most-once: a claimed firing whose run may have started is never run again")
	errRunWithoutClaim = errors.New("a run starts only after its claim is committed")
	errRunAfterSettle  = errors.New("a settled firing is not run again")
	errOverlap         = errors.New("overlap queue and skip: a run waits for, or yields to, the one before")
	errWrongMisfire    = errors.New("later than due but under the threshold simply fires late")
	errTwoBuckets      = errors.New("one bucket at a time decides for a task")
	errWaitingRerun    = errors.New("a run that waits for a reply is not run again before its deadline")
	errLostReply       = errors.New("a reply that was stored in time ends its run")
	errNoReply         = errors.New("a run that waits ends by a reply, at its deadline, or cancelled")
	errBadLog          = errors.New("the claim log contradicts itself")
)

// judge reads a history and finds what it breaks. It knows nothing of the
// package under test but the form of its records.
type judge struct {
	skew    time.Duration // how far a process's clock may be from the others'
	misfire time.Duration
	tasks   map[string]*judged
	batches map[string]bool
	running map[task.FireID]event
	faults  []error
}

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
	waiting  bool  // for a reply
	deadline int64 // of it
	replies  []event
}

// verdict judges a history that came to rest at end.
func verdict(h []event, end time.Time, skew, misfire time.Duration) []error {
	j := &judge{
		skew: skew, misfire: misfire, tasks: make(map[string]*judged), batches: make(map[string]bool),
		running: make(map[task.FireID]event),
	}
	for _, e := range h {
		switch e.what {
		case committed:
			j.batch(e)
		case defined:
			j.define(e)
		case began:
			j.begin(e)
		case effected:
			j.effect(e)
		case replied:
			if f := j.task(e.fire.UID()).fires[e.fire]; f != nil {
				f.replies = append(f.replies, e)
			}
		case ended:
			delete(j.running, e.fire)
		case crashed:
			for id, r := range j.running {
				if r.proc == e.proc {
					delete(j.running, id)
				}
			}
		}
	}
	for _, t := range j.tasks {
		j.rest(t, end)
	}
	return j.faults
}

func (j *judge) fault(promise error, e event, id task.FireID, format string, args ...any) {
	j.faults = append(j.faults, fmt.Errorf("%w: %s at %s by p%d: %s",
		promise, stamp(id), e.at.Format("04:05.000"), e.proc, fmt.Sprintf(format, args...)))
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

func (j *judge) define(e event) {
	t := j.task(e.info.UID)
	from := e.info.From.UnixMilli()
	if len(t.defs) > 0 && t.known {
		t.owed = append(t.owed, brute(t.def(), t.cursor, from)...)
	}
	t.defs = append(t.defs, e.info)
}

func (j *judge) batch(e event) {
	// A late copy of a batch that is folded already is no second one.
	id := fmt.Sprint(e.bucket, "/", e.batch.Epoch, "/", e.batch.Op)
	if j.batches[id] {
		return
	}
	j.batches[id] = true
	for i := range e.batch.Records {
		r := &e.batch.Records[i]
		t := j.task(r.UID)
		t.known = true
		if t.gone {
			j.fault(errBadLog, e, r.FireID(), "%s after FORGET", r.Kind)
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
			j.decide(e, t, r)
			t.deferred[r.At] = true
		case bucket.Forget:
			j.forget(e, t)
		}
	}
}

// decide checks a claim or deferral of an undecided instant.
func (j *judge) decide(e event, t *judged, r *bucket.Record) {
	def := t.def()
	if r.At <= t.cursor {
		j.fault(errDoubleDecision, e, r.FireID(), "%s, decided up to %d", r.Kind, t.cursor)
	}
	if def.Paused || def.Deleted {
		j.fault(errFiredAfterPause, e, r.FireID(), "%s", r.Kind)
	}
	if !slices.Contains(brute(def, r.At-1, r.At), r.At) {
		j.fault(errNotScheduled, e, r.FireID(), "%s", r.Kind)
	}
	if e.batch.Time < r.At-5 {
		j.fault(errEarlyFiring, e, r.FireID(), "%s %d ms before its time", r.Kind, r.At-e.batch.Time)
	}
	for _, at := range brute(def, t.cursor, r.At-1) {
		j.fault(errLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "%s of a later one", r.Kind)
	}
	j.pass(e, t, r.At)
	t.cursor = max(t.cursor, r.At)
}

// pass checks that what an edit owes was skipped before anything later.
func (j *judge) pass(e event, t *judged, at int64) {
	for _, owed := range t.owed {
		if owed < at {
			j.fault(errLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(owed)), "before an edit, and passed over")
		}
	}
	t.owed = nil
}

func (j *judge) claim(e event, t *judged, r *bucket.Record) {
	id := r.FireID()
	if t.fires[id] != nil {
		j.fault(errDoubleDecision, e, id, "claimed before")
	}
	t.fires[id] = &judgedFire{at: r.At, delivery: r.Delivery, attempt: 1}
	def := t.def()
	switch {
	case r.Manual != "":
		if def.Paused || def.Deleted {
			j.fault(errFiredAfterPause, e, id, "by hand")
		}
	case t.deferred[r.At]:
		delete(t.deferred, r.At)
		if def.Paused || def.Deleted || r.At <= def.From.UnixMilli() {
			j.fault(errFiredAfterPause, e, id, "deferred")
		}
	default:
		j.decide(e, t, r)
	}
}

func (j *judge) reclaim(e event, t *judged, r *bucket.Record) {
	id, f := r.FireID(), t.fires[r.FireID()]
	switch {
	case f == nil || f.final != "":
		j.fault(errRunAfterSettle, e, id, "RECLAIM of what is not open")
		return
	case r.Attempt != f.attempt+1:
		j.fault(errBadLog, e, id, "attempt %d follows %d", r.Attempt, f.attempt)
	case t.def().Paused && !t.def().Deleted:
		j.fault(errFiredAfterPause, e, id, "attempt %d", r.Attempt)
	case f.waiting:
		j.fault(errWaitingRerun, e, id, "RECLAIM, attempt %d waits until %d", f.attempt, f.deadline)
	case f.delivery == task.AtMostOnce && !(f.settled == f.attempt && f.unsent):
		j.fault(errRanTwice, e, id, "RECLAIM, attempt %d may have reached its target", f.attempt)
	}
	f.attempt = r.Attempt
}

func (j *judge) settle(e event, t *judged, r *bucket.Record) {
	id, f := r.FireID(), t.fires[r.FireID()]
	if f == nil || f.final != "" || r.Attempt != f.attempt {
		j.fault(errBadLog, e, id, "SETTLE of attempt %d, which is not open", r.Attempt)
		return
	}
	f.settled, f.unsent = r.Attempt, r.NotSent
	j.replied(e, f, r)
	if !r.Final {
		return
	}
	f.final = r.Outcome
	if r.Outcome == task.OK && f.effects == 0 {
		j.fault(errLostEffect, e, id, "no effect")
	}
	if r.Outcome == task.Failed && f.effects > 0 && f.delivery == task.EffectivelyOnce {
		j.fault(errLostEffect, e, id, "settled as FAILED, but it had its effect")
	}
}

func (j *judge) skip(e event, t *judged, r *bucket.Record) {
	def := t.def()
	switch {
	case r.Manual != "":
		return
	case r.Until == 0:
		if !t.deferred[r.At] {
			j.fault(errDoubleDecision, e, r.FireID(), "SKIP of what is not deferred")
		}
		delete(t.deferred, r.At)
		return
	case r.Until <= t.cursor:
		j.fault(errDoubleDecision, e, r.FireID(), "SKIP up to %d, decided up to %d", r.Until, t.cursor)
	}
	late := time.Duration(e.batch.Time-r.Until) * time.Millisecond
	switch r.Reason {
	case task.ReasonMissed, task.ReasonCatchUp, task.ReasonReplaced:
		if late <= j.misfire {
			j.fault(errWrongMisfire, e, r.FireID(), "%s when %s late", r.Reason, late)
		}
	case task.ReasonOverlap:
		if def.Overlap != task.OverlapSkip && def.Overlap != task.OverlapQueue {
			j.fault(errNotScheduled, e, r.FireID(), "skipped for an overlap that is allowed")
		}
	case task.ReasonPast, task.ReasonPaused:
		if r.Until > def.From.UnixMilli() {
			j.fault(errLostFiring, e, r.FireID(), "skipped as past up to %d", r.Until)
		}
	case task.ReasonDeleted:
		if !def.Deleted {
			j.fault(errLostFiring, e, r.FireID(), "skipped as deleted")
		}
	}
	if late < -j.skew {
		j.fault(errLostFiring, e, r.FireID(), "skipped %s before its time", -late)
	}
	j.checkCount(e, t, r)
	t.owed = slices.DeleteFunc(t.owed, func(at int64) bool { return at <= r.Until })
	t.cursor = max(t.cursor, r.Until)
}

// checkCount checks that a range says how many instants it stands for.
func (j *judge) checkCount(e event, t *judged, r *bucket.Record) {
	if r.Reason == task.ReasonPast || r.Reason == task.ReasonPaused || r.Reason == task.ReasonDeleted {
		return // counted by whichever definition its owner knew
	}
	if n := len(brute(t.def(), t.cursor, r.Until)); n != r.Count {
		j.fault(errLostFiring, e, r.FireID(), "SKIP stands for %d instants and says %d", n, r.Count)
	}
}

func (j *judge) forget(e event, t *judged) {
	t.gone = true
	def := t.def()
	for id, f := range t.fires {
		if f.final == "" {
			j.fault(errUnsettled, e, id, "its task is forgotten")
		}
	}
	for _, at := range append(brute(def, t.cursor, def.DeletedAt.UnixMilli()), t.owed...) {
		j.fault(errLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "its task is forgotten")
	}
}

func (j *judge) begin(e event) {
	t := j.task(e.fire.UID())
	f := t.fires[e.fire]
	if f == nil || e.attempt != f.attempt && f.final == "" {
		j.fault(errRunWithoutClaim, e, e.fire, "attempt %d", e.attempt)
		return
	}
	if f.final != "" || e.attempt <= f.settled {
		j.fault(errRunAfterSettle, e, e.fire, "attempt %d after %s", e.attempt, f.final)
	}
	// Its own clock may have been set back since the claim: the judge's was not.
	if at, ok := scheduledAt(e.fire); ok && e.at.Add(j.skew).UnixMilli() < at-5 {
		j.fault(errEarlyFiring, e, e.fire, "it started then")
	}
	policy := t.def().Overlap
	for id, other := range t.fires {
		if other.waiting && id != e.fire && (policy == task.OverlapQueue || policy == task.OverlapSkip) {
			j.fault(errOverlap, e, e.fire, "%s still waits for its reply", stamp(id))
		}
	}
	for id, r := range j.running {
		if id.UID() == t.uid && (policy == task.OverlapQueue || policy == task.OverlapSkip) {
			j.fault(errOverlap, e, e.fire, "%s still runs in p%d", stamp(id), r.proc)
		}
	}
	j.running[e.fire] = e
}

func (j *judge) effect(e event) {
	f := j.task(e.fire.UID()).fires[e.fire]
	if f == nil {
		return // begin has complained
	}
	f.effects++
	if f.effects > 1 {
		switch f.delivery {
		case task.EffectivelyOnce:
			j.fault(errDoubleEffect, e, e.fire, "%d times", f.effects)
		case task.AtMostOnce:
			j.fault(errRanTwice, e, e.fire, "%d effects", f.effects)
		}
	}
}

// rest checks a task when all has come to rest.
func (j *judge) rest(t *judged, end time.Time) {
	def := t.def()
	e := event{at: end}
	if t.gone {
		return
	}
	if t.away {
		j.fault(errLostFiring, e, task.FireID(t.uid), "its task never arrived")
		return
	}
	if def.Deleted {
		j.fault(errLostFiring, e, task.FireID(t.uid), "a deleted task is not dealt with")
		return
	}
	for id, f := range t.fires {
		waits := def.Paused && (f.delivery != task.AtMostOnce || f.settled == f.attempt)
		if f.waiting && !f.overdue(end) {
			continue
		}
		if f.final == "" && !waits && end.UnixMilli()-f.at > 2000 {
			j.fault(errUnsettled, e, id, "attempt %d, settled %d", f.attempt, f.settled)
		}
	}
	if def.Paused {
		return
	}
	due := brute(def, t.cursor, end.Add(-2*time.Second-j.skew).UnixMilli())
	for _, at := range slices.Concat(due, t.owed) {
		j.fault(errLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "undecided at rest")
	}
	for at := range t.deferred {
		if end.UnixMilli()-at > 20_000 {
			j.fault(errLostFiring, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "deferred, and never claimed")
		}
	}
}
