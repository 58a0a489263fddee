package task

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FireID names a firing for ever: "<uid>:<scheduled Unix ms>", or
// "<uid>:m:<uuid>" for a manual one. It is the idempotency key of its effect.
type FireID string

// ScheduledID is the fire id of the task uid at the scheduled instant.
func ScheduledID(uid string, at time.Time) FireID {
	return FireID(uid + ":" + strconv.FormatInt(at.UnixMilli(), 10))
}

// ManualID is the fire id of a run asked for by hand.
func ManualID(uid, request string) FireID { return FireID(uid + ":m:" + request) }

// UID is the task's uid.
func (id FireID) UID() string { uid, _, _ := strings.Cut(string(id), ":"); return uid }

// Manual tells whether somebody asked for the firing by hand.
func (id FireID) Manual() bool {
	_, rest, _ := strings.Cut(string(id), ":")
	return strings.HasPrefix(rest, "m:")
}

// Outcome is how a run ended, or that it has not.
type Outcome string

// The outcomes. Running and Waiting are not an end.
const (
	Running     Outcome = "RUNNING"
	OK          Outcome = "OK"
	Failed      Outcome = "FAILED"
	TimedOut    Outcome = "TIMED_OUT"
	Interrupted Outcome = "INTERRUPTED" // cut short by a shutdown; will be attempted again
	Unknown     Outcome = "UNKNOWN"     // may have run; never run again of itself
	Skipped     Outcome = "SKIPPED"     // decided not to run; Run.Reason says why
	Cancelled   Outcome = "CANCELLED"
	Waiting     Outcome = "WAITING" // its request was sent, its end is a reply; no end either
)

// Reason is a stable code for why a firing was skipped or deferred, or why a
// task does not run.
type Reason string

// The reasons of skips.
const (
	ReasonOverlap  Reason = "OVERLAP_SKIPPED"
	ReasonPaused   Reason = "PAUSED_BY_USER"
	ReasonWindow   Reason = "CALENDAR_EXCLUDED"
	ReasonMissed   Reason = "MISFIRE_SKIPPED"
	ReasonDeleted  Reason = "DELETED"
	ReasonRefused  Reason = "REFUSED"
	ReasonQueued   Reason = "OVERLAP_QUEUED"
	ReasonPast     Reason = "BEFORE_FROM" // due before the task was created, resumed or changed
	ReasonCatchUp  Reason = "CATCH_UP_LIMIT"
	ReasonReplaced Reason = "MISFIRE_MERGED" // fire-once: merged into the one late firing
	ReasonBackoff  Reason = "BACKOFF"        // a timer delayed it, after failures
)

// ReasonEgress is why a run failed for good: the host's rules (egress) refuse
// the address that it was to call.
const ReasonEgress Reason = "EGRESS_REFUSED"

// Run is one attempt at a firing, or a decision not to run it, as history
// keeps it.
type Run struct {
	FireID    FireID    `json:"fire_id"`
	Task      Key       `json:"task"`
	Scheduled time.Time `json:"scheduled"`
	Started   time.Time `json:"started,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Outcome   Outcome   `json:"outcome"`
	Reason    Reason    `json:"reason,omitempty"`
	Attempt   int       `json:"attempt"`
	Node      string    `json:"node"`
	Error     string    `json:"error,omitempty"`
	// Value is what a reply returned, of a run that waited for one; of others the
	// head of what the call answered, where it is kept.
	Value string `json:"value,omitempty"`
	// Deadline of a WAITING run: a reply after it comes too late.
	Deadline time.Time `json:"deadline,omitzero"`
	// Skips is how many instants a SKIPPED record stands for, Scheduled being
	// the first and Until the last of them.
	Skips int       `json:"skips,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Call is what a worker is asked to do: one attempt at a claimed firing.
type Call struct {
	Info      Info
	FireID    FireID
	Scheduled time.Time
	ClaimedAt time.Time // of the first claim of this firing; the inbox keeps it
	Attempt   int       // 1 is the first
	// Input is what the one who asked for the firing gave it, the same at each
	// attempt.
	Input Input
	// Keep is how many bytes of the answer are to be kept; zero: none.
	Keep int
	// Window is when what is called may do it. Zero: at any time.
	Window Window
	// ReplyTo is what a call carries that is answered later. Nil: its answer is
	// all there is.
	ReplyTo *ReplyTo
}

// Target is what stands behind a task's operation at this moment.
type Target struct {
	// Hash of the operation's definition and its source. A claim records it; a
	// firing is never run again with another one.
	Hash string
	// Limits names the caps that a run counts against ("service:Stock",
	// "source:Stock/default"), beside the pool's own.
	Limits []string
}

// RequestKind is what somebody asks of a bucket's owner.
type RequestKind string

// The requests.
const (
	RequestRun    RequestKind = "run"    // fire once now
	RequestCancel RequestKind = "cancel" // cancel the open run FireID
	RequestReply  RequestKind = "reply"  // end the waiting run FireID; asked by what it called
)

// Request is a manual run, a cancellation or a reply, asked for through the
// store.
type Request struct {
	ID     string      `json:"id"` // a UUID; of a reply made of the fire id, so that there is one
	Kind   RequestKind `json:"kind"`
	Task   Key         `json:"task"`
	UID    string      `json:"uid"`
	FireID FireID      `json:"fire_id,omitempty"` // of a cancellation or reply
	Asked  time.Time   `json:"asked,omitzero"`    // the store's clock
	// Scheduled, of a run, is the past instant that it makes up for. Zero: it makes
	// up for none. Those that do run one after another, and wait where others would
	// be refused.
	Scheduled time.Time `json:"scheduled,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	// Follows: a run that nobody asked for by hand; the windows of its task hold.
	Follows bool   `json:"follows,omitempty"`
	Input   Input  `json:"input,omitempty"` // of a run
	Reply   *Reply `json:"reply,omitempty"`
}

// At is the instant that a run by hand is for.
func (r *Request) At() time.Time {
	if !r.Scheduled.IsZero() {
		return r.Scheduled
	}
	return r.Asked
}

const fillMark = "fill-"

// FillID is the id of the request that makes up for a past instant of the task
// uid: there is one for each, "fill-<Unix ms>-<digest of the uid>".
func FillID(uid string, at time.Time) string {
	sum := sha256.Sum256([]byte(uid))
	return fillMark + strconv.FormatInt(at.UnixMilli(), 10) + "-" + hex.EncodeToString(sum[:8])
}

// IsFill tells whether a request of the id makes up for a past instant.
func IsFill(id string) bool { return strings.HasPrefix(id, fillMark) }

// Result is how an attempt ended, as the one who invoked it can tell.
type Result struct {
	Outcome Outcome // OK, Failed, TimedOut, Interrupted, Waiting, or Skipped: delayed after failures
	Error   string
	// Deadline of Waiting: if no reply has come by then, the attempt has timed
	// out. Zero: as the definition's Reply says, from now.
	Deadline time.Time
	// NotSent is certain: nothing can have reached the target (its service is
	// not deployed or inactive, no connection was to be had). At-most-once may
	// attempt again only then. Such a failure is retried with backoff at least
	// MinNotSentRetries times, whatever the retry policy says.
	NotSent bool
	// Refused is certain: the host's own rules refuse the address that was to be
	// called. The failure is final, whatever the retry policy says.
	Refused bool
	// Answered is certain: the target has received the call and turned it down.
	Answered bool
	// Open: effectively-once, and the inbox has not answered (refused, in
	// progress, time-out, lost connection), or the answer to a call that is
	// replied to later was lost. The claim stays open and is asked again with
	// backoff.
	Open bool
	// Rows counts what came back or was changed, when known.
	Rows int64
	// Output is the Head of what was answered, if Call.Keep asked for it.
	Output string
}

// Head is the beginning of an answer as it is kept: valid UTF-8 of at most so
// many bytes, which ends with an ellipsis if it is not all.
func Head(answer []byte, most int) string {
	const more = "…"
	text := strings.ToValidUTF8(string(answer[:min(len(answer), most+utf8.UTFMax)]), "\uFFFD")
	if len(answer) <= most && len(text) <= most {
		return text
	}
	end := max(0, min(len(text), most-len(more)))
	for end > 0 && end < len(text) && !utf8.RuneStart(text[end]) {
		end--
	}
	if most < len(more) {
		return ""
	}
	return text[:end] + more
}

// MinNotSentRetries bounds from below the retries of a run that reached nothing.
const MinNotSentRetries = 5

// Message is something to be delivered to a person or a machine, once. It is
// kept in the outbox until the receiver has accepted it.
type Message struct {
	// ID is stable: the same event for the same subscription always has the same.
	// It becomes the Message-ID of a mail.
	ID string `json:"id"`
	// To is a subscription URI: mailto:, http:, https:.
	To      string    `json:"to"`
	Raised  time.Time `json:"raised"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	// Event is the original's XML event, attached to a mail; empty for alerts.
	Event []byte `json:"event,omitempty"`
	// Source says what raised it.
	Source MessageSource `json:"source"`
	// Attempts made to deliver it so far, and when the next is due.
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`
	LastErr  string    `json:"last_error,omitempty"`
	// Dead: delivery was given up; LastErr says why. It is kept to be seen.
	Dead bool `json:"dead,omitempty"`
}

// MessageSource says what raised a message. A webhook carries it as JSON.
type MessageSource struct {
	Kind    string `json:"kind"` // "event" for an event trigger, "alert" for a task alert
	Service string `json:"service,omitempty"`
	Query   string `json:"query,omitempty"`
	Trigger string `json:"trigger,omitempty"`
	Topic   string `json:"topic,omitempty"`
	Task    *Key   `json:"task,omitempty"`
	FireID  FireID `json:"fire_id,omitempty"`
	Alert   string `json:"alert,omitempty"`
}

// Notice is an alert that came true. The event plugin turns it into messages.
type Notice struct {
	ID     string // stable: made of the fire id or instant and the alert
	Kind   AlertKind
	Info   Info
	Run    Run // what it is about; zero for silent
	At     time.Time
	Detail string
}
