package zk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
)

// NoSessionError says of each server why it gave no session.
type NoSessionError struct {
	Faults []Fault
	// Certificate: with every server it was a certificate, its or ours, that was
	// refused. Trying longer is of no use.
	Certificate bool
	// Cause is why it was given up: that of a context; coordclient.ErrUnauthorised
	// if every server refused this client's certificate, or wants one; nil if only
	// their own were refused.
	Cause error
}

// Fault is what went wrong with one server last; Err is nil if nothing is known.
type Fault struct {
	Server string
	Err    error
}

// Error lists servers and faults.
func (e *NoSessionError) Error() string {
	var all []string
	for _, f := range e.Faults {
		switch {
		case f.Err != nil:
			all = append(all, fmt.Sprintf("%s: %v", f.Server, f.Err))
		default:
			all = append(all, f.Server+": no answer")
		}
	}
	text := "no session with any server: " + strings.Join(all, "; ")
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *NoSessionError) Unwrap() error { return e.Cause }

// errHungUp: a connection ended before the answer to the handshake came.
var errHungUp = errors.New("it hung up before it gave a session (does one side speak TLS and the other not?)")

// plainly says what a server did, for people.
func plainly(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errHungUp
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return op.Err // the server is named already
	}
	return err
}

// ofCertificate tells whether it was a certificate that was refused: the
// server's, here, or this client's, there.
func ofCertificate(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok || byServer(err)
}

// byServer tells whether the server ended the TLS handshake.
func byServer(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// fault notes what went wrong with a server, and whether that was so with all in
// a way that waiting does not mend.
func (h *hosts) fault(address string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hopeless := true
	for i := range h.list {
		if h.list[i].address == address {
			h.list[i].fault = plainly(err)
		}
		hopeless = hopeless && ofCertificate(h.list[i].fault)
	}
	if hopeless {
		h.giveUp.Do(func() { close(h.hopeless) })
	}
}

// refused tells why there is no session.
func (h *hosts) refused(cause error) *NoSessionError {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := &NoSessionError{Certificate: true, Cause: cause}
	ours := true
	for _, one := range h.list {
		e.Faults = append(e.Faults, Fault{one.address, one.fault})
		e.Certificate = e.Certificate && ofCertificate(one.fault)
		ours = ours && byServer(one.fault)
	}
	switch {
	case ours:
		e.Cause = coordclient.ErrUnauthorised
	case e.Certificate:
		e.Cause = nil
	}
	return e
}

// wait returns when there is a session, or there is no hope for one.
func (c *Client) wait(ctx context.Context) error {
	for {
		ok, next := c.health.connections()
		if ok {
			return nil
		}
		select {
		case <-next:
		case <-c.health.lost:
			return c.usable()
		case <-c.hosts.hopeless:
			return c.noSession(nil)
		case <-ctx.Done():
			return c.noSession(ctx.Err())
		}
	}
}

func (c *Client) noSession(cause error) error {
	return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, c.hosts.refused(cause))
}
