package event

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The errors of the ports. Implementations wrap them; test with errors.Is.
var (
	// ErrConflict: what is stored is not at the version read. Nothing was done.
	ErrConflict = errors.New("changed meanwhile")
	// ErrUnavailable: the store cannot be reached. Nothing was done.
	ErrUnavailable = errors.New("store unavailable")
	// ErrUnknownOutcome: it may have been done. Read back before trying again.
	ErrUnknownOutcome = errors.New("store did not answer")
)

// Ref names an event trigger: the key of its state.
type Ref struct {
	Service string `json:"service"`
	Trigger string `json:"trigger"`
}

// String gives "service/trigger".
func (r Ref) String() string { return r.Service + "/" + r.Trigger }

// States keeps the state of every event trigger. Safe for concurrent use.
type States interface {
	// Get reads a trigger's state: nil data and version -1 if none was ever
	// accepted. It is not older than the last commit of this host. Error:
	// ErrUnavailable.
	Get(ctx context.Context, ref Ref) (data []byte, version int64, err error)
	// Accept sets the state at the version read (-1: creates it) and puts the
	// messages into the outbox, all or nothing and durably. A message whose id is
	// in the outbox already is left alone, whatever became of it since; that is no
	// error. A commit is at most MaxAccept bytes of JSON. Errors: ErrConflict,
	// ErrUnavailable, ErrUnknownOutcome.
	Accept(ctx context.Context, ref Ref, version int64, data []byte, messages []task.Message) error
}

// MaxAccept bounds the state and the messages of one Accept, as JSON, in bytes.
const MaxAccept = 448 << 10

// Outbox holds the messages that this host is to deliver, whoever put them
// there. Safe for concurrent use.
type Outbox interface {
	// Pending lists at most limit messages, those whose Next is earliest first
	// (zero before all), the dead last, and gives a channel that closes when the
	// list may have changed. What this host updated or removed before the call is
	// seen. The same message is never listed on two hosts at once, except while it
	// changes hands. Error: ErrUnavailable.
	Pending(ctx context.Context, limit int) ([]Pending, <-chan struct{}, error)
	// Update records an attempt: Attempts, Next, LastErr and Dead of the message,
	// at its version. Errors: ErrConflict (also when it is gone), ErrUnavailable,
	// ErrUnknownOutcome.
	Update(ctx context.Context, p Pending) error
	// Done removes a message, whatever its version. One that is gone is no error.
	// Errors: ErrUnavailable, ErrUnknownOutcome.
	Done(ctx context.Context, p Pending) error
}

// Pending is a message in the outbox. Key and Version are the store's own.
type Pending struct {
	task.Message
	Key     string
	Version int64
}

// Sender delivers a message, once. Safe for concurrent use. Package send has
// those for mail, files and webhooks.
type Sender interface {
	// Check tells whether Send understands a subscription; the error, one line,
	// refuses a deployment.
	Check(to string) error
	// Send delivers the message to its To, and returns when the receiver has
	// accepted it. Its error is a *SendError where it can tell whether to try
	// again; any other counts as temporary.
	Send(ctx context.Context, m task.Message) error
}

// SendError tells why a message was not accepted.
type SendError struct {
	// Permanent: the receiver will never take this message.
	Permanent bool
	// After is how long the receiver asked to be left alone. Zero: it did not say.
	After time.Duration
	Err   error
}

// Error gives the cause.
func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Permanent makes an error of a message that must not be tried again.
func Permanent(format string, args ...any) error {
	return &SendError{Permanent: true, Err: fmt.Errorf(format, args...)}
}

// Temporary makes an error of a message to be tried again, not before after.
func Temporary(after time.Duration, format string, args ...any) error {
	return &SendError{After: after, Err: fmt.Errorf(format, args...)}
}

// Reporter tells administrators of something. It must not block.
type Reporter interface {
	Report(e Report)
}

// Report is something that an administrator may want to know.
type Report struct {
	At     time.Time
	Level  string // info, warn, error
	Code   string // stable: one of the Code constants
	Object string // the trigger or the message
	Text   string
}

// The codes of reports.
const (
	CodeDead        = "MESSAGE_DEAD"        // given up; kept in the outbox, not tried again
	CodeDropped     = "MESSAGE_DROPPED"     // dead for longer than the retention, removed
	CodeUnevaluated = "TRIGGER_UNEVALUATED" // a condition could not be evaluated
	CodeStalled     = "TRIGGER_STALLED"     // a hold or digest cannot go on
	CodeTruncated   = "DIGEST_TRUNCATED"    // a digest counted what it could not keep
)
