package query

import (
	"errors"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/failure"
)

// Error is a fault in a descriptor that only shows when its queries are compiled.
type Error struct {
	dataservice.Position
	Msg string
}

// Error gives "line:column: message".
func (e *Error) Error() string { return e.Position.String() + ": " + e.Msg }

// Errors are the faults of a descriptor, in its order.
type Errors []*Error

// Error gives one fault a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// asFault turns what went wrong in a query into a fault. Messages say what a
// client may know; the cause, with the database's own words, stays in Err.
func (x *run) asFault(c *compiled, err error) *dataservice.Fault {
	var f *dataservice.Fault
	if !errors.As(err, &f) {
		f = failure.Fault(err)
	}
	if f.Service == "" {
		f.Service, f.Request = x.svc.Name, x.req.Name
	}
	if f.Query == "" && c != nil {
		f.Query = c.q.ID
	}
	if f.Params == nil {
		f.Params = failure.Params(x.req.Values)
	}
	return f
}

// toSink marks an error as one of the Sink.
func toSink(err error) error { return failure.OfSink(err) }
