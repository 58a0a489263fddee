package openapi

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// Document describes a service, as JSON. The address is where it is reached:
// "http://host:8280/services/Stock".
func Document(s *dataservice.Service, address string) ([]byte, error) {
	b := &builder{service: s, document: &document{
		OpenAPI: "3.0.3",
		Info:    info{Title: s.Name, Description: s.Description, Version: "1.0"},
		Servers: []server{{URL: address}},
		Paths:   map[string]pathItem{},
		Components: components{
			Schemas: map[string]*schema{}, Responses: map[string]*response{"Fault": fault()},
		},
	}, results: map[string]string{}, templates: map[string]string{}, ids: map[string]bool{}}
	b.Components.Schemas["DataServiceFault"] = faultDetail()
	if s.Secured() {
		b.Components.Security = map[string]*securityScheme{"basic": {Type: "http", Scheme: "basic"}, "bearer": {Type: "http", Scheme: "bearer"}}
		b.Security = []map[string][]string{{"basic": {}}, {"bearer": {}}}
		if s.Access().Open() { // parts of it are for anybody
			b.Security = append(b.Security, map[string][]string{})
		}
	}
	// Resources win over operations, as they do when they are called.
	for _, r := range s.Resources {
		if r.Unsupported == "" {
			b.add(r.Path, r.Method, &request{name: r.Name(), element: "_" + strings.ToLower(r.Method) + r.Path, doc: r.Description, call: &r.Call, status: r.ReturnStatus})
		}
	}
	for _, op := range s.Operations {
		if op.Unsupported != "" {
			continue
		}
		q := &request{name: op.Name, element: op.Name, doc: op.Description, call: &op.Call, status: op.ReturnStatus}
		b.add(op.Name, "POST", q)
		if b.reads(q) {
			b.add(op.Name, "GET", q)
		}
	}
	b.batches()
	b.boxes()
	return json.MarshalIndent(b.document, "", "  ")
}

// builder makes a document.
type builder struct {
	*document
	service   *dataservice.Service
	results   map[string]string // queries -> names of their schemas
	templates map[string]string // paths without the names of variables -> paths
	ids       map[string]bool   // operationIds that are taken
}

// request is what can be asked.
type request struct {
	name, element, doc string
	call               *dataservice.CallQuery
	status             bool
	batch              bool // it takes many values
}

// reads tells whether a query has a result and is not known to change anything.
func (b *builder) reads(r *request) bool {
	q := b.service.Query(r.call.Query)
	return q != nil && q.Result != nil && !q.ReturnGeneratedKeys && !q.ReturnUpdatedRowCount
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

// methods are those that OpenAPI knows.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// add describes a request at a path, unless there is one of the method.
func (b *builder) add(path, method string, r *request) {
	path, _, _ = strings.Cut(path, "?")
	path = "/" + strings.Trim(path, "/")
	anonymous := variable.ReplaceAllString(path, "{}")
	own := variable.FindAllStringSubmatch(path, -1)
	if first, ok := b.templates[anonymous]; ok {
		path = first
	} else {
		b.templates[anonymous] = path
	}
	method = strings.ToLower(method)
	item := b.Paths[path]
	if item == nil {
		item = pathItem{}
		b.Paths[path] = item
	}
	if item[method] != nil || !slices.Contains(methods, method) {
		return
	}
	op := &operation{ID: b.id(r.name, method), Summary: r.doc, Responses: b.responses(r)}
	inPath := map[string]bool{}
	for i, v := range variable.FindAllStringSubmatch(path, -1) {
		inPath[own[i][1]] = true
		p := b.param(r, own[i][1])
		p.Nullable, p.Default = false, nil // it always stands there
		if !slices.ContainsFunc(op.Parameters, func(o parameter) bool { return o.Name == v[1] }) {
			op.Parameters = append(op.Parameters, parameter{Name: v[1], In: "path", Required: true, Schema: p})
		}
	}
	switch {
	case method == "get" || method == "head":
		op.Parameters = append(op.Parameters, b.query(r, inPath)...)
	case r.batch:
		op.RequestBody = b.batch(r, inPath)
	default:
		op.RequestBody = b.body(r, inPath)
	}
	item[method] = op
}

// id makes an operationId of which there is no other.
func (b *builder) id(name, method string) string {
	id := sanitize(name)
	for _, ending := range []string{"", "." + method, "._"} {
		id += ending
		if !b.ids[id] {
			break
		}
	}
	for b.ids[id] {
		id += "_"
	}
	b.ids[id] = true
	return id
}

var unnamed = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// sanitize leaves of a name what OpenAPI has in names.
func sanitize(name string) string { return strings.Trim(unnamed.ReplaceAllString(name, "_"), "_") }

// names are the parameters of a request, those of the path left out, in the order
// of the query.
func (b *builder) names(r *request, inPath map[string]bool) []string {
	var list []string
	for _, w := range r.call.Params {
		if w.QueryParam != "" && !inPath[w.QueryParam] && !slices.Contains(list, w.QueryParam) {
			list = append(list, w.QueryParam)
		}
	}
	return list
}

func (b *builder) query(r *request, inPath map[string]bool) []parameter {
	var list []parameter
	for _, name := range b.names(r, inPath) {
		p := b.param(r, name)
		p.Nullable = false // a query string has no null
		list = append(list, parameter{Name: name, In: "query", Required: b.required(r, name), Schema: p})
	}
	return list
}

// body describes the parameters in a body; nil: there are none.
func (b *builder) body(r *request, inPath map[string]bool) *requestBody {
	s := b.values(r, inPath)
	if len(s.Properties) == 0 {
		return nil
	}
	content := map[string]*mediaType{}
	for _, media := range []string{"application/json", "application/xml", "application/x-www-form-urlencoded"} {
		content[media] = &mediaType{s}
	}
	return &requestBody{Required: len(s.Required) > 0, Content: content}
}

// values describes the parameters of a request, those of the path left out.
func (b *builder) values(r *request, inPath map[string]bool) *schema {
	s := &schema{Type: "object", Properties: map[string]*schema{}, XML: &xmlName{Name: sanitize(r.element), Namespace: b.service.Namespace}}
	for _, name := range b.names(r, inPath) {
		s.Properties[name] = b.param(r, name)
		if b.required(r, name) {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// responses describes what a request answers.
func (b *builder) responses(r *request) map[string]*response {
	to := map[string]*response{"default": {Ref: "#/components/responses/Fault"}}
	q := b.service.Query(r.call.Query)
	switch {
	case q != nil && q.Result != nil:
		to["200"] = b.result(q)
	case r.status:
		s := &schema{Type: "string", Enum: []string{"SUCCESSFUL"}, XML: &xmlName{Name: "REQUEST_STATUS", Namespace: dataservice.DefaultNamespace}}
		to["200"] = answer("It is done.", "REQUEST_STATUS", s)
	default:
		to["202"] = &response{Description: "It is done; there is nothing to answer."}
	}
	return to
}

// answer describes what is answered in both formats; in JSON, the element is a
// member.
func answer(what, element string, s *schema) *response {
	return &response{Description: what, Content: map[string]*mediaType{
		"application/json": {&schema{Type: "object", Properties: map[string]*schema{element: s}, Required: []string{element}}},
		"application/xml":  {s},
	}}
}
