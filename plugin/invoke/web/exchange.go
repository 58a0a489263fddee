package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/task"
)

// HeaderKey is the header that carries the fire id.
const HeaderKey = "Idempotency-Key"

// Doer makes requests where it may (http.Client). Of its errors those for which
// task.Refused holds say that it may not, and are never retried.
type Doer interface {
	Do(r *http.Request) (*http.Response, error)
}

// Options of HTTP and SOAP.
type Options struct {
	Client  Doer
	Secrets Secrets
	// MaxAnswer bounds an answer in bytes; a longer one is a failure if its
	// content matters. Zero: 1 MiB.
	MaxAnswer int64
}

// DefaultMaxAnswer is what bounds an answer unless told otherwise.
const DefaultMaxAnswer = 1 << 20

// maxExcerpt bounds what an error repeats of an answer, in bytes.
const maxExcerpt = 200

func (o Options) withDefaults() Options {
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = DefaultMaxAnswer
	}
	return o
}

// exchange is one request and its answer.
type exchange struct {
	ctx      context.Context //nolint:containedctx // it lives for one call
	o        *Options
	reply    []task.Header // by which it can be replied to later
	keep     int           // bytes of the answer
	output   string        // what is kept of it
	answered bool          // the target has answered, whatever it said
	sent     atomic.Bool   // a connection was had: something may have reached the target
}

// trace gives a context by which the exchange learns that it had a connection.
func (r *exchange) trace() context.Context {
	return httptrace.WithClientTrace(r.ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { r.sent.Store(true) }})
}

// result says how the exchange ended.
func (r *exchange) result(err error) task.Result {
	if err == nil {
		return task.Result{Outcome: task.OK, Output: r.output}
	}
	result := task.Result{
		Outcome: task.Failed, Error: err.Error(), NotSent: !r.sent.Load(), Answered: r.answered, Refused: task.Refused(err),
		Output: r.output,
	}
	if errors.Is(r.ctx.Err(), context.DeadlineExceeded) {
		result.Outcome = task.TimedOut
	}
	return result
}

// headers sets those that a task names, with its secrets, and ours.
func (r *exchange) headers(to http.Header, from []task.Header, key string) error {
	named := http.Header{}
	for _, h := range from {
		value, err := r.o.Secrets.Resolve(h.Value)
		if err != nil {
			return fmt.Errorf("header %s: %w", h.Name, err)
		}
		named.Add(h.Name, value)
	}
	for name, values := range named {
		to[name] = values
	}
	if to.Get("User-Agent") == "" {
		to.Set("User-Agent", "belfry")
	}
	if key != "" {
		to.Set(HeaderKey, key)
	}
	for _, h := range r.reply {
		to.Set(h.Name, h.Value)
	}
	return nil
}

// answer is what came back.
type answer struct {
	status      int
	contentType string
	body        []byte
	header      http.Header
	whole       bool // false: the body is longer than what was read
}

// send makes the request and reads the answer.
func (r *exchange) send(request *http.Request) (*answer, error) {
	response, err := r.o.Client.Do(request)
	if err != nil {
		return nil, refusal(request, err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	body, err := io.ReadAll(io.LimitReader(response.Body, r.o.MaxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s: answer %d broke off: %w", request.URL.Host, response.StatusCode, err)
	}
	r.answered = true
	if r.keep > 0 {
		r.output = task.Head(body, r.keep)
	}
	a := &answer{
		status: response.StatusCode, contentType: response.Header.Get("Content-Type"), header: response.Header, body: body, whole: true,
	}
	if int64(len(body)) > r.o.MaxAnswer {
		a.body, a.whole = body[:r.o.MaxAnswer], false
	}
	return a, nil
}

// refusal is an error of the client without the address, whose query may be a
// secret.
func refusal(request *http.Request, err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return fmt.Errorf("%s: %w", request.URL.Host, err)
}

// unexpected says what was answered instead.
func (a *answer) unexpected() error {
	text := excerpt(a.body)
	if text != "" {
		text = ": " + text
	}
	return fmt.Errorf("answered %d %s%s", a.status, http.StatusText(a.status), text)
}

// meets tells whether a condition holds of the answer.
func (a *answer) meets(c *task.Condition) error {
	if c == nil {
		return nil
	}
	if !a.whole {
		return fmt.Errorf("the answer has more than %d bytes, so the condition is not evaluated", len(a.body))
	}
	parse := cond.Parse
	if isJSON(a.contentType, a.body) {
		parse = cond.ParseJSON
	}
	document, err := parse(a.body)
	if err != nil {
		return fmt.Errorf("the condition cannot be evaluated: %w", err)
	}
	return holds(c, document, a.body)
}

func holds(c *task.Condition, document *cond.Document, body []byte) error {
	compiled, err := cond.Compile(c.Language, c.Expression)
	if err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	verdict, err := compiled.Eval(document)
	switch {
	case err != nil:
		return fmt.Errorf("condition: %w", err)
	case !verdict.Holds:
		return fmt.Errorf("the condition %s does not hold of the answer: %s", printable(c.Expression), excerpt(body))
	}
	return nil
}

// isJSON goes by the media type, and by the first byte where that says nothing.
func isJSON(contentType string, body []byte) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json")):
		return true
	case err == nil && (strings.HasSuffix(kind, "/xml") || strings.HasSuffix(kind, "+xml")):
		return false
	}
	first := bytes.TrimLeft(body, " \t\r\n")
	return len(first) > 0 && first[0] != '<'
}

func excerpt(body []byte) string {
	if len(body) > maxExcerpt {
		return printable(string(body[:maxExcerpt])) + "…"
	}
	return printable(string(body))
}

// printable makes one line of s that is safe to show.
func printable(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
