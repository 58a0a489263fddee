package task

import (
	"strings"
	"time"
)

// ReplyWait lets a run end not when its call returns but with a reply to it: the
// request carries the fire id, by which the reply names it. Meanwhile the run is
// WAITING: it holds no worker, counts as open for the overlap policy, and
// outlives every host.
type ReplyWait struct {
	// Deadline is for how long after the attempt began a reply counts. Zero:
	// DefaultReplyDeadline.
	Deadline Duration `json:"deadline,omitempty"`
	// OnDeadline says what becomes of a run without a reply by then.
	OnDeadline OnDeadline `json:"on_deadline,omitempty"`
}

// Bounds of waiting for a reply.
const (
	DefaultReplyDeadline = 24 * time.Hour
	MaxReplyDeadline     = 400 * 24 * time.Hour
	// MaxReplyValue is the largest value of a reply in bytes, and of what is kept
	// of an answer.
	MaxReplyValue = 4096
)

// OnDeadline is what becomes of a run whose reply did not come in time.
type OnDeadline string

// What becomes of it. The zero value means DeadlineFail.
const (
	DeadlineFail OnDeadline = "fail" // it is TIMED_OUT
	// DeadlineRetry sends the request again, with the same fire id, as the task's
	// retry policy allows; then it is TIMED_OUT.
	DeadlineRetry OnDeadline = "retry"
)

// Wait is for how long a reply counts, the default applied.
func (w *ReplyWait) Wait() time.Duration {
	if w.Deadline <= 0 {
		return DefaultReplyDeadline
	}
	return time.Duration(w.Deadline)
}

// Retries tells whether a run without a reply is attempted again.
func (w *ReplyWait) Retries() bool { return w != nil && w.OnDeadline == DeadlineRetry }

// Reply is the end of a waiting run, told by what it called. It is final: an
// exception is an answer, and no reason to ask again.
type Reply struct {
	OK bool `json:"ok"`
	// Value is what was returned; of an exception, its text. At most
	// MaxReplyValue bytes.
	Value string `json:"value,omitempty"`
}

// ReplyTo is what a call carries so that it can be replied to.
type ReplyTo struct {
	// Addresses at which hosts of the group take the reply. Any will do.
	Addresses []string
	// Token proves that a reply comes from what was called.
	Token string
	// Deadline after which a reply does not count.
	Deadline time.Time
	// Window is when it may be done. Zero: at any time.
	Window Window
}

// The headers of a request that is replied to later.
const (
	HeaderCorrelation = "Belfry-Correlation-Id"
	HeaderReplyTo     = "Belfry-Reply-To" // addresses, the nearest first, with ", " between them
	HeaderReplyToken  = "Belfry-Reply-Token"
	HeaderReplyBy     = "Belfry-Reply-By" // RFC 3339
	// HeaderWindow is an interval of ISO 8601, its ends in RFC 3339, or ".." for no
	// end; absent: at any time.
	HeaderWindow = "Belfry-Window"
)

// Headers are those of a call of the firing. Nil: none.
func (r *ReplyTo) Headers(id FireID) []Header {
	if r == nil {
		return nil
	}
	headers := []Header{
		{HeaderCorrelation, string(id)},
		{HeaderReplyTo, strings.Join(r.Addresses, ", ")},
		{HeaderReplyToken, r.Token},
		{HeaderReplyBy, r.Deadline.UTC().Truncate(time.Second).Format(time.RFC3339)},
	}
	if !r.Window.From.IsZero() {
		headers = append(headers, Header{HeaderWindow, r.Window.String()})
	}
	return headers
}

// ReplyID is the id of the request that carries the reply to a firing. There is
// only one, so that a reply that is sent twice is stored once.
func ReplyID(id FireID) string { return "reply:" + string(id) }
