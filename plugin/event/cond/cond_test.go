package cond

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func eval(t *testing.T, language, expression, doc string) (Verdict, error) {
	t.Helper()
	c, err := Compile(language, expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	d, err := Parse([]byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return c.Eval(d)
}

// TestDefaultNamespace: the one rule that is wider than the Recommendation's.
func TestDefaultNamespace(t *testing.T) {
	t.Parallel()
	const doc = `<Products xmlns="urn:x" xmlns:p="urn:p"><Product><qty>5</qty><p:code>1</p:code></Product></Products>`
	for expression, want := range map[string]bool{
		"//qty < 10":                   true,
		"/Products/Product/qty = 5":    true,
		"//code":                       false, // written with a prefix
		"//*[local-name()='code']":     true,
		"namespace-uri(//qty)='urn:x'": true,
	} {
		if v, err := eval(t, XPath, expression, doc); err != nil || v.Holds != want {
			t.Errorf("%s: %v, %v", expression, v.Holds, err)
		}
	}
}

func TestXPathRefusals(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                "the expression is empty",
		"  ":              "the expression is empty",
		"//a[":            "1:5: expected a path step, not end of the expression",
		"//a]":            `1:4: unexpected "]"`,
		"/a/":             "1:4: expected a path step, not end of the expression",
		"//a\n  = $x":     "2:5: variables are not available here",
		"ä = €":           `1:5: unexpected character '€'`,
		"'open":           "1:1: the string is not closed",
		"foo(1)":          "1:1: XPath 1.0 has no function foo()",
		"matches(a, 'b')": "1:1: matches() is not available: it is XPath 2.0; write the condition in CEL",
		"id('x')":         "1:1: id() is not available: documents here have no type declaration, so no ids",
		"count('a')":      "1:7: count() needs a node-set, 'a' is a string",
		"sum(1 + 2)":      "1:5: sum() needs a node-set, 1 + 2 is a number",
		"contains('a')":   "1:1: contains() does not take 1 arguments",
		"true(1)":         "1:1: true() does not take 1 arguments",
		"1 | //a":         "1:3: both sides of | must be node-sets",
		"'a'/b":           "1:4: 'a' is a string, not a node-set: no path can begin there",
		"(1)[1]":          "1:4: 1 is a number, not a node-set: it cannot be filtered",
		"//p:a":           "1:3: prefix p is bound to no namespace here: write *[local-name()='a']",
		"//p:":            "1:4: expected a name after the prefix p",
		"namespace::a":    "1:1: the namespace axis is not available: compare namespace-uri()",
		"sideways::a":     "1:1: XPath 1.0 has no axis sideways",
		"a b":             "1:3: expected an operator before b",
		"a = ":            "1:5: expected a path step, not end of the expression",
		"a ! b":           "1:3: unexpected character '!'",
		"concat('a', 'b'": `1:16: expected ",", not end of the expression`,
		"\xff":            "the expression is not valid UTF-8",
		strings.Repeat("(", 60) + "1" + strings.Repeat(")", 60): "1:51: more than 50 levels deep",
		strings.Repeat("1+", 3000) + "1":                        "at most 4096 are allowed",
	} {
		_, err := Compile("", expression)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", expression, err, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	for _, l := range []string{"", "XPath", "xpath", "CEL", "cel"} {
		if _, err := Compile(l, "true"); err != nil {
			t.Errorf("%q: %v", l, err)
		}
	}
	if _, err := Compile("XQuery", "true()"); err == nil || err.Error() != `language "XQuery" is not known: use XPath or CEL` {
		t.Errorf("%v", err)
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	const doc = `<r k="v"><row><qty>5</qty><code>A</code></row><row><qty>50</qty><code>B</code></row><row><qty> 7
 </qty></row></r>`
	for _, c := range []struct{ language, expression, want string }{
		{XPath, "//qty < 10", "[{qty 5} {qty 7}]"},
		{XPath, "//row[qty < 10]/code", "[{qty 5} {qty 7} {code A}]"},
		{XPath, "count(//row) > 2", "[{count(//row) 3}]"},
		{XPath, "/r/@k = 'v'", "[{@k v}]"},
		{XPath, "sum(//row[qty < 10]/qty) + 1 = 13", "[{qty 5} {qty 7} {sum(//row[qty < 10]/qty) + 1 13}]"},
		{XPath, "//qty > 100", "[]"},
		{XPath, "true()", "[]"},
		{CEL, "rows.exists(r, r.qty < 10)", "[{qty 5} {qty 50} {qty 7}]"},
		{CEL, "doc['@k'] == 'v'", "[]"},
	} {
		if v, err := eval(t, c.language, c.expression, doc); err != nil || fmt.Sprint(v.Found) != c.want {
			t.Errorf("%s: found %v, %v, want %s", c.expression, v.Found, err, c.want)
		}
	}
}

// big is a document of n rows.
func big(n int) string {
	var b strings.Builder
	b.WriteString("<r>")
	for i := range n {
		fmt.Fprintf(&b, "<a>%d</a>", i)
	}
	return b.String() + "</r>"
}

// TestBudget: what would take minutes ends soon, with an error.
func TestBudget(t *testing.T) {
	t.Parallel()
	doc := big(20_000)
	for _, c := range []struct{ language, expression string }{
		{XPath, "//a[. = //a[. = 'x']]"},
		{XPath, "//a < //a[. = -1] or //a/text() = //b or //a != //a[. = .] and not(//a[//a = 'y'])"},
		{XPath, "count(//a/following::*/preceding::*)"},
		{XPath, "count(//node()[//a[//a]])"},
		{XPath, "string-length(translate(concat(/,/,/,/,/,/,/,/), //a, //a)) > count(//a[string-length(/) = 1])"},
		{CEL, "doc.a.all(x, doc.a.all(y, x + y >= 0))"},
	} {
		began := time.Now()
		_, err := eval(t, c.language, c.expression, doc)
		if !errors.Is(err, ErrBudget) {
			t.Errorf("%s: %v", c.expression, err)
		}
		took := time.Since(began)
		if t.Logf("%s: %s", c.expression, took); took > 20*time.Second {
			t.Errorf("%s took %s", c.expression, took)
		}
	}
}

func TestDocumentRefusals(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"":                 "no root element",
		"text":             "text outside the root element",
		"<a/><b/>":         "more than one root element",
		"<a>":              "element a is not closed",
		"<a></b>":          "unexpected end of element b",
		"<!DOCTYPE a><a/>": "a document type declaration is not allowed",
		"<a>&b;</a>":       "invalid character entity",
		"<p:a/>":           "prefix p is not declared",
		"<a p:b='1'/>":     "prefix p is not declared",
		"<a b='1' b='2'/>": "attribute b is there twice",
		"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>": "attribute b is there twice",
		strings.Repeat("<a>", 200):                     "more than 128 elements deep",
		"<a>" + strings.Repeat("<b/>", MaxNodes+1):     "more than 200000 nodes",
		"<a>" + strings.Repeat("x", MaxDocument):       "at most 4194304 are evaluated",
	} {
		if _, err := Parse([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", doc, err, want)
		}
	}
}

func TestCEL(t *testing.T) {
	t.Parallel()
	input, rows := string(read(t, "input")), string(read(t, "plain"))
	for _, c := range []struct {
		doc, expression string
		want            bool
	}{
		{input, "doc.quantityInStock < 10", true},
		{input, "doc.quantityInStock < 5", false},
		{input, "doc.quantityInStock < 5.5", true},
		{input, "doc.price > 12", true},
		{input, "doc.price == 12.5", true},
		{input, "doc.negative + doc.quantityInStock == 2", true},
		{input, "doc.productCode == 'S10_1678'", true},
		{input, "doc.productCode.startsWith('S10')", true},
		{input, "doc.productCode.matches('^S[0-9]+_')", true},
		{input, "doc.tag.size() == 3 && doc.tag[1] == 'b'", true},
		{input, "doc.empty == ''", true},
		{input, "has(doc.missing)", false},
		{input, "!has(doc.missing) || doc.missing < 3", true},
		{input, "string(doc.quantityInStock) == '5'", true},
		{input, "doc.padded == ' 7 '", true},
		{input, "rows.size() == 0", true},
		{rows, "rows.exists(r, has(r.qty) && type(r.qty) == int && r.qty < 10)", true},
		{rows, "doc.row.size() == 3 && doc.row[0].code == 'A1'", true},
		{rows, "doc.row[2]['@id'] == 3", true},
		{rows, "doc.row.all(r, r.qty > 4)", true},
		{"<r><x>007</x></r>", "doc.x == '007'", true},
		{"<r><x>9007199254740993</x></r>", "doc.x == 9007199254740993", true},
		{"<r><x>99999999999999999999</x></r>", "doc.x == '99999999999999999999'", true},
		{"<r><x>1e3</x><y>+5</y><z>true</z></r>", "doc.x == '1e3' && doc.y == '+5' && doc.z", true},
		{"<r xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><x i:nil='true'/></r>", "doc.x == null", true},
		{"<r><x>1</x></r>", "doc.x == 1 && doc.x == 1.0 && doc.x == 1u", true},
	} {
		if v, err := eval(t, CEL, c.expression, c.doc); err != nil || v.Holds != c.want {
			t.Errorf("%s: %v, %v, want %v", c.expression, v.Holds, err, c.want)
		}
	}
}

func TestCELRefusals(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"doc.x <":         "1:8: Syntax error",
		"doc.x ==\n nope": "2:2: undeclared reference to 'nope'",
		"1 + 1":           "the expression gives int, not a bool",
		"'a'":             "the expression gives string, not a bool",
		strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100): "recursion",
	} {
		if _, err := Compile(CEL, expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", expression, err, want)
		}
	}
	for expression, want := range map[string]string{
		"doc.missing < 10": "no such key: missing",
		"doc.x":            "the expression gives int, not a bool",
		"doc.x < 'a'":      "no such overload",
	} {
		if _, err := eval(t, CEL, expression, "<r><x>1</x></r>"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
}

// TestConcurrent: a condition and a document are shared by many goroutines.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	d := document(t, "plain")
	for _, l := range []struct{ language, expression string }{{XPath, "sum(/stock/row/qty) = 67"}, {CEL, "doc.row.size() == 3"}} {
		c, err := Compile(l.language, l.expression)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 100 {
					if v, err := c.Eval(d); err != nil || !v.Holds {
						t.Errorf("%v %v", v, err)
						return
					}
				}
			})
		}
		all.Wait()
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	rows, total := document(t, "plain").Rows(2)
	if fmt.Sprint(rows) != "[[{code A1} {qty 5} {note low}] [{code B2} {qty 50}]]" || total != 6 {
		t.Errorf("%v, %d", rows, total)
	}
	rows, total = document(t, "input").Rows(2)
	if len(rows) != 1 || total != 1 || rows[0][0] != (Found{"quantityInStock", "5"}) {
		t.Errorf("%v, %d", rows, total)
	}
}

func FuzzXPath(f *testing.F) {
	for _, s := range []string{"//qty < 10", "count(//row[qty > 1]) = 2", "//row[position() = last()]/@id | //code", "substring('a', 1, 2)", "-(-1)"} {
		f.Add(s)
	}
	d := document(f, "plain")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Compile(XPath, s)
		if err != nil {
			return
		}
		first, err := c.Eval(d)
		if err != nil {
			return
		}
		if again, err := c.Eval(d); err != nil || again.Holds != first.Holds {
			t.Errorf("%q: %v, then %v, %v", s, first.Holds, again.Holds, err)
		}
		if len(first.Found) > MaxFound {
			t.Errorf("%q: %d values", s, len(first.Found))
		}
		not, err := Compile(XPath, "not("+s+")")
		if err != nil {
			return // too deep or too long by now
		}
		if v, err := not.Eval(d); err == nil && v.Holds == first.Holds {
			t.Errorf("%q and its negation are both %v", s, v.Holds)
		}
	})
}

func FuzzDocument(f *testing.F) {
	for _, name := range []string{"input", "plain", "spaced"} {
		f.Add(read(f, name))
	}
	c, err := Compile(XPath, "count(//node()) > count(//@*) or sum(//*) = 1 or //a[lang('en')]/following::b")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		_, _ = c.Eval(d) // must end, and not panic
		d.Rows(3)
		fields(d.element())
	})
}
