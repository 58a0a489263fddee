package host

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/result"
)

func get(h http.Handler, method, target string, adjust ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for _, a := range adjust {
		a(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandlerFindsServices(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("a.dbs", dbs("a", "plain"))
	f.write("ab.dbs", dbs("a/b", "nested"))
	f.write("dot.dbs", dbs("a.HTTPEndpoint", "dotted"))
	f.write("off.dbs", strings.Replace(dbs("off", "off"), "<data ", `<data serviceStatus="inactive" `, 1))
	f.write("tls.dbs", strings.Replace(dbs("tls", "tls"), "<data ", `<data transports="https" `, 1))
	f.write("sec.dbs", strings.Replace(dbs("sec", "sec"), "<config ", "<enableSec/><config ", 1))
	f.write("x/group.dbs", dbs("group", "grouped"))
	f.steps()
	h := f.Handler()
	secure := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	asJSON := func(r *http.Request) { r.Header.Set("Accept", "application/json") }
	envelope := func(media, operation string) func(*http.Request) {
		space := map[string]string{"text/xml": "http://schemas.xmlsoap.org/soap/envelope/", "application/soap+xml": "http://www.w3.org/2003/05/soap-envelope"}[media]
		return func(r *http.Request) {
			r.Header.Set("Content-Type", media)
			r.Header.Set("SOAPAction", "urn:"+operation)
			body := `<e:Envelope xmlns:e="` + space + `"><e:Body><` + operation + `/></e:Body></e:Envelope>`
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		}
	}
	for _, c := range []struct {
		method, target string
		status         int
		want           string
		adjust         []func(*http.Request)
	}{
		{"GET", "/services/a/op", 200, "<is>plain</is>", nil},
		{"GET", "/services/a/op/", 200, "<is>plain</is>", nil},
		{"GET", "/services/a/b/op", 200, "<is>nested</is>", nil},
		{"GET", "/services/a/b.HTTPEndpoint/op", 200, "<is>nested</is>", nil},
		{"GET", "/services/a/b.SecureHTTPEndpoint/op", 200, "<is>nested</is>", nil},
		{"GET", "/services/a.HTTPEndpoint/op", 200, "<is>dotted</is>", nil},
		{"GET", "/services/a/b/%6Fp", 200, "<is>nested</is>", nil},
		{"GET", "/services/x/group/op", 200, "<is>grouped</is>", nil},
		{"GET", "/services/group/op", 404, "no such service", nil},
		{"GET", "/services/a/none", 404, "no such operation", nil},
		{"GET", "/services/none/op", 404, "no such service", nil},
		{"GET", "/services/none/op", 404, `{"Fault":`, []func(*http.Request){asJSON}},
		{"GET", "/services/", 200, `<a href="/services/a/b?tryit">a/b</a>`, nil},
		{"GET", "/services/?page.css", 200, "color-scheme", nil},
		{"GET", "/services/?page.js", 200, "submit", nil},
		{"POST", "/services/", 404, "no such service", nil},
		{"GET", "/services/a/b?tryit", 200, `data-base="/services/a/b/"`, nil},
		{"GET", "/elsewhere", 404, "no such service", nil},
		{"GET", "/services/a", 404, "no such operation", nil},
		{"GET", "/services/a?wsdl", 200, `location="http://example.com/services/a.SOAP11Endpoint/"`, nil},
		{"GET", "/services/a/b.SOAP12Endpoint?WSDL", 200, `location="http://example.com/services/a/b.SOAP12Endpoint/"`, nil},
		{"GET", "/services/tls?wsdl", 200, `location="https://example.com/services/tls.SecureSOAP12Endpoint/"`, []func(*http.Request){secure}},
		{"GET", "/services/a?wsdl2", 200, "<wsdl2:description", nil},
		{"GET", "/services/a?xsd", 200, `targetNamespace="http://ws.wso2.org/dataservice"`, nil},
		{"GET", "/services/a?xsd=xsd0", 200, `<xs:schema`, nil},
		{"GET", "/services/a?xsd=xsd9", 404, `no such schema`, nil},
		{"GET", "/services/a/op?wsdl", 200, "<is>plain</is>", nil},
		{"GET", "/services/none?wsdl", 404, "no such service", nil},
		{"GET", "/services/a.SOAP12Endpoint", 405, "by POST", nil},
		{"POST", "/services/a", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("text/xml", "op")}},
		{"POST", "/services/a/", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("text/xml", "op")}},
		{"POST", "/services/a.SOAP11Endpoint/", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("text/xml", "op")}},
		{"POST", "/services/a.SOAP12Endpoint", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/a.SecureSOAP12Endpoint", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/a/op", 200, "<is>plain</is></soapenv:Body>", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/a/b.SOAP12Endpoint", 200, "<is>nested</is></soapenv:Body>", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/a/b.HTTPEndpoint/op", 415, "Content-Type", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/none", 404, "<soapenv:Fault>", []func(*http.Request){envelope("application/soap+xml", "op")}},
		{"POST", "/services/off.SOAP11Endpoint", 503, "<faultcode", []func(*http.Request){envelope("text/xml", "op")}},
		{"GET", "/services/off/op", 503, "inactive", nil},
		{"GET", "/services/tls/op", 404, "not offered over http", nil},
		{"GET", "/services/tls/op", 200, "<is>tls</is>", []func(*http.Request){secure}},
		{"GET", "/services/sec/op", 501, "authentication", nil},
	} {
		w := get(h, c.method, c.target, c.adjust...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.target, w.Code, w.Body, c.status, c.want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path, r.URL.RawPath = "/services/a/%", "/services/a/%"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code/100 != 4 {
		t.Errorf("a malformed path: %d", w.Code)
	}
}

// TestDescribedElsewhere: behind a proxy descriptions lead to it, and there need be
// no pages.
func TestDescribedElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.PublicURL, o.NoPages = "https://api.example.com/data/", true })
	f.write("a.dbs", dbs("a", "plain"))
	f.steps()
	for _, c := range []struct {
		target string
		status int
		want   string
	}{
		{"/services/a?wsdl", 200, `location="https://api.example.com/data/services/a.SecureSOAP11Endpoint/"`},
		{"/services/a?openapi", 200, `"url": "https://api.example.com/data/services/a"`},
		{"/services/", 404, "no such service"},
		{"/services/a?tryit", 404, "no such operation"},
	} {
		if w := get(f.Handler(), "GET", c.target); w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.target, w.Code, w.Body)
		}
	}
}

func TestHandlerBeforeStartAndAfterStop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("a.dbs", dbs("a", "plain"))
	if w := get(f.Handler(), "GET", "/services/a/op"); w.Code != 503 {
		t.Errorf("before: %d", w.Code)
	}
	f.start()
	if w := get(f.Handler(), "GET", "/services/a/op"); w.Code != 200 || !f.Ready() {
		t.Errorf("running: %d", w.Code)
	}
	for range 2 {
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if w := get(f.Handler(), "GET", "/services/a/op"); w.Code != 503 || f.Ready() {
		t.Errorf("after: %d", w.Code)
	}
	if err := f.Start(t.Context()); err == nil {
		t.Error("started again")
	}
	if closed := <-f.opener.closings; closed != "plain" {
		t.Errorf("closed %s", closed)
	}
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("a.dbs", dbs("a", "plain"))
	f.write("off.dbs", strings.Replace(dbs("off", "off"), "<data ", `<data serviceStatus="inactive" `, 1))
	f.write("sec.dbs", strings.Replace(dbs("sec", "sec"), "<config ", "<enableSec/><config ", 1))
	f.write("sheet.dbs", strings.Replace(dbs("sheet", "sheet"), `<property name="url">jdbc:sqlite:x.db</property><property name="driverClassName">x</property>`,
		`<property name="gspread_datasource">https://example.org/x</property>`, 1))
	f.opener.run = func(_ context.Context, _ *dataservice.Service, r dataservice.Request, out result.Sink) (query.Outcome, error) {
		switch r.Name {
		case "with":
			panic("boom")
		}
		if r.Fire != nil && r.ID != r.Fire.ID || r.ID == "" {
			t.Errorf("request %+v", r)
		}
		err := out.Leaf(result.Name{Local: "is"}, result.Value{Valid: true, Text: strings.Repeat("x", 100)})
		return query.Outcome{Rows: 7}, err
	}
	f.steps()
	for _, c := range []struct {
		call dataservice.Call
		kind dataservice.FaultKind
		want string // in the fault; empty: it goes well
	}{
		{dataservice.Call{Service: "a", Operation: "op"}, 0, ""},
		{dataservice.Call{Service: "a", Operation: "op", Fire: &dataservice.FireKey{ID: "u:1"}}, 0, ""},
		{dataservice.Call{Service: "a", Operation: "none"}, dataservice.FaultNotFound, "no operation none"},
		{dataservice.Call{Service: "none", Operation: "op"}, dataservice.FaultNotFound, "not deployed"},
		{dataservice.Call{Service: "off", Operation: "op"}, dataservice.FaultInactive, "inactive"},
		{dataservice.Call{Service: "sec", Operation: "op"}, dataservice.FaultUnauthenticated, "credentials"},
		{dataservice.Call{Service: "sheet", Operation: "op"}, dataservice.FaultUnsupported, "Google"},
		{dataservice.Call{Service: "a", Operation: "with"}, dataservice.FaultInternal, "internal error"},
	} {
		got, err := f.Invoke(t.Context(), c.call)
		var fault *dataservice.Fault
		if c.want == "" {
			if err != nil || got.Rows != 7 {
				t.Errorf("%+v: %+v, %v", c.call, got, err)
			}
		} else if !errors.As(err, &fault) || fault.Kind != c.kind || !strings.Contains(fault.Message, c.want) {
			t.Errorf("%+v: %v, want %d %s", c.call, err, c.kind, c.want)
		}
	}

	call := dataservice.Call{Service: "a", Operation: "op"}
	a, err := f.Try(t.Context(), call, rest.JSON, 1000)
	if err != nil || !strings.HasPrefix(string(a.Body), `{"is":"xx`) || a.Outcome.Rows != 7 || !strings.HasPrefix(a.ContentType, "application/json") {
		t.Errorf("try: %s, %v", a.Body, err)
	}
	var fault *dataservice.Fault
	if _, err := f.Try(t.Context(), call, rest.XML, 50); !errors.As(err, &fault) || fault.Kind != dataservice.FaultLimit {
		t.Errorf("try beyond the limit: %v", err)
	}
	// A head that is full fails nothing.
	for _, limit := range []int{1, 7, 1000} {
		h, err := f.Head(t.Context(), call, rest.JSON, limit)
		if want := a.Body[:min(limit, len(a.Body))]; err != nil || string(h.Body) != string(want) || h.Outcome.Rows != 7 {
			t.Errorf("head of %d: %s, %v", limit, h.Body, err)
		}
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("a.dbs", `<data name="a" serviceNamespace="urn:a">
  <config id="c"><property name="url">jdbc:sqlite:x.db</property><property name="driverClassName">x</property></config>
  <query id="q" useConfig="c"><sql>select :x as n</sql><param name="x" sqlType="INTEGER"/><param name="y" sqlType="STRING" paramType="ARRAY" defaultValue="z"/><result element="R" rowName="r"><element name="n" column="n"/></result></query>
  <operation name="none"><call-query href="q"/></operation>
  <operation name="some"><description>does</description><call-query href="q"><with-param name="x" query-param="ex"/><with-param name="y" query-param="y"/></call-query></operation>
  <resource method="GET" path="r/{x}"><call-query href="q"><with-param name="x" query-param="x"/></call-query></resource>
</data>`)
	f.steps()
	v := f.Services()[0]
	if len(v.Operations) != 2 || !v.Operations[0].Schedulable || v.Operations[1].Schedulable || v.Operations[1].Reason == "" {
		t.Fatalf("operations: %+v", v.Operations)
	}
	want := []ParamView{{Name: "ex", Type: "INTEGER", Required: true}, {Name: "y", Type: "STRING", Array: true}}
	if p := v.Operations[1].Params; len(p) != 2 || p[0] != want[0] || p[1] != want[1] {
		t.Errorf("params: %+v", p)
	}
	if len(v.Resources) != 1 || v.Resources[0].Path != "r/{x}" || !v.HTTP || v.Namespace != "urn:a" || v.File != "a.dbs" || len(v.Hash) != 64 || v.DeployedAt.IsZero() {
		t.Errorf("view: %+v", v)
	}
}
