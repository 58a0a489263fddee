package host

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/host/auth"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// guarded is a host whose users are anna (staff), boss (staff, admin), and mule
// (no role), each with a password like "anna-password" and a token.
func guarded(t *testing.T) (f *fixture, tokens map[string]string) {
	t.Helper()
	var users strings.Builder
	tokens = map[string]string{}
	for name, roles := range map[string]string{"anna": "staff", "boss": "staff,admin", "mule": ""} {
		hash, err := bcrypt.GenerateFromPassword([]byte(name+"-password"), bcrypt.MinCost) // thousands are tried
		if err != nil {
			t.Fatal(err)
		}
		token, hashed := auth.NewToken()
		tokens[name] = token
		users.WriteString(name + ":" + string(hash) + " roles=" + roles + "\n" + name + ":" + hashed + " roles=" + roles + "\n")
	}
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, []byte(users.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	guard, err := auth.New(auth.Options{Users: file, AllowPlain: true, Failures: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return newFixture(t, func(o *Options) { o.Auth = guard }), tokens
}

const (
	own = `xmlns:b="` + dataservice.BelfryNamespace + `" b:requiredRoles=`
	// routed are the routes beside the operations op and with.
	routed = `<query id="in"><sql>insert into x values (:id)</sql><param name="id"/></query>
  <operation name="in"><call-query href="in"/></operation>
  <operation name="set"><call-query href="in"><with-param name="id" query-param="id"/></call-query></operation>
  <resource method="GET" path="r"><call-query href="q"/></resource>
  <resource method="POST" path="w/{id}"><call-query href="in"><with-param name="id" query-param="id"/></call-query></resource>`
)

// routes is a service with every kind of route, and more elements.
func routes(name, more string) string {
	text := strings.Replace(dbs(name, name), "<data ", `<data enableBatchRequests="true" enableBoxcarring="true" `, 1)
	return strings.Replace(text, "</data>", more+routed+"</data>", 1)
}

// secured are descriptors, each with the roles that it wants in another place.
var secured = map[string]string{
	"policy":    routes("policy", "<enableSec/>"),
	"service":   strings.Replace(routes("service", ""), "<data ", `<data `+own+`"admin" `, 1),
	"operation": strings.ReplaceAll(routes("operation", ""), "<call-query ", `<call-query requiredRoles="admin" `),
	"element":   strings.ReplaceAll(strings.ReplaceAll(routes("element", ""), "<operation ", `<operation `+own+`"x,admin" `), "<resource ", `<resource `+own+`"admin" `),
	"query":     strings.ReplaceAll(routes("query", ""), "<query ", `<query `+own+`"admin" `),
}

// Every route of a service that wants a role: 401 without credentials and with
// wrong ones, 403 without the role, and served with it.
func TestAccessOverREST(t *testing.T) {
	t.Parallel()
	f, tokens := guarded(t)
	for name, text := range secured {
		f.write(name+".dbs", text)
	}
	f.write("open.dbs", routes("open", ""))
	f.steps()
	h := f.Handler()
	all := []struct{ method, path string }{
		{"GET", "op"}, {"POST", "op"}, {"HEAD", "op"}, {"GET", "in"}, {"POST", "in"}, {"GET", "r"}, {"POST", "w/1"},
	}
	for service := range secured {
		for _, route := range all {
			for _, c := range callers(tokens) {
				w := get(h, route.method, "/services/"+service+"/"+route.path, c.as)
				want := c.role
				if service == "policy" {
					want = c.policy
				}
				if w.Code != want {
					t.Errorf("%s %s/%s, %s: %d %s, want %d", route.method, service, route.path, c.name, w.Code, w.Body, want)
				}
				challenge := w.Header()["Www-Authenticate"]
				if (w.Code == 401) != (len(challenge) == 2) {
					t.Errorf("%s %s/%s, %s: %d with %q", route.method, service, route.path, c.name, w.Code, challenge)
				}
			}
		}
	}
	for _, c := range callers(tokens) {
		if w := get(h, "GET", "/services/open/op", c.as); w.Code != c.open {
			t.Errorf("open, %s: %d %s, want %d", c.name, w.Code, w.Body, c.open)
		}
	}
	// What says nothing of the operation is refused as well where the service itself
	// wants somebody known.
	for _, service := range []string{"policy", "service"} {
		for _, path := range []string{"", "/none", "?wsdl", "/r?wsdl"} {
			if w := get(h, "GET", "/services/"+service+path); w.Code == 200 {
				t.Errorf("%s%s: %d %s", service, path, w.Code, w.Body)
			}
		}
	}
}

// In process the caller counts too; the host itself may do everything.
func TestAccessInProcess(t *testing.T) {
	t.Parallel()
	f, _ := guarded(t)
	for name, text := range secured {
		f.write(name+".dbs", text)
	}
	f.steps()
	for service := range secured {
		for _, c := range []struct {
			caller *dataservice.Principal
			want   dataservice.FaultKind
			ok     bool
		}{
			{nil, dataservice.FaultUnauthenticated, false},
			{&dataservice.Principal{Name: "anna", Roles: []string{"staff"}}, dataservice.FaultForbidden, service == "policy"},
			{&dataservice.Principal{Name: "boss", Roles: []string{"admin"}}, 0, true},
			{&dataservice.Principal{Name: "task", System: true}, 0, true},
		} {
			_, err := f.Invoke(t.Context(), dataservice.Call{Service: service, Operation: "op", Caller: c.caller})
			if c.ok != (err == nil) || !c.ok && exchange.AsFault(err).Kind != c.want {
				t.Errorf("%s, %+v: %v", service, c.caller, err)
			}
		}
	}
}

// The query learns who calls.
func TestCallerReachesTheQuery(t *testing.T) {
	t.Parallel()
	f, tokens := guarded(t)
	f.write("open.dbs", dbs("open", "open"))
	var seen []string
	f.opener.run = func(_ context.Context, _ *dataservice.Service, r dataservice.Request, out result.Sink) (query.Outcome, error) {
		name := "nobody"
		if r.Caller != nil {
			name = r.Caller.Name + " " + strings.Join(r.Caller.Roles, ",")
		}
		seen = append(seen, name)
		return query.Outcome{}, out.Leaf(result.Name{Local: "is"}, result.Value{Valid: true, Text: "x"})
	}
	f.steps()
	get(f.Handler(), "GET", "/services/open/op")
	get(f.Handler(), "GET", "/services/open/op", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+tokens["boss"]) })
	if got := strings.Join(seen, ";"); got != "nobody;boss staff,admin" {
		t.Error(got)
	}
}

// A host that knows nobody says so, at deployment and to who asks.
func TestUnguarded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("service.dbs", secured["service"])
	f.write("open.dbs", dbs("open", "open"))
	f.steps()
	if w := get(f.Handler(), "GET", "/services/service/op", func(r *http.Request) { r.SetBasicAuth("boss", "x") }); w.Code != 501 || !strings.Contains(w.Body.String(), "auth.users_file") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(f.Handler(), "GET", "/services/open/op", func(r *http.Request) { r.SetBasicAuth("boss", "x") }); w.Code != 200 {
		t.Errorf("open: %d %s", w.Code, w.Body)
	}
	for _, v := range f.Services() {
		if noted := len(v.Unsupported) > 0; noted != (v.Name == "service") {
			t.Errorf("%s: %+v", v.Name, v.Unsupported)
		}
	}
	if n := strings.Count(f.log.String(), "nobody can ask for what needs a role"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, f.log)
	}
}
