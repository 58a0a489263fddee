package query_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// box runs requests as one and gives the XML of the answer.
func (r *rig) box(batch bool, list ...dataservice.Request) (string, error) {
	r.tb.Helper()
	var b bytes.Buffer
	w := result.NewXML(&b, 0)
	if _, err := r.rt.RunBox(r.tb.Context(), dataservice.Box{Requests: list, Batch: batch}, w); err != nil {
		return "", err
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return b.String(), nil
}

// testBoxes: all requests of a box take effect, or none does, wherever it fails.
func testBoxes(p *place) {
	t := p.T
	r := p.rig("RDBMSSample", nil, nil)
	raise := func(number, by string) dataservice.Request {
		return r.request("incrementEmployeeSalary", one("employeeNumber", number, "increment", by))
	}
	add := r.request("addEmployee", one("employeeNumber", "7", "lastName", "Ringer", "firstName", "Bell", "email", "b@belfry.dev", "salary", "1"))
	for _, c := range []struct {
		name string
		box  []dataservice.Request
		kind dataservice.FaultKind
	}{
		{"the last fails on a constraint", []dataservice.Request{raise("1002", "10"), add, raise("1056", "-99999")}, dataservice.FaultInternal},
		{"one in the middle fails on a key", []dataservice.Request{raise("1002", "10"), add, add, raise("1056", "10")}, dataservice.FaultInternal},
		{"one in the middle has a bad value", []dataservice.Request{raise("1002", "10"), raise("x", "10"), add}, dataservice.FaultInput},
		{"the first fails", []dataservice.Request{raise("1056", "-99999"), raise("1002", "10")}, dataservice.FaultInternal},
		{"one is not there", []dataservice.Request{raise("1002", "10"), {Name: "none", Target: dataservice.CallQuery{Query: "none"}}}, dataservice.FaultNotFound},
	} {
		_, err := r.box(false, c.box...)
		wantFault(t, err, c.kind)
		if got := p.salaries(); got != start || p.number("SELECT count(*) FROM Employees") != 2 {
			t.Fatalf("%s: salaries %v, want %v: a box took effect in part", c.name, got, start)
		}
	}
	// The last request sees what those before it did, and its answer is the box's.
	got, err := r.box(false, raise("1002", "10"), add, r.request("employeesByNumber", one("employeeNumber", "7")))
	want := `<DATA_SERVICE_REQUEST_BOX_RESPONSE xmlns="http://ws.wso2.org/dataservice"><employees xmlns="http://ws.wso2.org/dataservice/samples/rdbms_sample">` +
		`<employee><last-name>Ringer</last-name><first-name>Bell</first-name><email>b@belfry.dev</email><salary>1.0</salary></employee></employees></DATA_SERVICE_REQUEST_BOX_RESPONSE>`
	if err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	// A result exports a value to the requests after it.
	got, err = r.box(false, r.request("thousandFive", nil), r.request("incrementEmployeeSalaryEx", one("employeeNumber", "1002")))
	if err != nil || got != `<DATA_SERVICE_REQUEST_BOX_RESPONSE xmlns="http://ws.wso2.org/dataservice"/>` {
		t.Errorf("%s, %v", got, err)
	}
	if got := p.salaries(); got != start+10+1+1500 {
		t.Errorf("salaries %v, want %v", got, start+1511)
	}
	// Alone it lacks the parameter.
	_, err = r.xml("incrementEmployeeSalaryEx", one("employeeNumber", "1002"))
	wantFault(t, err, dataservice.FaultInput)
}

// testBoxEvents: what a box raises is accepted at once, in order, and only if it
// commits.
func testBoxEvents(p *place) {
	t := p.T
	calls := 0
	b := &bell{rings: func(dataservice.Observation) bool { return true }, acceptBy: func() error { calls++; return nil }}
	r := p.rig("EventingSample", b, nil)
	set := func(code, q string) dataservice.Request {
		return r.request("updateProductQuantity", one("productCode", code, "quantityInStock", q))
	}
	get := r.request("getProductByCode", one("productCode", "S10_1678"))
	if _, err := r.box(false, set("S10_1678", "5"), get, set("S10_1949", "6"), set("S10_1949", "six")); err == nil {
		t.Fatal("a box with a bad value was executed")
	}
	if hits := b.accepted(); len(hits) != 0 || calls != 0 {
		t.Fatalf("a box that failed rang: %q", hits)
	}
	if _, err := r.box(false, set("S10_1678", "5"), get, set("S10_1949", "6")); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, h := range b.accepted() {
		id, _, _ := strings.Cut(h, "|")
		ids = append(ids, id)
	}
	want := "product_stock_low_trigger product_line_motorcycles_trigger product_stock_low_trigger"
	if strings.Join(ids, " ") != want || calls != 1 {
		t.Errorf("accepted %q in %d calls, want %s in one", ids, calls, want)
	}
	seen := map[string]bool{}
	for _, o := range b.seen[len(b.seen)-3:] {
		seen[o.Request] = true
	}
	if len(seen) != 1 {
		t.Errorf("the requests of a box have the ids %v, want one", seen)
	}
}

// testBatches: one request with many values.
func testBatches(p *place) {
	t := p.T
	r := p.rig("BatchRequestSample", nil, nil)
	add := func(n int, mail string) dataservice.Request {
		return r.request("addEmployee", one("employeeNumber", fmt.Sprint(n), "email", mail))
	}
	_, err := r.box(true, add(1, "a@b.de"), add(2, "b@b.de"), add(1, "c@b.de"), add(3, "d@b.de"))
	wantFault(t, err, dataservice.FaultInternal)
	_, err = r.box(true, add(1, "a@b.de"), add(2, "nobody"))
	wantFault(t, err, dataservice.FaultInput)
	if got := p.number("SELECT count(*) FROM Employees"); got != 2 {
		t.Fatalf("%v employees: a batch took effect in part", got)
	}
	got, err := r.box(true, add(1, "a@b.de"), add(2, "b@b.de"))
	if err != nil || got != `<REQUEST_STATUS xmlns="http://ws.wso2.org/dataservice">SUCCESSFUL</REQUEST_STATUS>` {
		t.Errorf("%s, %v", got, err)
	}
	if got := p.number("SELECT count(*) FROM Employees"); got != 4 {
		t.Errorf("%v employees, want 4", got)
	}
	keys := p.rig("H2ReturnGeneratedKeysTest", nil, nil)
	insert := keys.request("insertBalance", one("balance", "5"))
	got, err = keys.box(true, insert, insert, insert)
	if want := `<GeneratedKeys xmlns="http://ws.wso2.org/dataservice/samples/returnGeneratedKeysSample"><Entry><ID>1</ID></Entry><Entry><ID>2</ID></Entry><Entry><ID>3</ID></Entry></GeneratedKeys>`; err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

// testProcedures calls stored procedures that give values back.
func testProcedures(p *place) {
	t := p.T
	in := `<param name="a" sqlType="INTEGER"/><param name="b" sqlType="INTEGER" type="INOUT"/><param name="total" sqlType="INTEGER" type="OUT"/>`
	result := `<result element="R" rowName="r"><element name="b" column="b" xsdType="integer"/><element name="total" column="total" xsdType="integer"/></result>`
	body := `<query id="braces"><sql>{call half(?,?,?)}</sql>` + in + result + `</query>
	  <query id="named"><sql>call halve(:a, :b, :total)</sql>` + in + result + `</query>
	  <query id="rows"><sql>{call listed(:a)}</sql><param name="a" sqlType="INTEGER"/><properties><property name="forceStoredProc">true</property></properties>
	    <result element="R" rowName="r"><element name="code" column="productCode" xsdType="string"/></result></query>
	  <query id="value"><sql>{? = call twice(?)}</sql><param name="it" sqlType="INTEGER" type="OUT" ordinal="1"/><param name="a" sqlType="INTEGER" ordinal="2"/>
	    <result element="R"><element name="it" column="it" xsdType="integer"/></result></query>
	  <query id="silent"><sql>call halve(?, ?, ?)</sql>` + in + `</query>`
	for _, id := range []string{"braces", "named", "rows", "value", "silent"} {
		body += `<operation name="` + id + `"><call-query href="` + id + `"><with-param name="a" query-param="a"/><with-param name="b" query-param="b"/></call-query></operation>`
	}
	r := rigOf(t, parse(t, body), p.server.URL, nil, nil)
	switch p.server.Driver {
	case "sqlite":
		for _, id := range []string{"braces", "named", "value"} {
			_, err := r.xml(id, one("a", "1", "b", "2"))
			if f := wantFault(t, err, dataservice.FaultUnsupported); !strings.Contains(f.Message, "SQLite has no stored procedures") {
				t.Error(f)
			}
		}
		return
	case "pgx":
		p.exec("CREATE FUNCTION half(a int, INOUT b int, OUT total int) LANGUAGE plpgsql AS 'BEGIN total := a + b; b := total / 2; INSERT INTO Accounts (balance) VALUES (total); END'")
		p.exec("CREATE PROCEDURE halve(a int, INOUT b int, OUT total int) LANGUAGE plpgsql AS 'BEGIN total := a + b; b := total / 2; INSERT INTO Accounts (balance) VALUES (total); END'")
		p.exec("CREATE FUNCTION listed(a int) RETURNS SETOF Products LANGUAGE sql AS 'SELECT * FROM Products ORDER BY productCode LIMIT a'")
		p.exec("CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'")
	case "mysql":
		for _, name := range []string{"half", "halve"} {
			p.exec("CREATE PROCEDURE " + name + "(a INT, INOUT b INT, OUT total INT) BEGIN SET total = a + b; SET b = total DIV 2; INSERT INTO Accounts (balance) VALUES (total); END")
		}
		p.exec("CREATE PROCEDURE listed(a INT) BEGIN SELECT * FROM Products ORDER BY productCode LIMIT a; END")
		p.exec("CREATE FUNCTION twice(a INT) RETURNS INT DETERMINISTIC RETURN 2 * a")
	}
	for _, c := range []struct{ name, want string }{
		{"braces", `<R xmlns="urn:t"><r><b>5</b><total>11</total></r></R>`},
		{"named", `<R xmlns="urn:t"><r><b>5</b><total>11</total></r></R>`},
		{"value", `<R xmlns="urn:t"><it>2</it></R>`},
		{"rows", `<R xmlns="urn:t"><r><code>S10_1678</code></r></R>`},
		{"silent", ""},
	} {
		got, err := r.xml(c.name, map[string][]string{"a": {"1"}, "b": {"10"}})
		if err != nil || got != c.want {
			t.Errorf("%s: %v (%v)\n got %s\nwant %s", c.name, err, errors.Unwrap(err), got, c.want)
		}
	}
	if got := p.number("SELECT count(*) FROM Accounts"); got != 3 {
		t.Errorf("the procedures had %v effects, want 3", got)
	}
	// A null goes in, and comes back as one; the procedure's error is a fault.
	got, err := r.xml("named", dataservice.Values{"a": {}, "b": {"1"}})
	if want := `<R xmlns="urn:t"><r><b xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><total xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></r></R>`; err != nil || got != want {
		t.Errorf("nulls: %v (%v)\n got %s\nwant %s", err, errors.Unwrap(err), got, want)
	}
	p.exec("DROP TABLE Accounts")
	for _, name := range []string{"braces", "named", "silent"} {
		_, err := r.xml(name, one("a", "1", "b", "2"))
		if f := wantFault(t, err, dataservice.FaultInternal); f.Code != dataservice.DatabaseError {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// testPasted: text in the statement, where a pattern allows it.
func testPasted(p *place) {
	t := p.T
	r := rigOf(t, parse(t, `<query id="q"><sql>select productCode from Products where quantityInStock &gt; :least order by :by</sql>
	    <param name="least" sqlType="INTEGER"/><param name="by" sqlType="QUERY_STRING"><validatePattern pattern="[A-Za-z]+( desc)?"/></param>
	    <result element="R" rowName="r"><element name="code" column="productCode" xsdType="string"/></result></query>
	  <operation name="q"><call-query href="q"><with-param name="least" query-param="least"/><with-param name="by" query-param="by"/></call-query></operation>`), p.server.URL, nil, nil)
	for by, want := range map[string]string{
		"productCode": "S10_1678 S10_1949", "productCode desc": "S10_1949 S10_1678", "buyPrice": "S10_1678 S10_1949",
	} {
		got, err := r.xml("q", one("least", "1", "by", by))
		codes := strings.Fields(strings.NewReplacer(`<R xmlns="urn:t">`, "", "<r><code>", "", "</code></r>", " ", "</R>", "").Replace(got))
		if err != nil || strings.Join(codes, " ") != want {
			t.Errorf("by %s: %s, %v", by, got, err)
		}
	}
	for _, by := range append(hostile(), "", "productCode, x", "case when 1 then 2 end") {
		if _, err := r.xml("q", one("least", "1", "by", by)); err == nil {
			t.Errorf("%q went into the statement", by)
		}
	}
}

// TestBoxSources: a box that writes to two sources is refused before anything is
// executed.
func TestBoxSources(t *testing.T) {
	t.Parallel()
	config := `<property name="driverClassName">x</property><property name="url">jdbc:sqlite:x</property></config>`
	s, err := descriptor.Parse("two.dbs", []byte(`<data name="Two"><config id="one">`+config+`<config id="two">`+config+
		`<query id="a" useConfig="one"><sql>insert into t values (1)</sql></query><query id="b" useConfig="two"><sql>insert into t values (1)</sql></query></data>`))
	if err != nil {
		t.Fatal(err)
	}
	r := rigOf(t, s, "", nil, func(o *query.Options) {
		var rules []source.Mapping
		for _, id := range []string{"one", "two"} {
			server := sourcetest.OpenSQLite(t)
			if _, err := server.Open(t).Exec("create table t (a integer)"); err != nil {
				t.Fatal(err)
			}
			rules = append(rules, source.Mapping{Match: id, URL: server.URL})
		}
		o.Sources = source.NewSet(source.Options{Mappings: rules})
	})
	call := func(q string) dataservice.Request {
		return dataservice.Request{Name: q, Target: dataservice.CallQuery{Query: q}}
	}
	_, err = r.box(false, call("a"), call("b"))
	if f := wantFault(t, err, dataservice.FaultUnsupported); !f.Final || !strings.Contains(f.Message, `more than one data source (a to "one", b to "two")`) {
		t.Errorf("%+v", f)
	}
	if _, err := r.box(false, call("a"), call("a")); err != nil {
		t.Error(err)
	}
}

// TestRoles: elements and nested queries for some callers only.
func TestRoles(t *testing.T) {
	t.Parallel()
	r := rigOf(t, parse(t, `<query id="in"><sql>select 7 as c</sql><result element="inner"><element name="c" column="c" xsdType="integer"/></result></query>
	  <query id="q"><sql>select 1 as a, 2 as b, 3 as d</sql><result element="R" rowName="r"><element name="a" column="a" xsdType="integer"/>
	    <element name="b" column="b" xsdType="integer" requiredRoles="boss,clerk"/><attribute name="d" column="d" requiredRoles="boss"/>
	    <element name="g" requiredRoles="boss"><element name="a" column="a" xsdType="integer"/></element><call-query href="in" requiredRoles="clerk"/></result></query>
	  <query id="j"><sql>select 1 as a, 2 as b</sql><result outputType="json">{"R":{"a":"$a(type:integer)","b":"$b(type:integer;requiredRoles:boss)"}}</result></query>
	  <operation name="q"><call-query href="q"/></operation><operation name="j"><call-query href="j"/></operation>`), "sqlite:"+t.TempDir()+"/x.db", nil, nil)
	for _, c := range []struct {
		name   string
		caller *dataservice.Principal
		want   string
	}{
		{"q", nil, `{"R":{"r":[{"a":1}]}}`},
		{"q", &dataservice.Principal{Name: "x"}, `{"R":{"r":[{"a":1}]}}`},
		{"q", &dataservice.Principal{Roles: []string{"clerk"}}, `{"R":{"r":[{"a":1,"b":2,"inner":{"c":7}}]}}`},
		{"q", &dataservice.Principal{Roles: []string{"boss"}}, `{"R":{"r":[{"@d":"3","a":1,"b":2,"g":{"a":1}}]}}`},
		{"j", nil, `{"R":{"a":1}}`},
		{"j", &dataservice.Principal{Roles: []string{"boss"}}, `{"R":{"a":1,"b":2}}`},
	} {
		req := r.request(c.name, nil)
		req.Caller = c.caller
		var b bytes.Buffer
		w := result.NewJSON(&b, 0)
		if _, err := r.rt.Run(t.Context(), req, w); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || b.String() != c.want {
			t.Errorf("%s for %+v: %s, want %s (%v)", c.name, c.caller, b.String(), c.want, err)
		}
	}
}
