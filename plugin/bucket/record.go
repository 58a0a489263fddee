package bucket

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Kind says what a record of the claim log decides.
type Kind uint8

// The kinds. Their numbers are stored: none may change.
const (
	// Claim: the firing is to run, attempt 1.
	Claim Kind = iota + 1
	// Reclaim: a further attempt at a claimed firing may start.
	Reclaim
	// Settle: an attempt ended, and with Final the firing.
	Settle
	// Skip: an instant, or all undecided ones up to Until, never run.
	Skip
	// Defer: the instant is decided, and runs not before Start, in order.
	Defer
	// Alerted: the alert of a task that is silent for After was raised.
	Alerted
	// Forget: a deleted task is dealt with; its cursor goes.
	Forget
	// Give: the task is handed to another bucket; its cursor goes there.
	Give
	// Adopt: the task came from another bucket, with its cursor in Parcel.
	Adopt
)

var kindNames = [...]string{"", "CLAIM", "RECLAIM", "SETTLE", "SKIP", "DEFER", "ALERTED", "FORGET", "GIVE", "ADOPT"}

// String gives the name that the protocol uses.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Record is one decision. Which fields count depends on Kind; the others are
// zero. All times are Unix milliseconds.
type Record struct {
	Kind Kind
	UID  string // the task's
	// At is the scheduled instant; of a manual firing when it was asked for. A
	// Skip of a range: its first instant.
	At int64
	// Manual is the request's id, if somebody asked by hand.
	Manual string
	// Until ends a Skip's range, which reaches from the cursor to here, both
	// ends decided. Zero: the deferred or manual firing At alone.
	Until int64
	// Count is how many instants a Skip stands for, at most MaxCount.
	Count int
	// Attempt of Claim, Reclaim and Settle; 1 is the first.
	Attempt int
	// Revision, Meaning and Hash of Claim and Reclaim: the definition's revision,
	// what it runs (see Meaning), and the target's hash; empty if none was there.
	Revision int64
	Meaning  uint64
	Hash     string
	// Delivery of a Claim is what was promised when it was made.
	Delivery task.Delivery
	// Input of a Claim is what the firing was given.
	Input task.Input
	// Start of a Settle is when the attempt began, zero if it never did; of a
	// Defer, before when it must not run; of an Alerted, the alert's After.
	Start int64
	// End of a Settle is when the attempt ended, or was given up.
	End     int64
	Outcome task.Outcome
	Reason  task.Reason
	Error   string // at most MaxError bytes
	// Value of a Settle is what a reply returned, at most task.MaxReplyValue bytes.
	Value string
	Rows  int64
	// Final ends the firing. Without it there will be another attempt, not
	// before RetryAt; or, with the outcome WAITING, a reply by then.
	Final   bool
	RetryAt int64
	// NotSent and Open of a Settle are those of task.Result.
	NotSent, Open bool
	// Refused of a Settle is that of task.Result: its reason is task.ReasonEgress.
	Refused bool
	// Parcel of an Adopt is the state that another bucket has handed over.
	Parcel []byte
}

// Bounds of what is stored.
const (
	// MaxError is the longest error text of a record in bytes.
	MaxError = 512
	// MaxCount is where counting skipped instants stops: "so many or more".
	MaxCount = 10_000
	// MaxRecords is the most records of one batch.
	MaxRecords = 4_096
)

// FireID is the firing that the record is about; of a range, its first one.
func (r *Record) FireID() task.FireID { return fireID(r.UID, r.At, r.Manual) }

func fireID(uid string, at int64, manual string) task.FireID {
	if manual != "" {
		return task.ManualID(uid, manual)
	}
	return task.ScheduledID(uid, time.UnixMilli(at))
}

// Batch is one entry of the claim log: what an owner decided in one commit.
type Batch struct {
	Epoch int64
	Seq   int64
	// Op and Epoch make the operation id, by which the owner recognises its own.
	Op int64
	// Time of writing by the owner's clock; the claims were made at it.
	Time int64
	// Node is the owner's name.
	Node    string
	Records []Record
}

// Meaning is a digest of what a definition runs. A firing is not attempted
// again with a definition that means something else.
func Meaning(info *task.Info) uint64 {
	h := fnv.New64a()
	for _, s := range [...]string{info.Service, "\x00", info.Operation} {
		h.Write([]byte(s))
	}
	if info.Do != nil {
		h.Write([]byte("\x00" + info.Do.Hash()))
	}
	return h.Sum64()
}

// bounded cuts text to MaxError bytes without breaking a rune.
func bounded(text string) string {
	if len(text) <= MaxError {
		return text
	}
	end := MaxError
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return text[:end]
}
