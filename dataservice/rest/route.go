package rest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// kind is what a route does with a body.
type kind uint8

const (
	single  kind = iota // calls its target
	batch               // calls its target with each of many values (…_batch_req)
	box                 // calls what the body names (request_box)
	control             // begins or ends a boxcarring session
)

// route is what one method and path lead to.
type route struct {
	kind    kind
	method  string
	pattern pattern
	name    string // of the operation or resource, for faults and logs
	alias   string // what a resource is called where it has to have one name; else empty
	wrapper string // the envelope's name around a JSON or XML body, folded
	target  dataservice.CallQuery
	status  bool   // returnRequestStatus
	whole   bool   // disableStreaming
	refused string // why it is not supported yet; empty if it is
	shape   *dataservice.Result
	// reads: the query has a result and is not known to change anything.
	reads bool
}

// segment is one part of a pattern between slashes: a literal, one variable, or
// a mixture of both ("{name}.json").
type segment struct {
	literal string
	names   []string
	mixture *regexp.Regexp // nil unless it is a mixture
}

type pattern []segment

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

// compile reads a path as a descriptor has it. What is not a well-formed
// variable is literal text. A query string in it says nothing: parameters are
// found by their names.
func compile(path string) pattern {
	path, _, _ = strings.Cut(path, "?")
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	var p pattern
	for part := range strings.SplitSeq(path, "/") {
		found := variable.FindAllStringSubmatchIndex(part, -1)
		s := segment{literal: part}
		var expr strings.Builder
		end := 0
		for _, at := range found {
			s.names = append(s.names, part[at[2]:at[3]])
			expr.WriteString(regexp.QuoteMeta(part[end:at[0]]) + "(.+)")
			end = at[1]
		}
		if whole := len(found) == 1 && found[0][0] == 0 && found[0][1] == len(part); len(found) > 0 && !whole {
			var err error
			if s.mixture, err = regexp.Compile("^(?s:" + expr.String() + regexp.QuoteMeta(part[end:]) + ")$"); err != nil {
				s.names = nil // not UTF-8, or beyond a regular expression's bounds: literal text
			}
		}
		p = append(p, s)
	}
	return p
}

// weight orders the kinds of segments: the heavier, the more specific.
func (s segment) weight() int {
	switch {
	case len(s.names) == 0:
		return 2
	case s.mixture != nil:
		return 1
	}
	return 0
}

// match tells whether the segments of a path, unescaped, fit the pattern, and
// adds what its variables hold to values, which may be nil.
func (p pattern) match(path []string, values dataservice.Values) bool {
	if len(path) != len(p) {
		return false
	}
	for i, s := range p {
		switch {
		case len(s.names) == 0:
			if s.literal != path[i] {
				return false
			}
		case path[i] == "":
			return false
		case s.mixture == nil:
			set(values, s.names[0], path[i])
		default:
			found := s.mixture.FindStringSubmatch(path[i])
			if found == nil {
				return false
			}
			for j, name := range s.names {
				set(values, name, found[j+1])
			}
		}
	}
	return true
}

func set(values dataservice.Values, name, value string) {
	if values != nil {
		values[name] = []string{value}
	}
}

// router finds routes. It is read-only once made.
type router struct{ routes []*route }

// newRouter orders the routes so that the first match is the right one.
func newRouter(routes []*route) *router {
	slices.SortStableFunc(routes, func(a, b *route) int {
		if d := len(a.pattern) - len(b.pattern); d != 0 {
			return d
		}
		for i := range a.pattern {
			if d := b.pattern[i].weight() - a.pattern[i].weight(); d != 0 {
				return d
			}
		}
		return 0
	})
	return &router{routes: routes}
}

// find gives the route of a request, or nil and the methods that the path has.
func (t *router) find(method string, path []string) (*route, []string) {
	var allow []string
	var head *route
	for _, r := range t.routes {
		if !r.pattern.match(path, nil) {
			continue
		}
		if r.method == method {
			return r, nil
		}
		allow = append(allow, r.method)
		if r.method == http.MethodGet && r.reads {
			allow = append(allow, http.MethodHead)
			if head == nil {
				head = r
			}
		}
	}
	if method == http.MethodHead && head != nil {
		return head, nil
	}
	if len(allow) > 0 {
		allow = append(allow, http.MethodOptions)
		slices.Sort(allow)
		allow = slices.Compact(allow)
	}
	return nil, allow
}

// routesOf lists what a service answers. Resources come first: they win over an
// operation of the same path.
func routesOf(s *dataservice.Service) []*route {
	var routes []*route
	for _, r := range s.Resources {
		routes = append(routes, &route{
			method: r.Method, pattern: compile(r.Path), name: r.Name(), alias: r.RequestName(), wrapper: exchange.Fold(r.Method + r.Path),
			target: r.Call, status: r.ReturnStatus, whole: !r.Streaming, refused: r.Unsupported,
		})
	}
	for _, o := range s.Operations {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			routes = append(routes, &route{
				method: method, pattern: pattern{{literal: o.Name}}, name: o.Name, wrapper: exchange.Fold(o.Name),
				target: o.Call, status: o.ReturnStatus, whole: !o.Streaming, refused: o.Unsupported,
			})
		}
	}
	for _, r := range routes[:len(s.Resources)] {
		routes = append(routes, r.byName()...)
	}
	routes = append(routes, manyRoutes(s)...)
	for _, r := range routes {
		if q := s.Query(r.target.Query); q != nil {
			r.shape = q.Result
			r.reads = q.Result != nil && !q.ReturnGeneratedKeys && !q.ReturnUpdatedRowCount
		}
	}
	return routes
}

// byName gives the routes by which a resource can be called as if it were an
// operation, as in the original; by GET, if that is its own method.
func (r *route) byName() []*route {
	named := *r
	named.method, named.pattern = http.MethodPost, pattern{{literal: r.alias}}
	if r.method != http.MethodGet {
		return []*route{&named}
	}
	got := named
	got.method = http.MethodGet
	return []*route{&named, &got}
}
