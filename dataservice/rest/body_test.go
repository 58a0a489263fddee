package rest

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

var product = envelope{name: exchange.Fold("POSTproduct/{code}"), params: []dataservice.WithParam{
	{QueryParam: "code"}, {QueryParam: "name"}, {QueryParam: "_postproduct_code"},
}}

const (
	asJSON = "application/json"
	asXML  = "application/xml"
	asForm = "application/x-www-form-urlencoded"
)

func TestParseBody(t *testing.T) {
	t.Parallel()
	type values = dataservice.Values
	plain := envelope{name: "addproduct"}
	for _, c := range []struct {
		what, media, body string
		in                envelope
		want              values
	}{
		{
			"flat JSON", asJSON, `{"code":"S10","price":95.70,"big":12345678901234567890,"on":true}`, plain,
			values{"code": {"S10"}, "price": {"95.70"}, "big": {"12345678901234567890"}, "on": {"true"}},
		},
		{"envelope of an operation", asJSON, `{"addProduct":{"code":"S10"}}`, plain, values{"code": {"S10"}}},
		// Any name will do, as the original's own test has it (JSONPayloadSampleTestCase).
		{"envelope of another name", asJSON, `{"product":{"code":"S10"}}`, plain, values{"code": {"S10"}}},
		{"element of another name", asXML, `<product><code>S10</code></product>`, plain, values{"code": {"S10"}}},
		{"envelope of a resource", asJSON, ` {"_postproduct_code":{"code":"S10"}} `, envelope{name: product.name}, values{"code": {"S10"}}},
		{"envelope in another spelling", asJSON, `{"_postProduct/{code}":{"code":"S10"}}`, product, values{"code": {"S10"}}},
		{"null, empty and absent", asJSON, `{"a":null,"b":"","c":[]}`, plain, values{"a": {}, "b": {""}, "c": {}}},
		{"array", asJSON, `{"ids":[1,"two",false]}`, plain, values{"ids": {"1", "two", "false"}}},
		{"nothing", asJSON, `{}`, plain, values{}},
		{"envelope around null", asJSON, `{"addProduct":null}`, plain, values{}},
		{"envelope around nothing", asJSON, `{"addProduct":""}`, plain, values{}},
		{"a parameter with the envelope's name", asJSON, `{"_postproduct_code":null}`, product, values{"_postproduct_code": {}}},
		{"JSON with a byte order mark", asJSON, "\ufeff{}", plain, values{}},
		{"escapes", asJSON, `{"a":"\u00e9\n\ud83d\ude00"}`, plain, values{"a": {"é\n😀"}}},
		{
			"XML", asXML, `<?xml version="1.0"?><!-- c --><addProduct><code>S10</code><name>a&amp;b<![CDATA[<c>]]></name></addProduct>`, plain,
			values{"code": {"S10"}, "name": {"a&b<c>"}},
		},
		{"XML in a namespace", "text/xml", `<p:addProduct xmlns:p="urn:x"><p:code>S10</p:code></p:addProduct>`, plain, values{"code": {"S10"}}},
		{"XML of a resource", asXML, `<_postproduct_code><code>S10</code></_postproduct_code>`, product, values{"code": {"S10"}}},
		{
			"XML array, null, empty", asXML, `<addProduct xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id>1</id><id>2</id><a xsi:nil="true"/><b/><c xsi:nil="false">x</c></addProduct>`,
			plain,
			values{"id": {"1", "2"}, "a": {}, "b": {""}, "c": {"x"}},
		},
		{"XML with a byte order mark", asXML, "\ufeff<addProduct/>", plain, values{}},
		{"XML in Latin-1, by its declaration", asXML, "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><addProduct><a>\xe9</a></addProduct>", plain, values{"a": {"é"}}},
		{"XML in Latin-1, by its type", asXML + "; charset=iso-8859-1", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><addProduct><a>\xe9</a></addProduct>", plain, values{"a": {"é"}}},
		{"form", asForm, "a=1&a=2&b=&c&d=x%20y+z", plain, values{"a": {"1", "2"}, "b": {""}, "c": {""}, "d": {"x y z"}}},
		{"form in Latin-1", asForm + "; charset=ISO-8859-1", "a=\xe9", plain, values{"a": {"é"}}},
		{"JSON with a charset", asJSON + `; charset="UTF-8"`, `{"a":"é"}`, plain, values{"a": {"é"}}},
	} {
		got, err := parseBody(c.media, []byte(c.body), c.in)
		if err != nil || !equalValues(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.what, got, err, c.want)
		}
	}
}

func TestParseBodyRefuses(t *testing.T) {
	t.Parallel()
	op := envelope{name: "op"}
	many := func(piece string, n int) string { return strings.Repeat(piece, n) }
	for _, c := range []struct {
		what, media, body string
		status            int
		says              string
	}{
		{"no type", "", "x", 415, "Content-Type must be"},
		{"another type", "application/soap+xml", "<x/>", 415, "Content-Type must be"},
		{"multipart", "multipart/form-data; boundary=x", "--x--", 415, "Content-Type must be"},
		{"another charset", asJSON + "; charset=utf-16", "{}", 415, "charset must be"},

		{"JSON that is an array", asJSON, `[1]`, 400, "must be an object"},
		{"JSON that is a scalar", asJSON, `1`, 400, "must be an object"},
		{"JSON cut", asJSON, `{"a":`, 400, "ends too early"},
		{"JSON cut in an array", asJSON, `{"a":[1`, 400, "ends too early"},
		{"no JSON", asJSON, `{a:1}`, 400, "not JSON"},
		{"JSON and more", asJSON, `{"a":1} {}`, 400, "follows its end"},
		{"a name twice", asJSON, `{"a":1,"a":2}`, 400, `"a" twice`},
		{"a name twice, within", asJSON, `{"op":{"a":1,"a":2}}`, 400, `"a" twice`},
		{"an object as a value", asJSON, `{"op":{"a":{"b":1}}}`, 400, "must be a string"},
		{"an array in an array", asJSON, `{"a":[[1]]}`, 400, "must be a string"},
		{"a null in an array", asJSON, `{"a":[1,null]}`, 400, "no null"},
		{"more after the envelope", asJSON, `{"op":{"a":1},"b":2}`, 400, "follows the envelope"},
		{"an object after a parameter", asJSON, `{"b":2,"op":{"a":1}}`, 400, "must be a string"},
		{"a batch", asJSON, `{"op_batch_req":{"op":[{"a":1}]}}`, 400, `"op" must be`},
		{"JSON in Latin-1 that claims nothing", asJSON, "{\"a\":\"\xe9\"}", 400, "not UTF-8"},
		{"deep JSON", asJSON, many(`{"op":`, 100_000), 400, "must be a string"},
		{"deep arrays", asJSON, `{"a":` + many("[", 100_000), 400, "must be a string"},
		{"many values in JSON", asJSON, `{"a":[` + many("1,", exchange.MaxValues) + `1]}`, 400, "more than 10000"},

		{"a DTD", asXML, `<!DOCTYPE op [<!ENTITY x "y">]><op><a>&x;</a></op>`, 400, "DTD"},
		{"a DTD of somewhere else", asXML, `<!DOCTYPE op SYSTEM "file:///etc/passwd"><op/>`, 400, "DTD"},
		{"an entity", asXML, `<op><a>&lol;</a></op>`, 400, "not well-formed"},
		{"a processing instruction", asXML, `<?php x?><op/>`, 400, "processing instruction"},
		{"two roots", asXML, `<op/><op/>`, 400, "more than one"},
		{"no root", asXML, `<!-- nothing -->`, 400, "no element"},
		{"text outside", asXML, `<op/>x`, 400, "outside"},
		{"text between", asXML, `<op>x<a>1</a></op>`, 400, "between"},
		{"XML cut", asXML, `<op><a>1</a>`, 400, "not well-formed"},
		{"mismatched tags", asXML, `<op></po>`, 400, "not well-formed"},
		{"deep XML", asXML, many("<op>", 100_000), 400, "must hold text"},
		{"elements in a parameter", asXML, `<op><a><b/></a></op>`, 400, "must hold text"},
		{"an attribute twice", asXML, `<op><a b="1" b="2"/></op>`, 400, "twice"},
		{"an attribute twice by its namespace", asXML, `<op xmlns:x="u" xmlns:y="u"><a x:b="1" y:b="2"/></op>`, 400, "twice"},
		{"many attributes", asXML, `<op ` + many(`a="1" `, 100_000) + `/>`, 400, "more than 128 attributes"},
		{"an undeclared prefix", asXML, `<p:op/>`, 400, "not declared"},
		{"an undeclared prefix of an attribute", asXML, `<op><a p:b="1"/></op>`, 400, "not declared"},
		{"a prefix declared elsewhere", asXML, `<op><a xmlns:p="u"/><p:b/></op>`, 400, "not declared"},
		{"a SOAP envelope", asXML, `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>`, 400, "SOAP"},
		{"a batch in XML", asXML, `<op_batch_req><op><a/></op></op_batch_req>`, 400, `"op" must hold text`},
		{"a null among values", asXML, `<op xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><a>1</a><a i:nil="1"/></op>`, 400, "no null"},
		{"values after a null", asXML, `<op xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><a i:nil="1"/><a>1</a></op>`, 400, "no null"},
		{"another encoding", asXML, `<?xml version="1.0" encoding="EBCDIC"?><op/>`, 415, "encoding must be"},
		{"XML that is not UTF-8", asXML, "<op><a>\xff</a></op>", 400, "not well-formed"},
		{"many values in XML", asXML, `<op>` + many("<a/>", exchange.MaxValues+1) + `</op>`, 400, "more than 10000"},

		{"a bad escape", asForm, "a=%zz", 400, "form is malformed"},
		{"a semicolon", asForm, "a=1;b=2", 400, "form is malformed"},
		{"many values in a form", asForm, many("a&", exchange.MaxValues), 400, "more than 10000"},
	} {
		got, err := parseBody(c.media, []byte(c.body), op)
		var p *exchange.Problem
		if !errors.As(err, &p) || p.Status != c.status || !strings.Contains(p.Text, c.says) {
			t.Errorf("%s: %v, %v, want %d %q", c.what, got, err, c.status, c.says)
		}
		if p != nil && len(p.Text) > 300 {
			t.Errorf("%s: says back %d bytes", c.what, len(p.Text))
		}
	}
}

func FuzzParseBody(f *testing.F) {
	for _, seed := range [][2]string{
		{asJSON, `{"op":{"a":[1,null,"x"],"b":{}}}`},
		{asXML, `<op xmlns:p="u"><a p:b="1">x</a><a/></op>`},
		{asXML, `<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE op><op/>`},
		{asForm, "a=1&b=%20;c"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		values, err := parseBody(media, body, envelope{name: "op"})
		var p *exchange.Problem
		if err != nil && (!errors.As(err, &p) || p.Status < 400 || http.StatusText(p.Status) == "") {
			t.Fatalf("an error that is no answer: %v", err)
		}
		count := 0
		for _, list := range values {
			count += len(list)
		}
		if err == nil && count > exchange.MaxValues {
			t.Fatalf("%d values got through", count)
		}
	})
}
