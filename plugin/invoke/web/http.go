package web

import (
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
	r := exchange{ctx: ctx, o: &h.o, reply: call.ReplyTo.Headers(call.FireID)}
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
