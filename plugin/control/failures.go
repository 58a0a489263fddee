package control

import "github.com/seed42aab489/belfry/plugin/control/failure"

// How Control fails, under the names by which its callers know it; the rooms
// below know it from package failure.
type (
	// Error is what every method of Control fails with.
	Error = failure.Error
	// Code says what kind of thing went wrong. It is part of the contract.
	Code = failure.Code
)

// The codes.
const (
	CodeInvalid        = failure.CodeInvalid
	CodeNotFound       = failure.CodeNotFound
	CodeExists         = failure.CodeExists
	CodeConflict       = failure.CodeConflict
	CodeUnauthorised   = failure.CodeUnauthorised
	CodeUnavailable    = failure.CodeUnavailable
	CodeTimeout        = failure.CodeTimeout
	CodeUnknownOutcome = failure.CodeUnknownOutcome
	CodeInternal       = failure.CodeInternal
)

// AsError is failure.Of.
func AsError(err error) *Error { return failure.Of(err) }

func invalid(format string, args ...any) *Error { return failure.Invalid(format, args...) }

func wrap(err error) error { return failure.Wrap(err) }
