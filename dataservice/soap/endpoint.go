package soap

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// Endpoint serves one service. Safe for concurrent use.
type Endpoint struct {
	gate  *exchange.Gate
	run   exchange.Runner
	calls *calls
}

// New makes the endpoint of a gate's service. It never fails: what is not
// supported answers a fault.
func New(g *exchange.Gate, run exchange.Runner) *Endpoint {
	return &Endpoint{gate: g, run: run, calls: callsOf(g.Service())}
}

// Serve answers a request. Operation is what the path names below the service;
// it may be empty. The caller is nil if nobody is known.
func (e *Endpoint) Serve(w http.ResponseWriter, r *http.Request, operation string, caller *dataservice.Principal) {
	v, _, _ := negotiate(r.Header)
	e.gate.Serve(w, r, caller, &binding{Endpoint: e, version: v, operation: operation})
}

// Speaks tells whether a request can only be SOAP: its media type says so, or it
// has the header that SOAP 1.1 demands.
func Speaks(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	_, action := r.Header["Soapaction"]
	return media == soap12.media || media == soap11.media && action
}

// negotiate gives the SOAP version of a request's media type, its parameters, and
// whether it is one of SOAP's at all. Plain text is, as in the original, where an
// action is named, which browsers do not do on their own.
func negotiate(h http.Header) (*version, map[string]string, bool) {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	_, action := h["Soapaction"]
	switch {
	case err != nil:
		return soap11, nil, false
	case media == soap12.media:
		return soap12, params, true
	}
	return soap11, params, media == soap11.media || media == "application/xml" || media == "text/plain" && action
}

// binding is an Endpoint as one exchange sees it.
type binding struct {
	*Endpoint
	version   *version
	operation string
	code      code // of the fault that Serve gave
}

// Serve meets exchange.Binding.
func (b *binding) Serve(x *exchange.Exchange) error {
	err := b.serve(x)
	var r *refusal
	var p *exchange.Problem
	switch {
	case errors.As(err, &r):
		b.code = r.code
	case errors.As(err, &p):
		b.code = client
	}
	return err
}

// Fault meets exchange.Binding.
func (b *binding) Fault(x *exchange.Exchange, f *dataservice.Fault, status int) {
	exchange.RetryAfter(x.W.Header(), f.Kind)
	status, body := b.version.fault(b.code, b.gate.Service(), f, status)
	x.Reply(status, b.version.contentType(), body)
}

func (b *binding) serve(x *exchange.Exchange) error {
	if x.R.Method != http.MethodPost {
		return &exchange.Problem{Status: http.StatusMethodNotAllowed, Text: "SOAP is spoken by POST", Header: http.Header{"Allow": {http.MethodPost}}}
	}
	_, params, ok := negotiate(x.R.Header)
	if !ok {
		return &exchange.Problem{
			Status: http.StatusUnsupportedMediaType,
			Text:   "the Content-Type must be text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2); attachments are not understood",
			Header: http.Header{"Accept": {"text/xml, application/soap+xml"}},
		}
	}
	if err := x.SameOrigin(false); err != nil {
		return err
	}
	data, err := x.Body()
	if err != nil {
		return err
	}
	charset := strings.ToLower(params["charset"])
	text, ok := strictxml.Decode(charset, data)
	if !ok {
		return &exchange.Problem{Status: http.StatusUnsupportedMediaType, Text: "the charset must be utf-8, us-ascii or iso-8859-1"}
	}
	body, err := parse(text, charset != "", b.version)
	if err != nil {
		return err
	}
	action := params["action"]
	if b.version == soap11 {
		action = x.R.Header.Get("SOAPAction")
	}
	to, err := b.calls.find(body, action, b.operation)
	if err != nil {
		return err
	}
	x.Request = to.name
	if to.refused != "" {
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Message: to.refused}
	}
	run, err := b.prepare(x, to, body)
	if err != nil {
		return err
	}
	return x.Answer(b.version.contentType(),
		func(w io.Writer, limit int64) exchange.Writer { return newWriter(w, b.version, limit) }, run)
}

// run executes what was asked.
type run = func(ctx context.Context, out result.Sink) (empty bool, err error)

// prepare reads the parameters of a call, and gives what executes it.
func (b *binding) prepare(x *exchange.Exchange, to *call, body *exchange.Element) (run, error) {
	switch to.kind {
	case control:
		return func(ctx context.Context, out result.Sink) (bool, error) { return x.Control(ctx, b.run, to.name, out) }, nil
	case box:
		list, err := b.boxed(x, body)
		return func(ctx context.Context, out result.Sink) (bool, error) { return x.DoBox(ctx, b.run, list, out) }, err
	case batch:
		list, err := to.batched(x, body)
		return func(ctx context.Context, out result.Sink) (bool, error) { return x.DoBatch(ctx, b.run, list, out) }, err
	}
	q, err := to.request(x, body)
	return func(ctx context.Context, out result.Sink) (bool, error) { return x.Do(ctx, b.run, q, out) }, err
}

// request reads one call.
func (to *call) request(x *exchange.Exchange, e *exchange.Element) (dataservice.Request, error) {
	values, err := values(e)
	return dataservice.Request{Name: to.name, Target: to.target, Values: values, ID: x.ID, Status: to.status, Whole: to.whole, Caller: x.Caller}, err
}

// batched reads the calls of a batch.
func (to *call) batched(x *exchange.Exchange, e *exchange.Element) ([]dataservice.Request, error) {
	if e == nil || len(e.Children) == 0 {
		return nil, refuse(client, "a batch must hold an element for each call")
	}
	list := make([]dataservice.Request, 0, len(e.Children))
	for i := range e.Children {
		q, err := to.request(x, &e.Children[i])
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

// boxed reads the calls of a request_box.
func (b *binding) boxed(x *exchange.Exchange, e *exchange.Element) ([]dataservice.Request, error) {
	if e == nil || len(e.Children) == 0 {
		return nil, refuse(client, "a request_box must hold an element for each call")
	}
	var list []dataservice.Request
	for i := range e.Children {
		one := &e.Children[i]
		to, err := b.calls.find(one, "", "")
		if err != nil {
			return nil, err
		}
		switch {
		case to.refused != "":
			return nil, &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Request: to.name, Message: to.refused}
		case to.kind == batch:
			more, err := to.batched(x, one)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		case to.kind == single:
			q, err := to.request(x, one)
			if err != nil {
				return nil, err
			}
			list = append(list, q)
		default:
			return nil, refuse(client, "a request_box cannot hold %s", to.name)
		}
	}
	return list, nil
}
