package task

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
)

// Kind says in one word what a task does when it fires.
type Kind string

// The kinds.
const (
	KindOperation Kind = "operation" // an operation of a data service deployed in the group
	KindHTTP      Kind = "http"      // an HTTP request
	KindSOAP      Kind = "soap"      // a SOAP request (WSO2: WebServiceCallTask)
	KindTimer     Kind = "timer"     // a timer event, for the handlers of the host
	KindCode      Kind = "code"      // Go code that was built into the host (WSO2: DataTask)
)

// Action is what a task does that calls no operation of a deployed data
// service. Exactly one of its fields is set, beside Properties. An Action that
// is part of a definition is never changed: an edit puts another in its place.
type Action struct {
	HTTP  *HTTPCall   `json:"http,omitempty"`
	SOAP  *SOAPCall   `json:"soap,omitempty"`
	Timer *TimerEvent `json:"timer,omitempty"`
	Code  *CodeCall   `json:"code,omitempty"`
	// Properties are handed to templates and to code (WSO2: TaskInfo.properties).
	Properties map[string]string `json:"properties,omitempty"`
}

// HTTPCall is a request. Every one carries the fire id as Idempotency-Key.
type HTTPCall struct {
	Method string `json:"method,omitempty"` // empty: GET
	URL    string `json:"url"`              // http: or https:
	// Headers may refer to secrets of the host: $file{name}, $env{NAME}.
	Headers []Header `json:"headers,omitempty"`
	// Body is a template of text/template. Empty: none is sent.
	Body string `json:"body,omitempty"`
	// Expect lists the statuses that are a success: "200", "2xx", "200-204".
	// Empty: 2xx.
	Expect []string `json:"expect,omitempty"`
	// Condition on the answer, which must hold. Nil: none.
	Condition *Condition `json:"condition,omitempty"`
}

// Header is a header of a request.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Condition is an expression that must hold of an answer, in a language of
// package event/cond.
type Condition struct {
	Language   string `json:"language,omitempty"` // empty: XPath
	Expression string `json:"expression"`
}

// SOAPCall is a SOAP request: all that was read from a WSDL when the task was
// made, so that a firing depends on no WSDL.
type SOAPCall struct {
	Endpoint  string `json:"endpoint"`       // http: or https:
	WSDL      string `json:"wsdl,omitempty"` // where the rest was read from, to be shown
	Operation string `json:"operation,omitempty"`
	Action    string `json:"action,omitempty"`  // SOAPAction; of 1.2 the parameter action
	Version   string `json:"version,omitempty"` // "1.1" (empty too) or "1.2"
	// Payload is a template of the element in the envelope's Body. Empty: the
	// Body is.
	Payload string `json:"payload,omitempty"`
	// InOnly expects no answer but an HTTP status (WSO2: IN_ONLY).
	InOnly bool `json:"in_only,omitempty"`
	// Headers are those of HTTP; see HTTPCall.
	Headers []Header `json:"headers,omitempty"`
	// Condition on the element in the answer's Body, which must hold. Nil: none.
	Condition *Condition `json:"condition,omitempty"`
}

// TimerEvent raises the event "timer" at the host that fires it.
type TimerEvent struct {
	// Data of this timer, a JSON object. Empty: none.
	Data json.RawMessage `json:"data,omitempty"`
	// Backoff is the least time to the next event after one that failed, doubled
	// for each further failure up to MaxBackoff. Zero: failures delay nothing,
	// unless a handler asks for it.
	Backoff    Duration `json:"backoff,omitempty"`
	MaxBackoff Duration `json:"max_backoff,omitempty"` // zero: task.MaxBackoff
}

// CodeCall runs code that was registered with the host under a name.
type CodeCall struct {
	Name string `json:"name"`
}

// Kind says what the action does; empty if that is nothing or more than one thing.
func (a *Action) Kind() Kind {
	var kind Kind
	set := 0
	for _, f := range []struct {
		kind Kind
		set  bool
	}{{KindHTTP, a.HTTP != nil}, {KindSOAP, a.SOAP != nil}, {KindTimer, a.Timer != nil}, {KindCode, a.Code != nil}} {
		if f.set {
			kind = f.kind
			set++
		}
	}
	if set != 1 {
		return ""
	}
	return kind
}

// Check refuses an action that does nothing, or more than one thing. Whether
// what it does can be done is for package control to say.
func (a *Action) Check() error {
	if a.Kind() == "" {
		return errors.New("an action does exactly one thing, of a kind that this version knows")
	}
	return nil
}

// Clone copies the action.
func (a *Action) Clone() *Action {
	if a == nil {
		return nil
	}
	c := Action{Properties: maps.Clone(a.Properties)}
	if a.HTTP != nil {
		h := *a.HTTP
		h.Headers, h.Expect, h.Condition = slices.Clone(h.Headers), slices.Clone(h.Expect), clone(h.Condition)
		c.HTTP = &h
	}
	if a.SOAP != nil {
		s := *a.SOAP
		s.Headers, s.Condition = slices.Clone(s.Headers), clone(s.Condition)
		c.SOAP = &s
	}
	if a.Timer != nil {
		t := *a.Timer
		t.Data = slices.Clone(t.Data)
		c.Timer = &t
	}
	c.Code = clone(a.Code)
	return &c
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Hash digests all that the action says: 32 hexadecimal digits, equal for equal
// actions. Claims record it.
func (a *Action) Hash() string {
	text, err := json.Marshal(a) // fields in their order, keys of maps sorted, raw JSON compacted
	if err != nil {
		text = []byte(err.Error()) // data that is no JSON; refused when the task is made
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// Kind says what the task does.
func (i Info) Kind() Kind {
	if i.Do == nil {
		return KindOperation
	}
	return i.Do.Kind()
}

// Calls says in a line what a firing calls: "Stock.getLowStock",
// "POST https://example.org/hook", "timer event". It shows no query of an
// address, which may hold a secret.
func (i Info) Calls() string {
	switch i.Kind() {
	case KindOperation:
		return i.Service + "." + i.Operation
	case KindHTTP:
		return i.Do.HTTP.Verb() + " " + Shown(i.Do.HTTP.URL)
	case KindSOAP:
		if i.Service != "" {
			return i.Service + "." + i.Operation
		}
		return "SOAP " + i.Do.SOAP.Operation + " " + Shown(i.Do.SOAP.Endpoint)
	case KindTimer:
		return "timer event"
	case KindCode:
		return "code " + i.Do.Code.Name
	}
	return "nothing known"
}

// CodeService and TimerService name, among the services that a host publishes,
// code that is built into it, and its timer service.
const (
	CodeService  = "code:" // followed by the code's name
	TimerService = "timer:service"
)

// Needs names the service that a host must have to run the task; empty: any
// host can.
func (i Info) Needs() string {
	switch i.Kind() {
	case KindOperation:
		return i.Service
	case KindCode:
		return CodeService + i.Do.Code.Name
	case KindTimer:
		return TimerService
	}
	return ""
}

// Verb is the method, the default applied.
func (h *HTTPCall) Verb() string {
	if h.Method == "" {
		return "GET"
	}
	return h.Method
}

// Shown is an address as it may be shown: without user, query and fragment.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	query := u.RawQuery != ""
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	if query {
		return u.String() + "?…"
	}
	return u.String()
}
