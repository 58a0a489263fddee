package descriptor_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is described and not served is said for that thing alone, in a line.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	call := `<operation name="op"><call-query href="q"/></operation>`
	for _, c := range []struct{ name, elements, want string }{
		{"nothing", `<query id="q"><sql>select 1</sql></query>` + call, ""},
		{"OUT parameter", `<query id="q"><sql>call p(?)</sql><param name="a" type="OUT"/></query>` + call, ""},
		{
			"structure", `<query id="q"><sql>select :a</sql><param name="a" sqlType="STRUCT"/></query>` + call,
			"operation op: parameters of type STRUCT, which are Oracle's, are not supported (a) (query q)",
		},
		{
			"validator in Java", `<query id="q"><sql>select :a</sql><param name="a"><validateCustom class="x.Y"/></param></query>` + call,
			"operation op: validators that are Java classes are not supported (x.Y) (query q)",
		},
		{"JDBC's call", `<query id="q"><sql>{call p()}</sql></query>` + call, ""},
		{
			"RDF", `<query id="q"><sql>select 1</sql><result outputType="rdf" rdfBaseURI="urn:x"><element name="a" rdf-ref-uri="urn:y"/></result></query>` + call,
			"operation op: RDF results are not supported (query q)",
		},
		{
			"a query that is called", `<query id="in"><sql>select 1</sql><result element="a" xsltPath="x"/></query>
			<query id="q"><sql>select 1</sql><result element="a"><element name="g"><call-query href="in"/></element></result></query>` + call,
			"operation op: results are not transformed by XSLT (xsltPath): there is no sound library for it (query in)",
		},
		{
			"a query that only some may call", `<query id="in"><sql>select 1</sql><result element="a" xsltPath="x"/></query>
			<query id="q"><sql>select 1</sql><result element="a"><call-query href="in" requiredRoles="boss"/></result></query>` + call,
			"operation op: results are not transformed by XSLT (xsltPath): there is no sound library for it (query in)",
		},
		{"queries in a ring", `<query id="q"><sql>select 1</sql><result element="a"><call-query href="r"/></result></query>
			<query id="r"><sql>select 1</sql><result element="a"><call-query href="q"/></result></query>` + call, ""},
		{
			"trigger of nothing", `<event-trigger id="t"><expression>x</expression><target-topic>y</target-topic><subscriptions/></event-trigger>
			<query id="q" output-event-trigger="t"><sql>delete from x</sql></query>` + call,
			"output-event-trigger of query q: the query returns nothing, so it never rings",
		},
		{
			"parameter of nothing", `<query id="q"><sql>select :code</sql><param name="code"/></query>
			<resource method="POST" path="x"><call-query href="q"><with-param name="cod" query-param="a"/><with-param name="CODE" query-param="b"/></call-query></resource>`,
			"with-param cod of resource POST x: query q has no parameter of that name, so it has no effect; did you mean code?",
		},
		{"a parameter at two places", `<query id="q"><sql>select ?, ?</sql><param name="a" ordinal="1"/><param name="a" ordinal="2"/></query>` + call, ""},
		{
			"two calls", `<query id="q"><sql>select 1</sql></query><operation name="op"><call-query href="q"/><call-query href="q"/></operation>`,
			"a second <call-query> of <operation>: it has no effect: the first is called",
		},
		{
			"a parameter given twice", `<query id="q"><sql>select :a</sql><param name="a"/></query><operation name="op"><call-query href="q"><with-param name="a" query-param="x"/><with-param name="a" query-param="b" column="c"/></call-query></operation>`,
			"with-param a: it has no effect: the one at 1:230 gives the same parameter\nquery-param b of with-param a: it has no effect, since there is a column",
		},
		{
			"a type of no schema", `<query id="q"><sql>select 1 as a</sql><result element="r"><element name="a" column="a" xsdType="xs:varchar"/></result></query>` + call,
			"xsdType xs:varchar: it is not a type of XML Schema, so it is taken for a string",
		},
		{
			"a template's type", `<query id="q"><sql>select 1 as a</sql><result outputType="json">{"r":{"a":"$a(type:strng)"}}</result></query>` + call,
			"xsdType strng: it is not a type of XML Schema, so it is taken for a string; did you mean \"string\"?",
		},
		{
			"a parameter without a place", `<query id="q"><sql>select ?</sql><param name="a"/><param name="b"/></query>` + call,
			"parameter b of query q: its statement has no place for it, so it has no effect",
		},
		{"a parameter of a dialect", `<query id="q"><sql>select ?</sql><sql dialect="h2">select ?, ?</sql><param name="a"/><param name="b"/></query>` + call, ""},
		{"names and positions", `<query id="q"><sql>select :a, ?</sql><param name="b" ordinal="2"/><param name="a" ordinal="1"/></query>` + call, ""},
		{
			"a result without an element", `<query id="in"><sql>select 1 as a</sql><result element="" rowName="r"><element name="a" column="a"/></result></query>
			<query id="q"><sql>select 1</sql><result element="a"><call-query href="in"/></result></query><operation name="in"><call-query href="in"/></operation>` + call,
			"operation in: the result has no element around its rows, so that it can only be nested in another (query in)",
		},
		{
			"a shared source", `<config id="c"><property name="carbon_datasource_name">Shop</property></config><query id="q" useConfig="c"><sql>select 1</sql></query>`,
			"source c: the address of the shared data source Shop is not known here: say it in datasource_map, or with --map-datasource 'Shop=URL'",
		},
		{
			"the same twice", `<query id="q"><sql>select 1</sql></query>` + call + strings.Replace(call, "><call", "> <call", 1),
			"operation op: it is described twice with the same words, first at 1:132; this one has no effect",
		},
		{
			"a policy", `<query id="q"><sql>select 1</sql></query><enableSec/><policy key="conf:/p.xml"/>` + call, "",
		},
		{
			"security", `<query id="q"><sql>select 1</sql></query><enableSec/><authorization_provider class="x.Y"/>` + call,
			"authorization_provider: Java classes are not run: roles come from the host's users file or from tokens (auth in belfryd.yaml)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, u := range parse(t, inData(c.elements)).Unsupported {
				if u.Line < 1 || u.Column < 1 {
					t.Errorf("a notice without a place: %+v", u)
				}
				got = append(got, u.What+": "+u.Why)
			}
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

// Templates are read as the original's reader does.
func TestTemplateForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, template, element, row, field, column string }{
		{"strict", `{"a":{"b":[{"c":"$d"}]}}`, "a", "b", "c", "d"},
		{"one row", `{"a":{"c":"$d"}}`, "a", "", "c", "d"},
		{"bare and single", `{a:{'b':[{c:$d},]}}`, "a", "b", "c", "d"},
		{"escapes", `{"\u0061":{"b":[{"c":"$\u0064\/\t\"'\\"}]}}`, "a", "b", "c", `d/	"'\`},
		{"blanks", " {\n \"a\" : { \"b\" : [ { \"c\" : \" $ d (type:string) \" } ] } } ", "a", "b", "c", "d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := parse(t, inData(`<query id="q"><sql>select 1</sql><result outputType="json"><![CDATA[`+c.template+`]]></result></query>`)).Queries[0].Result
			if r.Element != c.element || r.RowName != c.row || r.Fields[0].Name != c.field || r.Fields[0].Column != c.column {
				t.Errorf("got %q, %q, %+v", r.Element, r.RowName, r.Fields[0])
			}
		})
	}
	for _, c := range []struct{ template, want string }{
		{`{"a":{"c":"\x"}}`, "1:169: not a JSON template: a string has an unknown \\ escape"},
		{`{"a":{"c":"\u00g1"}}`, "1:169: not a JSON template: a string has an unknown \\ escape"},
		{`{"a":{"c":"$d" "e":"$f"}}`, `1:174: not a JSON template: expected a , or '}'`},
		{`{"a":{"c":}}`, "1:169: not a JSON template: unexpected '}'"},
		{`{"a":{"c":"x`, "1:169: not a JSON template: a string is never closed"},
		{`{"a":{"c":`, "1:169: not a JSON template: it ends too early"},
		{`{"a":{"c":"$d(type)"}}`, `1:169: option "type" of "c" must be name:value`},
		{`{"a":{"c":"$d(optional:yes)"}}`, `1:169: optional of "c" is "yes"; it must be true or false`},
		{`{"a":{"c":"$(type:string)"}}`, `1:169: the value of "c" names no column`},
		{`{"a":{"@q":{}}}`, `1:170: "@q" must be a string such as "$column->parameter"`},
		{strings.Repeat(`{"a":`, 70), "1:484: not a JSON template: nested more than 64 deep"},
	} {
		checkFaults(t, inData(`<query id="q"><sql>select 1</sql><result outputType="json"><![CDATA[`+c.template+`]]></result></query>`), c.want)
	}
}
