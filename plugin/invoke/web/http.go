package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// HTTP makes the requests of http tasks. Safe for concurrent use.
type HTTP struct{ o Options }

// NewHTTP makes an HTTP.
func NewHTTP(o Options) *HTTP { return &HTTP{o.withDefaults()} }

// Invoke makes one attempt. The context's deadline bounds it.
func (h *HTTP) Invoke(ctx context.Context, call task.Call) task.Result {
	r := exchange{ctx: ctx, o: &h.o, reply: call.ReplyTo.Headers(call.FireID), keep: call.Keep}
	return r.result(h.do(&r, &call))
}

func (h *HTTP) do(r *exchange, call *task.Call) error {
	c := call.Info.Do.HTTP
	body, err := fill("body", c.Body, dataOf(call))
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(r.trace(), c.Verb(), c.URL, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: it is no address", task.Shown(c.URL))
	}
	if body == "" {
		request.Body, request.ContentLength = http.NoBody, 0
	} else {
		request.Header.Set("Content-Type", "application/json")
	}
	if err := r.headers(request.Header, c.Headers, string(call.FireID)); err != nil {
		return err
	}
	answer, err := r.send(request)
	if err != nil {
		return err
	}
	if !c.Expected(answer.status) {
		return answer.unexpected()
	}
	return answer.meets(c.Condition)
}

// Request is a call that is not a task's own.
type Request struct {
	Method, URL string
	Headers     []task.Header // as in a task
	Key         string        // the Idempotency-Key; empty: none
	ContentType string        // of Body
	Body        []byte
}

// Response is an answer. Body is cut at Options.MaxAnswer; Whole tells that it
// was not.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	Whole  bool
}

// Do makes a request. An answer of any status is none of its errors.
func (h *HTTP) Do(ctx context.Context, q Request) (Response, error) {
	r := exchange{ctx: ctx, o: &h.o}
	request, err := http.NewRequestWithContext(ctx, q.Method, q.URL, bytes.NewReader(q.Body))
	if err != nil {
		return Response{}, fmt.Errorf("%s: it is no address", task.Shown(q.URL))
	}
	if q.ContentType != "" {
		request.Header.Set("Content-Type", q.ContentType)
	}
	if err := r.headers(request.Header, q.Headers, q.Key); err != nil {
		return Response{}, err
	}
	a, err := r.send(request)
	if err != nil {
		return Response{}, err
	}
	return Response{Status: a.status, Header: a.header, Body: a.body, Whole: a.whole}, nil
}

// Unexpected is an error that says what was answered instead of a success.
func (r Response) Unexpected() error {
	return (&answer{status: r.Status, body: r.Body}).unexpected()
}
