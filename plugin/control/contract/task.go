package contract

import (
	"cmp"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// State is what a task is doing, in the words that administrators see (WSO2:
// TaskManager.TaskState).
type State string

// The states of a task.
const (
	Waiting  State = "waiting"  // NORMAL
	Running  State = "running"  // NORMAL, a run is going
	Paused   State = "paused"   // PAUSED
	Blocked  State = "blocked"  // BLOCKED: due, but an earlier run still goes
	Unplaced State = "unplaced" // NONE: nobody owns it
	Finished State = "finished" // FINISHED: never fires again
	Failed   State = "failed"   // ERROR: its last firing failed, retries used up
	Unknown  State = "unknown"  // UNKNOWN: its owner is out of reach
)

// States lists the states of a task, as they are shown.
func States() []State {
	return []State{Waiting, Running, Paused, Blocked, Unplaced, Finished, Failed, Unknown}
}

// The codes that begin a TaskView's Reason, beside task.Reason's.
const (
	ReasonNotStarted  = "NOT_STARTED_YET"     // its start is still to come
	ReasonRetry       = "RETRY_PENDING"       // an attempt failed, another follows
	ReasonReply       = "AWAITING_REPLY"      // what it called has not replied yet
	ReasonRun         = "RUN_FAILED"          // the last firing failed, retries used up
	ReasonTrigger     = "TRIGGER_INVALID"     // the trigger cannot be scheduled
	ReasonEnded       = "ENDED"               // its end is past
	ReasonExhausted   = "COUNT_EXHAUSTED"     // it has fired as often as it was to
	ReasonNoOwner     = "NO_OWNER"            // no host has taken its bucket
	ReasonNoNode      = "NO_ELIGIBLE_NODE"    // there is no host that may own it
	ReasonWaiting     = "WAITING_FOR_NODES"   // the start-up barrier is closed
	ReasonUnreachable = "OWNER_UNREACHABLE"   // the host that owns its bucket is not in the group
	ReasonCorrupt     = "BUCKET_STATE_BROKEN" // the stored state of its bucket cannot be read
	ReasonNoCalendar  = "CALENDAR_MISSING"    // a calendar that it names cannot be consulted: it fires nothing
)

// TaskView is a task as it stands.
type TaskView struct {
	Name      string `json:"name"`
	Tenant    string `json:"tenant"`
	Type      string `json:"type"`
	UID       string `json:"uid"`
	Revision  int64  `json:"revision"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Kind is what the task does in a word, Calls what it calls in a line, and Do
	// all of it; null: it calls the operation in process.
	Kind  task.Kind    `json:"kind"`
	Calls string       `json:"calls"`
	Do    *task.Action `json:"do"`
	// Trigger in one line: "cron:0 0/5 * * * ?", "every:1m0s", "every:10s*10",
	// "at:2027-01-01T00:00:00Z".
	Trigger string     `json:"trigger"`
	TZ      string     `json:"tz"`
	Start   *time.Time `json:"start"`
	End     *time.Time `json:"end"`
	State   State      `json:"state"`
	Reason  string     `json:"reason"` // a stable code with an explanation, or empty
	// PausedUntil is when the pause ends of itself; null: it does not, or there is
	// none.
	PausedUntil *time.Time    `json:"paused_until"`
	Node        string        `json:"node"` // the owner's --node name; empty: none
	Next        *time.Time    `json:"next"`
	Last        *RunView      `json:"last"`
	Fired       int64         `json:"fired"` // firings that ended or are open
	Failures    int64         `json:"failures"`
	Skipped     int64         `json:"skipped"`
	Misfire     task.Misfire  `json:"misfire"`
	Overlap     task.Overlap  `json:"overlap"`
	Delivery    task.Delivery `json:"delivery"`
	Retry       int           `json:"retry"`
	Timeout     string        `json:"timeout"`
	// Reply says for what reply a run waits; null: it ends with its call.
	Reply  *task.ReplyWait `json:"reply"`
	Alerts []task.Alert    `json:"alerts"`

	Description string `json:"description"`

	// Location says which hosts may run it; empty: as their default says. Moving
	// is that it is on its way to them; empty: it is not.
	Location string `json:"location"`
	Moving   string `json:"moving"`

	// Windows say by calendars when it may run, Window says it in one line: "in
	// office, not in freeze; outside: defer". Null and empty: at any time.
	Windows *task.Windows `json:"windows"`
	Window  string        `json:"window"`

	// After says which tasks it follows, and how, in one line: "success of a",
	// "end of all of a, b". Empty: none. Followers are the names of those that
	// follow it.
	After     string   `json:"after"`
	Followers []string `json:"followers"`
}

// ByName orders tasks by name, tenant and type.
func ByName(a, b TaskView) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Type, b.Type))
}

// RunView is one attempt at a firing.
type RunView struct {
	FireID    string     `json:"fire_id"`
	Task      string     `json:"task"`
	Tenant    string     `json:"tenant"`
	Type      string     `json:"type"`
	Scheduled time.Time  `json:"scheduled"`
	Started   *time.Time `json:"started"`
	Ended     *time.Time `json:"ended"`
	Outcome   string     `json:"outcome"` // RUNNING, WAITING, OK, FAILED, TIMED_OUT, INTERRUPTED, UNKNOWN, SKIPPED, CANCELLED
	Reason    string     `json:"reason"`
	Attempt   int        `json:"attempt"`
	Node      string     `json:"node"`
	Error     string     `json:"error"`
	Skips     int        `json:"skips"`
	// Value is what a reply returned, of a run that waited for one; of others the
	// head of what the call answered, where it is kept (task.Info.Output).
	Value string `json:"value"`
	// Deadline of a WAITING run's reply; null: it waits for none.
	Deadline *time.Time `json:"deadline"`
}

// Moved is the time by which runs are ordered.
func (r RunView) Moved() time.Time {
	if r.Started != nil {
		return *r.Started
	}
	return r.Scheduled
}

// RequestView is a run or a cancellation that was asked for and that the owner
// of the task has not taken yet.
type RequestView struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"` // run, cancel
	Task   string    `json:"task"`
	Tenant string    `json:"tenant"`
	Type   string    `json:"type"`
	FireID string    `json:"fire_id"`
	Asked  time.Time `json:"asked"`
	Reason string    `json:"reason"`
}

// NextView is an instant at which a task is to fire.
type NextView struct {
	At   time.Time `json:"at"`
	Note string    `json:"note"` // what an administrator may not expect; may be empty
	// Runs is when it is to run, by the calendars as they are now; null: it is
	// skipped, or another stands for it, or this is a preview.
	Runs *time.Time `json:"runs"`
	// Why is what its windows do to it; empty: nothing.
	Why string `json:"why"`
}

// Outcome says in a word whether and when the instant runs by its calendars: "then",
// "never", or the time that it is moved to.
func (n NextView) Outcome() string {
	switch {
	case n.Runs == nil:
		return "never"
	case n.Runs.Equal(n.At):
		return "then"
	}
	return n.Runs.UTC().Format(time.RFC3339)
}

// Moment is a time in UTC; nil: it is zero.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Because makes a Reason of a code and an explanation, which may be empty.
func Because(code, text string) string {
	if text == "" {
		return code
	}
	return code + ": " + text
}
