package soap

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// TestRefuses sends what must not be executed, each in the version that it names.
func TestRefuses(t *testing.T) {
	t.Parallel()
	e := open(echo{}, exchange.Options{Limits: exchange.Limits{MaxBody: 2 << 20}})
	many := strings.Repeat
	header := func(v *version, block string) string {
		return `<e:Envelope xmlns:e="` + v.space + `" xmlns:h="urn:h"><e:Header>` + block + `</e:Header><e:Body><getProduct/></e:Body></e:Envelope>`
	}
	in := func(body string) string { return wrap(soap11, body) }
	const begin = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">`
	for _, c := range []struct {
		what, body string
		v          *version
		status     int
		code, says string
	}{
		{"nothing", ``, soap11, 500, "soapenv:Client", "holds no element"},
		{"no XML", `{"a":1}`, soap11, 500, "soapenv:Client", "outside"},
		{"another root", `<getProduct/>`, soap11, 500, "soapenv:Client", "not a SOAP envelope"},
		{"the other version", wrap(soap12, "<getProduct/>"), soap11, 500, "soapenv:VersionMismatch", "Content-Type"},
		{"the other version again", in("<getProduct/>"), soap12, 500, "soapenv:VersionMismatch", "Content-Type"},
		{"an envelope of no version", `<Envelope xmlns="urn:x"><Body/></Envelope>`, soap11, 500, "soapenv:VersionMismatch", "namespace"},
		{"no body", begin + `</e:Envelope>`, soap11, 500, "soapenv:Client", "Body is wanted"},
		{"something else than a body", begin + `<e:Head/></e:Envelope>`, soap11, 500, "soapenv:Client", "Body is wanted"},
		{"two bodies", begin + `<e:Body/><e:Body/></e:Envelope>`, soap11, 500, "soapenv:Client", "may follow the Body"},
		{"two elements", in(`<getProduct/><getProduct/>`), soap11, 500, "soapenv:Client", "more than one"},
		{"text in the body", in(`x`), soap11, 500, "soapenv:Client", "text stands"},
		{"text beside parameters", in(`<getProduct>x<code>1</code></getProduct>`), soap11, 500, "soapenv:Client", "text stands"},
		{"text instead of parameters", in(`<getProduct>x</getProduct>`), soap11, 500, "soapenv:Client", "not text"},
		{"elements in a parameter", in(`<getProduct><code><b/></code></getProduct>`), soap11, 500, "soapenv:Client", "must hold text"},
		{"a null among values", in(`<getProduct xmlns:i="` + strictxml.Instance + `"><code>1</code><code i:nil="1"/></getProduct>`), soap11, 500, "soapenv:Client", "no null"},
		{"an unknown operation", in(`<none/>`), soap11, 500, "soapenv:Client", "no operation none"},
		{"an unknown operation, 1.2", wrap(soap12, `<none/>`), soap12, 400, "soapenv:Sender", "no operation none"},
		{"an operation that is not supported", in(`<later/>`), soap11, 500, "ds:UNKNOWN_ERROR", "CSV sources"},
		{"an empty body without an action", in(``), soap11, 500, "soapenv:Client", "no operation"},
		{"an empty batch", in(`<setProduct_batch_req/>`), soap11, 500, "soapenv:Client", "must hold an element"},
		{"a batch of what has a result", in(`<getProduct_batch_req/>`), soap11, 500, "soapenv:Client", "no operation"},
		{"an empty box", in(`<request_box/>`), soap11, 500, "soapenv:Client", "must hold an element"},
		{"a box in a box", in(`<request_box><request_box/></request_box>`), soap11, 500, "soapenv:Client", "cannot hold"},
		{"an unknown operation in a box", in(`<request_box><none/></request_box>`), soap11, 500, "soapenv:Client", "no operation none"},

		{"a header that must be understood", header(soap11, `<h:Security e:mustUnderstand="1"><h:x/></h:Security>`), soap11, 500, "soapenv:MustUnderstand", "Security"},
		{"the same in 1.2", header(soap12, `<h:Security e:mustUnderstand="true"/>`), soap12, 500, "soapenv:MustUnderstand", "Security"},
		{"one for the next", header(soap11, `<h:a e:mustUnderstand="1" e:actor="http://schemas.xmlsoap.org/soap/actor/next"/>`), soap11, 500, "soapenv:MustUnderstand", "a is not"},

		{"a DTD", `<!DOCTYPE x [<!ENTITY a "b">]>` + in(`<getProduct/>`), soap11, 500, "soapenv:Client", "DTD"},
		{"a DTD of elsewhere", `<!DOCTYPE x SYSTEM "file:///etc/passwd">` + in(`<getProduct/>`), soap11, 500, "soapenv:Client", "DTD"},
		{"an entity", in(`<getProduct><code>&xxe;</code></getProduct>`), soap11, 500, "soapenv:Client", "not well-formed"},
		{"a processing instruction", in(`<?php x?><getProduct/>`), soap11, 500, "soapenv:Client", "processing instruction"},
		{"two roots", in(`<getProduct/>`) + `<x/>`, soap11, 500, "soapenv:Client", "more than one element"},
		{"text after the end", in(`<getProduct/>`) + `x`, soap11, 500, "soapenv:Client", "outside"},
		{"cut short", begin + `<e:Body><getProduct>`, soap11, 500, "soapenv:Client", "not well-formed"},
		{"deep nesting", in(many("<a>", 100_000)), soap11, 500, "soapenv:Client", "64 deep"},
		{"deep nesting in a header", header(soap11, many("<a>", 1000)), soap11, 500, "soapenv:Client", "64 deep"},
		{"many attributes", in(`<getProduct ` + attributes(200) + `/>`), soap11, 500, "soapenv:Client", "more than 128 attributes"},
		{"an attribute twice", in(`<getProduct a="1" a="2"/>`), soap11, 500, "soapenv:Client", "twice"},
		{"an undeclared prefix", in(`<p:getProduct/>`), soap11, 500, "soapenv:Client", "not declared"},
		{"an undeclared prefix of an attribute", in(`<getProduct p:a="1"/>`), soap11, 500, "soapenv:Client", "not declared"},
		{"a long text", in(`<getProduct><code>` + many("x", 1<<20+1) + `</code></getProduct>`), soap11, 500, "soapenv:Client", "longer than"},
		{"many parameters", in(`<getProduct>` + many(`<code/>`, exchange.MaxValues+1) + `</getProduct>`), soap11, 500, "soapenv:Client", "more than 10000"},
		{"what is not UTF-8", in("<getProduct><code>\xff</code></getProduct>"), soap11, 500, "soapenv:Client", "not well-formed"},
		{"another encoding", `<?xml version="1.0" encoding="UTF-16"?>` + in(`<getProduct/>`), soap11, 415, "soapenv:Client", "encoding"},
		{"a body beyond the limit", in(many(" ", 3<<20)), soap11, 413, "soapenv:Client", "exceeds"},
	} {
		w := post(e, c.body, c.v.media)
		f := readFault(t, c.v, w.Body.String())
		if w.Code != c.status || f.code() != c.code || !strings.Contains(f.text(), c.says) {
			t.Errorf("%s: %d %s %q, want %d %s %q", c.what, w.Code, f.code(), f.text(), c.status, c.code, c.says)
		}
		if len(f.text()) > 600 {
			t.Errorf("%s: says back %d bytes", c.what, len(f.text()))
		}
		if headers := strings.HasSuffix(c.code, "MustUnderstand") || strings.HasSuffix(c.code, "VersionMismatch"); headers != (f.detail().Code == "") {
			t.Errorf("%s: detail %+v", c.what, f.detail())
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(` a` + strings.Repeat("a", i) + `="1"`)
	}
	return b.String()
}

// TestPassesOver: headers that are for others, or need not be understood.
func TestPassesOver(t *testing.T) {
	t.Parallel()
	for _, block := range []string{
		`<h:a><h:b>text</h:b></h:a>`,
		`<h:a e:mustUnderstand="0"/>`,
		`<h:a e:mustUnderstand="1" e:actor="urn:another"/>`,
		`<h:a mustUnderstand="1"/>`,
	} {
		w := post(newStock(t), `<e:Envelope xmlns:e="`+soap11.space+`" xmlns:h="urn:h"><e:Header>`+block+`</e:Header><e:Body><getProduct/></e:Body></e:Envelope>`, "text/xml")
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", block, w.Code, w.Body)
		}
	}
}

// TestTransport: what HTTP has a word for.
func TestTransport(t *testing.T) {
	t.Parallel()
	e := newStock(t)
	good := wrap(soap11, `<getProduct/>`)
	for _, c := range []struct {
		what   string
		w      *httptest.ResponseRecorder
		status int
		says   string
	}{
		{"an action that says another operation", post(e, good, "text/xml", "SOAPAction", `"urn:setProduct"`), 500, "the action says"},
		{"attachments", post(e, good, `multipart/related; type="application/xop+xml"`), 415, "attachments"},
		{"no type", post(e, good, ""), 415, "Content-Type"},
		// As the original's own test of boxcarring sends it (DS937BoxcarringTestCase).
		{"plain text with an action", post(e, good, "text/plain", "SOAPAction", `"urn:getProduct"`), 200, "getProduct"},
		{"plain text without one", post(e, good, "text/plain"), 415, "Content-Type"},
		{"compressed", post(e, good, "text/xml", "Content-Encoding", "gzip"), 415, "send it plain"},
		{"another charset", post(e, good, "text/xml; charset=utf-16"), 415, "charset"},
		{"Latin-1", post(e, wrap(soap11, "<getProduct><code>\xe9</code></getProduct>"), "text/xml; charset=ISO-8859-1"), 200, "é"},
		{"another site", post(e, good, "text/xml", "Sec-Fetch-Site", "cross-site"), 403, "another site"},
	} {
		if c.w.Code != c.status || !strings.Contains(c.w.Body.String(), c.says) {
			t.Errorf("%s: %d %s", c.what, c.w.Code, c.w.Body)
		}
	}
	w := httptest.NewRecorder()
	e.Serve(w, httptest.NewRequest(http.MethodGet, "/services/Stock.SOAP11Endpoint", nil), "", nil)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/services/Stock/getProduct", strings.NewReader(wrap(soap11, "")))
	r.Header.Set("Content-Type", "text/xml")
	if e.Serve(w, r, "getProduct", nil); w.Code != http.StatusOK {
		t.Errorf("an operation in the path: %d %s", w.Code, w.Body)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		wrap(soap11, `<p:op xmlns:p="u"><a>1</a><a/></p:op>`),
		wrap(soap12, `<request_box><a><b>1</b></a></request_box>`),
		`<e:Envelope xmlns:e="` + soap11.space + `"><e:Header><h:a xmlns:h="u" e:mustUnderstand="1" e:actor=""/></e:Header><e:Body/></e:Envelope>`,
		`<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE x [<!ENTITY a "b">]>` + wrap(soap11, `<op>&a;</op>`),
	} {
		f.Add([]byte(seed), false)
	}
	all := callsOf(stock())
	f.Fuzz(func(t *testing.T, data []byte, decoded bool) {
		for _, v := range []*version{soap11, soap12} {
			body, err := parse(data, decoded, v)
			var p *exchange.Problem
			if err != nil {
				if !errors.As(err, &p) || http.StatusText(p.Status) == "" {
					t.Fatalf("an error that is no answer: %v", err)
				}
				continue
			}
			if depth(body) > strictxml.MaxDepth {
				t.Fatal("too deep")
			}
			to, err := all.find(body, "", "")
			if (to == nil) == (err == nil) {
				t.Fatalf("%v, %v", to, err)
			}
			if given, err := values(body); err == nil && len(given) > exchange.MaxValues {
				t.Fatalf("%d values got through", len(given))
			}
		}
	})
}

func depth(e *exchange.Element) int {
	if e == nil {
		return 0
	}
	deepest := 0
	for i := range e.Children {
		deepest = max(deepest, depth(&e.Children[i]))
	}
	return deepest + 1
}
