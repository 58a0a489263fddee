package cond

import (
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	const stock = `{"products":[{"code":"S10","quantity":7,"tags":["a","b"]},{"code":"S12","quantity":9007199254740993,"gone":null}],"ok":true,"n":0.5}`
	for _, c := range []struct {
		language, expression, document string
		want                           bool
	}{
		{XPath, "/json/products/quantity < 10", stock, true},
		{XPath, "count(/json/products) = 2", stock, true},
		{XPath, "count(//tags) = 2", stock, true},
		{XPath, "//products[code='S12']/quantity = '9007199254740993'", stock, true},
		{XPath, "/json/ok = 'true' and /json/n = 0.5", stock, true},
		{XPath, "//gone/@*[local-name()='nil'] = 'true'", stock, true},
		{CEL, "doc.ok && doc.products.exists(p, p.quantity < 10)", stock, true},
		{CEL, "rows.exists(r, r.quantity == 9007199254740993)", stock, true},
		{CEL, "doc.products[1].gone == null", stock, true},
		{XPath, "/json/item = 3", "[1,2,3]", true},
		{XPath, "/json/item/item = 3", "[[1,2],[3]]", true},
		{CEL, "rows.size() == 2 && rows[1].a == 2", `[{"a":1},{"a":2}]`, true},
		{XPath, "/json = 'text'", `"text"`, true},
		{XPath, "count(/json/item) = 2", `{"item":[1,2]}`, true},
		{XPath, "/json/a = ''", `{"a":""}`, true},
		{XPath, "/json/a", `{}`, false},
	} {
		d, err := ParseJSON([]byte(c.document))
		if err != nil {
			t.Errorf("%s: %v", c.document, err)
			continue
		}
		cond, err := Compile(c.language, c.expression)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := cond.Eval(d); err != nil || v.Holds != c.want {
			t.Errorf("%s of %s: %v, %v", c.expression, c.document, v.Holds, err)
		}
	}
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":          "unexpected EOF",
		"{":         "unexpected EOF",
		`{"a":`:     "unexpected EOF",
		`{"a":1}}`:  "more than one value",
		`1 2`:       "more than one value",
		`{"a":tru}`: "invalid character",
		`<a/>`:      "invalid character",
		strings.Repeat("[", 200) + strings.Repeat("]", 200): "values deep",
		"[" + strings.Repeat("1,", MaxNodes) + "1]":         "nodes",
		`"` + strings.Repeat("a", MaxDocument) + `"`:        "at most",
	} {
		if _, err := ParseJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}],"c":"x"}`, `[[],{}]`, `"x"`, `{"a":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ParseJSON(data)
		if err != nil {
			return
		}
		n := 0
		descendants(d.root, func(c *node) {
			n++
			if c.parent == nil {
				t.Error("a node without a parent")
			}
		})
		if n >= d.count {
			t.Errorf("%d nodes, counted %d", n, d.count)
		}
	})
}
