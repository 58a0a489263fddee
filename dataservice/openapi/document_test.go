package openapi

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// tricky has what a description can stumble on.
const tricky = `<data name="group/Tricky" serviceNamespace="urn:t">
  <description>a "tricky" one</description>
  <config id="c"><property name="url">jdbc:sqlite:x.db</property><property name="driverClassName">x</property></config>
  <query id="a list" useConfig="c"><sql>select :from</sql>
    <param name="from" sqlType="DATE" defaultValue="2026-01-01"/>
    <result element="Things" rowName="Thing">
      <element name="n" column="n" xsdType="integer"/>
      <element name="b" column="b" optional="true"/>
      <element name="secret" column="s" requiredRoles="admin"/>
      <element name="c" column="c" arrayName="x"/>
      <attribute name="id" column="id" xsdType="integer"/>
      <element name="group"><element name="inner" column="e"/></element>
      <call-query href="a list"/>
    </result></query>
  <query id="one" useConfig="c"><sql>select :id</sql><param name="id" sqlType="INTEGER"/><result element="One"><element name="v" column="v"/></result></query>
  <query id="write" useConfig="c"><sql>insert into t values (:x, :list, :name, :at)</sql>
    <param name="x" sqlType="BIGINT" defaultValue="1"><validateLongRange minimum="1" maximum="9"/></param>
    <param name="list" sqlType="STRING" paramType="ARRAY"/>
    <param name="name" sqlType="STRING"><validateLength minimum="2" maximum="5"/></param>
    <param name="at" sqlType="TIMESTAMP" defaultValue="#{NULL}"/></query>
  <operation name="list"><call-query href="a list"><with-param name="from" query-param="since"/></call-query></operation>
  <operation name="write" returnRequestStatus="true"><call-query href="write">
    <with-param name="x" query-param="x"/><with-param name="list" query-param="list"/><with-param name="name" query-param="name"/><with-param name="at" query-param="at"/></call-query></operation>
  <operation name="thing"><call-query href="one"><with-param name="id" query-param="id"/></call-query></operation>
  <resource method="GET" path="/thing/{id}"><call-query href="one"><with-param name="id" query-param="id"/></call-query></resource>
  <resource method="DELETE" path="thing/{code}"><call-query href="write"><with-param name="name" query-param="code"/></call-query></resource>
  <resource method="GET" path="thing/{id}.json"><call-query href="one"><with-param name="id" query-param="id"/></call-query></resource>
  <resource method="POST" path="thing"><call-query href="one"><with-param name="id" query-param="id"/></call-query></resource>
</data>`

func load(t *testing.T, text string) *openapi3.T {
	t.Helper()
	s, err := descriptor.Parse("Tricky.dbs", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	data, err := Document(s, "http://h/services/group/Tricky")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return doc
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDocument(t *testing.T) {
	t.Parallel()
	doc := load(t, strings.Replace(tricky, ` requiredRoles="admin"`, "", 1))
	list, one := doc.Paths.Value("/list").Get, doc.Paths.Value("/thing/{id}")
	body := doc.Paths.Value("/write").Post.RequestBody.Value.Content
	for what, c := range map[string]struct{ got, want string }{
		"the number of paths":                {text(t, doc.Paths.Len()), "5"},
		"a parameter of an operation":        {text(t, list.Parameters), `[{"in":"query","name":"since","schema":{"default":"2026-01-01","format":"date","type":"string"}}]`},
		"a path that differs in its names":   {text(t, one.Delete.Parameters), `[{"in":"path","name":"id","required":true,"schema":{"maxLength":5,"minLength":2,"type":"string"}}]`},
		"a resource before an operation":     {doc.Paths.Value("/thing").Post.OperationID, "POST_thing"},
		"an operation beside a resource":     {doc.Paths.Value("/thing").Get.OperationID, "thing"},
		"an operation that writes, by GET":   {text(t, doc.Paths.Value("/write").Get), "null"},
		"a status":                           {text(t, doc.Paths.Value("/write").Post.Responses.Status(200).Value.Content["application/json"].Schema), `{"properties":{"REQUEST_STATUS":{"enum":["SUCCESSFUL"],"type":"string","xml":{"name":"REQUEST_STATUS","namespace":"http://ws.wso2.org/dataservice"}}},"required":["REQUEST_STATUS"],"type":"object"}`},
		"nothing to answer":                  {*one.Delete.Responses.Status(202).Value.Description, "It is done; there is nothing to answer."},
		"a body in JSON":                     {text(t, body["application/json"].Schema), `{"properties":{"at":{"nullable":true,"type":"string"},"list":{"items":{"type":"string"},"type":"array"},"name":{"maxLength":5,"minLength":2,"nullable":true,"type":"string"},"x":{"default":1,"format":"int64","maximum":9,"minimum":1,"nullable":true,"type":"integer"}},"required":["list","name"],"type":"object","xml":{"name":"write","namespace":"urn:t"}}`},
		"an answer in XML":                   {text(t, list.Responses.Status(200).Value.Content["application/xml"].Schema), `{"$ref":"#/components/schemas/a_list"}`},
		"an answer in JSON":                  {text(t, list.Responses.Status(200).Value.Content["application/json"].Schema), `{"properties":{"Things":{"$ref":"#/components/schemas/a_list"}},"required":["Things"],"type":"object"}`},
		"a result, which leads back":         {text(t, doc.Components.Schemas["a_list"].Value.Properties["Thing"].Value.Items), `{"properties":{"@id":{"type":"integer","xml":{"attribute":true,"name":"id"}},"Things":{"$ref":"#/components/schemas/a_list"},"b":{"nullable":true,"type":"string"},"c":{"items":{"type":"string"},"type":"array"},"group":{"properties":{"inner":{"nullable":true,"type":"string"}},"required":["inner"],"type":"object"},"n":{"nullable":true,"type":"integer"},"secret":{"nullable":true,"type":"string"}},"required":["n","secret","group","Things"],"type":"object"}`},
		"a result of one row, or none":       {text(t, doc.Components.Schemas["one"]), `{"properties":{"v":{"nullable":true,"type":"string"}},"type":"object","xml":{"name":"One","namespace":"urn:t"}}`},
		"a field for a role":                 {text(t, load(t, tricky).Components.Schemas["a_list"].Value.Properties["Thing"].Value.Items.Value.Properties["secret"]), `{"description":"for the roles admin only","nullable":true,"type":"string"}`},
		"no security where nobody asks":      {text(t, doc.Components.SecuritySchemes), "null"},
		"security where the service asks it": {text(t, load(t, strings.Replace(tricky, "<config ", "<enableSec/><config ", 1)).Security), `[{"basic":[]},{"bearer":[]}]`},
		"security that may be left out":      {text(t, load(t, tricky).Security), `[{"basic":[]},{"bearer":[]},{}]`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", what, c.got, c.want)
		}
	}
}

// Batches and boxes are described where the service has them, and only there.
func TestDocumentOfMany(t *testing.T) {
	t.Parallel()
	plain := load(t, tricky)
	doc := load(t, strings.Replace(tricky, "<data ", `<data enableBatchRequests="true" enableBoxcarring="true" `, 1))
	for _, path := range []string{"/write_batch_req", "/_deletething_code_batch_req", "/request_box", "/begin_boxcar", "/end_boxcar", "/abort_boxcar"} {
		if doc.Paths.Value(path) == nil || plain.Paths.Value(path) != nil {
			t.Errorf("%s: described %t, and without being asked for %t", path, doc.Paths.Value(path) != nil, plain.Paths.Value(path) != nil)
		}
	}
	if doc.Paths.Value("/list_batch_req") != nil {
		t.Error("what has a result has no batch")
	}
	write := doc.Paths.Value("/write_batch_req").Post
	one := text(t, doc.Paths.Value("/write").Post.RequestBody.Value.Content["application/json"].Schema)
	many := `{"properties":{"write":{"items":` + one + `,"type":"array"}},"required":["write"],"type":"object","xml":{"name":"write_batch_req","namespace":"urn:t"}}`
	if got := text(t, write.RequestBody.Value.Content["application/xml"].Schema); got != many {
		t.Errorf("a batch in XML:\n got %s\nwant %s", got, many)
	}
	if got, want := text(t, write.RequestBody.Value.Content["application/json"].Schema), `{"properties":{"write_batch_req":`+many+`},"required":["write_batch_req"],"type":"object"}`; got != want {
		t.Errorf("a batch in JSON:\n got %s\nwant %s", got, want)
	}
	box := doc.Paths.Value("/request_box").Post.RequestBody.Value.Content["application/xml"].Schema.Value.Properties
	for _, member := range []string{"list", "write", "write_batch_req", "thing", "_deletething_code", "_deletething_code_batch_req", "_postthing"} {
		if box[member] == nil {
			t.Errorf("a box holds no %s", member)
		}
	}
	limited := load(t, strings.Replace(tricky, "<data ", `<data enableBoxcarring="true" disableLegacyBoxcarringMode="true" `, 1))
	if limited.Paths.Value("/begin_boxcar") != nil || limited.Paths.Value("/request_box") == nil {
		t.Error("a service without sessions has a box alone")
	}
}
