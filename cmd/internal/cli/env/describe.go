package env

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Description is an error as the companion tells it: the JSON contract of
// what it writes to stderr with -o json.
type Description struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Cause is what is behind it, where the message does not say so; may be empty.
	Cause string `json:"cause"`
	// Hint is the next step; may be empty.
	Hint string `json:"hint"`
	// Retryable: the same command may succeed later, and does no harm.
	Retryable bool `json:"retryable"`
	ExitCode  int  `json:"exit_code"`
}

// The exit codes that no failure.Code stands for. ExitCodes lists all.
const (
	exitDiffers     = 1
	exitPartial     = 8
	exitCancelled   = 9
	exitInterrupted = 130
)

// Exit is a code of the companion with what it means.
type Exit struct {
	Code    int
	Meaning string
}

// ExitCodes is the one table of what the companion exits with. Scripts rely on
// it.
func ExitCodes() []Exit {
	return []Exit{
		{0, "ok"},
		{exitDiffers, "failed; diff, plan: there are differences; doctor --strict: there are warnings"},
		{failure.CodeInvalid.Exit(), "usage, or something is not valid; doctor: a check failed"},
		{failure.CodeNotFound.Exit(), "not found"},
		{failure.CodeUnauthorised.Exit(), "not authorised"},
		{failure.CodeConflict.Exit(), "conflict: it was changed meanwhile, or exists already; a stale plan"},
		{failure.CodeUnavailable.Exit(), "unavailable: the store or a host cannot be reached, nothing was done"},
		{failure.CodeTimeout.Exit(), "timed out, or it is not known whether it was done"},
		{exitPartial, "some of many failed"},
		{exitCancelled, "cancelled at a prompt"},
		{exitInterrupted, "interrupted"},
	}
}

// Describe tells what went wrong, what to do next and how to exit. What is no
// *failure.Error failed as a matter of business and exits with 1.
func Describe(err error) Description {
	var (
		outcome *Outcome
		known   *failure.Error
	)
	switch {
	case errors.Is(err, ErrCancelled):
		return Description{Code: "cancelled", Message: ErrCancelled.Error(), ExitCode: exitCancelled}
	case errors.Is(err, context.Canceled) && !errors.As(err, &known):
		return Description{Code: "interrupted", Message: "interrupted", ExitCode: exitInterrupted}
	case errors.As(err, &outcome):
		return Description{Code: outcome.Code, Message: outcome.Message, Hint: outcome.Hint, ExitCode: outcome.Exit}
	}
	e := failure.Of(err)
	return Description{
		Code: string(e.Code), Message: e.Message, Cause: cause(e), Hint: e.Hint, ExitCode: e.Code.Exit(),
		Retryable: e.Code == failure.CodeUnavailable || e.Code == failure.CodeTimeout,
	}
}

// cause is the innermost error, unless the message or the code says as much.
func cause(e *failure.Error) string {
	inner := e.Err
	for inner != nil {
		next := errors.Unwrap(inner)
		if next == nil {
			break
		}
		inner = next
	}
	if inner == nil || slices.Contains(classes, inner) {
		return ""
	}
	text := inner.Error()
	for _, class := range classes {
		text = strings.TrimPrefix(text, class.Error()+": ")
	}
	if strings.Contains(e.Message, text) {
		return ""
	}
	return text
}

// classes are errors that say no more than a code does.
var classes = []error{
	coordclient.ErrNotFound, coordclient.ErrExists, coordclient.ErrConflict, coordclient.ErrUnavailable, coordclient.ErrUnknownOutcome,
	errAllFail, context.DeadlineExceeded,
}

// Outcome is a command that did what it was asked and found what a script wants
// to know from the exit code.
type Outcome struct {
	Code, Message, Hint string
	Exit                int
}

// Found is the code of an Outcome whose command has shown all there is to say.
const Found = "differs"

// Error gives the message.
func (o *Outcome) Error() string { return o.Message }

// Differs says that there are differences; it exits with 1.
func Differs(format string, args ...any) error {
	return &Outcome{Code: Found, Message: fmt.Sprintf(format, args...), Exit: exitDiffers}
}

// Partial says that some of many failed; it exits with 8.
func Partial(hint, format string, args ...any) error {
	return &Outcome{Code: "partial", Message: fmt.Sprintf(format, args...), Hint: hint, Exit: exitPartial}
}
