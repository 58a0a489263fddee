package host

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Invoke calls an operation in process and drops its result. It does not count
// against the HTTP limits of the service. Errors are *dataservice.Fault.
func (h *Host) Invoke(ctx context.Context, c dataservice.Call) (query.Outcome, error) {
	return h.invoke(ctx, c, nothing{})
}

// Answer is what an operation that was tried answered.
type Answer struct {
	Outcome     query.Outcome
	ContentType string
	Body        []byte
}

// Try calls an operation in process and gives what it answers, at most limit
// bytes of it: beyond that it is a fault. Errors are *dataservice.Fault.
func (h *Host) Try(ctx context.Context, c dataservice.Call, format rest.Format, limit int64) (Answer, error) {
	var body bytes.Buffer
	sink := rest.NewWriter(&body, format, limit)
	outcome, err := h.invoke(ctx, c, sink)
	if err == nil {
		err = sink.Flush()
	}
	if err != nil {
		return Answer{}, exchange.AsFault(err)
	}
	return Answer{Outcome: outcome, ContentType: format.ContentType(), Body: body.Bytes()}, nil
}

// Head calls an operation in process and gives the first bytes of what it
// answers, at most limit. Whatever keeps the answer from being written does not
// fail the call: then there is less of it. Errors are *dataservice.Fault.
func (h *Host) Head(ctx context.Context, c dataservice.Call, format rest.Format, limit int) (Answer, error) {
	body := &head{room: limit}
	written := rest.NewWriter(body, format, 0)
	outcome, err := h.invoke(ctx, c, &tolerant{to: written})
	if err != nil {
		return Answer{}, exchange.AsFault(err)
	}
	_ = written.Flush() // what there is of it is enough
	return Answer{Outcome: outcome, ContentType: format.ContentType(), Body: body.bytes}, nil
}

func (h *Host) invoke(ctx context.Context, c dataservice.Call, out result.Sink) (outcome query.Outcome, err error) {
	fault := func(kind dataservice.FaultKind, message string) error {
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: kind, Message: message, Service: c.Service, Request: c.Operation}
	}
	d := h.enter(func(s *set) *deployment { return s.services[c.Service] })
	if d == nil {
		return outcome, fault(dataservice.FaultNotFound, "service "+c.Service+" is not deployed")
	}
	defer d.leave()
	if kind, why := closed(d.service); why != "" {
		return outcome, fault(kind, why)
	}
	o := d.service.Operation(c.Operation)
	switch {
	case o == nil:
		return outcome, fault(dataservice.FaultNotFound, "service "+c.Service+" has no operation "+c.Operation)
	case o.Unsupported != "":
		return outcome, fault(dataservice.FaultUnsupported, o.Unsupported)
	}
	if f := d.allowed(c.Caller, &o.Call, o.Name); f != nil {
		return outcome, f
	}
	defer func() {
		if cause := recover(); cause != nil {
			h.opts.Log.Error("call panicked", "service", c.Service, "request", c.Operation, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fault(dataservice.FaultInternal, "internal error")
		}
	}()
	id := requestID(c.Fire)
	outcome, err = d.run(ctx, dataservice.Request{
		Name: o.Name, Target: o.Call, Values: c.Values, ID: id, Fire: c.Fire, Status: o.ReturnStatus, Caller: c.Caller,
	}, out)
	if err != nil {
		return outcome, exchange.AsFault(err)
	}
	return outcome, nil
}

// enter takes part in the deployment that find gives; nil if it gives none. A
// deployment that was retired since is looked for again: the set moved on.
func (h *Host) enter(find func(*set) *deployment) *deployment {
	for {
		d := find(h.now.Load())
		if d == nil || d.enter() {
			return d
		}
	}
}

// closed tells why a service refuses every request; empty: it does not.
func closed(s *dataservice.Service) (dataservice.FaultKind, string) {
	if !s.Active {
		return dataservice.FaultInactive, "service " + s.Name + " is inactive"
	}
	return 0, ""
}

func requestID(fire *dataservice.FireKey) string {
	if fire != nil {
		return fire.ID
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// nothing is a sink that drops everything.
type nothing struct{}

func (nothing) Open(result.Name, bool) error              { return nil }
func (nothing) Attribute(result.Name, result.Value) error { return nil }
func (nothing) Leaf(result.Name, result.Value) error      { return nil }
func (nothing) Close() error                              { return nil }

// head keeps the first bytes that are written to it.
type head struct {
	bytes []byte
	room  int
}

// errFull ends the work of a writer whose head is full.
var errFull = errors.New("the head of the answer is full")

func (b *head) Write(p []byte) (int, error) {
	if len(b.bytes) == b.room {
		return 0, errFull
	}
	n := min(len(p), b.room-len(b.bytes))
	b.bytes = append(b.bytes, p[:n]...)
	return len(p), nil
}

// tolerant is a sink that drops what follows an error.
type tolerant struct {
	to   result.Sink
	over bool
}

func (t *tolerant) pass(write func() error) error {
	if !t.over {
		t.over = write() != nil
	}
	return nil
}

func (t *tolerant) Open(name result.Name, list bool) error {
	return t.pass(func() error { return t.to.Open(name, list) })
}

func (t *tolerant) Attribute(name result.Name, v result.Value) error {
	return t.pass(func() error { return t.to.Attribute(name, v) })
}

func (t *tolerant) Leaf(name result.Name, v result.Value) error {
	return t.pass(func() error { return t.to.Leaf(name, v) })
}

func (t *tolerant) Close() error { return t.pass(t.to.Close) }

// List implements result.Lister, if what it writes to does.
func (t *tolerant) List(name result.Name) error {
	if l, ok := t.to.(result.Lister); ok {
		return t.pass(func() error { return l.List(name) })
	}
	return nil
}
