package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// parse reads a descriptor whose body is given, on a source "default".
func parse(tb testing.TB, body string) *dataservice.Service {
	tb.Helper()
	s, err := descriptor.Parse("test.dbs", []byte(`<data name="T" serviceNamespace="urn:t"><config id="default"><property name="driverClassName">org.h2.Driver</property><property name="url">jdbc:h2:mem:x</property></config>`+"\n"+body+`</data>`))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func open(tb testing.TB, s *dataservice.Service, url string) (*query.Runtime, error) {
	tb.Helper()
	e, err := query.New(query.Options{Sources: source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: url}}})})
	if err != nil {
		tb.Fatal(err)
	}
	rt, err := e.Open(tb.Context(), s, nil)
	if err == nil {
		tb.Cleanup(func() {
			if err := rt.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return rt, err
}

// TestOpenFaults holds the faults that only the compiler sees, with their places.
func TestOpenFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"undeclared", `<query id="q"><sql>select :x</sql></query>`, "2:1: query q: SQL: placeholder :x has no <param>"},
		{"too few parameters", `<query id="q"><sql>select ?, :a</sql><param name="a"/></query>`, "2:1: query q: SQL has 2 placeholders and there are 1 parameters"},
		{"open literal", `<query id="q"><sql>select 'a</sql></query>`, "2:1: query q: SQL: a literal, quoted name or comment does not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, parse(t, c.body), "sqlite:"+t.TempDir()+"/x.db")
			var list query.Errors
			if !errors.As(err, &list) || len(list) != 1 || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestOpenUnsupported holds what is refused alone, while the rest is served.
func TestOpenUnsupported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"call", `<query id="q"><sql>{call p(?)}</sql><param name="a"/></query>`, "SQLite has no stored procedures"},
		{"dialect", `<query id="q"><sql dialect="oracle">select 1</sql></query>`, "no statement for sqlite, and none without a dialect"},
		{"multiple", `<query id="q"><sql>select 1; drop table x</sql></query>`, "more than one statement"},
		{"query string", `<query id="q"><sql>select :a</sql><param name="a" sqlType="QUERY_STRING"/></query>`, "allowed only with a validatePattern"},
		{"query string with a wide pattern", `<query id="q"><sql>select 1 from :a</sql><param name="a" sqlType="QUERY_STRING"><validatePattern pattern=".*"/></param></query>`, "lets through what could change it"},
		{"OUT without a call", `<query id="q"><sql>select :a</sql><param name="a" type="OUT"/></query>`, "not a call of a stored procedure"},
		{"pattern", `<query id="q"><sql>select :a</sql><param name="a"><validatePattern pattern="(?=a)"/></param></query>`, "look-around"},
		{"nested in another", `<query id="in"><sql>select 1; select 2</sql><result element="x"><element name="a" column="a"/></result></query>
		  <query id="q"><sql>select 1 as a</sql><result element="r"><call-query href="in"/></result></query>`, "it calls query in: its SQL holds more than one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := parse(t, c.body+`<query id="ok"><sql>select 1 as a</sql><result element="r"><element name="a" column="a"/></result></query>`)
			rt, err := open(t, s, "sqlite:"+t.TempDir()+"/x.db")
			if err != nil {
				t.Fatal(err)
			}
			_, err = rt.Run(t.Context(), dataservice.Request{Name: "o", Target: dataservice.CallQuery{Query: "q"}}, drop{})
			if f := wantFault(t, err, dataservice.FaultUnsupported); !strings.Contains(f.Message, c.want) {
				t.Errorf("got %q, want %q", f.Message, c.want)
			}
			if len(rt.Unsupported()) == 0 {
				t.Error("nothing is listed as not supported")
			}
			if _, err := rt.Run(t.Context(), dataservice.Request{Name: "o", Target: dataservice.CallQuery{Query: "ok"}}, drop{}); err != nil {
				t.Error(err)
			}
			_, err = rt.Run(t.Context(), dataservice.Request{Name: "o", Target: dataservice.CallQuery{Query: "none"}}, drop{})
			wantFault(t, err, dataservice.FaultNotFound)
		})
	}
}

// TestShapes holds results of every form.
func TestShapes(t *testing.T) {
	t.Parallel()
	s := sourcetest.OpenSQLite(t)
	db := s.Open(t)
	for _, ddl := range []string{"create table t (a integer, b text, c blob)", "insert into t values (1, 'x" + "\x01" + "', x'00ff'), (2, null, null)"} {
		if _, err := db.Exec(ddl); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, body, xml, json string }{
		{
			"attributes first", `<sql>select * from t order by a</sql><result element="R" rowName="r"><element name="b" column="B" xsdType="string" optional="true"/><attribute name="a" column="A" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><r a="1"><b>x` + "\uFFFD" + `</b></r><r a="2"/></R>`, `{"R":{"r":[{"@a":1,"b":"x\u0001"},{"@a":2}]}}`,
		},
		{
			"escaped", `<sql>select b from t where a = 1</sql><result element="R" escapeNonPrintableChar="true"><element name="b" column="b" xsdType="string"/></result>`,
			`<R xmlns="urn:t"><b>x?</b></R>`, `{"R":{"b":"x?"}}`,
		},
		{
			"binary and null", `<sql>select c from t order by a</sql><result element="R" rowName="r"><element name="c" column="c" xsdType="base64Binary"/></result>`,
			`<R xmlns="urn:t"><r><c>AP8=</c></r><r><c xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></r></R>`, `{"R":{"r":[{"c":"AP8="},{"c":null}]}}`,
		},
		{
			"groups and fixed values", `<sql>select a from t where a = :k</sql><param name="k" sqlType="INTEGER" defaultValue="2"/><result element="R" rowName="r"><element name="g"><element name="a" column="a" xsdType="integer"/><element name="given" query-param="k" xsdType="integer"/></element><element name="f" value="fix"/></result>`,
			`<R xmlns="urn:t"><r><g><a>2</a><given>2</given></g><f>fix</f></r></R>`, `{"R":{"r":[{"g":{"a":2,"given":2},"f":"fix"}]}}`,
		},
		{
			"no row name", `<sql>select a from t order by a</sql><result element="R"><element name="a" column="a" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><a>1</a></R>`, `{"R":{"a":1}}`,
		},
		{
			"by number", `<sql>select b, a from t where a = 2</sql><result element="R" rowName="r" useColumnNumbers="true"><element name="a" column="2" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><r><a>2</a></r></R>`, `{"R":{"r":[{"a":2}]}}`,
		},
		{
			"namespaces", `<sql>select a from t where a = 1</sql><result element="R" rowName="r" defaultNamespace="urn:r"><element name="a" column="a" namespace="urn:a"/></result>`,
			`<R xmlns="urn:r"><r><a xmlns="urn:a">1</a></r></R>`, `{"R":{"r":[{"a":"1"}]}}`,
		},
		{
			"max rows", `<sql>select a from t order by a</sql><properties><property name="maxRows">1</property></properties><result element="R" rowName="r"><element name="a" column="a" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><r><a>1</a></r></R>`, `{"R":{"r":[{"a":1}]}}`,
		},
		{
			"by dialect", `<sql>select 0 as a</sql><sql dialect="h2, sqlite">select 9 as a</sql><result element="R"><element name="a" column="a" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><a>9</a></R>`, `{"R":{"a":9}}`,
		},
		{
			"returning", `<sql>insert into t (a) values (3) returning a</sql><result element="R" rowName="r"><element name="a" column="a" xsdType="integer"/></result>`,
			`<R xmlns="urn:t"><r><a>3</a></r></R>`, ``,
		},
	} {
		svc := parse(t, `<query id="q">`+c.body+`</query><operation name="o"><call-query href="q"/></operation>`)
		r := rigOf(t, svc, s.URL, nil, nil)
		got, err := r.xml("o", nil)
		if err != nil || got != c.xml {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.xml)
		}
		if c.json == "" {
			continue
		}
		if got, err = r.json("o", nil); err != nil || got != c.json {
			t.Errorf("%s: %v\n got %s\nwant %s", c.name, err, got, c.json)
		}
	}
}

// TestLimits holds each bound and names its setting.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := sourcetest.OpenSQLite(t)
	many := `<query id="q"><sql>with recursive n(i) as (select 1 union all select i+1 from n where i &lt; 50) select i, :k as k from n</sql><param name="k" defaultValue="x"/>
	  <result element="R" rowName="r"><element name="i" column="i"/></result></query>`
	deep := `<query id="q"><sql>select 1 as i</sql><result element="R"><call-query href="q"/></result></query>`
	array := `<query id="q"><sql>select 1 as i where 1 in (:k)</sql><param name="k" sqlType="INTEGER" paramType="ARRAY"/><result element="R"><element name="i" column="i"/></result></query>`
	slow := `<query id="q"><sql>with recursive n(i) as (select 1 union all select i+1 from n) select count(*) as i from n</sql><properties><property name="queryTimeout">1</property></properties>
	  <result element="R"><element name="i" column="i"/></result></query>`
	missing := `<query id="q"><sql>select 1 as i</sql><result element="R"><element name="j" column="j"/></result></query>`
	op := `<operation name="o"><call-query href="q"><with-param name="k" query-param="k"/></call-query></operation>`
	limits := func(o *query.Options) { o.Limits = query.Limits{Rows: 20, Depth: 3, Array: 2} }
	for _, c := range []struct {
		name, body string
		v          dataservice.Values
		kind       dataservice.FaultKind
		message    string
	}{
		{"rows", many, nil, dataservice.FaultLimit, "more than 20 rows (limits.rows)"},
		{"depth", deep, nil, dataservice.FaultLimit, "more than 3 queries nested in one another (limits.query_depth)"},
		{"array", array, dataservice.Values{"k": {"1", "2", "3"}}, dataservice.FaultInput, "parameter k: more than 2 values"},
		{"time", slow, nil, dataservice.FaultTimeout, "took too long"},
		{"column", missing, nil, dataservice.FaultInternal, "the result has no column j, which element j wants"},
	} {
		body := c.body + op
		if c.name == "depth" || c.name == "time" || c.name == "column" {
			body = c.body + `<operation name="o"><call-query href="q"/></operation>`
		}
		r := rigOf(t, parse(t, body), s.URL, nil, limits)
		_, err := r.xml("o", c.v)
		if f := wantFault(t, err, c.kind); !strings.Contains(f.Message, c.message) {
			t.Errorf("%s: %q, want %q", c.name, f.Message, c.message)
		}
	}
	// An empty array is an empty list, and matches nothing.
	r := rigOf(t, parse(t, array+op), s.URL, nil, limits)
	if got, err := r.xml("o", dataservice.Values{"k": {}}); err != nil || got != `<R xmlns="urn:t"/>` {
		t.Errorf("%s, %v", got, err)
	}
}

// TestUnreachable serves a service whose database is not there.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	r := rigOf(t, parse(t, `<query id="q"><sql>select 1 as i</sql><result element="R"><element name="i" column="i"/></result></query><operation name="o"><call-query href="q"/></operation>`),
		"sqlite:/dev/null/no/folder.db", nil, nil)
	_, err := r.xml("o", nil)
	if err == nil {
		t.Fatal("it answered")
	}
	if f := wantFault(t, err, dataservice.FaultUnreachable); f.Code != dataservice.ConnectionUnavailable {
		t.Error(f)
	}
}

// TestNestedWrite has the writes of nested queries in the request's transaction.
func TestNestedWrite(t *testing.T) {
	t.Parallel()
	s := sourcetest.OpenSQLite(t)
	if _, err := s.Open(t).Exec("create table log (a integer); "); err != nil {
		t.Fatal(err)
	}
	svc := parse(t, `<query id="add"><sql>insert into log values (:a)</sql><param name="a" sqlType="INTEGER"/></query>
	  <query id="q"><sql>select 1 as a union select 2 union select :last</sql><param name="last" sqlType="INTEGER"/><result element="R" rowName="r"><element name="a" column="a" xsdType="integer"/>
	    <call-query href="add"><with-param name="a" column="a"/></call-query></result></query>
	  <operation name="o"><call-query href="q"><with-param name="last" query-param="last"/></call-query></operation>`)
	r := rigOf(t, svc, s.URL, nil, nil)
	count := func() (n int) {
		t.Helper()
		if err := s.Open(t).QueryRow("select count(*) from log").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got, err := r.json("o", one("last", "3")); err != nil || got != `{"R":{"r":[{"a":1},{"a":2},{"a":3}]}}` || count() != 3 {
		t.Errorf("%s, %v, %d rows", got, err, count())
	}
	// The third row's insert fails: nothing stays of the others.
	if _, err := s.Open(t).Exec("create trigger no before insert on log when new.a = 9 begin select raise(abort, 'no'); end"); err != nil {
		t.Fatal(err)
	}
	_, err := r.json("o", one("last", "9"))
	wantFault(t, err, dataservice.FaultInternal)
	if count() != 3 {
		t.Errorf("%d rows, want 3: the request was not one transaction", count())
	}
}
