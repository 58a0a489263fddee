package task

import "errors"

// Refused tells whether an error says that the host's own rules refuse the
// address that was to be called: one in its chain has a method Refused that says
// so. The same call is of no use as long as the rules stand.
func Refused(err error) bool {
	var r interface{ Refused() bool }
	return errors.As(err, &r) && r.Refused()
}
