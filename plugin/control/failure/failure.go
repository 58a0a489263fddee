package failure

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Code says what kind of thing went wrong. It is part of the contract.
type Code string

// The codes.
const (
	CodeInvalid        Code = "invalid"         // what was asked makes no sense: usage or validation
	CodeNotFound       Code = "not_found"       // it is not there
	CodeExists         Code = "exists"          // it is there already
	CodeConflict       Code = "conflict"        // it was changed meanwhile
	CodeUnauthorised   Code = "unauthorised"    // who asked may not
	CodeUnavailable    Code = "unavailable"     // the store or host cannot be reached; nothing was done
	CodeTimeout        Code = "timeout"         // it took too long
	CodeUnknownOutcome Code = "unknown_outcome" // it may have been done: look
	CodeInternal       Code = "internal"        // anything else
)

// codes is the one table of what a code means to a shell and to HTTP. Exit
// codes are shared, statuses are not.
var codes = []struct {
	code         Code
	exit, status int
}{
	{CodeInvalid, 2, http.StatusBadRequest},
	{CodeNotFound, 3, http.StatusNotFound},
	{CodeExists, 5, http.StatusConflict},
	{CodeConflict, 5, http.StatusPreconditionFailed},
	{CodeUnauthorised, 4, http.StatusUnauthorized},
	{CodeUnavailable, 6, http.StatusServiceUnavailable},
	{CodeTimeout, 7, http.StatusGatewayTimeout},
	{CodeUnknownOutcome, 7, http.StatusBadGateway},
	{CodeInternal, 1, http.StatusInternalServerError},
}

// Exit is the exit code of a command that failed so. An unknown code is 1.
func (c Code) Exit() int {
	for _, row := range codes {
		if row.code == c {
			return row.exit
		}
	}
	return 1
}

// Status is the HTTP status of an answer that failed so. An unknown code is 500.
func (c Code) Status() int {
	for _, row := range codes {
		if row.code == c {
			return row.status
		}
	}
	return http.StatusInternalServerError
}

// CodeOf is the code that an HTTP status stands for: the inverse of Status.
// Any other status is CodeInternal.
func CodeOf(status int) Code {
	for _, row := range codes {
		if row.status == status {
			return row.code
		}
	}
	return CodeInternal
}

func known(c Code) bool {
	for _, row := range codes {
		if row.code == c {
			return true
		}
	}
	return false
}

// Error is what administrators and programs are told.
type Error struct {
	Code    Code
	Message string
	Hint    string // the next step; may be empty
	Err     error  // the cause; may be nil
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalid is an Error of CodeInvalid.
func Invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// Of gives err as an *Error; nil stays nil. A time-out of ctx is
// CodeTimeout unless it is not known what became of a commit.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Code: CodeInternal, Message: err.Error(), Err: err}
	switch {
	case errors.Is(err, coordclient.ErrUnknownOutcome):
		e.Code, e.Hint = CodeUnknownOutcome, "it may have been done: look before you try again"
	case errors.Is(err, context.DeadlineExceeded):
		e.Code = CodeTimeout
	case errors.Is(err, store.ErrNotInitialised):
		e.Code, e.Hint = CodeUnavailable, "start a host first: it makes the cluster"
	case errors.Is(err, store.ErrDeleting):
		e.Code = CodeConflict
		e.Hint = "its owner first settles the runs that are still going; try again when it has, or choose another name"
	case isMissingCalendar(err):
		e.Code, e.Hint = CodeInvalid, "belfry calendar list shows those that there are"
	case errors.Is(err, coordclient.ErrExists):
		e.Code = CodeExists
	case errors.Is(err, coordclient.ErrNotFound):
		e.Code = CodeNotFound
	case errors.Is(err, coordclient.ErrConflict):
		e.Code, e.Hint = CodeConflict, "somebody else changed it: look at it again"
	case errors.Is(err, coordclient.ErrTooLarge):
		e.Code = CodeInvalid
	case errors.Is(err, coordclient.ErrUnauthorised):
		e.Code, e.Hint = CodeUnauthorised, "the hosts' user and password, or certificate, open what they have closed to others"
	case errors.Is(err, coordclient.ErrUnavailable):
		e.Code = CodeUnavailable
	case errors.Is(err, coordclient.ErrNoSuchVerb):
		e.Code, e.Hint = CodeUnavailable, "the host is of another version, or only starting"
	}
	return e
}

func isMissingCalendar(err error) bool {
	_, ok := errors.AsType[*calendar.MissingError](err)
	return ok
}

// Wrap is Of for a result of type error, so that nil stays nil.
func Wrap(err error) error {
	if err == nil {
		return nil
	}
	return Of(err)
}

// UnlessMissing lets pass that nobody has prepared a record yet.
func UnlessMissing(err error) error {
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil
	}
	return err
}
