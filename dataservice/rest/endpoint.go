package rest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Call is what a request asks of a Runner.
type Call struct {
	// Name of the operation or resource, for faults.
	Name   string
	Target dataservice.CallQuery
	Values dataservice.Values
	// ID identifies the request in events, logs and its answer.
	ID string
	// Status asks a query without a result to answer REQUEST_STATUS.
	Status bool
}

// Runner executes calls of one service. Safe for concurrent use. Errors are
// *dataservice.Fault; empty tells that nothing was written to out.
type Runner interface {
	Run(ctx context.Context, c Call, out result.Sink) (empty bool, err error)
}

// Endpoint serves one service. Safe for concurrent use.
type Endpoint struct {
	service *dataservice.Service
	run     Runner
	opts    Options
	router  *router
	slots   chan struct{}
}

// New makes the endpoint of a service. It never fails: overlapping paths are in
// order of how specific they are, and what is not supported answers 501.
func New(s *dataservice.Service, run Runner, o Options) *Endpoint {
	o = o.withDefaults()
	return &Endpoint{
		service: s, run: run, opts: o, router: newRouter(routesOf(s)),
		slots: make(chan struct{}, o.MaxRequests),
	}
}

// Has tells whether the service answers anything at a path.
func (e *Endpoint) Has(path []string) bool {
	to, allow := e.router.find(http.MethodGet, path)
	return to != nil || len(allow) > 0
}

// exchange is one request on its way through an Endpoint.
type exchange struct {
	*Endpoint
	w         http.ResponseWriter
	r         *http.Request
	id        string
	started   time.Time
	to        *route // nil until it is found
	preferred Format
	out       *answer // nil until there is one
	status    int
}

// Serve answers a request whose path, below the service, has the given
// segments, unescaped.
func (e *Endpoint) Serve(w http.ResponseWriter, r *http.Request, path []string) {
	x := &exchange{Endpoint: e, w: w, r: r, id: requestID(), started: time.Now(), preferred: XML}
	w.Header().Set("X-Request-Id", x.id)
	defer x.end()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	default:
		x.fault(&dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultBusy, Message: "too many requests at the same time"})
		return
	}
	if err := x.serve(path); err != nil {
		x.fail(err)
	}
}

func (x *exchange) serve(path []string) error {
	to, allow := x.router.find(x.r.Method, path)
	switch {
	case to == nil && allow == nil:
		return &problem{status: http.StatusNotFound, text: "the service has no such operation or resource"}
	case to == nil && x.r.Method == http.MethodOptions:
		secure(x.w.Header())
		x.w.Header().Set("Allow", strings.Join(allow, ", "))
		x.w.WriteHeader(http.StatusNoContent)
		x.status = http.StatusNoContent
		return nil
	case to == nil:
		return &problem{http.StatusMethodNotAllowed, "the method is not allowed here", http.Header{"Allow": {strings.Join(allow, ", ")}}}
	}
	x.to = to
	if to.refused != "" {
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Message: to.refused}
	}
	if err := x.sameOrigin(); err != nil {
		return err
	}
	if to.shape != nil && to.shape.Output == "json" {
		x.preferred = JSON
	}
	format, acceptable := negotiate(x.r.Header["Accept"], x.preferred)
	if !acceptable && (to.shape != nil || to.status) {
		return &problem{status: http.StatusNotAcceptable, text: "only application/json and application/xml can be answered"}
	}
	values, err := gather(x.w, x.r, to, path, x.opts.MaxBody)
	if err != nil {
		return err
	}
	return x.execute(values, format)
}

// sameOrigin refuses what another site makes a browser send, if it may change
// anything, by whatever method.
func (x *exchange) sameOrigin() error {
	r := x.r
	if !x.to.reads {
		r = r.WithContext(r.Context()) // a copy
		r.Method = http.MethodPost     // GET counts as safe otherwise
	}
	if x.opts.Origin.Check(r) != nil {
		return &problem{status: http.StatusForbidden, text: "a browser asks for this on behalf of another site"}
	}
	return nil
}

func (x *exchange) execute(values dataservice.Values, format Format) error {
	ctx, cancel := context.WithTimeout(x.r.Context(), x.opts.Timeout)
	defer cancel()
	x.out = newAnswer(x.w, format, x.opts.Buffer, x.started.Add(x.opts.Timeout))
	sink := NewWriter(x.out, format, x.opts.MaxAnswer)
	call := Call{Name: x.to.name, Target: x.to.target, Values: values, ID: x.id, Status: x.to.status}
	empty, err := x.run.Run(ctx, call, sink)
	if err == nil && !empty {
		err = sink.Flush()
	}
	if err != nil {
		return err
	}
	x.status = http.StatusOK
	if empty {
		x.status = http.StatusAccepted
	}
	if err := x.out.finish(empty); err != nil {
		x.status = statusGone // there is nobody to tell
	}
	return nil
}

// end reports the request, after whatever happened. A panic becomes a fault,
// or breaks the connection if an answer has begun.
func (x *exchange) end() {
	abort := false
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		abort = true
	default:
		x.opts.Log.Error("request panicked", "service", x.service.Name, "request", x.name(), "request_id", x.id,
			"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if abort = x.out != nil && x.out.begun; !abort {
			x.fault(&dataservice.Fault{Code: dataservice.UnknownError, Message: "internal error"})
		}
	}
	served := Served{Service: x.service.Name, Request: x.name(), Status: x.status, Duration: time.Since(x.started)}
	if x.out != nil {
		served.Bytes = x.out.bytes
		x.out.release()
	}
	x.opts.Observe(served)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// fail answers an error, if that can still be done.
func (x *exchange) fail(err error) {
	var p *problem
	switch {
	case errors.As(err, &p):
		for name, v := range p.header {
			x.w.Header()[name] = v
		}
		x.status = p.status
		x.opts.Log.Debug("request refused", "service", x.service.Name, "request", x.name(), "request_id", x.id, "status", p.status, "message", p.text)
		writeFault(x.w, x.r, x.service, x.named(&dataservice.Fault{Code: codeOf(p.status), Message: p.text}), p.status, x.preferred)
	case x.r.Context().Err() != nil, x.out != nil && x.out.broken:
		x.status = statusGone
		if x.out != nil && x.out.begun {
			panic(http.ErrAbortHandler)
		}
	default:
		x.fault(AsFault(err))
	}
}

// codeOf is the ds_code of a request that never reached a query.
func codeOf(status int) dataservice.FaultCode {
	if status == http.StatusBadRequest {
		return dataservice.IncompatibleParameters
	}
	return dataservice.UnknownError
}

// fault logs a fault and answers it, or breaks the connection if an answer has
// begun.
func (x *exchange) fault(f *dataservice.Fault) {
	x.status = Status(f.Kind)
	begun := x.out != nil && x.out.begun
	level := slog.LevelDebug
	switch f.Kind {
	case dataservice.FaultInternal:
		level = slog.LevelError
	case dataservice.FaultUnreachable, dataservice.FaultTimeout, dataservice.FaultLimit:
		level = slog.LevelWarn
	}
	x.opts.Log.Log(x.r.Context(), level, "request faulted", "service", x.service.Name, "request", x.name(), "request_id", x.id,
		"query", f.Query, "code", string(f.Code), "status", x.status, "cut", begun, "message", f.Message, "err", f.Err)
	if begun {
		panic(http.ErrAbortHandler)
	}
	WriteFault(x.w, x.r, x.service, x.named(f), x.preferred)
}

// named gives f with the names that it lacks. The runner's own is not changed.
func (x *exchange) named(f *dataservice.Fault) *dataservice.Fault {
	n := *f
	if n.Request == "" {
		n.Request = x.name()
	}
	return &n
}

func (x *exchange) name() string {
	if x.to == nil {
		return ""
	}
	return x.to.name
}

// requestID is random, so that it says nothing and meets no other.
func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
