package exchange

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/boxcar"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Binding is how a client speaks to a service. Safe for concurrent use.
type Binding interface {
	// Serve answers a request, or gives the error that is to be answered: a
	// *dataservice.Fault, a *Problem, or any other, of which the client learns
	// nothing.
	Serve(x *Exchange) error
	// Fault answers a fault; x has answered nothing yet. The status is that of
	// its kind, or of the Problem that it was.
	Fault(x *Exchange, f *dataservice.Fault, status int)
}

// Problem is the error of a request that is refused before anything is executed.
type Problem struct {
	Status int
	Text   string      // for the client
	Header http.Header // more to say in the answer; may be nil
}

// Error gives the text.
func (p *Problem) Error() string { return p.Text }

// Writer is a sink that writes to somewhere; Flush is called once, after the
// last event.
type Writer interface {
	result.Sink
	Flush() error
}

// Gate is the door of one version of a service, which its bindings share. Safe
// for concurrent use.
type Gate struct {
	service *dataservice.Service
	opts    Options
	boxes   *boxcar.Sessions
	slots   chan struct{}
	pace    *pace
}

// NewGate makes the gate of a service.
func NewGate(s *dataservice.Service, o Options) *Gate {
	o = o.withDefaults()
	if o.Boxes == nil {
		o.Boxes = boxcar.New(boxcar.Limits{}, time.Now)
	}
	return &Gate{service: s, opts: o, boxes: o.Boxes, slots: make(chan struct{}, o.MaxRequests), pace: newPace(o.Rate)}
}

// Service is what the gate leads to.
func (g *Gate) Service() *dataservice.Service { return g.service }

// Options are those of the gate, with the defaults.
func (g *Gate) Options() Options { return g.opts }

// Exchange is one request on its way through a Gate.
type Exchange struct {
	W http.ResponseWriter
	R *http.Request
	// ID identifies the request in events, logs and its answer.
	ID string
	// Caller is nil if nobody is known.
	Caller *dataservice.Principal
	// Request is the operation or resource; empty until the binding knows it.
	Request string

	gate    *Gate
	binding Binding
	started time.Time
	out     *answer // nil until there is one
	status  int
}

// Serve answers a request by its binding. The caller is nil if nobody is known.
func (g *Gate) Serve(w http.ResponseWriter, r *http.Request, caller *dataservice.Principal, b Binding) {
	x := &Exchange{W: w, R: r, ID: requestID(), Caller: caller, gate: g, binding: b, started: time.Now()}
	w.Header().Set("X-Request-Id", x.ID)
	defer x.end()
	if !g.pace.take(x.started) {
		x.fault(busy("the service has had %d requests in a second (limits.rate): try again later", g.opts.Rate))
		return
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	default:
		x.fault(busy("the service has %d requests at the same time (limits.concurrency): try again later", g.opts.MaxRequests))
		return
	}
	if err := x.serve(); err != nil {
		x.fail(err)
	}
}

func busy(format string, limit int) *dataservice.Fault {
	return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultBusy, Message: fmt.Sprintf(format, limit)}
}

func (x *Exchange) serve() error {
	if admit := x.gate.opts.Admit; admit != nil {
		if err := admit(x); err != nil {
			return err
		}
	}
	return x.binding.Serve(x)
}

// SameOrigin refuses what another site makes a browser send, if it may change
// anything, by whatever method. Reads tells that it does not.
func (x *Exchange) SameOrigin(reads bool) error {
	r := x.R
	if !reads {
		r = r.WithContext(r.Context()) // a copy
		r.Method = http.MethodPost     // GET counts as safe otherwise
	}
	if x.gate.opts.Origin.Check(r) != nil {
		return &Problem{Status: http.StatusForbidden, Text: "a browser asks for this on behalf of another site"}
	}
	return nil
}

// Answer answers what run writes to the sink that writer makes, in a media type;
// or 202 if run says that it wrote nothing. The error, if any, has not been
// answered.
func (x *Exchange) Answer(media string, writer func(w io.Writer, limit int64) Writer, run func(ctx context.Context, out result.Sink) (empty bool, err error)) error {
	o := &x.gate.opts
	ctx, cancel := context.WithTimeout(x.R.Context(), o.Timeout)
	defer cancel()
	x.out = newAnswer(x.W, media, o.Buffer, x.started.Add(o.Timeout))
	sink := writer(x.out, o.MaxAnswer)
	empty, err := run(ctx, sink)
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

// Reply answers a short body of any other kind.
func (x *Exchange) Reply(status int, media string, body []byte) {
	x.status = status
	Secure(x.W.Header())
	if media != "" {
		x.W.Header().Set("Content-Type", media)
		x.W.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	x.W.WriteHeader(status)
	_, _ = x.W.Write(body) // the client is gone: nobody to tell
}

// end reports the request, after whatever happened. A panic becomes a fault,
// or breaks the connection if an answer has begun.
func (x *Exchange) end() {
	abort := false
	o := &x.gate.opts
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		abort = true
	default:
		o.Log.Error("request panicked", "service", x.gate.service.Name, "request", x.Request, "request_id", x.ID,
			"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if abort = x.out != nil && x.out.begun; !abort {
			x.fault(&dataservice.Fault{Code: dataservice.UnknownError, Message: "internal error"})
		}
	}
	served := Served{Service: x.gate.service.Name, Request: x.Request, Status: x.status, Duration: time.Since(x.started)}
	if x.out != nil {
		served.Bytes = x.out.bytes
		x.out.release()
	}
	o.Observe(served)
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// fail answers an error, if that can still be done.
func (x *Exchange) fail(err error) {
	var p *Problem
	switch {
	case errors.As(err, &p):
		for name, v := range p.Header {
			x.W.Header()[name] = v
		}
		x.status = p.Status
		x.gate.opts.Log.Debug("request refused", "service", x.gate.service.Name, "request", x.Request, "request_id", x.ID,
			"status", p.Status, "message", p.Text)
		x.binding.Fault(x, x.named(&dataservice.Fault{Code: codeOf(p.Status), Kind: kindOf(p.Status), Message: p.Text}), p.Status)
	case x.R.Context().Err() != nil, x.out != nil && x.out.broken:
		x.status = statusGone
		if x.out != nil && x.out.begun {
			panic(http.ErrAbortHandler)
		}
	default:
		x.fault(AsFault(err))
	}
}

// fault logs a fault and answers it, or breaks the connection if an answer has
// begun.
func (x *Exchange) fault(f *dataservice.Fault) {
	x.status = Status(f.Kind)
	begun := x.out != nil && x.out.begun
	level := slog.LevelDebug
	switch f.Kind {
	case dataservice.FaultInternal:
		level = slog.LevelError
	case dataservice.FaultUnreachable, dataservice.FaultTimeout, dataservice.FaultLimit:
		level = slog.LevelWarn
	}
	x.gate.opts.Log.Log(x.R.Context(), level, "request faulted", "service", x.gate.service.Name, "request", x.Request, "request_id", x.ID,
		"query", f.Query, "code", string(f.Code), "status", x.status, "cut", begun, "message", f.Message, "err", f.Err)
	if begun {
		panic(http.ErrAbortHandler)
	}
	x.binding.Fault(x, x.named(f), x.status)
}

// named gives f with the names that it lacks. The runner's own is not changed.
func (x *Exchange) named(f *dataservice.Fault) *dataservice.Fault {
	n := *f
	if n.Request == "" {
		n.Request = x.Request
	}
	return &n
}

// requestID is random, so that it says nothing and meets no other.
func requestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
