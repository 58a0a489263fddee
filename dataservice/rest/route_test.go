package rest

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func TestRouterFindsTheMostSpecific(t *testing.T) {
	t.Parallel()
	var routes []*route
	for _, r := range [][2]string{
		{"GET", "{kind}/latest"},
		{"GET", "orders/{id}"},
		{"GET", "orders/{id}.json"},
		{"DELETE", "orders/{id}"},
		{"PUT", "orders/all"},
		{"GET", "orders/latest/{n}"},
		{"GET", "/slashed/"},
		{"GET", "pair/{a}-{b}"},
		{"GET", "query?x={x}"},
		{"GET", "odd/{"},
		{"GET", "orders/{twin}"}, // as specific as the second, and later
	} {
		routes = append(routes, &route{method: r[0], pattern: compile(r[1]), name: r[0] + " " + r[1], reads: true})
	}
	router := newRouter(routes)
	for _, c := range []struct {
		method string
		path   []string
		want   string // name, or "" with allow
		values dataservice.Values
		allow  []string
	}{
		{method: "GET", path: []string{"orders", "7"}, want: "GET orders/{id}", values: dataservice.Values{"id": {"7"}}},
		{method: "GET", path: []string{"orders", "7.json"}, want: "GET orders/{id}.json", values: dataservice.Values{"id": {"7"}}},
		{method: "GET", path: []string{"orders", "latest"}, want: "GET orders/{id}", values: dataservice.Values{"id": {"latest"}}},
		{method: "GET", path: []string{"goods", "latest"}, want: "GET {kind}/latest", values: dataservice.Values{"kind": {"goods"}}},
		{method: "GET", path: []string{"orders", "all"}, want: "GET orders/{id}", values: dataservice.Values{"id": {"all"}}},
		{method: "HEAD", path: []string{"orders", "all"}, want: "GET orders/{id}", values: dataservice.Values{"id": {"all"}}},
		{method: "PUT", path: []string{"orders", "all"}, want: "PUT orders/all", values: dataservice.Values{}},
		{method: "POST", path: []string{"orders", "all"}, allow: []string{"DELETE", "GET", "HEAD", "OPTIONS", "PUT"}},
		{method: "GET", path: []string{"orders", ""}},
		{method: "GET", path: []string{"orders", "a/b"}, want: "GET orders/{id}", values: dataservice.Values{"id": {"a/b"}}},
		{method: "GET", path: []string{"slashed"}, want: "GET /slashed/", values: dataservice.Values{}},
		{method: "GET", path: []string{"pair", "x-y-z"}, want: "GET pair/{a}-{b}", values: dataservice.Values{"a": {"x-y"}, "b": {"z"}}},
		{method: "GET", path: []string{"query"}, want: "GET query?x={x}", values: dataservice.Values{}},
		{method: "GET", path: []string{"odd", "{"}, want: "GET odd/{", values: dataservice.Values{}},
		{method: "GET", path: nil},
		{method: "GET", path: []string{"orders"}},
	} {
		got, allow := router.find(c.method, c.path)
		if got == nil {
			if c.want != "" || !slices.Equal(allow, c.allow) {
				t.Errorf("%s %q: found nothing, allow %q, want %q, allow %q", c.method, c.path, allow, c.want, c.allow)
			}
			continue
		}
		values := dataservice.Values{}
		got.pattern.match(c.path, values)
		if got.name != c.want || !equalValues(values, c.values) {
			t.Errorf("%s %q: %q with %v, want %q with %v", c.method, c.path, got.name, values, c.want, c.values)
		}
	}
}

func equalValues(a, b dataservice.Values) bool {
	if len(a) != len(b) {
		return false
	}
	for name, list := range a {
		other, ok := b[name]
		if !ok || !slices.Equal(list, other) {
			return false
		}
	}
	return true
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accept []string
		xml    string // with XML preferred; "" is 406
		json   string // with JSON preferred
	}{
		{nil, "xml", "json"},
		{[]string{""}, "xml", "json"},
		{[]string{"*/*"}, "xml", "json"},
		{[]string{"application/json"}, "json", "json"},
		{[]string{"Application/JSON"}, "json", "json"},
		{[]string{"application/xml"}, "xml", "xml"},
		{[]string{"text/xml; charset=utf-8"}, "xml", "xml"},
		{[]string{"application/json;q=0.5, application/xml;q=0.9"}, "xml", "xml"},
		{[]string{"application/json; q=0.9", "application/xml; q=0.5"}, "json", "json"},
		{[]string{"application/json, application/xml"}, "xml", "json"},
		{[]string{"application/*;q=0.1, application/json;q=0"}, "xml", "xml"},
		{[]string{"*/*;q=0.1, application/json"}, "json", "json"},
		{[]string{"*/*, application/xml;q=0.2"}, "json", "json"},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, "xml", "xml"},
		{[]string{"text/html"}, "xml", "json"},
		// As Java's HttpURLConnection asks, which the original's tests use.
		{[]string{"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}, "xml", "json"},
		{[]string{"application/json;q=0"}, "xml", "xml"},
		{[]string{"application/xml;q=0, text/xml;q=0"}, "json", "json"},
		{[]string{"*/*;q=0"}, "", ""},
		{[]string{"application/json;q=0, application/xml;q=0"}, "", ""},
		{[]string{"application/json;q=oops"}, "xml", "json"},
		{[]string{"application/json;q=NaN"}, "xml", "json"},
		{[]string{";;,,"}, "xml", "json"},
	} {
		for preferred, want := range map[Format]string{XML: c.xml, JSON: c.json} {
			got, ok := negotiate(c.accept, preferred)
			if ok != (want != "") || ok && string(got) != want {
				t.Errorf("Accept %q, %s preferred: %s %t, want %q", c.accept, preferred, got, ok, want)
			}
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("orders/{id}.json", "orders/7.json")
	f.Add("{a}-{b}/{", "x-y/{")
	f.Add("\xff{a}", "\xffz")
	f.Fuzz(func(t *testing.T, path, asked string) {
		p := compile(path)
		values := dataservice.Values{}
		if p.match(strings.Split(asked, "/"), values) && len(p) != strings.Count(asked, "/")+1 {
			t.Fatalf("%q matches %q", path, asked)
		}
		for name, v := range values {
			if len(v) != 1 || v[0] == "" {
				t.Fatalf("%q in %q: variable %q is %q", path, asked, name, v)
			}
		}
	})
}
