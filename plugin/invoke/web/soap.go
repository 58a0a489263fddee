package web

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/hooklift/gowsdl/soap"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/task"
)

// SOAP12 is the version of a call that is not the default, 1.1.
const SOAP12 = "1.2"

// SOAP makes the requests of soap tasks. Safe for concurrent use.
type SOAP struct{ o Options }

// NewSOAP makes a SOAP.
func NewSOAP(o Options) *SOAP { return &SOAP{o.withDefaults()} }

// Invoke makes one attempt (WSO2: WebServiceCallTask.execute; IN_ONLY is
// sendRobust, IN_OUT is sendReceive). The context's deadline bounds it.
func (s *SOAP) Invoke(ctx context.Context, call task.Call) task.Result {
	r := exchange{ctx: ctx, o: &s.o, reply: call.ReplyTo.Headers(call.FireID), keep: call.Keep}
	return r.result(s.do(&r, &call))
}

func (s *SOAP) do(r *exchange, call *task.Call) error {
	c := call.Info.Do.SOAP
	text, err := fill("payload", c.Payload, dataOf(call))
	if err != nil {
		return err
	}
	payload, err := parsePayload(text)
	if err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	post := r.post11
	if c.Version == SOAP12 {
		post = r.post12
	}
	a, err := post(c, payload, string(call.FireID))
	if err != nil {
		return err
	}
	return a.judge(c)
}

// door is the HTTP client that gowsdl's client is given: it adds what a task
// says, bounds the answer and keeps it, since gowsdl reads no Fault beyond
// status 399, no empty answer, and drops prefixes.
type door struct {
	r      *exchange
	call   *task.SOAPCall
	key    string
	answer *answer
	err    error
}

// Do meets soap.HTTPClient.
func (d *door) Do(request *http.Request) (*http.Response, error) {
	if d.err = d.r.headers(request.Header, d.call.Headers, d.key); d.err != nil {
		return nil, d.err
	}
	request.Header.Set("SOAPAction", `"`+d.call.Action+`"`)
	if d.answer, d.err = d.r.send(request); d.err != nil {
		return nil, d.err
	}
	return &http.Response{
		StatusCode: d.answer.status, Header: d.answer.header, Body: readOnly{bytes.NewReader(d.answer.body)},
	}, nil
}

type readOnly struct{ *bytes.Reader }

func (readOnly) Close() error { return nil }

// post11 sends by gowsdl's client.
func (r *exchange) post11(c *task.SOAPCall, payload *element, key string) (*answer, error) {
	d := &door{r: r, call: c, key: key}
	var content any
	if payload != nil {
		content = payload
	}
	var dropped struct{}
	err := soap.NewClient(c.Endpoint, soap.WithHTTPClient(d)).CallContext(r.trace(), c.Action, content, &dropped)
	switch {
	case d.err != nil:
		return nil, d.err
	case d.answer == nil:
		return nil, fmt.Errorf("the envelope cannot be made: %w", err)
	}
	return d.answer, nil // what it says is read from it, whatever gowsdl made of it
}

const (
	space11 = "http://schemas.xmlsoap.org/soap/envelope/"
	space12 = "http://www.w3.org/2003/05/soap-envelope"
)

// post12 sends an envelope of SOAP 1.2, which gowsdl does not.
func (r *exchange) post12(c *task.SOAPCall, payload *element, key string) (*answer, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<env:Envelope xmlns:env="` + space12 + `"><env:Body>`)
	if payload != nil {
		if err := xml.NewEncoder(&b).Encode(payload); err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
	}
	b.WriteString(`</env:Body></env:Envelope>`)
	request, err := http.NewRequestWithContext(r.trace(), http.MethodPost, c.Endpoint, &b)
	if err != nil {
		return nil, fmt.Errorf("%s: it is no address", task.Shown(c.Endpoint))
	}
	parameters := map[string]string{"charset": "utf-8"}
	if c.Action != "" {
		parameters["action"] = c.Action
	}
	request.Header.Set("Content-Type", mime.FormatMediaType("application/soap+xml", parameters))
	if err := r.headers(request.Header, c.Headers, key); err != nil {
		return nil, err
	}
	return r.send(request)
}

// judge reads the envelope: a Fault is a failure at any status.
func (a *answer) judge(c *task.SOAPCall) error {
	good := a.status >= 200 && a.status <= 299
	if len(bytes.TrimSpace(a.body)) == 0 {
		switch {
		case !good:
			return a.unexpected()
		case c.InOnly:
			return nil
		}
		return fmt.Errorf("answered %d without an envelope; if no answer is meant, the call is in-only", a.status)
	}
	if !a.whole {
		return fmt.Errorf("the answer has more than %d bytes", len(a.body))
	}
	content, isFault, err := openEnvelope(a.body)
	switch {
	case err == nil && isFault:
		return faultText(content)
	case !good:
		return a.unexpected()
	case c.InOnly:
		return nil
	case err != nil:
		return fmt.Errorf("answered %d, but no envelope: %w", a.status, err)
	case c.Condition == nil:
		return nil
	case content == nil:
		return errors.New("the answer's Body is empty, so the condition does not hold")
	}
	document, err := cond.Parse(content)
	if err != nil {
		return fmt.Errorf("the condition cannot be evaluated: %w", err)
	}
	return holds(c.Condition, document, content)
}

// faultText makes an error of a Fault of either version.
func faultText(fault []byte) error {
	var f struct {
		Code11   string `xml:"faultcode"`
		String11 string `xml:"faultstring"`
		Code12   string `xml:"Code>Value"`
		Text12   string `xml:"Reason>Text"`
		Detail11 struct {
			Text string `xml:",innerxml"`
		} `xml:"detail"`
		Detail12 struct {
			Text string `xml:",innerxml"`
		} `xml:"Detail"`
	}
	if err := xml.Unmarshal(fault, &f); err != nil {
		return fmt.Errorf("answered with a Fault that cannot be read: %w", err)
	}
	text := printable(strings.Join(strings.Fields(f.Code11+" "+f.Code12), " ")) + ": " + excerpt([]byte(f.String11+f.Text12))
	if detail := excerpt([]byte(strings.TrimSpace(f.Detail11.Text + f.Detail12.Text))); detail != "" {
		text += " (" + detail + ")"
	}
	return fmt.Errorf("SOAP Fault %s", text)
}
