package query_test

import (
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// testPartial: an UPDATE leaves the columns whose optional parameters are not
// there; one that is null sets null.
//
// Source: WSO2 SQLQuery.generateSQLupdateQuery, CallQuery.extractParams.
func testPartial(p *place) {
	t := p.T
	r := rigOf(t, parse(t, `<query id="q"><sql>update Employees set lastName=:lastName, email = :email, officeCode='7', salary=:salary where employeeNumber=:employeeNumber</sql>
	    <param name="lastName" optional="true"/><param name="email" optional="true"/><param name="salary" sqlType="DOUBLE" optional="true" defaultValue="3"/>
	    <param name="employeeNumber" sqlType="INTEGER"/></query>
	  <query id="only"><sql>update Employees set lastName=?, email = ? where employeeNumber=?</sql>
	    <param name="lastName" optional="true"/><param name="email" optional="true"/><param name="employeeNumber" sqlType="INTEGER"/></query>
	  <operation name="q"><call-query href="q">`+withParams("lastName email salary employeeNumber")+`</call-query></operation>
	  <operation name="only"><call-query href="only">`+withParams("lastName email employeeNumber")+`</call-query></operation>`), p.server.URL, nil, nil)
	for _, step := range []struct {
		operation string
		v         dataservice.Values
		want      string
	}{
		{"q", one("employeeNumber", "1002", "lastName", "Bell"), "Bell d@x.com 7 3"},
		{"q", one("employeeNumber", "1002", "email", "b@x.com", "salary", "4"), "Bell b@x.com 7 4"},
		{"q", dataservice.Values{"employeeNumber": {"1002"}, "lastName": {}}, "null b@x.com 7 3"},
		{"only", one("employeeNumber", "1002", "lastName", "Gong"), "Gong b@x.com 7 3"},
	} {
		if _, err := r.xml(step.operation, step.v); err != nil {
			t.Fatalf("%v: %v", step.v, err)
		}
		var last, email, office string
		var salary float64
		if err := p.db.QueryRow("select coalesce(lastName, 'null'), email, officeCode, salary from Employees where employeeNumber=1002").Scan(&last, &email, &office, &salary); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(last, " ", email, " ", office, " ", salary); got != step.want {
			t.Errorf("%v: %s, want %s", step.v, got, step.want)
		}
	}
	_, err := r.xml("only", one("employeeNumber", "1002"))
	wantFault(t, err, dataservice.FaultInput)
}

// testPlaceholders: names and positions in one statement, and parameters for which
// there is no place.
//
// Source: WSO2 ExpressionQuery.processNamedParams; H2InputMappingService.dbs of its
// tests.
func testPlaceholders(p *place) {
	t := p.T
	for _, c := range []struct{ name, sql, params string }{
		{"by ordinal", "productCode = :code and quantityInStock = ? and productLine = :line", `<param name="line" ordinal="3"/><param name="stock" sqlType="INTEGER" ordinal="2"/><param name="code" ordinal="1"/>`},
		{"in order", "quantityInStock = ? and productCode = :code and productLine = ?", `<param name="code"/><param name="stock" sqlType="INTEGER"/><param name="line"/>`},
		{"one at two places", "productCode = ? and productLine = ? and (productCode = ? or 1 = 0) and quantityInStock = ?", `<param name="code" ordinal="1"/><param name="line" ordinal="2"/><param name="code" ordinal="3"/><param name="stock" sqlType="INTEGER" ordinal="4"/>`},
		{"one too many", "productCode = ? and quantityInStock = ? and productLine = ?", `<param name="code"/><param name="stock" sqlType="INTEGER"/><param name="line"/><param name="idle"/>`},
		{"none by name", "productCode = :code and quantityInStock = :stock and productLine = :line", `<param name="idle"/><param name="code"/><param name="stock" sqlType="INTEGER"/><param name="line"/>`},
	} {
		r := rigOf(t, parse(t, `<query id="q"><sql>select count(*) as n from Products where `+c.sql+`</sql>`+c.params+`<result element="r"><element name="n" column="n"/></result></query>
		  <operation name="q"><call-query href="q">`+withParams("code stock line idle")+`</call-query></operation>`), p.server.URL, nil, nil)
		got, err := r.xml("q", one("code", "S10_1678", "stock", "7933", "line", "Motorcycles", "idle", "x"))
		if err != nil || !strings.Contains(got, "<n>1</n>") {
			t.Errorf("%s: %s, %v", c.name, got, err)
		}
	}
}

// withParams gives the parameters of a call, each under its own name.
func withParams(names string) string {
	var b strings.Builder
	for name := range strings.FieldsSeq(names) {
		fmt.Fprintf(&b, `<with-param name=%q query-param=%q/>`, name, name)
	}
	return b.String()
}
