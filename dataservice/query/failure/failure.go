// Package failure turns what goes wrong in a query into the fault that a client
// and a scheduler are told of.
package failure

import (
	"errors"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// sinkError marks an error as one of the Sink.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// OfSink marks an error, if there is one, as one of the Sink.
func OfSink(err error) error {
	if err != nil {
		return &sinkError{err}
	}
	return nil
}

// Fault makes a fault of an error that is none. Its message says what a client
// may know; the cause, with the database's own words, stays in Err.
func Fault(err error) *dataservice.Fault {
	f := &dataservice.Fault{Code: dataservice.DatabaseError, Kind: dataservice.FaultInternal, Err: err}
	var limit *result.LimitError
	var sink *sinkError
	switch {
	case errors.As(err, &limit):
		f.Code, f.Kind, f.Message = dataservice.UnknownError, dataservice.FaultLimit, limit.Error()
		return f
	case errors.As(err, &sink):
		f.Code, f.Message = dataservice.UnknownError, "the result could not be written"
		return f
	case errors.Is(err, source.ErrExhausted):
		f.Code, f.Kind, f.Message = dataservice.ConnectionUnavailable, dataservice.FaultBusy, err.Error()
		return f
	}
	switch source.Classify(err) {
	case source.Unreachable:
		f.Code, f.Kind, f.Message = dataservice.ConnectionUnavailable, dataservice.FaultUnreachable, "no connection to the data source"
	case source.Lost:
		f.Code, f.Message = dataservice.ConnectionUnavailable, "the connection to the data source broke"
	case source.Timeout:
		f.Kind, f.Message = dataservice.FaultTimeout, "the statement took too long (limits.statement_time, or the descriptor's queryTimeout), or was cancelled"
	case source.Locked:
		f.Kind, f.Message = dataservice.FaultBusy, "the data are locked by another transaction"
	case source.Conflict:
		f.Kind, f.Message = dataservice.FaultBusy, "the transaction conflicted with another one and was rolled back"
	case source.Duplicate:
		f.Message = "the database refused the statement: the key exists already"
	case source.Constraint:
		f.Message = "the database refused the statement: a constraint is violated"
	case source.Data:
		f.Message = "the database refused the statement: a value does not fit"
	case source.Syntax:
		f.Message = "the database refused the statement: it is wrong, or names what is not there"
	case source.NoTable:
		f.Message = "the database refused the statement: a table is not there"
	case source.Denied:
		f.Message = "the database refused the statement: the user may not do this"
	case source.ReadOnly:
		f.Message = "the database refused the statement: it writes where it may only read"
	case source.Raised:
		f.Message = "the database refused the statement"
	default:
		f.Message = "the data source failed"
	}
	return f
}

// maxShown bounds a parameter's value in a fault.
const maxShown = 200

// Params are the request's parameters as a fault shows them.
func Params(v dataservice.Values) map[string]string {
	if len(v) == 0 {
		return nil
	}
	to := make(map[string]string, len(v))
	for name, values := range v {
		s := strings.Join(values, ", ")
		if values == nil {
			s = "null"
		}
		if len(s) > maxShown {
			s = strings.ToValidUTF8(s[:maxShown], "") + "…"
		}
		to[name] = s
	}
	return to
}
