package wsdl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// whole checks that the documents of a service are sound: every name that they
// refer to is declared, once, and every namespace that a schema refers to is
// imported.
func whole(t *testing.T, s *dataservice.Service) {
	t.Helper()
	for version, root := range map[string]*tree{"1.1": read(t, WSDL11(s, here(s))), "2.0": read(t, WSDL20(s, here(s)))} {
		complain := func(format string, args ...any) {
			t.Errorf("%s, WSDL %s: %s", s.Name, version, fmt.Sprintf(format, args...))
		}
		target := "{" + root.attrs["targetNamespace"] + "}"
		declared := map[string]bool{}
		declare := func(kind, name string) {
			if declared[kind+name] {
				complain("%s %s is declared twice", kind, name)
			}
			declared[kind+name] = true
		}
		for _, schema := range root.of("types")[0].of("schema") {
			for _, k := range schema.kids {
				if k.name.Local != "import" {
					declare(k.name.Local, "{"+schema.attrs["targetNamespace"]+"}"+k.attrs["name"])
				}
			}
		}
		for _, kind := range []string{"message", "portType", "binding"} {
			for _, n := range root.of(kind) {
				declare(kind, target+n.attrs["name"])
			}
		}
		for _, p := range append(root.of("portType"), root.of("interface")...) {
			for _, o := range p.of("operation") {
				declare("operation", target+o.attrs["name"])
			}
		}
		leads := func(kind string, n *tree, attr string) {
			name := n.qname(attr)
			if name != "" && !strings.HasPrefix(name, "{"+xsdSpace+"}") && !declared[kind+name] {
				complain("%s %s leads nowhere", kind, name)
			}
		}
		for _, schema := range root.of("types")[0].of("schema") {
			imports := map[string]bool{schema.attrs["targetNamespace"]: true, xsdSpace: true}
			for _, i := range schema.of("import") {
				imports[i.attrs["namespace"]] = true
			}
			for _, e := range append(schema.all("element"), schema.all("attribute")...) {
				leads("element", e, "ref")
				leads("complexType", e, "type")
				for _, attr := range []string{"ref", "type"} {
					space, _, qualified := strings.Cut(strings.TrimPrefix(e.qname(attr), "{"), "}")
					if qualified && !imports[space] {
						complain("%s refers to %s, which is not imported", schema.attrs["targetNamespace"], space)
					}
				}
			}
		}
		for _, p := range root.all("part") {
			leads("element", p, "element")
		}
		for _, n := range append(root.all("input"), root.all("output")...) {
			leads("message", n, "message")
			leads("element", n, "element")
		}
		for _, n := range root.all("port") {
			leads("binding", n, "binding")
		}
	}
	for n := 0; ; n++ {
		data, ok := Schema(s, n, func(n int) string { return fmt.Sprintf("?xsd=xsd%d", n) })
		if !ok {
			if n == 0 {
				t.Errorf("%s has no schema", s.Name)
			}
			return
		}
		if root := read(t, data); root.name.Local != "schema" || n == 0 && root.attrs["targetNamespace"] != s.Namespace {
			t.Errorf("%s: schema %d is %v", s.Name, n, root.name)
		}
	}
}

// tricky has what a description can stumble on.
const tricky = `<data name="group/Tricky" serviceNamespace="urn:t" enableBatchRequests="true" enableBoxcarring="true">
  <description>a &lt;tricky&gt; one</description>
  <config id="c"><property name="url">jdbc:sqlite:x.db</property><property name="driverClassName">x</property></config>
  <query id="wide" useConfig="c"><sql>select 1</sql>
    <result element="Things" rowName="Thing">
      <element name="a" column="a" xsdType="integer"/>
      <element name="b" column="b"/>
      <element name="c" column="c" arrayName="x"/>
      <attribute name="id" column="id" xsdType="integer"/>
      <element name="far" column="d" namespace="urn:far"/>
      <element name="group"><element name="inner" column="e"/></element>
      <call-query href="wide"/>
      <call-query href="single"/>
      <call-query href="bare"/>
    </result></query>
  <query id="bare" useConfig="c"><sql>select 1</sql><result element="" rowName="Bare"><element name="v" column="v"/></result></query>
  <query id="narrow" useConfig="c"><sql>select 1</sql>
    <result element="Things" rowName="Thing"><element name="a" column="a"/><element name="z" column="z" requiredRoles="admin"/></result></query>
  <query id="single" useConfig="c"><sql>select 1</sql><result element="One" defaultNamespace="urn:one"><element name="v" column="v"/></result></query>
  <query id="write" useConfig="c"><sql>insert into t values (:x, :list, :later)</sql>
    <param name="x" sqlType="BIGINT" defaultValue="1"/><param name="list" sqlType="DATE" paramType="ARRAY"/><param name="later" sqlType="TIMESTAMP" optional="true"/></query>
  <operation name="wide"><call-query href="wide"/></operation>
  <operation name="narrow"><call-query href="narrow"/></operation>
  <operation name="Things"><call-query href="single"/></operation>
  <operation name="write" returnRequestStatus="true"><call-query href="write">
    <with-param name="later" query-param="when"/><with-param name="x" query-param="x"/><with-param name="list" query-param="list"/></call-query></operation>
  <resource method="GET" path="/thing/{id}.json"><call-query href="single"/></resource>
  <resource method="PUT" path="thing"><call-query href="write"><with-param name="x" query-param="x"/></call-query></resource>
</data>`

func TestTricky(t *testing.T) {
	t.Parallel()
	s, err := descriptor.Parse("Tricky.dbs", []byte(tricky))
	if err != nil {
		t.Fatal(err)
	}
	whole(t, s)
	f := facts(read(t, WSDL11(s, Address{HTTP: "http://h/services/group/Tricky"})))
	const own, ds, xs = "{urn:t}", "{" + dataservice.DefaultNamespace + "}", "{" + xsdSpace + "}"
	for key, want := range map[string]string{
		// What both results have, what one has, and what one says otherwise.
		"complexType {urn:t}Thing": "qualified complexType name=Thing (sequence (element name=a nillable=true type=" + xs + "string) " +
			"(element minOccurs=0 name=b nillable=true type=" + xs + "string) (element maxOccurs=unbounded minOccurs=0 name=c nillable=true type=" + xs + "string) " +
			"(element minOccurs=0 ref={urn:far}far) (element minOccurs=0 ref={urn:t}group) (element minOccurs=0 ref={urn:t}Things) (element minOccurs=0 ref={urn:one}One) " +
			"(element maxOccurs=unbounded minOccurs=0 name=Bare type={urn:t}Bare) " +
			"(element minOccurs=0 name=z nillable=true type=" + xs + "string)) (attribute name=id type=" + xs + "integer use=optional)",
		"element {urn:t}write": "qualified element name=write (complexType (sequence (element name=x nillable=true type=" + xs + "long) " +
			"(element maxOccurs=unbounded name=list nillable=true type=" + xs + "date) (element minOccurs=0 name=when nillable=true type=" + xs + "dateTime)))",
		"element {urn:t}write_batch_req": "qualified element name=write_batch_req (complexType (sequence (element maxOccurs=unbounded ref={urn:t}write)))",
		"complexType {urn:t}Bare":        "qualified complexType name=Bare (sequence (element name=v nillable=true type=" + xs + "string))",
		"complexType {urn:one}One":       "qualified complexType name=One (sequence (element minOccurs=0 name=v nillable=true type=" + xs + "string))",
		// An input gives way to a result of its name.
		"operation TrickyPortType Things input":               own + "ThingsRequest parameters {urn:t}Things2 urn:Things ",
		"operation TrickyPortType write output":               own + "writeResponse parameters " + ds + "REQUEST_STATUS urn:writeResponse ",
		"operation TrickyPortType _get_thing_id.json output":  "",
		"operation TrickyPortType _getthing_id.json output":   own + "_getthing_id.jsonResponse parameters {urn:one}One urn:_getthing_id.jsonResponse ",
		"operation TrickyPortType _putthing_batch_req output": "",
		"operation TrickyPortType request_box output":         own + "request_boxResponse parameters " + ds + "DATA_SERVICE_REQUEST_BOX_RESPONSE urn:request_boxResponse ",
		"port Tricky SOAP11Endpoint":                          own + "TrickySOAP11Binding http://schemas.xmlsoap.org/wsdl/soap/ /services/group/Tricky.SOAP11Endpoint/",
		"port Tricky SecureSOAP11Endpoint":                    "",
	} {
		if f[key] != want {
			t.Errorf("%s:\n got %s\nwant %s", key, f[key], want)
		}
	}
}
