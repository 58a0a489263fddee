package socket

import (
	"errors"

	"github.com/seed42aab489/belfry/coordclient"
)

// Codes of outcomes on the wire that are not in the table.
const (
	codeOK     = 0
	codeCommit = 1 // a *CommitError: its index, then the code and text of its cause
	codeRemote = 2 // a *RemoteError: its code and message
	codeOther  = 3 // none of the port's
)

// sentinels is the table of errors, both ways. The numbers are the protocol's.
// Where an error is several of them the first counts.
var sentinels = []struct {
	code byte
	err  error
}{
	{10, coordclient.ErrUnknownOutcome},
	{11, coordclient.ErrUnavailable},
	{12, coordclient.ErrNotFound},
	{13, coordclient.ErrConflict},
	{14, coordclient.ErrExists},
	{15, coordclient.ErrTooLarge},
	{16, coordclient.ErrNotMember},
	{17, coordclient.ErrNoSuchVerb},
	{18, coordclient.ErrInvalidKey},
}

// farError is an error that the host returned: its text, and which it was.
type farError struct {
	text     string
	sentinel error // nil if it is none of the port's
}

func (e *farError) Error() string { return e.text }
func (e *farError) Unwrap() error { return e.sentinel }

func codeOf(err error) byte {
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.code
		}
	}
	return codeOther
}

func (b *encoder) error(err error) {
	var commit *coordclient.CommitError
	var remote *coordclient.RemoteError
	switch {
	case err == nil:
		*b = append(*b, codeOK)
	case errors.As(err, &commit):
		*b = append(*b, codeCommit)
		b.uint(uint64(commit.Index))
		*b = append(*b, codeOf(commit.Err))
		b.string(commit.Err.Error())
	case errors.As(err, &remote):
		*b = append(*b, codeRemote)
		b.string(remote.Code)
		b.string(remote.Message)
	default:
		*b = append(*b, codeOf(err))
		b.string(err.Error())
	}
}

// error reads the outcome of a request; nil if it succeeded or is garbled.
func (d *decoder) error(req request) error {
	switch code := d.byte(); code {
	case codeOK:
		return nil
	case codeCommit:
		index := d.uint()
		if index >= uint64(len(req.ops)) {
			d.bad = true
			return nil
		}
		return &coordclient.CommitError{Index: int(index), Op: req.ops[index], Err: d.far(d.byte())}
	case codeRemote:
		return &coordclient.RemoteError{Code: d.string(), Message: d.string()}
	default:
		return d.far(code)
	}
}

func (d *decoder) far(code byte) error {
	e := &farError{text: d.string()}
	for _, s := range sentinels {
		if s.code == code {
			e.sentinel = s.err
		}
	}
	if e.sentinel == nil && code != codeOther {
		d.bad = true
	}
	return e
}
