package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// got is a request as the receiver saw it.
type got struct {
	method, path, body string
	header             http.Header
}

// receiver answers all requests alike and keeps what it was sent.
func receiver(t *testing.T, status int, contentType, body string) (string, *[]got) {
	t.Helper()
	var seen []got
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen = append(seen, got{r.Method, r.URL.RequestURI(), string(b), r.Header})
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, &seen
}

func call(do *task.Action) task.Call {
	return task.Call{
		Info:   task.Info{Key: task.Key{Name: "hook"}.Normal(), Do: do},
		FireID: "3-a:1700000000000", Scheduled: time.UnixMilli(1_700_000_000_000), Attempt: 2,
	}
}

// options have a transport of their own: of the one that all share, each test server
// that is closed closes the idle connections, whoever is about to use them.
func options() Options {
	return Options{Client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}}
}

func TestHTTPRequest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, seen := receiver(t, http.StatusCreated, "application/json", `{"stock":{"quantity":7}}`)
	o := options()
	o.Secrets = Secrets{Dir: dir, Env: func(name string) (string, bool) { return "of " + name, true }}
	result := NewHTTP(o).Invoke(t.Context(), call(&task.Action{
		HTTP: &task.HTTPCall{
			Method: "PUT", URL: url + "/stock?a=1",
			Headers: []task.Header{
				{Name: "authorization", Value: "Bearer $file{token}"}, {Name: "X-A", Value: "1 $env{BELFRY_SECRET_A}"}, {Name: "x-a", Value: "2"},
			},
			Body:      `{"id":{{json .FireID}},"at":{{json .Scheduled}},"n":{{.Attempt}},"task":{{json .Task}},"who":{{json .Properties.who}}}`,
			Expect:    []string{"201"},
			Condition: &task.Condition{Expression: "/json/stock/quantity < 10"},
		},
		Properties: map[string]string{"who": `"x"`},
	}))
	if result.Outcome != task.OK || len(*seen) != 1 {
		t.Fatalf("%+v, %d requests", result, len(*seen))
	}
	r := (*seen)[0]
	want := `{"id":"3-a:1700000000000","at":"2023-11-14T22:13:20Z","n":2,"task":"hook","who":"\"x\""}`
	if r.method != "PUT" || r.path != "/stock?a=1" || r.body != want {
		t.Errorf("%s %s %s", r.method, r.path, r.body)
	}
	if r.header.Get("Authorization") != "Bearer s3cret" || strings.Join(r.header.Values("X-A"), ",") != "1 of BELFRY_SECRET_A,2" ||
		r.header.Get(HeaderKey) != "3-a:1700000000000" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", r.header)
	}
}

// What becomes of a call, by the answer.
// The head of an answer is kept, also of one that is a failure.
func TestHTTPOutput(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusConflict} {
		url, _ := receiver(t, status, "text/plain", "seven left")
		c := call(&task.Action{HTTP: &task.HTTPCall{URL: url}})
		if r := NewHTTP(options()).Invoke(t.Context(), c); r.Output != "" {
			t.Errorf("%d: kept without being asked for: %q", status, r.Output)
		}
		c.Keep = 10
		if r := NewHTTP(options()).Invoke(t.Context(), c); r.Output != "seven left" {
			t.Errorf("%d: %q", status, r.Output)
		}
		c.Keep = 9
		if r := NewHTTP(options()).Invoke(t.Context(), c); r.Output != "seven …" {
			t.Errorf("%d: %q", status, r.Output)
		}
	}
}

func TestHTTPOutcomes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		expect            []string
		condition         *task.Condition
		want              string // empty: OK
	}{
		"2xx":               {status: 204},
		"unexpected":        {status: 500, body: "out of\nmemory \x1b[31m", want: "answered 500 Internal Server Error: out of memory [31m"},
		"redirect":          {status: 304, want: "answered 304"},
		"expected":          {status: 404, expect: []string{"404"}},
		"not expected":      {status: 200, expect: []string{"404"}, want: "answered 200 OK"},
		"xml holds":         {status: 200, contentType: "text/xml", body: "<p><q>7</q></p>", condition: &task.Condition{Expression: "/p/q<10"}},
		"xml does not":      {status: 200, contentType: "application/soap+xml", body: "<p><q>17</q></p>", condition: &task.Condition{Expression: "/p/q<10"}, want: "does not hold of the answer: <p><q>17</q></p>"},
		"cel":               {status: 200, contentType: "application/hal+json", body: `{"q":7}`, condition: &task.Condition{Language: "CEL", Expression: "doc.q < 10"}},
		"no media type":     {status: 200, contentType: "text/plain", body: ` [7]`, condition: &task.Condition{Expression: "/json/item = 7"}},
		"not what it says":  {status: 200, contentType: "application/json", body: "<p/>", condition: &task.Condition{Expression: "/p"}, want: "cannot be evaluated"},
		"doctype":           {status: 200, contentType: "text/xml", body: "<!DOCTYPE p><p/>", condition: &task.Condition{Expression: "/p"}, want: "document type"},
		"no field":          {status: 200, contentType: "application/json", body: `{}`, condition: &task.Condition{Language: "CEL", Expression: "doc.q < 10"}, want: "condition: cel"},
		"too large":         {status: 200, contentType: "text/xml", body: "<p>" + strings.Repeat("a", 2000) + "</p>", condition: &task.Condition{Expression: "/p"}, want: "more than 1000 bytes"},
		"too large, unread": {status: 200, body: strings.Repeat("a", 2000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, seen := receiver(t, c.status, c.contentType, c.body)
			o := options()
			o.MaxAnswer = 1000
			result := NewHTTP(o).Invoke(t.Context(), call(&task.Action{HTTP: &task.HTTPCall{URL: url, Expect: c.expect, Condition: c.condition}}))
			switch {
			case c.want == "" && result != task.Result{Outcome: task.OK}:
				t.Errorf("%+v", result)
			case c.want != "" && (result.Outcome != task.Failed || result.NotSent || !strings.Contains(result.Error, c.want)):
				t.Errorf("%+v, want %q", result, c.want)
			}
			if len(*seen) != 1 || (*seen)[0].method != http.MethodGet || (*seen)[0].body != "" {
				t.Errorf("requests %+v", *seen)
			}
		})
	}
}

// What did not leave the host is certain, and says why.
func TestNotSent(t *testing.T) {
	t.Parallel()
	// A port that was free a moment ago may be another test's by now; this one is
	// given to nobody.
	const nobody = "http://127.0.0.1:1/?token=s3cret"
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "open"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lines"), []byte("a\r\nX-B: b"), 0o600); err != nil {
		t.Fatal(err)
	}
	header := func(value string) *task.Action {
		return &task.Action{HTTP: &task.HTTPCall{URL: nobody, Headers: []task.Header{{Name: "X", Value: value}}}}
	}
	for name, c := range map[string]struct {
		do   *task.Action
		want string
	}{
		"nobody listens":   {&task.Action{HTTP: &task.HTTPCall{URL: nobody}}, "refused"},
		"no secret":        {header("$file{none}"), "no such secret"},
		"secret of others": {header("$file{open}"), "others may read it"},
		"a way out":        {header("$file{../x}"), "without its path"},
		"a link out":       {header("$file{link}"), "no such secret, or may not read it"},
		"two lines":        {header("$file{lines}"), "control characters"},
		"environment":      {header("$env{HOME}"), "only variables that begin with"},
		"not there":        {header("$env{BELFRY_SECRET_X}"), "does not have it"},
		"template":         {&task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: nobody, Body: "{{.Nobody}}"}}, "Nobody"},
		"soap":             {&task.Action{SOAP: &task.SOAPCall{Endpoint: nobody}}, "refused"},
		"soap 1.2":         {&task.Action{SOAP: &task.SOAPCall{Endpoint: nobody, Version: SOAP12}}, "refused"},
		"soap payload":     {&task.Action{SOAP: &task.SOAPCall{Endpoint: nobody, Payload: "<a>"}}, "payload"},
	} {
		o := options()
		o.Secrets = Secrets{Dir: dir, Env: func(string) (string, bool) { return "", false }}
		var i interface {
			Invoke(context.Context, task.Call) task.Result
		} = NewHTTP(o)
		if c.do.SOAP != nil {
			i = NewSOAP(o)
		}
		result := i.Invoke(t.Context(), call(c.do))
		if result.Outcome != task.Failed || !result.NotSent || !strings.Contains(result.Error, c.want) || strings.Contains(result.Error, "s3cret") {
			t.Errorf("%s: %+v, want %q", name, result, c.want)
		}
	}
}

// forbidden is an error of a client that may not call.
type forbidden struct{}

func (forbidden) Error() string { return "may not be called" }
func (forbidden) Refused() bool { return true }

// doer is a client in a function.
type doer func(r *http.Request) (*http.Response, error)

func (f doer) Do(r *http.Request) (*http.Response, error) { return f(r) }

// What the host's rules refuse is told apart from what did not answer.
func TestRefusedByRules(t *testing.T) {
	t.Parallel()
	const url = "http://example.org/"
	for name, cause := range map[string]error{"refused": forbidden{}, "down": errors.New("connection refused")} {
		o := Options{Client: doer(func(*http.Request) (*http.Response, error) {
			return nil, &neturl.Error{Op: "Get", URL: url, Err: cause}
		})}
		for kind, result := range map[string]task.Result{
			"http": NewHTTP(o).Invoke(t.Context(), call(&task.Action{HTTP: &task.HTTPCall{URL: url}})),
			"soap": NewSOAP(o).Invoke(t.Context(), call(&task.Action{SOAP: &task.SOAPCall{Endpoint: url}})),
		} {
			want := task.Result{Outcome: task.Failed, NotSent: true, Refused: name == "refused", Error: "example.org: " + cause.Error()}
			if result != want {
				t.Errorf("%s, %s: %+v", kind, name, result)
			}
		}
		if _, err := NewHTTP(o).Do(t.Context(), Request{Method: http.MethodGet, URL: url}); task.Refused(err) != (name == "refused") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// expiring is a context whose deadline passes when late closes.
type expiring struct {
	context.Context
	late chan struct{}
}

func (e expiring) Done() <-chan struct{} { return e.late }

func (e expiring) Err() error {
	select {
	case <-e.late:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Once connected, it may have had its effect.
func TestTimeOutIsSent(t *testing.T) {
	t.Parallel()
	release, late := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(late)
		<-release
	}))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(release) })
	ctx := expiring{t.Context(), late}
	result := NewHTTP(options()).Invoke(ctx, call(&task.Action{HTTP: &task.HTTPCall{URL: s.URL}}))
	if result.Outcome != task.TimedOut || result.NotSent {
		t.Errorf("%+v", result)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const url = "http://example.org/"
	for name, c := range map[string]struct {
		do   task.Action
		want string
	}{
		"good":      {task.Action{HTTP: &task.HTTPCall{URL: url, Body: "{{.Properties.a}}"}, Properties: map[string]string{"a": "1"}}, ""},
		"property":  {task.Action{HTTP: &task.HTTPCall{URL: url, Body: "{{.Properties.a}}"}}, "no entry for key"},
		"condition": {task.Action{HTTP: &task.HTTPCall{URL: url, Condition: &task.Condition{Expression: "/a["}}}, "condition: 1:4"},
		"language":  {task.Action{SOAP: &task.SOAPCall{Endpoint: url, Condition: &task.Condition{Language: "SQL", Expression: "1"}}}, "not known"},
		"no input":  {task.Action{HTTP: &task.HTTPCall{URL: url, Body: "{{.Input.b}}"}}, "no entry for key"},
		"input":     {task.Action{HTTP: &task.HTTPCall{URL: url, Body: "{{.Input.a}}"}}, ""},
		"secret":    {task.Action{SOAP: &task.SOAPCall{Endpoint: url, Headers: []task.Header{{Name: "A", Value: "$file{/etc/passwd}"}}}}, "without its path"},
		"payload":   {task.Action{SOAP: &task.SOAPCall{Endpoint: url, Payload: "<a/><b/>"}}, "payload: 2 elements"},
		"good soap": {task.Action{SOAP: &task.SOAPCall{Endpoint: url, Payload: `<p:a xmlns:p="u">{{xml .Task}}</p:a>`}}, ""},
	} {
		err := Check(&c.do, "a")
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// soapAnswer wraps content in an envelope that declares what it uses outside.
func soapAnswer(space, content string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><s:Envelope xmlns:s="%s" xmlns:d="http://example.org/stock"><s:Header><d:x/></s:Header>`+
		`<s:Body>%s</s:Body></s:Envelope>`, space, content)
}

func TestSOAP(t *testing.T) {
	t.Parallel()
	const payload = `<p:getStock xmlns:p="http://example.org/stock" xmlns="http://example.org/inner" at="{{.Attempt}}"><code>S10</code></p:getStock>`
	low := &task.Condition{Expression: "/*[local-name()='stock']/quantity < 10"}
	stock := `<d:stock><d:quantity xmlns:q="a">7</d:quantity><quantity>7</quantity></d:stock>`
	for name, c := range map[string]struct {
		call              task.SOAPCall
		status            int
		contentType, body string
		want              string
		sent              string // a part of what is sent
	}{
		"1.1": {
			call: task.SOAPCall{Action: "urn:getStock", Payload: payload, Condition: low}, status: 200, contentType: "text/xml",
			body: soapAnswer(space11, stock),
			sent: `<soap:Body><p:getStock xmlns:p="http://example.org/stock" xmlns="http://example.org/inner" at="2"><code>S10</code></p:getStock></soap:Body>`,
		},
		"1.2": {
			call: task.SOAPCall{Version: SOAP12, Action: "urn:getStock", Payload: payload, Condition: low}, status: 200, contentType: "application/soap+xml",
			body: soapAnswer(space12, stock),
			sent: `<env:Body><p:getStock xmlns:p="http://example.org/stock" xmlns="http://example.org/inner" at="2"><code>S10</code></p:getStock></env:Body>`,
		},
		"empty payload":   {call: task.SOAPCall{}, status: 200, contentType: "text/xml", body: soapAnswer(space11, ""), sent: "<soap:Body></soap:Body>"},
		"does not hold":   {call: task.SOAPCall{Condition: &task.Condition{Expression: "//quantity > 10"}}, status: 200, contentType: "text/xml", body: soapAnswer(space11, stock), want: "does not hold"},
		"empty body":      {call: task.SOAPCall{Condition: low}, status: 200, contentType: "text/xml", body: soapAnswer(space11, ""), want: "Body is empty"},
		"fault":           {status: 500, contentType: "text/xml", body: soapAnswer(space11, `<s:Fault><faultcode>s:Client</faultcode><faultstring>no such code</faultstring><detail><a>b</a></detail></s:Fault>`), want: "SOAP Fault s:Client: no such code (<a>b</a>)"},
		"fault at 400":    {status: 400, contentType: "text/xml", body: soapAnswer(space11, `<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>`), want: "SOAP Fault s:Server: x"},
		"fault at 200":    {status: 200, contentType: "text/xml", body: soapAnswer(space11, `<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>`), want: "SOAP Fault s:Server: x"},
		"fault of 1.2":    {call: task.SOAPCall{Version: SOAP12}, status: 500, contentType: "application/soap+xml", body: soapAnswer(space12, `<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text xml:lang="en">bad</s:Text></s:Reason></s:Fault>`), want: "SOAP Fault s:Sender: bad"},
		"not an envelope": {status: 200, contentType: "text/html", body: "<html/>", want: "the root element is html"},
		"page":            {status: 502, contentType: "text/html", body: "<html>bad gateway</html>", want: "answered 502 Bad Gateway: <html>bad gateway</html>"},
		"doctype":         {status: 200, contentType: "text/xml", body: "<!DOCTYPE a>" + soapAnswer(space11, ""), want: "document type"},
		"deep":            {status: 200, contentType: "text/xml", body: soapAnswer(space11, strings.Repeat("<a>", 200)+strings.Repeat("</a>", 200)), want: "elements deep"},
		"in-only 202":     {call: task.SOAPCall{InOnly: true}, status: 202},
		"in-only 200":     {call: task.SOAPCall{InOnly: true}, status: 200, contentType: "text/plain", body: "thanks"},
		"in-only fault":   {call: task.SOAPCall{InOnly: true}, status: 500, contentType: "text/xml", body: soapAnswer(space11, `<s:Fault><faultcode>s:Server</faultcode><faultstring>x</faultstring></s:Fault>`), want: "SOAP Fault"},
		"in-only 503":     {call: task.SOAPCall{InOnly: true}, status: 503, want: "answered 503"},
		"in-out 202":      {status: 202, want: "without an envelope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, seen := receiver(t, c.status, c.contentType, c.body)
			c.call.Endpoint = url
			result := NewSOAP(options()).Invoke(t.Context(), call(&task.Action{SOAP: &c.call}))
			switch {
			case c.want == "" && result != task.Result{Outcome: task.OK}:
				t.Errorf("%+v", result)
			case c.want != "" && (result.Outcome != task.Failed || result.NotSent || !strings.Contains(result.Error, c.want)):
				t.Errorf("%+v, want %q", result, c.want)
			}
			r := (*seen)[0]
			if len(*seen) != 1 || r.method != http.MethodPost || r.header.Get(HeaderKey) == "" || !strings.Contains(r.body, c.sent) {
				t.Errorf("sent %+v, want %s", r, c.sent)
			}
			kind, action := r.header.Get("Content-Type"), r.header.Get("Soapaction")
			if c.call.Version == SOAP12 {
				if !strings.HasPrefix(kind, "application/soap+xml;") || c.call.Action != "" && !strings.Contains(kind, `action="urn:getStock"`) {
					t.Errorf("content type %s", kind)
				}
			} else if !strings.HasPrefix(kind, "text/xml") || action != `"`+c.call.Action+`"` {
				t.Errorf("content type %s, action %s", kind, action)
			}
		})
	}
}

// Whatever comes, it is read without a panic, and what is cut out is a document.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(soapAnswer(space11, `<d:stock a="&lt;"/>`)))
	f.Add([]byte(soapAnswer(space12, `<s:Fault/>`)))
	f.Add([]byte(`<Envelope xmlns="` + space11 + `"><Body><x y='1'/></Body></Envelope>`))
	f.Fuzz(func(t *testing.T, text []byte) {
		content, _, err := openEnvelope(text)
		if err != nil || content == nil {
			return
		}
		if err := WellFormed(content); err != nil {
			t.Errorf("%q of %q: %v", content, text, err)
		}
	})
}
