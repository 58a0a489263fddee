package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// boxer is a Runner that writes down what it is asked.
type boxer struct{ got []string }

func (b *boxer) Run(_ context.Context, r dataservice.Request, out result.Sink) (bool, error) {
	b.got = append(b.got, "run "+show(r))
	return r.Target.Query == "write", nil
}

func (b *boxer) RunBox(_ context.Context, box dataservice.Box, out result.Sink) (bool, error) {
	kind := "box"
	if box.Batch {
		kind = "batch"
	}
	var list []string
	for _, r := range box.Requests {
		list = append(list, show(r))
	}
	b.got = append(b.got, kind+" "+strings.Join(list, "; "))
	return false, out.Leaf(result.Name{Local: "done"}, result.Value{Valid: true, Text: fmt.Sprint(len(list))})
}

func show(r dataservice.Request) string {
	text := r.Name
	for _, name := range slices.Sorted(maps.Keys(r.Values)) {
		text += " " + name + "=" + fmt.Sprintf("%q", r.Values[name])
	}
	return text
}

// boxed is the stock, with boxes and batches.
func boxed() *dataservice.Service {
	s := stock()
	s.Boxcarring, s.LegacyBoxcarring, s.BatchRequests = true, true, true
	return s
}

func TestMany(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, media, body string
		status                          int
		want                            string // what was asked, or what the answer says
	}{
		{
			"a batch in JSON", "POST", "setProduct_batch_req", asJSON, `{"setProduct_batch_req":{"setProduct":[{"code":"a","name":1},{"code":"b","name":null}]}}`, 200,
			`batch setProduct_batch_req code=["a"] name=["1"]; setProduct_batch_req code=["b"] name=[]`,
		},
		{"a batch of one", "POST", "setProduct_batch_req", asJSON, `{"setProduct_batch_req":{"setProduct":{"code":"a"}}}`, 200, `batch setProduct_batch_req code=["a"]`},
		{
			"a batch in XML", "POST", "setProduct_batch_req", asXML, `<p:setProduct_batch_req xmlns:p="urn:x"><p:setProduct><p:code>a</p:code></p:setProduct><p:setProduct><p:code>b</p:code><p:code>c</p:code></p:setProduct></p:setProduct_batch_req>`, 200,
			`batch setProduct_batch_req code=["a"]; setProduct_batch_req code=["b" "c"]`,
		},
		{"a batch of a resource", "PUT", "product_batch_req", asJSON, `{"_putproduct_batch_req":{"_putproduct":[{"code":"a"}]}}`, 200, `batch PUT product_batch_req code=["a"]`},
		{"a batch of a resource by its name", "POST", "_putproduct_batch_req", asJSON, `{"_putproduct_batch_req":{"_putproduct":[{"code":"a"}]}}`, 200, `batch PUT product_batch_req code=["a"]`},
		{"a batch of what reads", "POST", "getProduct_batch_req", asJSON, `{}`, 404, "no such operation"},
		{"a batch by GET", "GET", "setProduct_batch_req", "", "", 405, "not allowed"},
		// As the original's own test of JSON sends it (JSONPayloadSampleTestCase).
		{"another envelope", "POST", "setProduct_batch_req", asJSON, `{"products":{"product":[{"code":"a"},{"code":"b"}]}}`, 200, `batch setProduct_batch_req code=["a"]; setProduct_batch_req code=["b"]`},
		{"two envelopes", "POST", "setProduct_batch_req", asJSON, `{"a":{},"b":{}}`, 400, "one member"},
		{"elements in a parameter", "POST", "setProduct_batch_req", asXML, `<setProduct_batch_req><setProduct><code><x/></code></setProduct></setProduct_batch_req>`, 400, "must hold text"},
		{"too deep", "POST", "setProduct_batch_req", asXML, `<setProduct_batch_req><a><b><c><d/></c></b></a></setProduct_batch_req>`, 400, "too deep"},
		{"too deep in JSON", "POST", "request_box", asJSON, strings.Repeat(`{"request_box":`, 2000) + "1" + strings.Repeat("}", 2000), 400, "too deep"},
		{"too many", "POST", "request_box", asJSON, `{"request_box":{"setProduct":[` + strings.TrimSuffix(strings.Repeat("{},", exchange.MaxValues+1), ",") + `]}}`, 400, "more than 10000"},
		{"a form", "POST", "request_box", asForm, `a=1`, 415, "many requests"},
		{
			"a box", "POST", "request_box", asJSON, `{"request_box":{"setProduct":{"code":"a"},"_putproduct":{"code":"b"},"_getproduct_code":{"code":"c"}}}`, 200,
			`box setProduct code=["a"]; PUT product code=["b"]; GET product/{code} code=["c"]`,
		},
		{
			"a box with the same twice and a batch", "POST", "request_box", asXML, `<request_box><setProduct><code>a</code></setProduct><setProduct><code>b</code></setProduct><setProduct_batch_req><setProduct><code>c</code></setProduct><setProduct><code>d</code></setProduct></setProduct_batch_req></request_box>`, 200,
			`box setProduct code=["a"]; setProduct code=["b"]; setProduct_batch_req code=["c"]; setProduct_batch_req code=["d"]`,
		},
		{"a batch by its shape alone", "POST", "request_box", asXML, `<request_box><setProduct><x><code>c</code></x></setProduct></request_box>`, 200, `box setProduct code=["c"]`},
		{"an empty box", "POST", "request_box", asJSON, `{"request_box":{}}`, 200, "box "},
		{"a box with a stranger", "POST", "request_box", asJSON, `{"request_box":{"nothing":{}}}`, 400, "nothing"},
		{"a box within a box", "POST", "request_box", asJSON, `{"request_box":{"request_box":{}}}`, 400, "no operation or resource"},
		{"a box with what is refused", "POST", "request_box", asJSON, `{"request_box":{"later":{}}}`, 501, "CSV"},
		{"a box by GET", "GET", "request_box", "", "", 405, "not allowed"},
		{"the end of no session", "POST", "end_boxcar", "", "", 400, "no boxcarring session"},
		{"giving up no session", "POST", "abort_boxcar", "", "", 202, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run := &boxer{}
			w := ask(t, New(exchange.NewGate(boxed(), exchange.Options{}), run), c.method, c.path, c.body, "Content-Type", c.media)
			said := strings.Join(run.got, "\n")
			if c.status != http.StatusOK {
				if said != "" {
					t.Errorf("was executed: %s", said)
				}
				said = w.Body.String()
			}
			if w.Code != c.status || !strings.Contains(said, c.want) {
				t.Errorf("%d %s, want %d %s", w.Code, said, c.status, c.want)
			}
		})
	}
}

// A session keeps what is asked until its end, for its client alone.
func TestSession(t *testing.T) {
	t.Parallel()
	run := &boxer{}
	e := New(exchange.NewGate(boxed(), exchange.Options{}), run)
	cookie := func(w *httptest.ResponseRecorder) string {
		c := w.Result().Cookies() //nolint:bodyclose // a recorder's
		if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode {
			t.Fatalf("cookies %v", c)
		}
		return c[0].Name + "=" + c[0].Value
	}
	began := ask(t, e, "POST", "begin_boxcar", "")
	if began.Code != http.StatusOK || !strings.Contains(began.Body.String(), "DATA_SERVICE_REQUEST_BOX_RESPONSE") {
		t.Fatalf("begin: %d %s", began.Code, began.Body)
	}
	mine := cookie(began)
	for _, c := range []struct{ path, body, want string }{
		{"setProduct", `{"setProduct":{"code":"a"}}`, ""},
		{"setProduct_batch_req", `{"setProduct_batch_req":{"setProduct":[{"code":"b"},{"code":"c"}]}}`, ""},
		{"getProduct", `{"code":"a"}`, `{"Products":{}}`},
	} {
		w := ask(t, e, "POST", c.path, c.body, "Content-Type", asJSON, "Accept", asJSON, "Cookie", mine)
		if w.Code >= 300 || strings.TrimSpace(w.Body.String()) != c.want {
			t.Errorf("%s in a session: %d %q, want %q", c.path, w.Code, w.Body, c.want)
		}
	}
	if len(run.got) != 0 {
		t.Fatalf("executed before the end: %q", run.got)
	}
	// Others are served meanwhile.
	ask(t, e, "POST", "setProduct", `{"code":"x"}`, "Content-Type", asJSON)
	ask(t, e, "POST", "setProduct", `{"code":"y"}`, "Content-Type", asJSON, "Cookie", "JSESSIONID=guess")
	end := ask(t, e, "POST", "end_boxcar", "", "Accept", asJSON, "Cookie", mine)
	var answer map[string]string
	if err := json.Unmarshal(end.Body.Bytes(), &answer); err != nil || end.Code != http.StatusOK || answer["done"] != "4" {
		t.Errorf("end: %d %s %v", end.Code, end.Body, err)
	}
	want := []string{
		`run setProduct code=["x"]`, `run setProduct code=["y"]`,
		`box setProduct code=["a"]; setProduct_batch_req code=["b"]; setProduct_batch_req code=["c"]; getProduct code=["a"]`,
	}
	if !slices.Equal(run.got, want) {
		t.Errorf("got %q\nwant %q", run.got, want)
	}
	if w := ask(t, e, "POST", "end_boxcar", "", "Cookie", mine); w.Code != http.StatusBadRequest {
		t.Errorf("a second end: %d", w.Code)
	}
	// A session that is given up leaves nothing.
	mine = cookie(ask(t, e, "POST", "begin_boxcar", ""))
	ask(t, e, "POST", "setProduct", `{"code":"z"}`, "Content-Type", asJSON, "Cookie", mine)
	ask(t, e, "POST", "abort_boxcar", "", "Cookie", mine)
	if w := ask(t, e, "POST", "end_boxcar", "", "Cookie", mine); w.Code != http.StatusBadRequest || len(run.got) != 3 {
		t.Errorf("after abort_boxcar: %d, %q", w.Code, run.got)
	}
	// Another site's page cannot begin one.
	if w := ask(t, e, "GET", "begin_boxcar", "", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	// Without boxcarring none of it is there.
	if w := ask(t, New(exchange.NewGate(stock(), exchange.Options{}), run), "POST", "begin_boxcar", ""); w.Code != http.StatusNotFound {
		t.Errorf("without boxcarring: %d", w.Code)
	}
}
