package soap

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// stock is a service with everything that an endpoint tells apart.
func stock() *dataservice.Service {
	with := func(query string, names ...string) dataservice.CallQuery {
		c := dataservice.CallQuery{Query: query}
		for _, n := range names {
			c.Params = append(c.Params, dataservice.WithParam{Name: n, QueryParam: n})
		}
		return c
	}
	return &dataservice.Service{
		Name: "Stock", Namespace: "urn:stock", Active: true, File: "/srv/services/Stock.dbs", Description: "goods",
		BatchRequests: true, Boxcarring: true, LegacyBoxcarring: true,
		Queries: []*dataservice.Query{
			{ID: "read", Result: &dataservice.Result{Element: "Products", RowName: "Product", Namespace: "urn:stock"}},
			{ID: "write"},
		},
		Operations: []*dataservice.Operation{
			{Name: "getProduct", Call: with("read", "code")},
			{Name: "setProduct", Call: with("write", "code", "name")},
			{Name: "setProductLoudly", Call: with("write", "code"), ReturnStatus: true},
			{Name: "later", Call: with("read"), Unsupported: "CSV sources are not supported yet"},
		},
		Resources: []*dataservice.Resource{
			{Method: "GET", Path: "product/{productCode}", Call: with("read", "code")},
			{Method: "POST", Path: "product", Call: with("write", "code")},
		},
	}
}

// echo answers what it was called with.
type echo struct{ fail error }

func (e echo) Run(_ context.Context, q dataservice.Request, out result.Sink) (bool, error) {
	if q.Target.Query == "write" && !q.Status && e.fail == nil {
		return true, nil
	}
	return false, e.answer(out, q)
}

func (e echo) RunBox(_ context.Context, b dataservice.Box, out result.Sink) (bool, error) {
	return false, e.answer(out, b.Requests...)
}

func (e echo) answer(out result.Sink, list ...dataservice.Request) error {
	leaf := func(name, text string) error {
		return out.Leaf(result.Name{Space: "urn:echo", Local: name}, result.Value{Valid: true, Text: text, Type: "string"})
	}
	errs := []error{out.Open(result.Name{Space: "urn:echo", Local: "Called"}, false)}
	for _, q := range list {
		errs = append(errs, leaf("name", q.Name))
		for _, name := range []string{"code", "name"} {
			if v, ok := q.Values[name]; ok {
				errs = append(errs, leaf(name, strings.Join(v, ",")))
			}
		}
	}
	return errors.Join(append(errs, e.fail, out.Close())...)
}

func open(run exchange.Runner, o exchange.Options) *Endpoint {
	return New(exchange.NewGate(stock(), o), run)
}

// wrap puts what a body holds into an envelope.
func wrap(v *version, body string) string {
	return `<e:Envelope xmlns:e="` + v.space + `"><e:Header/><e:Body>` + body + `</e:Body></e:Envelope>`
}

// post sends a body to an endpoint, with header names and values.
func post(e *Endpoint, body, contentType string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://host/services/Stock", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.Serve(w, r, "", nil)
	return w
}

// payload gives what stands in the body of an answer, which must be an envelope of
// the version.
func payload(t *testing.T, v *version, answer string) string {
	t.Helper()
	var e struct {
		XMLName xml.Name
		Body    struct {
			Inner string `xml:",innerxml"`
		} `xml:"Body"`
	}
	if err := xml.Unmarshal([]byte(answer), &e); err != nil || e.XMLName != (xml.Name{Space: v.space, Local: "Envelope"}) {
		t.Fatalf("not an envelope of %s: %v: %s", v.space, err, answer)
	}
	return e.Body.Inner
}

func TestServe(t *testing.T) {
	t.Parallel()
	const open = `<Called xmlns="urn:echo">`
	e := newStock(t)
	for _, c := range []struct {
		what, body, action string
		status             int
		want               string // the whole payload
	}{
		{"an operation", `<s:getProduct xmlns:s="urn:stock"><s:code>S10</s:code></s:getProduct>`, "urn:getProduct", 200, open + `<name>getProduct</name><code>S10</code></Called>`},
		{"without an action", `<getProduct><code> a b </code></getProduct>`, "", 200, open + `<name>getProduct</name><code> a b </code></Called>`},
		{"in another namespace", `<getProduct xmlns="urn:x"><code>1</code></getProduct>`, "", 200, open + `<name>getProduct</name><code>1</code></Called>`},
		{"an array", `<getProduct><code>1</code><code>2</code></getProduct>`, "", 200, open + `<name>getProduct</name><code>1,2</code></Called>`},
		{"a null", `<getProduct><code xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/></getProduct>`, "", 200, open + `<name>getProduct</name><code></code></Called>`},
		{"text as a section", `<getProduct><code><![CDATA[<&]]>x</code></getProduct>`, "", 200, open + `<name>getProduct</name><code>&lt;&amp;x</code></Called>`},
		{"by action alone", ``, "urn:getProduct", 200, open + `<name>getProduct</name></Called>`},
		{"by action, an element of another name", `<p:params xmlns:p="urn:p"><code>7</code></p:params>`, "getProduct", 200, open + `<name>getProduct</name><code>7</code></Called>`},
		{"an unknown action", `<getProduct/>`, "http://host/whatever", 200, open + `<name>getProduct</name></Called>`},
		{"a resource", `<_getproduct_productcode><code>7</code></_getproduct_productcode>`, "urn:_getproduct_productcode", 200, open + `<name>GET product/{productCode}</name><code>7</code></Called>`},
		{"a resource whose path began with a slash", `<_get_product_productcode/>`, "", 200, open + `<name>GET product/{productCode}</name></Called>`},
		{"nothing to answer", `<setProduct><code>1</code></setProduct>`, "urn:setProduct", 202, ""},
		{"a status to answer", `<setProductLoudly><code>1</code></setProductLoudly>`, "", 200, open + `<name>setProductLoudly</name><code>1</code></Called>`},
		{"a batch", `<setProduct_batch_req><setProduct><code>1</code></setProduct><setProduct><code>2</code></setProduct></setProduct_batch_req>`, "urn:setProduct_batch_req", 200, open + `<name>setProduct</name><code>1</code><name>setProduct</name><code>2</code></Called>`},
		{"a batch of a resource", `<_postproduct_batch_req><_postproduct><code>1</code></_postproduct></_postproduct_batch_req>`, "", 200, open + `<name>POST product</name><code>1</code></Called>`},
		{"a box", `<request_box><setProduct><code>1</code></setProduct><setProduct_batch_req><setProduct><code>2</code></setProduct></setProduct_batch_req><getProduct/></request_box>`, "urn:request_box", 200, open + `<name>setProduct</name><code>1</code><name>setProduct</name><code>2</code><name>getProduct</name></Called>`},
		{"the beginning of a session", `<begin_boxcar/>`, "urn:begin_boxcar", 200, `<DATA_SERVICE_REQUEST_BOX_RESPONSE xmlns="http://ws.wso2.org/dataservice"/>`},
	} {
		for _, v := range []*version{soap11, soap12} {
			var w *httptest.ResponseRecorder
			if v == soap11 {
				w = post(e, wrap(v, c.body), "text/xml; charset=UTF-8", "SOAPAction", `"`+c.action+`"`)
			} else {
				w = post(e, wrap(v, c.body), `application/soap+xml; action="`+c.action+`"`)
			}
			if w.Code != c.status {
				t.Errorf("%s, %s: %d %s", c.what, v.media, w.Code, w.Body)
				continue
			}
			if c.status == http.StatusAccepted {
				if w.Body.Len() > 0 {
					t.Errorf("%s, %s: %s", c.what, v.media, w.Body)
				}
				continue
			}
			if got := payload(t, v, w.Body.String()); got != c.want {
				t.Errorf("%s, %s:\n got %s\nwant %s", c.what, v.media, got, c.want)
			}
			if got := w.Header().Get("Content-Type"); got != v.media+"; charset=utf-8" {
				t.Errorf("%s: Content-Type %s", c.what, got)
			}
		}
	}
}

func newStock(t *testing.T) *Endpoint {
	t.Helper()
	return open(echo{}, exchange.Options{})
}

// fault is one as a client reads it, in either version.
type fault struct {
	Code11 string          `xml:"faultcode"`
	Text11 string          `xml:"faultstring"`
	Code12 string          `xml:"Code>Value"`
	Sub12  string          `xml:"Code>Subcode>Value"`
	Text12 string          `xml:"Reason>Text"`
	Det11  exchange.Detail `xml:"detail>DataServiceFault"`
	Det12  exchange.Detail `xml:"Detail>DataServiceFault"`
}

func (f fault) code() string {
	return strings.TrimSpace(f.Code11 + " " + strings.TrimSpace(f.Code12+" "+f.Sub12))
}
func (f fault) text() string { return f.Text11 + f.Text12 }
func (f fault) detail() exchange.Detail {
	return slices.MaxFunc([]exchange.Detail{f.Det11, f.Det12}, longer)
}
func longer(a, b exchange.Detail) int { return len(a.Code) - len(b.Code) }

func readFault(t *testing.T, v *version, answer string) fault {
	t.Helper()
	var f fault
	if err := xml.Unmarshal([]byte(payload(t, v, answer)), &f); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return f
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fail         dataservice.Fault
		status11     int
		status12     int
		code11, code string
	}{
		{dataservice.Fault{Code: dataservice.DatabaseError}, 500, 500, "ds:DATABASE_ERROR", "soapenv:Receiver ds:DATABASE_ERROR"},
		{dataservice.Fault{Code: dataservice.ValidationError, Kind: dataservice.FaultInput}, 500, 400, "ds:VALIDATION_ERROR", "soapenv:Sender ds:VALIDATION_ERROR"},
		{dataservice.Fault{Code: dataservice.ConnectionUnavailable, Kind: dataservice.FaultUnreachable}, 500, 500, "ds:CONNECTION_UNAVAILABLE_ERROR", "soapenv:Receiver ds:CONNECTION_UNAVAILABLE_ERROR"},
		{dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultBusy}, 429, 429, "ds:UNKNOWN_ERROR", "soapenv:Receiver ds:UNKNOWN_ERROR"},
	} {
		c.fail.Message, c.fail.Err = "the <database> said no", errors.New("salaries")
		c.fail.Params = map[string]string{"code": "1", "password": "hush"}
		e := open(echo{fail: &c.fail}, exchange.Options{})
		for _, v := range []*version{soap11, soap12} {
			w := post(e, wrap(v, `<getProduct><code>1</code></getProduct>`), v.media)
			f := readFault(t, v, w.Body.String())
			status, code := c.status11, c.code11
			if v == soap12 {
				status, code = c.status12, c.code
			}
			if w.Code != status || f.code() != code {
				t.Errorf("%v: %d %s, want %d %s", c.fail.Code, w.Code, f.code(), status, code)
			}
			d := f.detail()
			if d.Nested != c.fail.Message || d.Request != "getProduct" || d.Code != string(c.fail.Code) || d.Params != "{code=1, password=***}" ||
				d.Source.Name != "Stock" || d.Source.Location != "Stock.dbs" || d.Source.Namespace != "urn:stock" {
				t.Errorf("detail %+v", d)
			}
			if !strings.Contains(f.text(), "DS Fault Message: the <database> said no\nDS Code: "+string(c.fail.Code)+"\n") {
				t.Errorf("text %q", f.text())
			}
			if strings.Contains(w.Body.String(), "salaries") || strings.Contains(w.Body.String(), "Called") {
				t.Errorf("it says too much: %s", w.Body)
			}
			if busy := w.Code == 429; busy && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
}

// long writes a result of more than the buffer and then fails.
type long struct {
	echo
	fail error
}

func (l long) Run(_ context.Context, _ dataservice.Request, out result.Sink) (bool, error) {
	if err := out.Open(result.Name{Local: "rows"}, false); err != nil {
		return false, err
	}
	for range 500 {
		if err := out.Leaf(result.Name{Local: "row"}, result.Value{Valid: true, Text: strings.Repeat("x", 1000)}); err != nil {
			return false, err
		}
	}
	return false, errors.Join(l.fail, out.Close())
}

// TestLongAnswers: what fails in the middle is never a whole answer.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	for _, fail := range []error{nil, errors.New("the connection was lost")} {
		e := open(long{fail: fail}, exchange.Options{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.Serve(w, r, "", nil) }))
		resp, err := server.Client().Post(server.URL, "text/xml", strings.NewReader(wrap(soap11, "<getProduct/>")))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		server.Close()
		if (err == nil) != (fail == nil) || len(body) < 100_000 {
			t.Errorf("failing with %v: %d bytes, %v", fail, len(body), err)
		}
		if whole := strings.HasSuffix(string(body), tail); whole != (fail == nil) {
			t.Errorf("failing with %v: the envelope is ended: %v", fail, whole)
		}
		if fail == nil && len(payload(t, soap11, string(body))) < 500_000 {
			t.Error("a part is missing")
		}
	}
}
