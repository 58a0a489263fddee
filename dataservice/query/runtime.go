package query

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/bind"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Runtime executes the queries of one version of a service. It implements Runner.
type Runtime struct {
	engine      *Engine
	svc         *dataservice.Service
	limits      Limits
	hook        dataservice.Hook // may be nil
	queries     map[string]*compiled
	sources     map[string]*source.DB
	tables      map[string]*source.Table
	unsupported []dataservice.Unsupported
	closing     sync.Once
}

var _ Runner = (*Runtime)(nil)

// Unsupported lists the sources and queries that are not served, and why; calls
// of them say so. It adds to that of the service.
func (r *Runtime) Unsupported() []dataservice.Unsupported { return r.unsupported }

// Ping asks each source whether it answers, and gives the errors by the source's
// id; none: all do.
func (r *Runtime) Ping(ctx context.Context) map[string]error {
	failed := map[string]error{}
	for id, db := range r.sources {
		if err := db.Ping(ctx); err != nil {
			failed[id] = err
		}
	}
	return failed
}

// Close gives the sources back. No request may run any more. It may be called
// again.
func (r *Runtime) Close() error {
	var errs []error
	r.closing.Do(func() {
		for _, db := range r.sources {
			r.engine.inbox.Forget(db)
			errs = append(errs, db.Close())
		}
	})
	return errors.Join(errs...)
}

// run is one request on its way.
type run struct {
	*Runtime
	req    *dataservice.Request
	tx     *source.Tx // nil: none; the one source that it is on is that of the request's query
	db     *source.DB
	rows   int64 // read so far, nested ones included
	change int64 // rows changed
	kept   int64 // bytes of rows kept for nested queries
	seen   []observation
	// exported are the values that results have exported, by name, lower case.
	exported map[string][]string
}

// Run executes a request. A request that only reads, and whose event triggers
// need not see it, is written to the sink while it is read. Any other is kept
// until its transaction has ended and its events are accepted; only then does the
// sink see it.
func (r *Runtime) Run(ctx context.Context, req dataservice.Request, out result.Sink) (Outcome, error) {
	if req.ID == "" {
		req.ID = requestID(req.Fire)
	}
	x := &run{Runtime: r, req: &req}
	c, err := x.compiled()
	if err != nil {
		return Outcome{}, err
	}
	x.db = c.db
	b, err := c.bind(x.topValues, req.Caller, r.limits.Array)
	if err != nil {
		f := x.asFault(c, err)
		f.Final = true // nothing was executed, and the same values will not do either
		return Outcome{}, f
	}
	o, err := x.choose(ctx, c, b, out)
	if err != nil {
		return Outcome{}, x.asFault(c, err)
	}
	return o, nil
}

// compiled finds the request's query, or says why it cannot be executed.
func (x *run) compiled() (*compiled, error) {
	c := x.queries[x.req.Target.Query]
	switch {
	case c == nil:
		return nil, x.asFault(nil, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultNotFound, Final: true,
			Message: fmt.Sprintf("there is no query %q", x.req.Target.Query),
		})
	case c.refused != "":
		return nil, x.asFault(c, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Final: true, Message: "not supported: " + c.refused,
		})
	}
	return c, nil
}

// choose picks the way through: plain, kept, or with the inbox.
func (x *run) choose(ctx context.Context, c *compiled, b *bound, out result.Sink) (Outcome, error) {
	rings := c.rings && x.hook != nil
	switch {
	case x.req.Fire != nil:
		return x.fire(ctx, c, b, out, rings)
	case c.writes:
		return x.write(ctx, c, b, out, rings)
	case rings, x.req.Whole:
		return x.read(ctx, c, b, out)
	}
	if err := x.top(ctx, c, b, out); err != nil {
		return Outcome{}, err
	}
	return x.outcome(c), nil
}

// topValues finds the request's value for a parameter of its query: by a
// with-param, else among what was exported, else none, so that the default
// applies.
func (x *run) topValues(p *bind.Param) ([]string, bool) {
	for i := range x.req.Target.Params {
		w := &x.req.Target.Params[i]
		if w.Name != p.Name && !equalFold(w.Name, p.Name) {
			continue
		}
		name := w.QueryParam
		if name == "" {
			name = w.Column
		}
		if v, ok := x.req.Values[name]; ok {
			return v, ok
		}
		break
	}
	return x.export(p.Name)
}

// export finds what a result has exported under a name.
func (x *run) export(name string) ([]string, bool) {
	v, ok := x.exported[strings.ToLower(name)]
	return v, ok
}

// top executes the request's query and, if asked, says that it succeeded.
func (x *run) top(ctx context.Context, c *compiled, b *bound, out result.Sink) error {
	if c.shape != nil && !c.shape.HasElement {
		return &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported,
			Message: "not supported: its result names no element to put the rows in, so it can only be nested in another",
		}
	}
	if err := x.execute(ctx, c, b, out, 0); err != nil {
		return err
	}
	if c.shape == nil && x.req.Status {
		return toSink(out.Leaf(statusName, result.Value{Valid: true, Text: "SUCCESSFUL"}))
	}
	return nil
}

// statusName is the element that an in-only call answers with, if asked.
var statusName = result.Name{Space: dataservice.DefaultNamespace, Local: "REQUEST_STATUS"}

func (x *run) outcome(c *compiled) Outcome {
	o := Outcome{Rows: x.rows, Empty: c.shape == nil && !x.req.Status}
	if c.shape == nil || c.writes && x.rows == 0 {
		o.Rows = x.change
	}
	return o
}

func requestID(fire *dataservice.FireKey) string {
	if fire != nil {
		return fire.ID
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
