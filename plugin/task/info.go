package task

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// DefaultTenant and DefaultType are what an empty tenant or type of a new task
// becomes. The type is the one that WSO2 gives tasks of data services.
const (
	DefaultTenant = "default"
	DefaultType   = "DATA_SERVICE_TASK"
)

// Key names a task. One key, one task, whatever else is said of it.
type Key struct {
	Tenant string `json:"tenant"`
	Type   string `json:"type"`
	Name   string `json:"name"`
}

// String gives "tenant/type/name".
func (k Key) String() string { return k.Tenant + "/" + k.Type + "/" + k.Name }

// Normal gives k with the defaults in the place of an empty tenant and type.
func (k Key) Normal() Key {
	if k.Tenant == "" {
		k.Tenant = DefaultTenant
	}
	if k.Type == "" {
		k.Type = DefaultType
	}
	return k
}

// Edit tells who made an edit, and when.
type Edit struct {
	// ID is the operation id, by which an administrator whose answer was lost
	// recognises the edit.
	ID string `json:"id"`
	// By is who made it, as it said of itself; empty: it did not.
	By string `json:"by,omitempty"`
	// Reason is why, as whoever made it said; empty: nothing was said.
	Reason string `json:"reason,omitempty"`
	// At is, like Info.From, stored as zero and read as the time of the commit.
	At time.Time `json:"at,omitzero"`
}

// Info is the definition of a task (WSO2: TaskInfo). The zero value of each
// policy means its default, named at its type. A host keeps one in memory for each
// of its tasks: what few tasks have is behind a pointer.
type Info struct {
	Key
	// UID is new at each creation, so that a re-created task begins afresh.
	UID string `json:"uid"`
	// Revision grows by one with each edit. Zero: not stored yet.
	Revision int64 `json:"revision"`
	// From: instants up to it are past and never fire. Creation, resumption and
	// any change of the trigger set it to the store's clock: they store zero,
	// which a reader replaces by the time at which the record was committed.
	From time.Time `json:"from,omitzero"`
	// Edit is the last edit; nil where nobody needs to know. It is never written
	// into.
	Edit *Edit `json:"edit,omitempty"`

	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Do is what the task does instead of calling Operation of Service in
	// process. Nil: it calls that. Service and Operation may then name the remote
	// service that the action was made from, or nothing.
	Do *Action `json:"do,omitempty"`

	Trigger TriggerInfo `json:"trigger"`

	Misfire  Misfire  `json:"misfire,omitempty"`
	Overlap  Overlap  `json:"overlap,omitempty"`
	Delivery Delivery `json:"delivery,omitempty"`
	Retry    Retry    `json:"retry"`
	// Reply makes a run wait for a reply to its call. Nil: it ends with the call.
	Reply *ReplyWait `json:"reply,omitempty"`
	// After makes it fire when others have ended. Nil: it does not.
	After *After `json:"after,omitempty"`
	// Followers fire when it has ended: the other side of their After. A pointer,
	// since few tasks have any.
	Followers *[]Follower `json:"followers,omitempty"`
	// Windows say when it may run. Nil: at any time.
	Windows *Windows `json:"windows,omitempty"`
	// Timeout of one run; with Reply of the call alone. Zero: DefaultTimeout.
	Timeout Duration `json:"timeout,omitempty"`

	// Output keeps the head of what each run was answered, for as long as the run
	// itself is kept. A run by hand keeps it anyway.
	Output bool `json:"output,omitempty"`

	Paused bool `json:"paused,omitempty"`
	// PauseUntil ends the pause of itself: from then on the task stands as
	// Standing says, whether a host is up at that moment or not, and nothing is
	// stored about it. Nil: the pause lasts until somebody ends it. It is never
	// written into.
	PauseUntil *time.Time `json:"pause_until,omitempty"`
	// Deleted makes the record a tombstone: the owner skips what was undecided up
	// to DeletedAt, settles what is open, and removes the record.
	Deleted     bool      `json:"deleted,omitempty"`
	PauseReason string    `json:"pause_reason,omitempty"`
	PausedAt    time.Time `json:"paused_at,omitzero"`

	Alerts      []Alert `json:"alerts,omitempty"`
	Description string  `json:"description,omitempty"`

	// Location says which members may run it. Nil: the hosts' default.
	Location *Location `json:"location,omitempty"`
	Seat     Seat      `json:"seat,omitzero"`

	// DeletedAt is, like From, stored as zero with Deleted set and read as the
	// time of the commit.
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// DefaultTimeout bounds a run of a task that says nothing of it.
const DefaultTimeout = time.Minute

// RunTimeout is the time that one run may take, the default applied.
func (i Info) RunTimeout() time.Duration {
	if i.Timeout <= 0 {
		return DefaultTimeout
	}
	return time.Duration(i.Timeout)
}

// Standing is the definition as it stands at a time. A pause that was to last
// until then, or until before, is over: instants before its end are past, as
// after a resumption at its end.
func (i Info) Standing(now time.Time) Info {
	if !i.Paused || i.PauseUntil == nil || now.UnixMilli() < i.PauseUntil.UnixMilli() {
		return i
	}
	if past := i.PauseUntil.Add(-time.Millisecond); past.After(i.From) {
		i.From = past
	}
	i.Paused, i.PauseUntil, i.PauseReason, i.PausedAt = false, nil, "", time.Time{}
	return i
}

// TriggerInfo says when a task fires (WSO2: TaskInfo.TriggerInfo). Exactly one
// of Cron, Interval and At is set; Count alone with neither means once, at
// Start or at once.
type TriggerInfo struct {
	// Cron is an expression in Quartz's syntax, or a five-field, @every or
	// @daily form.
	Cron string `json:"cron,omitempty"`
	// Interval between two firings (WSO2: intervalMillis).
	Interval Duration `json:"interval,omitempty"`
	// Count (WSO2: repeatCount) goes with Interval: -1 for ever, 0 once,
	// n means n+1 firings in all.
	Count int `json:"count,omitempty"`
	// At fires once, at this instant.
	At time.Time `json:"at,omitzero"`
	// TZ is an IANA name. Empty: UTC.
	TZ string `json:"tz,omitempty"`
	// Start: nothing fires before it. Zero: Info.From.
	Start time.Time `json:"start,omitzero"`
	// End: nothing fires after it. Zero: no end.
	End time.Time `json:"end,omitzero"`
	// Jitter moves each firing later by a fixed amount below it, drawn from
	// the task's uid, so that many tasks of one expression spread out.
	Jitter Duration `json:"jitter,omitempty"`
}

// Misfire says what becomes of instants that were missed by more than the
// misfire threshold (WSO2: TaskMisfirePolicy; Quartz).
type Misfire string

// The misfire policies. The zero value means MisfireFireOnce.
const (
	MisfireFireOnce Misfire = "fire-once" // FIRE_AND_PROCEED, FIRE_NOW
	MisfireFireAll  Misfire = "fire-all"  // IGNORE_MISFIRES
	MisfireSkip     Misfire = "skip"      // DO_NOTHING
)

// Overlap says what happens when a firing is due while another run of the same
// task is still going.
type Overlap string

// The overlap policies. The zero value means OverlapAllow.
const (
	OverlapAllow Overlap = "allow"
	OverlapQueue Overlap = "queue" // WSO2: disallowConcurrentExecution
	OverlapSkip  Overlap = "skip"
)

// Delivery is the promise on how often a claimed firing runs.
type Delivery string

// The deliveries. The zero value lets the target decide: effectively-once where
// the operation's source is transactional, else at-least-once. A definition that
// is stored always names one.
const (
	AtMostOnce      Delivery = "at-most-once"
	AtLeastOnce     Delivery = "at-least-once"
	EffectivelyOnce Delivery = "effectively-once"
)

// Retry bounds the attempts at a firing after its first run. The zero value
// retries nothing that failed as a matter of business; a firing that was
// interrupted or whose outcome is open is still attempted again, as its
// delivery promises, at most MaxReclaims times.
type Retry struct {
	// Max attempts after the first.
	Max int `json:"max,omitempty"`
	// Backoff before the first retry, doubled for each further one, up to
	// MaxBackoff. Zero: DefaultBackoff.
	Backoff Duration `json:"backoff,omitempty"`
}

// Bounds of retrying.
const (
	DefaultBackoff = time.Second
	MaxBackoff     = 5 * time.Minute
	// MaxReclaims bounds the attempts that a crash, a shutdown or an open
	// outcome may add to those of the retry policy. Beyond it: UNKNOWN.
	MaxReclaims = 50
)

// Delay before attempt n (the first is 1, and has none).
func (r Retry) Delay(attempt int) time.Duration {
	if attempt <= 1 {
		return 0
	}
	d := time.Duration(r.Backoff)
	if d <= 0 {
		d = DefaultBackoff
	}
	for i := 2; i < attempt && d < MaxBackoff; i++ {
		d *= 2
	}
	return min(d, MaxBackoff)
}

// AlertKind is what a person can ask to be told about a task.
type AlertKind string

// The alerts.
const (
	AlertFailed AlertKind = "failed" // a firing ended FAILED, TIMED_OUT or UNKNOWN, its retries used up
	AlertLate   AlertKind = "late"   // a run started later than After past its instant
	AlertMissed AlertKind = "missed" // an instant was skipped as missed
	AlertSilent AlertKind = "silent" // no run ended OK for After
)

// Alert asks for messages about a task.
type Alert struct {
	On AlertKind `json:"on"`
	// After is the threshold of late and silent.
	After Duration `json:"after,omitempty"`
	// To holds subscription URIs: mailto:, http:, https:.
	To []string `json:"to"`
}

// Duration is a time.Duration that is written as Go writes it ("1m30s") and
// read from that form, or from a bare number of milliseconds as in the original.
type Duration time.Duration

// String writes d as Go does.
func (d Duration) String() string { return time.Duration(d).String() }

// Short writes d without its parts that are zero: "1m", not "1m0s".
func (d Duration) Short() string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes d as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalJSON reads what UnmarshalText does, and a number of milliseconds.
func (d *Duration) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	text := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	return d.UnmarshalText([]byte(text))
}

// UnmarshalText reads "1m30s", or a bare number of milliseconds.
func (d *Duration) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if s != "" && strings.Trim(s, "0123456789") == "" {
		s += "ms"
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("duration %q: write it like 5s, 1m30s or as a number of milliseconds", string(text))
	}
	*d = Duration(v)
	return nil
}
