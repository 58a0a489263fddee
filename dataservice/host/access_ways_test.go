package host

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// caller is somebody who asks, and what it gets from the services of secured: where
// the role admin is wanted, where anybody known is ("policy"), and where nobody need
// be.
type caller struct {
	name               string
	as                 func(*http.Request)
	role, policy, open int
}

func callers(tokens map[string]string) []caller {
	basic := func(name, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, password) }
	}
	bearer := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	return []caller{
		{"nobody", func(*http.Request) {}, 401, 401, 200},
		{"wrong password", basic("boss", "anna-password"), 401, 401, 401},
		{"unknown", basic("carl", "carl-password"), 401, 401, 401},
		{"wrong token", bearer("nonsense"), 401, 401, 401},
		{"no role", basic("mule", "mule-password"), 403, 200, 200},
		{"another role", bearer(tokens["anna"]), 403, 200, 200},
		{"the role", basic("boss", "boss-password"), 200, 200, 200},
		{"the role, by token", bearer(tokens["boss"]), 200, 200, 200},
	}
}

// entry is a way into a service.
type entry struct {
	name string
	ask  func(service string) *http.Request
	// open: it says nothing of what a caller may not do, so that only a service that
	// wants somebody known itself asks for credentials.
	open bool
}

// entries are the ways beside plain HTTP's: both SOAPs with each of the endpoints,
// what makes many requests one, and what describes a service.
func entries() []entry {
	soap := func(version, ending, body string) func(string) *http.Request {
		return func(service string) *http.Request {
			r := enveloped(service, version, body)
			r.URL.Path += ending
			return r
		}
	}
	post := func(path, body string) func(string) *http.Request {
		return func(service string) *http.Request { return posted(Prefix+service+"/"+path, "application/xml", body) }
	}
	document := func(query string) func(string) *http.Request {
		return func(service string) *http.Request {
			return httptest.NewRequest(http.MethodGet, Prefix+service+"?"+query, nil)
		}
	}
	all := []entry{
		{name: "batch", ask: post("set_batch_req", "<set_batch_req><set><id>1</id></set></set_batch_req>")},
		{name: "batch of a resource", ask: post("_postw_id_batch_req", "<_postw_id_batch_req><_postw_id><id>1</id></_postw_id></_postw_id_batch_req>")},
		{name: "box", ask: post("request_box", "<request_box><op/></request_box>")},
		{name: "box with a batch", ask: post("request_box", "<request_box><set_batch_req><set><id>1</id></set></set_batch_req></request_box>")},
		{name: "resource by its name", ask: post("_getr", "<_getr/>")},
		{name: "begin_boxcar", ask: post("begin_boxcar", "<begin_boxcar/>"), open: true},
		{name: "begin_boxcar by SOAP", ask: soap("1.1", "", "<begin_boxcar/>"), open: true},
	}
	for _, query := range []string{"wsdl", "wsdl2", "xsd", "xsd=xsd0", "openapi", "swagger.json", "tryit"} {
		all = append(all, entry{name: "?" + query, ask: document(query), open: true})
	}
	for _, version := range []string{"1.1", "1.2"} {
		for _, ending := range []string{"", ".SOAP11Endpoint", ".SOAP12Endpoint", ".SecureSOAP11Endpoint"} {
			all = append(all, entry{name: "SOAP " + version + ending, ask: soap(version, ending, "<op/>")})
		}
		for what, body := range map[string]string{
			"operation that writes": "<in/>", "resource": "<_getr/>", "batch": "<set_batch_req><set><id>1</id></set></set_batch_req>",
			"box": "<request_box><op/></request_box>", "box with a batch": "<request_box><set_batch_req><set><id>1</id></set></set_batch_req></request_box>",
		} {
			all = append(all, entry{name: what + " by SOAP " + version, ask: soap(version, "", body)})
		}
	}
	return all
}

// Every other way into a service that wants a role: as over plain HTTP.
func TestAccessEveryOtherWay(t *testing.T) {
	t.Parallel()
	f, tokens := guarded(t)
	for name, text := range secured {
		f.write(name+".dbs", text)
	}
	f.write("open.dbs", routes("open", ""))
	f.steps()
	for _, e := range entries() {
		for _, c := range callers(tokens) {
			for service := range secured {
				want := c.role
				switch {
				case service == "policy":
					want = c.policy
				case e.open && service != "service":
					want = c.open
				}
				f.enters(t, e, c, service, want)
			}
			f.enters(t, e, c, "open", c.open)
		}
	}
	for _, c := range callers(tokens) {
		if w := get(f.Handler(), "GET", Prefix, c.as); w.Code != 200 || !strings.Contains(w.Body.String(), "service") {
			t.Errorf("the list of services, %s: %d", c.name, w.Code)
		}
	}
}

// enters checks what a caller gets by a way.
func (f *fixture) enters(t *testing.T, e entry, c caller, service string, want int) {
	t.Helper()
	r := e.ask(service)
	c.as(r)
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	got := w.Code
	if got == http.StatusAccepted {
		got = http.StatusOK
	}
	if got != want {
		t.Errorf("%s of %s, %s: %d %s, want %d", e.name, service, c.name, w.Code, w.Body, want)
	}
	if challenged := len(w.Header()["Www-Authenticate"]) == 2; challenged != (want == 401) {
		t.Errorf("%s of %s, %s: %d with %q", e.name, service, c.name, w.Code, w.Header()["Www-Authenticate"])
	}
	if strings.Contains(e.name, "SOAP") && want > 400 && !strings.Contains(w.Body.String(), "Fault>") {
		t.Errorf("%s of %s, %s: no fault: %s", e.name, service, c.name, w.Body)
	}
}

// Within a boxcarring session a request is refused when it is made, and is not there
// when the session ends; a session is its caller's alone.
func TestAccessInASession(t *testing.T) {
	t.Parallel()
	f, tokens := guarded(t)
	f.write("operation.dbs", secured["operation"])
	f.steps()
	all := callers(tokens)
	nobody, anna, boss := all[0], all[5], all[7]
	ask := func(c caller, session, path string) *httptest.ResponseRecorder {
		r := posted(Prefix+"operation/"+path, "application/xml", "<"+path+"/>")
		c.as(r)
		if session != "" {
			r.Header.Set("Cookie", session)
		}
		w := httptest.NewRecorder()
		f.Handler().ServeHTTP(w, r)
		return w
	}
	begin := func(c caller) string {
		w := ask(c, "", "begin_boxcar")
		session, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		if w.Code != 200 || session == "" {
			t.Fatalf("%s begins: %d %s", c.name, w.Code, w.Body)
		}
		return session
	}
	for _, c := range []caller{nobody, anna} {
		session := begin(c)
		if w := ask(c, session, "op"); w.Code != c.role {
			t.Errorf("%s, within a session: %d %s, want %d", c.name, w.Code, w.Body, c.role)
		}
		if w := ask(c, session, "end_boxcar"); w.Code != 200 || !strings.Contains(w.Body.String(), ">0<") {
			t.Errorf("%s, at the end: %d %s", c.name, w.Code, w.Body)
		}
	}
	session := begin(boss)
	if w := ask(boss, session, "op"); w.Code != 200 {
		t.Errorf("boss: %d %s", w.Code, w.Body)
	}
	for _, c := range []caller{nobody, anna} {
		if w := ask(c, session, "op"); w.Code != c.role {
			t.Errorf("%s in the session of another: %d %s", c.name, w.Code, w.Body)
		}
		if w := ask(c, session, "end_boxcar"); w.Code != 400 {
			t.Errorf("%s ends the session of another: %d %s", c.name, w.Code, w.Body)
		}
	}
	if w := ask(boss, session, "end_boxcar"); w.Code != 200 || !strings.Contains(w.Body.String(), ">1<") {
		t.Errorf("boss, at the end: %d %s", w.Code, w.Body)
	}
}
