package coordclient

import (
	"errors"
	"fmt"
)

// The errors of the port. Implementations wrap them; test with errors.Is.
var (
	ErrNotFound       = errors.New("not found")
	ErrConflict       = errors.New("conflict: it was changed meanwhile")
	ErrExists         = errors.New("exists already")
	ErrUnavailable    = errors.New("coordination store unavailable, nothing was done")
	ErrUnknownOutcome = errors.New("coordination store did not answer, it may have been done")
	ErrTooLarge       = errors.New("too large")
	// ErrUnauthorised: the store does not permit it to who asks. It comes with
	// ErrUnavailable.
	ErrUnauthorised = errors.New("the coordination store does not permit it")
	// ErrNoRoot: there is nothing where the cluster is said to be. It comes with
	// ErrUnavailable.
	ErrNoRoot = errors.New("there is no cluster here")
	// ErrNotMember: the commit was bound to a membership that is over.
	ErrNotMember = errors.New("not a member any more")
	// ErrNoSuchVerb: the member called has no handler for the verb.
	ErrNoSuchVerb = errors.New("member does not answer this verb")
)

// CommitError tells which operation made a commit fail. Nothing of the commit
// was done. It unwraps to ErrNotFound, ErrConflict, ErrExists, ErrTooLarge or
// ErrNotMember.
type CommitError struct {
	Index int // into the operations given to Commit
	Op    Op
	Err   error
}

// Error names the operation and its key.
func (e *CommitError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op.Kind, e.Op.Key, e.Err) }

// Unwrap gives the sentinel.
func (e *CommitError) Unwrap() error { return e.Err }

// RemoteError is an error that a member's handler returned to a SendReceive.
type RemoteError struct {
	Code    string // stable, machine readable; empty if the handler gave none
	Message string
}

// Error gives the message.
func (e *RemoteError) Error() string { return e.Message }
