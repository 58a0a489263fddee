package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
)

// maxInCode bounds what code that is built in gets of an answer, in bytes.
const maxInCode = 16 << 20

// Invoke calls an operation for code that is built in, or a handler of events.
func (b *bridge) Invoke(ctx context.Context, service, operation string, params map[string][]string) (code.Answer, error) {
	a, err := b.services.Try(ctx, dataservice.Call{Service: service, Operation: operation, Values: params, Caller: onBehalf("code")}, b.format(service, operation, ""), maxInCode)
	if err != nil {
		return code.Answer{}, forFiring(err)
	}
	return code.Answer{ContentType: a.ContentType, Body: a.Body, Rows: a.Outcome.Rows}, nil
}

// Active tells whether a service answers here.
func (b *bridge) Active(service string) bool {
	s, ok := b.services.Service(service)
	return ok && s.Active
}

// Access calls a resource for code that is built in, the way that a request over
// HTTP goes, without the network.
func (b *bridge) Access(ctx context.Context, service, method, path string, params map[string][]string) (code.Answer, error) {
	values := url.Values(params).Encode()
	target := host.Prefix + strings.Trim(service, "/") + "/" + strings.TrimPrefix(path, "/")
	method = strings.ToUpper(method)
	body := ""
	if method == http.MethodPost || method == http.MethodPut {
		body = values
	} else if values != "" {
		target += "?" + values
	}
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return code.Answer{}, fmt.Errorf("resource %s of %s: %w", path, service, err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	b.services.Handler().ServeHTTP(w, r)
	switch {
	case w.over:
		return code.Answer{}, fmt.Errorf("resource %s of %s: the answer has more than %d bytes", path, service, maxInCode)
	case w.status < 200 || w.status > 299:
		return code.Answer{}, fmt.Errorf("resource %s of %s: %d %s: %s", path, service, w.status, http.StatusText(w.status), bytes.TrimSpace(w.body.Bytes()))
	}
	return code.Answer{ContentType: w.header.Get("Content-Type"), Body: w.body.Bytes()}, nil
}

// recorder keeps an answer, up to maxInCode bytes of it.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
	over   bool
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.wrote = true
	if w.body.Len()+len(p) > maxInCode {
		w.over = true
		return 0, errors.New("the answer is too long")
	}
	return w.body.Write(p)
}

// format is that of an operation's answer: what accept names, else what the
// operation's result says.
func (b *bridge) format(service, operation, accept string) rest.Format {
	if strings.Contains(accept, "json") {
		return rest.JSON
	}
	if s, ok := b.services.Service(service); ok && !strings.Contains(accept, "xml") {
		if o := s.Operation(operation); o != nil {
			if q := s.Query(o.Call.Query); q != nil && q.Result != nil && q.Result.Output == "json" {
				return rest.JSON
			}
		}
	}
	return rest.XML
}
