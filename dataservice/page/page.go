// Package page shows data services to people: a page that lists them, and one for
// each with a form to try every operation and resource. The pages are plain HTML
// with one style sheet and one script of their own, and work under a policy that
// forbids anything else (Policy); without scripts they still list and link.
package page

import (
	"bytes"
	_ "embed" // the assets
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// Policy is the Content-Security-Policy that the pages need.
const Policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// The assets, and their names, by which a page refers to them after the path of
// the list and a question mark.
var (
	//go:embed page.css
	Style []byte
	//go:embed page.js
	Script []byte
	//go:embed page.html
	source string
)

// The names of the assets.
const (
	StyleName  = "page.css"
	ScriptName = "page.js"
)

var pages = template.Must(template.New("page").Funcs(template.FuncMap{"pair": pair}).Parse(source))

// pair gives a form what it needs: its request, and the path of the service.
func pair(path string, r request) map[string]any { return map[string]any{"Path": path, "Request": r} }

// Index lists services. Root is the path below which they are, "/services/".
func Index(root string, services []*dataservice.Service) ([]byte, error) {
	list := make([]service, 0, len(services))
	for _, s := range services {
		list = append(list, show(root, s))
	}
	return render("index", root, list)
}

// Service shows one service with its forms.
func Service(root string, s *dataservice.Service) ([]byte, error) {
	return render("service", root, show(root, s))
}

func render(name, root string, of any) ([]byte, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, map[string]any{"Root": root, "Style": root + "?" + StyleName, "Script": root + "?" + ScriptName, "Of": of})
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// service is one as the pages show it.
type service struct {
	Name, Description, Path string
	Active                  bool
	Closed                  bool // not everybody may see its description
	Documents               []document
	Operations, Resources   []request
}

// document is a link to one.
type document struct{ Title, Path string }

// request is an operation or a resource.
type request struct {
	ID          string // of its place in the page
	Method      string
	Path        string // below the service, variables in braces
	Description string
	Refused     string // why it is not served; empty: it is
	Params      []param
}

// param is a field of a form.
type param struct {
	ID, Name, Type  string
	Hint            string
	Array, Required bool
}

func show(root string, s *dataservice.Service) service {
	path := root + (&url.URL{Path: s.Name}).EscapedPath()
	v := service{
		Name: s.Name, Description: s.Description, Path: path, Active: s.Active, Closed: !s.Access().Open(),
		Documents: []document{{"WSDL 1.1", path + "?wsdl"}, {"WSDL 2.0", path + "?wsdl2"}, {"schema", path + "?xsd"}, {"OpenAPI", path + "?openapi"}},
	}
	for i, o := range s.Operations {
		q := request{ID: fmt.Sprint("operation-", i+1), Method: "POST", Path: o.Name, Description: o.Description, Refused: o.Unsupported}
		q.params(s, &o.Call)
		v.Operations = append(v.Operations, q)
	}
	for i, r := range s.Resources {
		q := request{ID: fmt.Sprint("resource-", i+1), Method: r.Method, Path: r.Path, Description: r.Description, Refused: r.Unsupported}
		q.params(s, &r.Call)
		v.Resources = append(v.Resources, q)
	}
	return v
}

// params gives a request its fields.
func (r *request) params(s *dataservice.Service, call *dataservice.CallQuery) {
	q := s.Query(call.Query)
	seen := map[string]bool{}
	for i, w := range call.Params {
		if w.QueryParam == "" || seen[w.QueryParam] || q == nil {
			continue
		}
		seen[w.QueryParam] = true
		f := param{ID: fmt.Sprint(r.ID, "-", i+1), Name: w.QueryParam, Required: true}
		for _, p := range q.Params {
			if !strings.EqualFold(p.Name, w.Name) {
				continue
			}
			f.Type, f.Array, f.Required = strings.ToLower(p.SQLType), p.Array, !p.Optional && p.Default == nil
			if p.Default != nil {
				f.Hint = "default " + *p.Default
			}
		}
		f.Required = f.Required || strings.Contains(r.Path, "{"+f.Name+"}")
		r.Params = append(r.Params, f)
	}
}
