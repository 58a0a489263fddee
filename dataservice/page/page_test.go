package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func stock() *dataservice.Service {
	nothing := "nothing"
	return &dataservice.Service{
		Name: "shop/A & B", Active: true, Description: `<script>alert(1)</script>`,
		Queries: []*dataservice.Query{{ID: "q", Params: []*dataservice.Param{
			{Name: "id", SQLType: "INTEGER", Default: &nothing}, {Name: "list", SQLType: "STRING", Array: true}, {Name: "free", SQLType: "DATE", Optional: true},
		}}},
		Operations: []*dataservice.Operation{
			{Name: "get", Call: dataservice.CallQuery{Query: "q", Params: []dataservice.WithParam{
				{Name: "id", QueryParam: `i"d`}, {Name: "list", QueryParam: "list"}, {Name: "free", QueryParam: "free"}, {Name: "free", QueryParam: "free"},
			}}},
			{Name: "later", Unsupported: "a <reason>"},
		},
		Resources: []*dataservice.Resource{{Method: "DELETE", Path: "thing/{id}", Call: dataservice.CallQuery{Query: "q", Params: []dataservice.WithParam{{Name: "id", QueryParam: "id"}}}}},
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	off := &dataservice.Service{Name: "off"}
	closed := &dataservice.Service{Name: "closed", RequiresSecurity: true, Description: "hidden", Operations: []*dataservice.Operation{{Name: "hiddenToo"}}}
	index, err := Index("/services/", []*dataservice.Service{stock(), off, closed})
	if err != nil {
		t.Fatal(err)
	}
	single, err := Service("/services/", stock())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ page, want string }{
		{string(index), `<a href="/services/shop/A%20&amp;%20B?tryit">shop/A &amp; B</a>`},
		{string(index), `&lt;script&gt;alert(1)&lt;/script&gt;`},
		{string(index), `href="/services/shop/A%20&amp;%20B?wsdl"`},
		{string(index), `?tryit#operation-1">get</a>`},
		{string(index), `?tryit#resource-1"><b>DELETE</b> thing/{id}</a>`},
		{string(index), `<span class="note">inactive</span>`},
		{string(index), `<a href="/services/closed?tryit">closed</a>`},
		{string(index), `Its description needs credentials.`},
		{string(single), `data-base="/services/shop/A%20&amp;%20B/" data-path="get" data-method="POST"`},
		{string(single), `data-param="i&#34;d" autocomplete`},
		{string(single), `integer, may be empty, default nothing`},
		{string(single), `string, one value a line`},
		{string(single), `Not served: a &lt;reason&gt;`},
		{string(single), `data-path="thing/{id}" data-method="DELETE"`},
		{string(single), `data-param="id" data-required="yes"`},
	} {
		if !strings.Contains(c.page, c.want) {
			t.Errorf("no %s in\n%s", c.want, c.page)
		}
	}
	if strings.Contains(string(index), "hidden") {
		t.Errorf("the list describes a service that needs credentials:\n%s", index)
	}
	if n := strings.Count(string(single), `data-param="free"`); n != 1 {
		t.Errorf("a parameter that is named twice has %d fields", n)
	}
	for _, page := range [][]byte{index, single} {
		// What the policy forbids.
		if bad := regexp.MustCompile(`(?i)\son\w+=|style=|<style|javascript:|<script[^>]*>[^<]`).Find(page); bad != nil {
			t.Errorf("%s in the page", bad)
		}
		if strings.Contains(string(page), "ZgotmplZ") {
			t.Error("the template refuses a value")
		}
	}
	if empty, err := Index("/services/", nil); err != nil || !strings.Contains(string(empty), "No service is deployed.") {
		t.Errorf("an empty list: %v", err)
	}
}
