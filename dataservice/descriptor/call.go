package descriptor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

func (r *reader) operation(n *node) {
	o := &dataservice.Operation{
		Position: n.pos, Name: r.required(n, "name"), Description: description(n),
		ReturnStatus: r.boolean(n, "returnRequestStatus"),
		Streaming:    !r.boolean(n, "disableStreaming") && r.service.Streaming,
	}
	if r.twice(n, "operation", "name", o.Name) {
		return
	}
	if o.Name != "" && !ncName.MatchString(o.Name) {
		r.addf(n.at("name"), "operation name %q cannot be the name of an XML element", o.Name)
	}
	o.Call = r.onlyCall(n)
	r.service.Operations = append(r.service.Operations, o)
}

func (r *reader) resource(n *node) {
	res := &dataservice.Resource{
		Position: n.pos, Description: description(n),
		Path:         strings.TrimPrefix(r.required(n, "path"), "/"),
		ReturnStatus: r.boolean(n, "returnRequestStatus"),
		Streaming:    !r.boolean(n, "disableStreaming") && r.service.Streaming,
	}
	res.Method = strings.ToUpper(r.required(n, "method"))
	if methods := words("GET POST PUT DELETE PATCH HEAD OPTIONS"); res.Method != "" && !slices.Contains(methods, res.Method) {
		r.addf(n.at("method"), "method %q is not known%s", n.get("method"), r.meant(res.Method, methods, "%q"))
	}
	shape, fault := pathShape(res.Path)
	if fault != "" {
		r.addf(n.at("path"), "path %q: %s", res.Path, fault)
	}
	if other := r.shapes[res.Method+" "+shape]; other != nil {
		r.addf(n.at("path"), "resource %s answers the same requests as %s at %s", res.Name(), other.Name(), other.Position)
		return
	}
	r.shapes[res.Method+" "+shape] = res
	res.Call = r.onlyCall(n)
	r.service.Resources = append(r.service.Resources, res)
}

// pathShape replaces the names of a path's variables, so that two paths that
// match the same requests have the same shape.
func pathShape(path string) (shape, fault string) {
	var b strings.Builder
	seen := map[string]bool{}
	for rest := path; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return path, "a } without its {"
		}
		b.WriteString(before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			return path, "a { without its }"
		case !ncName.MatchString(name):
			return path, "{" + name + "} is not the name of a parameter"
		case seen[name]:
			return path, "{" + name + "} stands in it twice"
		}
		seen[name] = true
		b.WriteString("{}")
		rest = tail
	}
	if strings.ContainsAny(path, "?#\\ \t\r\n") {
		return b.String(), "it cannot be part of a URL"
	}
	return b.String(), ""
}

func description(n *node) string {
	if d := n.first("description"); d != nil {
		return strings.TrimSpace(d.text)
	}
	return ""
}

func (r *reader) onlyCall(n *node) dataservice.CallQuery {
	calls := n.all("call-query")
	if len(calls) == 0 {
		r.addf(n.pos, "<%s> needs <call-query>", n.Local)
		return dataservice.CallQuery{Position: n.pos}
	}
	for _, extra := range calls[1:] {
		r.note(extra.pos, fmt.Sprintf("a second <call-query> of <%s>", n.Local), "it has no effect: the first is called")
	}
	c := calls[0]
	call := r.call(c)
	// The original says it of the call, and Belfry also of what makes it.
	if own := roles(n.own("requiredRoles")); len(own) > 0 && len(call.Roles) > 0 {
		r.addf(c.at("requiredRoles"), "requiredRoles is said of <%s> and of its <call-query>; say it once", n.Local)
	} else if len(own) > 0 {
		call.Roles = own
	}
	return call
}

func (r *reader) call(n *node) dataservice.CallQuery {
	c := dataservice.CallQuery{Position: n.at("href"), Query: r.required(n, "href"), Roles: roles(n.get("requiredRoles"))}
	for _, w := range n.all("with-param") {
		p := dataservice.WithParam{
			Position: w.pos, Name: r.required(w, "name"),
			QueryParam: strings.TrimSpace(w.get("query-param")), Column: strings.TrimSpace(w.get("column")),
		}
		if p.Column != "" && p.QueryParam != "" {
			r.note(w.at("query-param"), "query-param "+p.QueryParam+" of with-param "+p.Name, "it has no effect, since there is a column")
			p.QueryParam = ""
		}
		switch {
		case p.Column == "" && p.QueryParam == "":
			r.addf(w.pos, "<with-param> needs query-param or column")
		case p.QueryParam != "" && !ncName.MatchString(p.QueryParam):
			r.addf(w.at("query-param"), "query-param %q cannot be the name of an XML element", p.QueryParam)
		}
		same := func(o dataservice.WithParam) bool { return o.Name == p.Name }
		if i := slices.IndexFunc(c.Params, same); i >= 0 && p.Name != "" {
			r.note(c.Params[i].Position, "with-param "+p.Name, fmt.Sprintf("it has no effect: the one at %s gives the same parameter", w.pos))
			c.Params = slices.Delete(c.Params, i, i+1)
		}
		c.Params = append(c.Params, p)
	}
	return c
}
