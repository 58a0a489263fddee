package zk

import (
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// Why a session is not Healthy, or a request was not sent.
var (
	errUnanswered = errors.New("ZooKeeper has not answered yet")
	errConnecting = errors.New("not connected to ZooKeeper yet")
	errCut        = errors.New("the connection to ZooKeeper is lost")
	errSilent     = errors.New("ZooKeeper has acknowledged nothing")
	errStalled    = errors.New("this process stood still")
	errLate       = errors.New("ZooKeeper acknowledged a write late,")
	errExpired    = errors.New("ZooKeeper has expired the session")
	errForeign    = errors.New("ZooKeeper answered with another session")
	errMoved      = errors.New("ZooKeeper says that the session moved: its id is used elsewhere")
	errClosed     = errors.New("the session is closed")
	errGone       = errors.New("the member's node was removed")
	errAuth       = fmt.Errorf("%w: check the credentials and the ACL of the root", coordclient.ErrUnauthorised)
)

// readError is what a failed read means to the user of the port.
func readError(err error) error {
	switch {
	case err == nil, errors.Is(err, coordclient.ErrUnavailable):
		return err
	case errors.Is(err, zk.ErrNoNode):
		return coordclient.ErrNotFound
	case errors.Is(err, zk.ErrNoAuth):
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, errAuth)
	}
	return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
}

// writeError is what a write means that failed as a whole. Only what is known
// never to have left, or to have been refused, is unavailable.
func writeError(err error) error {
	switch {
	case err == nil, errors.Is(err, coordclient.ErrUnavailable), errors.Is(err, coordclient.ErrUnknownOutcome):
		return err
	case errors.Is(err, zk.ErrShortBuffer):
		return fmt.Errorf("%w: %w", coordclient.ErrTooLarge, err)
	case errors.Is(err, zk.ErrNoServer):
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrInvalidACL):
		return fmt.Errorf("%w: %w: %w", coordclient.ErrUnavailable, errAuth, err)
	}
	return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, err)
}

// opError is what the failure of one operation of a commit means.
func opError(op coordclient.Op, err error) error {
	member := op.Kind == coordclient.OpCheckMember
	switch {
	case member && (errors.Is(err, zk.ErrNoNode) || errors.Is(err, zk.ErrBadVersion)):
		return coordclient.ErrNotMember
	case errors.Is(err, zk.ErrNoNode):
		return coordclient.ErrNotFound
	case errors.Is(err, zk.ErrBadVersion):
		return coordclient.ErrConflict
	case errors.Is(err, zk.ErrNodeExists):
		return coordclient.ErrExists
	case errors.Is(err, zk.ErrNoAuth), errors.Is(err, zk.ErrInvalidACL):
		return fmt.Errorf("%w: %w: %w", coordclient.ErrUnavailable, errAuth, err)
	}
	return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err) // refused by the server: nothing was done
}
