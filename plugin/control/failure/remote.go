package failure

import (
	"errors"

	"github.com/seed42aab489/belfry/coordclient"
)

// Sent is what a host answers a caller of the group with; Received reads it.
func Sent(e *Error) error {
	message := e.Message
	if e.Hint != "" {
		message += " (" + e.Hint + ")"
	}
	return &coordclient.RemoteError{Code: string(e.Code), Message: message}
}

// Received gives what a call of the group failed with: the Error that the host
// has Sent, without its hint apart, or what Wrap makes of err.
func Received(err error) error {
	var r *coordclient.RemoteError
	if !errors.As(err, &r) {
		return Wrap(err)
	}
	code := Code(r.Code)
	if !known(code) {
		code = CodeInternal
	}
	return &Error{Code: code, Message: r.Message, Err: err}
}
