package check

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of an action.
const (
	MaxURL        = 2048     // bytes
	MaxHeaders    = 32       // of a request
	MaxHeader     = 4096     // bytes of a header's value
	MaxPayload    = 64 << 10 // bytes of a body or payload template, or of a timer's data
	MaxExpression = 4096     // bytes of a condition
	MaxExpect     = 16       // statuses or ranges of statuses
	MaxProperties = 64       // of an action
)

// Action checks what a task does that calls no operation in process. Inputs are
// the names of the values that the task gets from those that it follows. Code:
// invalid.
func Action(a *task.Action, inputs []string) error {
	if err := a.Check(); err != nil {
		return failure.Invalid("%v", err)
	}
	if len(a.Properties) > MaxProperties {
		return failure.Invalid("%d properties: the limit is %d", len(a.Properties), MaxProperties)
	}
	var err error
	switch a.Kind() {
	case task.KindHTTP:
		err = checkHTTP(a.HTTP)
	case task.KindSOAP:
		err = checkSOAP(a.SOAP)
	case task.KindTimer:
		err = checkTimer(a.Timer)
	case task.KindCode:
		if a.Code.Name == "" {
			err = failure.Invalid("no code is named")
		}
	}
	if err != nil {
		return err
	}
	if err := web.Check(a, inputs...); err != nil {
		return failure.Invalid("%v", err)
	}
	return nil
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func checkHTTP(h *task.HTTPCall) error {
	if !slices.Contains(methods, h.Verb()) {
		return failure.Invalid("method %q: use %s", h.Method, strings.Join(methods, ", "))
	}
	if err := URL("url", h.URL); err != nil {
		return err
	}
	if h.Body != "" && (h.Verb() == http.MethodGet || h.Verb() == http.MethodHead) {
		return failure.Invalid("a %s request has no body", h.Verb())
	}
	if len(h.Body) > MaxPayload {
		return failure.Invalid("a body template of %d bytes: the limit is %d", len(h.Body), MaxPayload)
	}
	if len(h.Expect) > MaxExpect {
		return failure.Invalid("%d expected statuses: the limit is %d", len(h.Expect), MaxExpect)
	}
	for _, e := range h.Expect {
		if _, _, err := task.Statuses(e); err != nil {
			return failure.Invalid("%v", err)
		}
	}
	if err := checkHeaders(h.Headers); err != nil {
		return err
	}
	return checkCondition(h.Condition)
}

func checkSOAP(s *task.SOAPCall) error {
	if err := URL("endpoint", s.Endpoint); err != nil {
		return err
	}
	if s.Version != "" && s.Version != "1.1" && s.Version != "1.2" {
		return failure.Invalid("SOAP %q is unknown: use 1.1 or 1.2", s.Version)
	}
	if len(s.Payload) > MaxPayload {
		return failure.Invalid("a payload template of %d bytes: the limit is %d", len(s.Payload), MaxPayload)
	}
	if strings.ContainsAny(s.Action, "\"\r\n") {
		return failure.Invalid("SOAP action %q: no quotes and no line ends", s.Action)
	}
	if s.InOnly && s.Condition != nil {
		return failure.Invalid("an in-only call has no answer that a condition could be on")
	}
	if err := checkHeaders(s.Headers); err != nil {
		return err
	}
	return checkCondition(s.Condition)
}

func checkTimer(t *task.TimerEvent) error {
	if len(t.Data) > MaxPayload {
		return failure.Invalid("timer data of %d bytes: the limit is %d", len(t.Data), MaxPayload)
	}
	if len(t.Data) > 0 {
		var data map[string]any
		if err := json.Unmarshal(t.Data, &data); err != nil {
			return failure.Invalid("timer data is no JSON object: %v", err)
		}
	}
	if t.Backoff < 0 || t.MaxBackoff < 0 || t.MaxBackoff > 0 && t.MaxBackoff < t.Backoff {
		return failure.Invalid("a timer's delay after failures of %s to %s cannot be", t.Backoff, t.MaxBackoff)
	}
	return nil
}

// URL checks an address that is to be called: http or https, with a host, and
// nothing in it that must not be shown. What names it in the error. Code: invalid.
func URL(what, address string) error {
	if len(address) > MaxURL {
		return failure.Invalid("%s of %d bytes: the limit is %d", what, len(address), MaxURL)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return failure.Invalid("%s: it is no address", what)
	case u.Scheme != "http" && u.Scheme != "https":
		return failure.Invalid("%s %q: use http or https", what, task.Shown(address))
	case u.Hostname() == "" || u.Opaque != "":
		return failure.Invalid("%s %q names no host", what, task.Shown(address))
	case u.User != nil:
		return failure.Invalid("%s: a user or password in an address would be shown; use a header that refers to a secret", what)
	case u.Fragment != "":
		return failure.Invalid("%s %q: a fragment (#) is never sent", what, task.Shown(address))
	}
	return nil
}

// secret are headers whose values are refused unless they refer to a secret,
// and ours those that the call sets itself.
var (
	secret = []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "Api-Key"}
	ours   = []string{"Idempotency-Key", "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "Soapaction"}
)

func checkHeaders(headers []task.Header) error {
	if len(headers) > MaxHeaders {
		return failure.Invalid("%d headers: the limit is %d", len(headers), MaxHeaders)
	}
	for _, h := range headers {
		name := http.CanonicalHeaderKey(h.Name)
		refers := strings.Contains(h.Value, "$file{") || strings.Contains(h.Value, "$env{")
		switch {
		case h.Name == "" || strings.ContainsFunc(h.Name, notToken):
			return failure.Invalid("header %q: letters, digits and hyphens make its name", h.Name)
		case len(h.Value) > MaxHeader || strings.ContainsFunc(h.Value, notText):
			return failure.Invalid("header %s: a value has at most %d bytes and no control characters", name, MaxHeader)
		case slices.Contains(ours, name):
			return failure.Invalid("header %s: the call sets it itself", name)
		case slices.Contains(secret, name) && !refers:
			return &failure.Error{
				Code: failure.CodeInvalid, Message: "header " + name + ": its value would be stored and shown",
				Hint: "keep it in a file of the hosts' secrets folder and write $file{NAME}, or in their environment and write $env{NAME}",
			}
		}
	}
	return nil
}

func notToken(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

func notText(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }

func checkCondition(c *task.Condition) error {
	if c == nil {
		return nil
	}
	if c.Expression == "" || len(c.Expression) > MaxExpression {
		return failure.Invalid("a condition of %d bytes: use 1 to %d", len(c.Expression), MaxExpression)
	}
	return nil
}
