package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// runnerFunc is a Runner made of a function.
type runnerFunc func(ctx context.Context, c dataservice.Request, out result.Sink) (bool, error)

func (f runnerFunc) Run(ctx context.Context, c dataservice.Request, out result.Sink) (bool, error) {
	return f(ctx, c, out)
}

func (runnerFunc) RunBox(context.Context, dataservice.Box, result.Sink) (bool, error) {
	return false, errors.New("no boxes here")
}

// open makes an endpoint of the stock with a gate of its own.
func open(run runnerFunc, o exchange.Options) *Endpoint {
	return New(exchange.NewGate(stock(), o), run)
}

// stock is a service with everything that an endpoint tells apart.
func stock() *dataservice.Service {
	with := func(names ...string) dataservice.CallQuery {
		c := dataservice.CallQuery{Query: "read"}
		for _, n := range names {
			c.Params = append(c.Params, dataservice.WithParam{Name: n, QueryParam: n})
		}
		return c
	}
	write := dataservice.CallQuery{Query: "write", Params: with("code", "name").Params}
	return &dataservice.Service{
		Name: "Stock", Namespace: "urn:stock", Active: true, File: "/srv/services/Stock.dbs", Description: "goods",
		Queries: []*dataservice.Query{
			{ID: "read", Result: &dataservice.Result{Element: "Products", RowName: "Product", Output: "xml"}},
			{ID: "readJSON", Result: &dataservice.Result{Element: "Products", RowName: "Product", Output: "json"}},
			{ID: "write"},
			{ID: "keys", Result: &dataservice.Result{}, ReturnGeneratedKeys: true},
		},
		Operations: []*dataservice.Operation{
			{Name: "getProduct", Call: with("code")},
			{Name: "setProduct", Call: write},
			{Name: "setProductLoudly", Call: write, ReturnStatus: true},
			{Name: "product", Call: with()},
			{Name: "later", Call: with(), Unsupported: "CSV sources are not supported yet"},
		},
		Resources: []*dataservice.Resource{
			{Method: "GET", Path: "product/{code}", Call: with("code")},
			{Method: "PUT", Path: "product", Call: write},
			{Method: "GET", Path: "json", Call: dataservice.CallQuery{Query: "readJSON"}},
			{Method: "GET", Path: "keys", Call: dataservice.CallQuery{Query: "keys"}},
		},
	}
}

// echo answers the values that it was called with, or nothing for what returns
// nothing.
func echo(_ context.Context, c dataservice.Request, out result.Sink) (bool, error) {
	if c.Target.Query == "write" && !c.Status {
		return true, nil
	}
	leaf := func(name, text string) error {
		return out.Leaf(result.Name{Local: name}, result.Value{Valid: true, Text: text, Type: "string"})
	}
	if c.Status {
		return false, leaf("REQUEST_STATUS", "SUCCESSFUL")
	}
	if err := out.Open(result.Name{Local: "Called"}, false); err != nil {
		return false, err
	}
	if err := leaf("name", c.Name); err != nil {
		return false, err
	}
	for _, name := range []string{"code", "name"} {
		for _, v := range c.Values[name] {
			if err := leaf(name, v); err != nil {
				return false, err
			}
		}
	}
	return false, out.Close()
}

// ask sends a request to an endpoint, with the path below the service.
func ask(t *testing.T, e *Endpoint, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://host/"+target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.Serve(w, r, strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/"), nil)
	return w
}

func TestServe(t *testing.T) {
	t.Parallel()
	origin := http.NewCrossOriginProtection()
	if err := origin.AddTrustedOrigin("https://friend.example"); err != nil {
		t.Fatal(err)
	}
	e := open(echo, exchange.Options{Limits: exchange.Limits{MaxBody: 200}, Origin: origin})
	type h = []string
	for _, c := range []struct {
		what, method, target, body string
		header                     []string
		status                     int
		mediaType, want            string
	}{
		{"a resource", "GET", "product/S10", "", nil, 200, "application/xml", "<Called><name>GET product/{code}</name><code>S10</code></Called>"},
		{"as JSON", "GET", "product/S10", "", h{"Accept", "application/json"}, 200, "application/json", `{"Called":{"name":"GET product/{code}","code":"S10"}}`},
		{"the path wins", "GET", "product/S10?code=other&name=n", "", nil, 200, "application/xml", "<code>S10</code><name>n</name>"},
		{"an operation by GET", "GET", "getProduct?code=a&code=b", "", nil, 200, "application/xml", "<code>a</code><code>b</code>"},
		{"an operation by POST of a form", "POST", "getProduct?code=q", "code=f", h{"Content-Type", asForm}, 200, "application/xml", "<code>f</code>"},
		{"an operation by POST of JSON", "POST", "getProduct", `{"getProduct":{"code":7}}`, h{"Content-Type", asJSON}, 200, "application/xml", "<code>7</code>"},
		{"an operation by POST of nothing", "POST", "getProduct", "", nil, 200, "application/xml", "<name>getProduct</name>"},
		{"an operation beside a resource", "GET", "product", "", nil, 200, "application/xml", "<name>product</name>"},
		{"a resource by its name", "POST", "_putproduct", `{"_putproduct":{"code":1}}`, h{"Content-Type", asJSON}, 202, "", ""},
		{"one that reads", "GET", "_getproduct_code?code=7", "", nil, 200, "application/xml", "<name>GET product/{code}</name><code>7</code>"},
		{"one that writes, by GET", "GET", "_putproduct?code=7", "", nil, 405, "application/xml", "not allowed"},
		{"a resource beside an operation", "PUT", "product", "<_putproduct><code>1</code></_putproduct>", h{"Content-Type", asXML}, 202, "", ""},
		{"nothing to answer", "POST", "setProduct", "code=1", h{"Content-Type", asForm}, 202, "", ""},
		{"nothing to answer, whatever is accepted", "POST", "setProduct", "code=1", h{"Content-Type", asForm, "Accept", "image/png"}, 202, "", ""},
		{"a status to answer", "POST", "setProductLoudly", "", nil, 200, "application/xml", "<REQUEST_STATUS>SUCCESSFUL</REQUEST_STATUS>"},
		{"JSON by default", "GET", "json", "", h{"Accept", "*/*"}, 200, "application/json", `"GET json"`},
		{"JSON as XML", "GET", "json", "", h{"Accept", "text/xml"}, 200, "application/xml", "<name>GET json</name>"},
		{"HEAD", "HEAD", "product/S10", "", nil, 200, "application/xml", ""},
		{"a GET body says nothing", "GET", "getProduct", "garbage", h{"Content-Type", "x/y"}, 200, "application/xml", "getProduct"},

		{"OPTIONS", "OPTIONS", "product", "", nil, 204, "", ""},
		{"unknown path", "GET", "nothing", "", nil, 404, "application/xml", "no such operation or resource"},
		{"unknown method", "DELETE", "product", "", nil, 405, "application/xml", "not allowed"},
		{"HEAD of what writes", "HEAD", "setProduct", "", nil, 405, "application/xml", ""},
		{"HEAD of what makes keys", "HEAD", "keys", "", nil, 405, "application/xml", ""},
		{"unacceptable", "GET", "product/S10", "", h{"Accept", "image/png, */*;q=0"}, 406, "application/xml", "can be answered"},
		{"a fault in JSON", "GET", "nothing", "", h{"Accept", "application/json"}, 404, "application/json", `"faultstring":"the service has no such`},
		{"too large", "POST", "setProduct", strings.Repeat("x", 201), h{"Content-Type", asForm}, 413, "application/xml", "exceeds 200 bytes"},
		{"an unknown type", "POST", "setProduct", "x", h{"Content-Type", "image/png"}, 415, "application/xml", "Content-Type must be"},
		{"compressed", "POST", "setProduct", "x", h{"Content-Type", asForm, "Content-Encoding", "gzip"}, 415, "application/xml", "send it plain"},
		{"malformed", "POST", "setProduct", "{", h{"Content-Type", asJSON}, 400, "application/xml", "INCOMPATIBLE_PARAMETERS_ERROR"},
		{"a bad query string", "GET", "getProduct?a=%zz", "", nil, 400, "application/xml", "query string"},
		{"not UTF-8", "GET", "getProduct?code=%ff", "", nil, 400, "application/xml", "not UTF-8"},
		{"not supported yet", "GET", "later", "", nil, 501, "application/xml", "CSV sources"},
		{"another site writes", "POST", "setProduct", "", h{"Sec-Fetch-Site", "cross-site"}, 403, "application/xml", "another site"},
		{"another origin writes", "POST", "setProduct", "", h{"Origin", "http://evil.example"}, 403, "application/xml", "another site"},
		{"another site writes by GET", "GET", "setProduct?code=1", "", h{"Sec-Fetch-Site", "cross-site"}, 403, "application/xml", "another site"},
		{"a trusted site writes", "POST", "setProduct", "", h{"Sec-Fetch-Site", "cross-site", "Origin", "https://friend.example"}, 202, "", ""},
		{"another site reads", "GET", "getProduct?code=1", "", h{"Sec-Fetch-Site", "cross-site"}, 200, "application/xml", "getProduct"},
		{"the same origin writes", "POST", "setProduct", "", h{"Sec-Fetch-Site", "same-origin"}, 202, "", ""},
	} {
		w := ask(t, e, c.method, c.target, c.body, c.header...)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %d with %s", c.what, w.Code, w.Body, c.status, c.want)
		}
		media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		if media != c.mediaType {
			t.Errorf("%s: Content-Type %q, want %q", c.what, media, c.mediaType)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", c.what, w.Header())
		}
		if (c.status == 405 || c.status == 204) == (w.Header().Get("Allow") == "") {
			t.Errorf("%s: Allow %q", c.what, w.Header().Get("Allow"))
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	secret := errors.New("pq: relation \"salaries\" does not exist")
	for kind, status := range map[dataservice.FaultKind]int{
		dataservice.FaultInternal: 500, dataservice.FaultInput: 400, dataservice.FaultNotFound: 404, dataservice.FaultInactive: 503,
		dataservice.FaultUnsupported: 501, dataservice.FaultUnreachable: 503, dataservice.FaultTimeout: 504, dataservice.FaultLimit: 500,
		dataservice.FaultBusy: 429, dataservice.FaultInProgress: 409, dataservice.FaultExpired: 410,
	} {
		var logged bytes.Buffer
		e := open((func(_ context.Context, c dataservice.Request, out result.Sink) (bool, error) {
			// What was written before the fault must not be seen.
			if err := out.Open(result.Name{Local: "half"}, false); err != nil {
				return false, err
			}
			return false, &dataservice.Fault{
				Code: dataservice.DatabaseError, Kind: kind, Message: "the <database> said no", Service: "Stock", Request: c.Name,
				Params: map[string]string{"code": "S10", "password": "hush", "z": strings.Repeat("é", 100)}, Err: secret,
			}
		}), exchange.Options{Log: slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})

		w := ask(t, e, "GET", "getProduct", "")
		var x exchange.Detail
		if err := xml.Unmarshal(w.Body.Bytes(), &x); err != nil || w.Code != status {
			t.Errorf("kind %d: %d %s: %v", kind, w.Code, w.Body, err)
		}
		j := ask(t, e, "GET", "getProduct", "", "Accept", asJSON)
		var outer struct {
			Fault struct {
				Code   string `json:"faultcode"`
				String string `json:"faultstring"`
				Detail struct{ DataServiceFault exchange.Detail }
			}
		}
		if err := json.Unmarshal(j.Body.Bytes(), &outer); err != nil || j.Code != status {
			t.Errorf("kind %d: %d %s: %v", kind, j.Code, j.Body, err)
		}
		x.XMLName = xml.Name{}
		if got := outer.Fault.Detail.DataServiceFault; got != x || outer.Fault.Code != "DATABASE_ERROR" || outer.Fault.String != x.Nested {
			t.Errorf("kind %d: JSON says %+v, XML %+v", kind, outer.Fault, x)
		}
		if x.Nested != "the <database> said no" || x.Request != "getProduct" || x.Code != "DATABASE_ERROR" || x.Source.Location != "Stock.dbs" ||
			!strings.HasPrefix(x.Params, "{code=S10, password=***, z=éé") || len(x.Params) > 150 {
			t.Errorf("kind %d: %+v", kind, x)
		}
		if strings.Contains(w.Body.String()+j.Body.String(), "salaries") || strings.Contains(w.Body.String(), "half") {
			t.Errorf("kind %d: says too much: %s", kind, w.Body)
		}
		if !strings.Contains(logged.String(), "salaries") || !strings.Contains(logged.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("kind %d: logged %s", kind, &logged)
		}
	}
}

func TestPanicIsAFault(t *testing.T) {
	t.Parallel()
	var served []exchange.Served
	e := open(func(context.Context, dataservice.Request, result.Sink) (bool, error) { panic("boom") },
		exchange.Options{Observe: func(s exchange.Served) { served = append(served, s) }, Limits: exchange.Limits{MaxRequests: 1}})
	for range 2 {
		if w := ask(t, e, "GET", "getProduct", ""); w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if len(served) != 2 || served[1].Status != 500 || served[1].Request != "getProduct" {
		t.Errorf("observed %+v", served)
	}
}

// rows writes n rows and then ends with err.
func rows(n int, err error) runnerFunc {
	return func(_ context.Context, _ dataservice.Request, out result.Sink) (bool, error) {
		if e := out.Open(result.Name{Local: "rows"}, false); e != nil {
			return false, e
		}
		for range n {
			if e := out.Leaf(result.Name{Local: "row"}, result.Value{Valid: true, Text: strings.Repeat("x", 1000)}); e != nil {
				return false, e
			}
		}
		if err != nil {
			return false, err
		}
		return false, out.Close()
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	e := open(func(context.Context, dataservice.Request, result.Sink) (bool, error) {
		entered <- struct{}{}
		<-leave
		return true, nil
	}, exchange.Options{Limits: exchange.Limits{MaxRequests: 2}})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			if w := ask(t, e, "POST", "setProduct", ""); w.Code != 202 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
		<-entered
	}
	if w := ask(t, e, "POST", "setProduct", ""); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	close(leave)
	running.Wait()
	go func() { <-entered }()
	if w := ask(t, e, "POST", "setProduct", ""); w.Code != 202 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestTimeAndDisconnection(t *testing.T) {
	t.Parallel()
	wait := runnerFunc(func(ctx context.Context, _ dataservice.Request, _ result.Sink) (bool, error) {
		<-ctx.Done()
		return false, ctx.Err()
	})
	e := open(wait, exchange.Options{Limits: exchange.Limits{Timeout: time.Millisecond}})
	if w := ask(t, e, "GET", "getProduct", ""); w.Code != 504 {
		t.Errorf("time-out: %d %s", w.Code, w.Body)
	}

	var served exchange.Served
	e = open(wait, exchange.Options{Observe: func(s exchange.Served) { served = s }})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	e.Serve(w, httptest.NewRequestWithContext(ctx, "GET", "/getProduct", nil), []string{"getProduct"}, nil)
	if served.Status != 499 || w.Body.Len() > 0 {
		t.Errorf("a client that went away: %+v, %s", served, w.Body)
	}
}
