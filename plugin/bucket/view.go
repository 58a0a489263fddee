package bucket

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Phase is what a task is doing, as far as its bucket alone can tell.
type Phase string

// The phases.
const (
	PhaseWaiting  Phase = "waiting"
	PhaseRunning  Phase = "running"
	PhasePaused   Phase = "paused"
	PhaseBlocked  Phase = "blocked"  // due, but an earlier run of it still goes
	PhaseFinished Phase = "finished" // never fires again
	PhaseFailed   Phase = "failed"   // its last firing failed, or its trigger cannot be scheduled
)

// View is a task as its bucket knows it.
type View struct {
	UID   string
	Info  *task.Info // nil: no definition is known. Not to be changed
	Phase Phase
	Fault error // why nothing fires: its trigger cannot be scheduled, a calendar is missing; nil: it does
	// Next is the next instant to be decided, and not to be skipped as outside the
	// task's windows; zero: none, or paused until somebody resumes it.
	Next time.Time
	// Shut: it has instants left, but all of them are to be skipped as its calendars
	// are now.
	Shut   bool
	Counts Counts
	// Last is the last attempt that ended; nil: none did, or it is too long ago.
	Last *task.Run
	// Open are the claims without an end, oldest first, as RUNNING or with the
	// outcome of their last attempt.
	Open []task.Run
	// Queued are the decided instants that wait to be claimed.
	Queued []time.Time
}

// UIDs lists the tasks, by uid.
func (s *State) UIDs() []string {
	var uids []string
	for _, e := range s.ordered() {
		uids = append(uids, e.cur.UID)
	}
	return uids
}

// View tells how the task stands. False: it is not of this bucket.
func (s *State) View(uid string) (View, bool) {
	e := s.entries[uid]
	if e == nil {
		return View{}, false
	}
	v := View{UID: uid, Info: e.info, Fault: cmp.Or(e.fault, e.shut), Counts: e.cur.Counts}
	for _, d := range e.cur.Deferred {
		v.Queued = append(v.Queued, instant(d.At))
	}
	_, ended := e.ended()
	if base, fires := e.firesFrom(); fires && !ended {
		if next := e.nextInside(base); next != never {
			v.Next = instant(next)
		} else {
			v.Shut = e.nextFrom(base) != never
		}
	}
	for i := len(e.runs) - 1; i >= 0; i-- {
		if outcomes[e.runs[i].outcome] != task.Skipped {
			last := e.runs[i].run(uid, e.key())
			v.Last = &last
			break
		}
	}
	for _, o := range e.cur.Open {
		v.Open = append(v.Open, o.run(uid, e.key()))
	}
	v.Phase = e.phase(&v)
	return v, true
}

// Only is a state of one task alone, to look at: it takes the room of that task, and
// decides nothing. A task that is not of this bucket is not of that one.
func (s *State) Only(uid string) *State {
	only := &State{rules: s.rules, compile: s.compile, book: s.book, entries: make(map[string]*entry, 1)}
	if e := s.entries[uid]; e != nil {
		only.entries[uid] = e
	}
	return only
}

// firesFrom is the instant after which the next one is decided. False: the task
// is paused, and nobody knows for how long.
func (e *entry) firesFrom() (base int64, fires bool) {
	if e.info == nil {
		return 0, false
	}
	base = max(e.cur.Decided, from(e.info))
	switch {
	case !e.info.Paused:
		return base, true
	case e.info.PauseUntil == nil:
		return 0, false
	default:
		return max(base, e.info.PauseUntil.UnixMilli()-1), true
	}
}

func (e *entry) key() task.Key {
	if e.info == nil {
		return task.Key{}
	}
	return e.info.Key
}

func (e *entry) phase(v *View) Phase {
	switch {
	case e.info != nil && e.info.Paused:
		return PhasePaused
	case len(v.Open) > 0 && len(v.Queued) > 0:
		return PhaseBlocked
	case len(v.Open) > 0:
		return PhaseRunning
	case v.Fault != nil || v.Last != nil && failed(v.Last.Outcome):
		return PhaseFailed
	case v.Next.IsZero() && !v.Shut && len(v.Queued) == 0 && (v.Info == nil || v.Info.Trigger.Cron != task.Never):
		return PhaseFinished
	default:
		return PhaseWaiting
	}
}

func failed(o task.Outcome) bool {
	return o == task.Failed || o == task.TimedOut || o == task.Unknown
}

func (o *Open) run(uid string, key task.Key) task.Run {
	r := task.Run{
		FireID: fireID(uid, o.At, o.Manual), Task: key, Scheduled: instant(o.At), Started: instant(o.Tried),
		Outcome: task.Running, Attempt: o.Attempt, Node: o.Node,
	}
	if o.Settled {
		r.Outcome, r.Error = o.Outcome, o.Error
	}
	if o.awaits() {
		r.Deadline = instant(o.RetryAt)
	}
	return r
}

// Runs are the task's recent runs and skips, oldest first, and after them the
// open ones. Nil: the task is not of this bucket, or never fired.
func (s *State) Runs(uid string) []task.Run {
	e := s.entries[uid]
	if e == nil {
		return nil
	}
	runs := make([]task.Run, 0, len(e.runs)+len(e.cur.Open))
	for i := range e.runs {
		runs = append(runs, e.runs[i].run(uid, e.key()))
	}
	for _, o := range e.cur.Open {
		if !o.Settled || o.awaits() {
			runs = append(runs, o.run(uid, e.key()))
		}
	}
	return slices.Clip(runs)
}
