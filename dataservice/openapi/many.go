package openapi

import (
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// batches describes what takes many values at once.
func (b *builder) batches() {
	s := b.service
	const doc = "Many calls as one: all of them take effect, or none does."
	for _, r := range s.Resources {
		if r.Unsupported != "" || !s.Batches(&r.Call) || r.Method == http.MethodGet || r.Method == http.MethodHead {
			continue
		}
		// A path that ends in a variable would be one value of it for all; and tools
		// would take "{id}_batch_req" for a value of "{id}".
		path, method := strings.TrimSuffix(r.Path, "/"), r.Method
		if strings.HasSuffix(path, "}") {
			path, method = r.RequestName(), http.MethodPost
		}
		b.add(path+dataservice.BatchSuffix, method, &request{
			name: r.Name() + dataservice.BatchSuffix, element: r.RequestName(), doc: doc, call: &r.Call, status: r.ReturnStatus, batch: true,
		})
	}
	for _, o := range s.Operations {
		if o.Unsupported == "" && s.Batches(&o.Call) {
			b.add(o.Name+dataservice.BatchSuffix, "POST", &request{
				name: o.Name + dataservice.BatchSuffix, element: o.Name, doc: doc, call: &o.Call, status: o.ReturnStatus, batch: true,
			})
		}
	}
}

// batch describes the body of a batch: <op_batch_req><op>…</op><op>…</op></op_batch_req>.
func (b *builder) batch(r *request, inPath map[string]bool) *requestBody {
	return enveloped(r.element+dataservice.BatchSuffix, b.many(r, inPath))
}

// many is an array of the parameters of calls, under their element.
func (b *builder) many(r *request, inPath map[string]bool) *schema {
	return &schema{
		Type: "object", Properties: map[string]*schema{r.element: {Type: "array", Items: b.values(r, inPath)}}, Required: []string{r.element},
		XML: &xmlName{Name: r.element + dataservice.BatchSuffix, Namespace: b.service.Namespace},
	}
}

// enveloped is a body whose element is a member of its own in JSON.
func enveloped(element string, s *schema) *requestBody {
	return &requestBody{Required: true, Content: map[string]*mediaType{
		"application/json": {&schema{Type: "object", Properties: map[string]*schema{element: s}, Required: []string{element}}},
		"application/xml":  {s},
	}}
}

// boxes describes what makes one of many requests.
func (b *builder) boxes() {
	answered := func(what string) map[string]*response {
		box := &schema{
			Type: "object", Description: "what the last request answers", XML: &xmlName{Name: dataservice.BoxResponse, Namespace: dataservice.DefaultNamespace},
		}
		return map[string]*response{"200": answer(what, dataservice.BoxResponse, box), "default": {Ref: "#/components/responses/Fault"}}
	}
	for _, name := range b.service.BoxOperations() {
		if path := "/" + name; !b.service.BoxOperation(name) || b.Paths[path] != nil {
			continue
		}
		op := &operation{ID: b.id(name, "post")}
		switch name {
		case dataservice.RequestBox:
			op.Summary = "Executes requests in their order as one: all of them take effect, or none does."
			op.RequestBody, op.Responses = enveloped(name, b.box()), answered("All of it is done.")
		case dataservice.BeginBoxcar:
			op.Summary = "Opens a session, which a cookie names: what is asked within it is kept, and answered with nothing, until it ends."
			op.Responses = answered("The session is open.")
		case dataservice.EndBoxcar:
			op.Summary = "Ends the session and executes what was asked within it as one."
			op.Responses = answered("All of it is done.")
		case dataservice.AbortBoxcar:
			op.Summary = "Ends the session and drops what was asked within it."
			op.Responses = map[string]*response{
				"202": {Description: "It is dropped; there is nothing to answer."}, "default": {Ref: "#/components/responses/Fault"},
			}
		}
		b.Paths["/"+name] = pathItem{"post": op}
	}
}

// box describes the body of a request_box: a member for each request or batch.
func (b *builder) box() *schema {
	to := &schema{Type: "object", Properties: map[string]*schema{}, XML: &xmlName{Name: dataservice.RequestBox}}
	add := func(r *request) {
		to.Properties[r.element] = b.values(r, nil)
		if b.service.Batches(r.call) {
			to.Properties[r.element+dataservice.BatchSuffix] = b.many(r, nil)
		}
	}
	for _, r := range b.service.Resources {
		if r.Unsupported == "" {
			add(&request{name: r.Name(), element: r.RequestName(), call: &r.Call})
		}
	}
	for _, o := range b.service.Operations {
		if o.Unsupported == "" {
			add(&request{name: o.Name, element: o.Name, call: &o.Call})
		}
	}
	return to
}
