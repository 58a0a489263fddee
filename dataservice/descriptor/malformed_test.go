package descriptor_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// good is correct; the cases below each break it in one place.
const good = `<data name="Shop" serviceNamespace="urn:shop" xmlns:b="https://github.com/seed42aab489/belfry/ns/dbs">
   <config id="main">
      <property name="driverClassName">org.sqlite.JDBC</property>
      <property name="url">jdbc:sqlite:shop.db</property>
      <property name="maxActive">5</property>
   </config>
   <query id="list" useConfig="main" output-event-trigger="low">
      <sql>select code, stock from goods where kind = ? and stock &lt; ?</sql>
      <param name="kind" sqlType="STRING" ordinal="1">
         <validateLength minimum="1" maximum="9"/>
      </param>
      <param name="below" sqlType="INTEGER" ordinal="2" defaultValue="10"/>
      <result element="goods" rowName="good">
         <element name="code" column="code" xsdType="string"/>
         <element name="stock" column="stock" xsdType="xs:integer"/>
         <call-query href="parts">
            <with-param name="code" column="code"/>
         </call-query>
      </result>
   </query>
   <query id="parts" useConfig="main">
      <sql>select part from parts where code = :code</sql>
      <param name="code"/>
      <result outputType="json">
         {"parts": {"part": [{"name": "$part(type:string;optional:true)", "more": {"again": "$part"}}]}}
      </result>
   </query>
   <query id="erase" useConfig="main">
      <sql>delete from goods</sql>
      <properties>
         <property name="queryTimeout">10</property>
      </properties>
   </query>
   <event-trigger id="low" language="XPath" b:mode="edge" b:hold="5m">
      <expression>//stock &lt; 10</expression>
      <target-topic>low</target-topic>
      <subscriptions>
         <subscription>mailto:shop@example.org</subscription>
      </subscriptions>
      <b:re-arm>//stock &gt; 15</b:re-arm>
      <b:subject>Low</b:subject>
   </event-trigger>
   <operation name="list">
      <call-query href="list">
         <with-param name="kind" query-param="kind"/>
      </call-query>
   </operation>
   <operation name="erase" returnRequestStatus="true">
      <call-query href="erase"/>
   </operation>
   <resource method="GET" path="goods/{kind}">
      <call-query href="list">
         <with-param name="kind" query-param="kind"/>
      </call-query>
   </resource>
</data>
`

func TestGoodIsGood(t *testing.T) {
	t.Parallel()
	s, err := descriptor.Parse("shop.dbs", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Queries) != 3 || len(s.Operations) != 2 || len(s.Resources) != 1 || len(s.Triggers) != 1 || len(s.Unsupported) != 0 {
		t.Errorf("unexpected service %+v", s)
	}
}

// Each case replaces a piece of good, once, and names every fault that follows,
// as line:column: message.
var malformed = []struct{ name, old, new, want string }{
	// The XML itself.
	{"not closed", "</data>", "", `57:1: not well-formed XML: the file ends inside <data>, which begins at 1:1`},
	{"crossed tags", "</config>", "</conf>", `6:4: not well-formed XML: element <config> closed by </conf>`},
	{"unknown entity", "shop.db<", "shop&x;.db<", `4:46: not well-formed XML: invalid character entity &x;`},
	{"bare ampersand", "shop.db<", "a & b<", `4:42: not well-formed XML: invalid character entity & (no semicolon)`},
	{"document type", "<data", "<!DOCTYPE data><data", "1:1: a document type or other <! directive is not allowed"},
	{"internal entity", "<data", `<!DOCTYPE d [<!ENTITY x "y">]><data`, "1:1: a document type or other <! directive is not allowed"},
	{"second root", "</data>\n", "</data>\n<data/>", `57:1: a second root element <data>`},
	{"text after the root", "</data>\n", "</data>\n  x", `57:3: text outside the root element`},
	{"text before the root", "<data", "x <data", "1:1: text outside the root element"},
	{"attribute twice", `id="main">`, `id="main" id="main">`, `2:22: attribute "id" is given twice`},
	{"undeclared prefix of an attribute", ` b:hold="5m"`, ` c:hold="5m"`, `34:59: prefix "c" is not declared`},
	{"undeclared prefix of an element", "<b:subject>Low</b:subject>", "<c:subject>Low</c:subject>", `41:7: prefix "c" is not declared`},
	{"unquoted value", `id="main"`, "id=main", `2:15: not well-formed XML: unquoted or missing attribute value in element`},
	{"missing value", `id="main"`, "id", "2:14: not well-formed XML: attribute name without = in element"},
	{"less-than in a value", `path="goods/{kind}"`, `path="a<b"`, `51:34: not well-formed XML: unescaped < inside quoted string`},
	{"control character", "org.sqlite.JDBC", "a\x01", "3:41: not well-formed XML: illegal character code U+0001"},
	{"too deep", "<sql>delete from goods</sql>", strings.Repeat("<sql>", 70), `29:317: elements are nested more than 64 deep`},
	{"too many attributes", `<property name="url"`, "<property " + attributes(130) + `name="url"`, "4:7: <property> has more than 128 attributes"},
	{"a declared encoding", "<data", `<?xml version="1.0" encoding="koi8-r"?><data`, `1:1: encoding "koi8-r" is not supported; save the file as UTF-8`},
	{"XML 1.1", "<data", `<?xml version="1.1"?><data`, `1:21: not well-formed XML: unsupported version "1.1"; only version 1.0 is supported`},

	// Names.
	{"another root", good, "<date/>", "1:1: the root element is <date>; a descriptor's is <data>"},
	{"root in a namespace", good, `<data xmlns="urn:x"/>`, `1:1: <data> is in namespace "urn:x"; a descriptor's elements are in none`},
	{"unknown element", "<properties>", "<propertys>", `32:7: not well-formed XML: element <propertys> closed by </properties>`},
	{"misspelt element", `<query id="erase" useConfig="main">`, `<querry/><query id="erase" useConfig="main">`, `28:4: unknown element <querry> in <data>; did you mean <query>?`},
	{"far-off element", `<query id="erase" useConfig="main">`, `<query id="erase" useConfig="main"><zzzzzzzzz/>`, `28:39: unknown element <zzzzzzzzz> in <query>; it may be <excel>, <expression>, <gspread>, <param>, <properties>, <result>, <scraperVariable>, <sparql>, <sql>`},
	{"element in the wrong place", "<b:subject>Low</b:subject>", "<sql/>", `41:7: unknown element <sql> in <event-trigger>; it may be <expression>, <subscriptions>, <target-topic>`},
	{"misspelt attribute", `useConfig="main" output`, `useconfig="main" output`, "7:4: data source \"default\" is not described; it may be \"main\"\n7:21: unknown attribute \"useconfig\" of <query>; did you mean \"useConfig\"?"},
	{"attribute of another element", `<operation name="list"`, `<operation href="x" name="list"`, `43:15: unknown attribute "href" of <operation>; it may be "name", "disableStreaming", "returnRequestStatus"`},
	{"unknown Belfry attribute", "b:hold", "b:holt", `34:59: unknown Belfry attribute "holt" of <event-trigger>; did you mean "hold"?`},
	{"Belfry attribute elsewhere", `<config id`, `<config b:mode="edge" id`, `2:12: unknown Belfry attribute "mode" of <config>`},
	{"unknown Belfry element", "<b:subject>Low</b:subject>", "<b:subjekt>Low</b:subjekt>", `41:7: unknown Belfry element <subjekt> in <event-trigger>; did you mean <subject>?`},
	{"foreign attribute", `<config id`, `<config xmlns:x="urn:x" x:y="1" id`, `2:28: attribute "y" is in a namespace that descriptors do not use: "urn:x"`},
	{"foreign element", `<operation name="list">`, `<x:y xmlns:x="urn:x"/><operation name="list">`, `43:4: element <y> is in a namespace that descriptors do not use: "urn:x"`},
	{"unknown vault attribute", `<property name="url"`, `<property xmlns:s="http://org.wso2.securevault/configuration" s:secretAlas="x" name="url"`, `4:69: unknown attribute "secretAlas" in the secure vault's namespace; did you mean "secretAlias"?`},
	{"stray text", "<properties>", "<properties> oops", `30:20: <properties> holds no text`},

	// The service.
	{"no name", `name="Shop" `, "", "1:1: <data> needs a name"},
	{"name with a query", `"Shop"`, `"Shop?x"`, `1:7: service name "Shop?x" cannot be part of a URL`},
	{"name that climbs", `"Shop"`, `"a/../b"`, `1:7: service name "a/../b" cannot be part of a URL`},
	{"status", `name="Shop"`, `name="Shop" serviceStatus="inactiv"`, `1:19: serviceStatus of <data> is "inactiv"; did you mean "inactive"?`},
	{"boolean", `name="Shop"`, `name="Shop" enableBatchRequests="yes"`, `1:19: enableBatchRequests of <data> is "yes"; it must be true or false`},
	{"policy without a key", `<operation name`, `<policy/><operation name`, "43:4: <policy> needs key"},

	// Data sources.
	{"source twice", "</config>", "</config><config id=\"main\"/>", `6:21: data source "main" is described twice, first at 2:4`},
	{"source of no kind", `<property name="driverClassName">org.sqlite.JDBC</property>
      <property name="url">jdbc:sqlite:shop.db</property>`, "", `2:4: data source "main" says neither driverClassName nor any other property that tells its kind`},
	{"source without url", `jdbc:sqlite:shop.db`, "", `2:4: data source "main" has no url`},
	{"property without name", `<property name="maxActive">`, `<property>`, "5:7: <property> needs a name"},
	{"pool size", ">5<", ">five<", `5:34: property maxActive is "five"; it must be a whole number`},
	{"query property", ">10</property>", ">soon</property>", `31:40: property queryTimeout is "soon"; it must be a whole number`},

	// Queries.
	{"query without id", `<query id="erase" `, "<query ", "28:4: <query> needs id\n49:19: query \"erase\" is not described; it may be \"list\", \"parts\""},
	{"query twice", `<query id="erase" `, `<query id="list" `, "28:11: query \"list\" is described twice, first at 7:4\n49:19: query \"erase\" is not described; it may be \"list\", \"parts\""},
	{"no such source", `<query id="erase" useConfig="main"`, `<query id="erase" useConfig="mian"`, `28:22: data source "mian" is not described; did you mean "main"?`},
	{"no statement", "<sql>delete from goods</sql>", "", `28:4: query "erase" needs <sql>, since its data source "main" is a database`},
	{"empty statement", "delete from goods", " ", `29:7: <sql> is empty`},
	{"two statements", "<sql>delete from goods</sql>", "<sql>a</sql><sql>b</sql>", `29:19: a second <sql> without a dialect`},
	{"dialect twice", "<sql>delete from goods</sql>", `<sql dialect="h2,mysql">a</sql><sql dialect="mysql">b</sql>`, `29:43: dialect "mysql" has two statements`},
	{"empty dialect", "<sql>delete from goods</sql>", `<sql dialect="">a</sql>`, `29:12: dialect is empty; leave it out for the statement that serves every database`},
	{"more placeholders than parameters", "and stock &lt; ?", "and stock in (?, ?)", `8:7: the statement has 3 placeholders, but query "list" has 2 parameters`},
	{"parameter without name", `<param name="below" `, "<param ", "12:7: <param> needs name"},
	{"type of parameter", `sqlType="INTEGER"`, `sqlType="INTEGR"`, `12:27: sqlType "INTEGR" is not known; did you mean "INTEGER"?`},
	{"ordinal", `ordinal="2"`, `ordinal="two"`, `12:45: ordinal is "two"; it must be a whole number`},
	{"mode", `ordinal="2"`, `ordinal="2" type="INN"`, `12:57: type of <param> is "INN"; did you mean "IN"?`},
	{"array", `ordinal="2"`, `ordinal="2" paramType="LIST"`, `12:57: paramType of <param> is "LIST"; it may be "SCALAR", "ARRAY"`},
	{"length", `minimum="1"`, `minimum="one"`, `10:26: minimum is "one"; it must be a whole number`},
	{"length upside down", `minimum="1"`, `minimum="10"`, "10:26: minimum is above maximum: nothing would be valid"},
	{"double range", `<validateLength minimum="1" maximum="9"/>`, `<validateDoubleRange minimum="NaN"/>`, `10:31: minimum is "NaN"; it must be a number`},
	{"no pattern", `<validateLength minimum="1" maximum="9"/>`, "<validatePattern/>", "10:10: <validatePattern> needs pattern"},
	{"broken pattern", `<validateLength minimum="1" maximum="9"/>`, `<validatePattern pattern="a(b"/>`, "10:27: pattern is not a regular expression: missing closing )"},
	{"no such trigger", `output-event-trigger="low"`, `output-event-trigger="lov"`, `7:38: event trigger "lov" is not described; did you mean "low"?`},
	{"second result", `</result>
   </query>
   <query id="parts"`, `</result><result element="x"/>
   </query>
   <query id="parts"`, "19:16: a second <result> in <query>"},

	// Results.
	{"result's name", `element="goods"`, `element="all goods"`, `13:15: element "all goods" cannot be the name of an XML element`},
	{"output type", `outputType="json"`, `outputType="jason"`, "24:15: outputType of <result> is \"jason\"; did you mean \"json\"?\n25:10: <result> holds no text unless its outputType is \"json\""},
	{"element without name", `<element name="code" column`, "<element column", "14:10: <element> needs name"},
	{"element's name", `<element name="code" column`, `<element name="1st" column`, `14:19: name "1st" cannot be the name of an XML element`},
	{"attribute without column", `<element name="code" column="code" xsdType="string"/>`, `<attribute name="code"/>`, "14:10: <attribute> needs column, query-param or value"},
	{"value and elements", `<element name="code" column="code" xsdType="string"/>`, `<element name="code" column="code"><element name="x" column="y"/></element>`, "14:45: an <element> with a value of its own holds no elements"},
	{"column by number", `rowName="good"`, `rowName="good" useColumnNumbers="true"`, "14:31: column \"code\" must be a number from 1, since the result uses column numbers\n15:32: column \"stock\" must be a number from 1, since the result uses column numbers"},
	{"nested query", `href="parts"`, `href="part"`, `16:22: query "part" is not described; did you mean "parts"?`},
	{"with-param of nothing", `<with-param name="code" column="code"/>`, `<with-param name="code"/>`, "17:13: <with-param> needs query-param or column"},

	// JSON templates.
	{"template of two", `{"parts": {`, `{"x": {}, "parts": {`, "25:10: a JSON template is an object with exactly one member, which wraps the rows; this one has 2"},
	{"template that is a list", `{"parts": {"part": [{"name": "$part(type:string;optional:true)", "more": {"again": "$part"}}]}}`, `[1]`, "25:10: a JSON template is an object with exactly one member, which wraps the rows; this one has 0"},
	{"template of a value", `{"parts": {"part": [{"name": "$part(type:string;optional:true)", "more": {"again": "$part"}}]}}`, `{"parts": 5}`, `25:20: "parts" must be an object`},
	{"template of two rows", `"more": {"again": "$part"}}]`, `"more": {"again": "$part"}}, {}]`, `25:29: "part" must hold exactly one object, the row`},
	{"template's column", `"again": "$part"`, `"again": "part"`, `25:93: the value of "again" must name a column, such as "$column(type:integer)"`},
	{"template's option", "optional:true", "option:true", `25:39: unknown option "option" of "name"; did you mean "optional"?`},
	{"template's options", "optional:true)", "optional:true", `25:39: the options of "name" must end with )`},
	{"template's list in a row", `{"again": "$part"}`, `[1]`, `25:83: "more" is an array; a row of a JSON template holds none`},
	{"template's name", `"more"`, `"mo re"`, `25:75: "mo re" cannot be the name of an XML element, which the same result has as XML`},
	{"template's name twice", `"more"`, `"name"`, `25:75: "name" is given twice`},
	{"template not closed", `"$part"}}]}}`, `"$part"}}]}`, "25:10: not a JSON template: '{' is never closed"},
	{"template with more", `"$part"}}]}}`, `"$part"}}]}} x`, `25:106: not a JSON template: text after the end of the template`},
	{"template without colon", `"more": `, `"more" `, `25:82: not a JSON template: expected a : after "more"`},
	{"template's open string", `"$part"}}]}}`, `"$part}}]}}`, "25:93: not a JSON template: a string is not closed before the end of the line"},
	{"template's nested call", `"more": {"again": "$part"}`, `"@list": "$part-&gt;kind,part"`, `25:84: "@list" must be "$column->parameter", found "part"`},
	{"template's unknown call", `"more": {"again": "$part"}`, `"@lost": "$part-&gt;kind"`, `25:75: query "lost" is not described; did you mean "list"?`},

	// Event triggers.
	{"trigger's language", `language="XPath"`, `language="XQuery"`, `34:28: language "XQuery" is not known; it may be "XPath"`},
	{"CEL without its namespace", `language="XPath"`, `language="CEL"`, `34:28: CEL is Belfry's own: write b:language="CEL" with xmlns:b="https://github.com/seed42aab489/belfry/ns/dbs"`},
	{"trigger's expression", "<expression>//stock &lt; 10</expression>", "<expression/>", `35:7: <expression> is empty`},
	{"trigger without topic", "<target-topic>low</target-topic>", "", `34:4: <event-trigger> needs <target-topic>`},
	{"subscription", "mailto:shop@example.org", "shop@example.org", `38:10: a subscription is a URI, such as mailto:ops@example.org or https://example.org/hook`},
	{"trigger's mode", `b:mode="edge"`, `b:mode="egde"`, "34:45: mode \"egde\" is not known; did you mean \"edge\"?\n40:7: <re-arm> means something only with mode=\"edge\""},
	{"trigger's hold", `b:hold="5m"`, `b:hold="5 minutes"`, `34:59: hold is "5 minutes"; it must be a time above zero and up to 744h, such as "90s", "5m" or "1h30m"`},
	{"trigger's negative hold", `b:hold="5m"`, `b:hold="-5m"`, `34:59: hold is "-5m"; it must be a time above zero and up to 744h, such as "90s", "5m" or "1h30m"`},
	{"two subjects", "<b:subject>Low</b:subject>", "<b:subject>Low</b:subject><b:subject>x</b:subject>", `41:33: a second <subject> in <event-trigger>`},
	{"subject of two lines", "<b:subject>Low", "<b:subject>Low&#10;er", `41:7: a subject is one line`},
	{"trigger twice", `<operation name="list">`, `<event-trigger id="low"/><operation name="list">`, `43:19: event trigger "low" is described twice, first at 34:4`},

	// Operations and resources.
	{"operation without name", `<operation name="erase" `, "<operation ", `48:4: <operation> needs name`},
	{"operation's name", `<operation name="erase" `, `<operation name="era se" `, `48:15: operation name "era se" cannot be the name of an XML element`},
	{"operation twice", `<operation name="erase" `, `<operation name="list" `, `48:15: operation "list" is described twice, first at 43:4`},
	{"operation without call", `<call-query href="erase"/>`, "", `48:4: <operation> needs <call-query>`},
	{"call of nothing", `<call-query href="erase"/>`, "<call-query/>", `49:7: <call-query> needs href`},
	{"call of an unknown query", `<call-query href="erase"/>`, `<call-query href="erace"/>`, `49:19: query "erace" is not described; did you mean "erase"?`},
	{"request parameter's name", `<with-param name="kind" query-param="kind"/>`, `<with-param name="kind" query-param="the kind"/>`, `45:34: query-param "the kind" cannot be the name of an XML element`},
	{"resource's method", `method="GET"`, `method="GTE"`, `51:14: method "GTE" is not known; did you mean "GET"?`},
	{"resource without path", `path="goods/{kind}"`, "", `51:4: <resource> needs path`},
	{"path's variable", "goods/{kind}", "goods/{kind", `51:27: path "goods/{kind": a { without its }`},
	{"path's variable twice", "goods/{kind}", "{kind}/{kind}", `51:27: path "{kind}/{kind}": {kind} stands in it twice`},
	{"path with a query", "goods/{kind}", "goods?kind", `51:27: path "goods?kind": it cannot be part of a URL`},
	{"resource twice", "</data>", `<resource method="get" path="/goods/{k}"><call-query href="list"/></resource></data>`, `56:24: resource GET goods/{k} answers the same requests as GET goods/{kind} at 51:4`},
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + strings.Repeat("x", i) + `="" `)
	}
	return b.String()
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for _, c := range malformed {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(good, c.old) == 0 {
				t.Fatalf("the good descriptor holds no %q", c.old)
			}
			checkFaults(t, strings.Replace(good, c.old, c.new, 1), c.want)
		})
	}
}

// checkFaults parses a descriptor and compares what is wrong with it, one fault
// a line, in order of place.
func checkFaults(t *testing.T, text, want string) {
	t.Helper()
	s, err := descriptor.Parse("f.dbs", []byte(text))
	var faults *descriptor.Error
	if !errors.As(err, &faults) {
		t.Fatalf("want %s\ngot no *Error but %v, %v", want, s, err)
	}
	if s != nil {
		t.Error("a broken descriptor gave a service")
	}
	var wanted []string
	for line := range strings.SplitSeq(want, "\n") {
		wanted = append(wanted, "f.dbs:"+line)
	}
	if got, want := err.Error(), strings.Join(wanted, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
