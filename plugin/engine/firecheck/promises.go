package firecheck

import "errors"

// What a history may break, each with the promise of package bucket. Test with
// errors.Is.
var (
	ErrDoubleDecision  = errors.New("for each task and each scheduled instant exactly one claim or skip is committed: decided twice")
	ErrLostFiring      = errors.New("nothing is lost in silence: an instant was passed over without a record")
	ErrUnsettled       = errors.New("a claim is settled: it stayed open at rest")
	ErrEarlyFiring     = errors.New("never early, beyond 5 ms")
	ErrLateFiring      = errors.New("never later than it must be")
	ErrNotScheduled    = errors.New("never at an instant that was not scheduled")
	ErrFiredAfterPause = errors.New("when a pause or a delete has been acknowledged, no further firing is claimed")
	ErrDoubleEffect    = errors.New("effectively-once: the effect happens exactly once")
	ErrLostEffect      = errors.New("a firing that was settled as OK had its effect")
	ErrRanTwice        = errors.New("at-most-once: a claimed firing whose run may have started is never run again")
	ErrRunWithoutClaim = errors.New("a run starts only after its claim is committed")
	ErrRunAfterSettle  = errors.New("a settled firing is not run again")
	ErrOverlap         = errors.New("overlap queue and skip: a run waits for, or yields to, the one before")
	ErrWrongMisfire    = errors.New("later than due but under the threshold simply fires late")
	ErrTwoBuckets      = errors.New("one bucket at a time decides for a task")
	ErrWaitingRerun    = errors.New("a run that waits for a reply is not run again before its deadline")
	ErrLostReply       = errors.New("a reply that was stored in time ends its run")
	ErrNoReply         = errors.New("a run that waits ends by a reply, at its deadline, or cancelled")
	ErrOutsideWindow   = errors.New("outside its windows a task is not claimed, and inside it is not skipped for them")
	ErrBadLog          = errors.New("the claim log contradicts itself")
)
