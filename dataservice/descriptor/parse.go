package descriptor

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/seed42aab489/belfry/dataservice"
)

// Parser reads descriptors. Its zero value is ready and safe for concurrent use.
type Parser struct {
	// Mapped tells whether a data source, by its service, its id and its URL or resource name
	// (empty for one that has none), is sent to an SQL database by the host's
	// configuration. Such a source is SQL whatever its kind. Nil: none is.
	Mapped func(service, id, url string) bool
}

// Parse reads a descriptor with a zero Parser.
func Parse(file string, data []byte) (*dataservice.Service, error) {
	return Parser{}.Parse(file, data)
}

// Parse reads a descriptor and checks it. The file's name is only for messages
// and for Service.File. The error is an *Error that lists every fault.
func (p Parser) Parse(file string, data []byte) (*dataservice.Service, error) {
	r := &reader{mapped: p.Mapped, sqlAt: map[*dataservice.Query]*node{}, shapes: map[string]*dataservice.Resource{}, named: map[string]*node{}}
	doc, err := newDocument(data)
	if err == nil {
		r.doc = doc
		var root *node
		if root, err = parseTree(doc); err == nil {
			r.data(root)
		}
	}
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		r.addf(syntax.at, "%s", syntax.msg)
	}
	if err := r.err(file); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	r.service.File, r.service.Hash = file, hex.EncodeToString(sum[:])
	return r.service, nil
}

// reader turns one tree into a service.
type reader struct {
	faults
	doc     *document
	mapped  func(service, id, url string) bool
	service *dataservice.Service
	// baseNamespace is that of results which name none: baseURI, else the
	// service's (WSO2: DataService.getDefaultNamespace).
	baseNamespace string
	// sqlAt leads from a query to its element, for the checks after reading.
	sqlAt map[*dataservice.Query]*node
	// named leads from kind and name to the element that described it first.
	named map[string]*node
	// shapes leads from method and shape of a path to its resource.
	shapes map[string]*dataservice.Resource
	// templateCalls are the nested calls of JSON templates.
	templateCalls []*dataservice.CallQuery
}

func (r *reader) data(root *node) {
	if root.Space != "" {
		r.addf(root.pos, "<%s> is in namespace %q; a descriptor's elements are in none", root.Local, root.Space)
		return
	}
	if root.Local != "data" {
		r.addf(root.pos, "the root element is <%s>; a descriptor's is <data>", root.Local)
		return
	}
	r.conform(root, descriptorShape())
	r.service = r.attributes(root)
	for _, n := range root.all("config") {
		r.source(n)
	}
	for _, n := range root.all("event-trigger") {
		r.trigger(n)
	}
	for _, n := range root.all("query") {
		r.query(n)
	}
	for _, n := range root.all("operation") {
		r.operation(n)
	}
	for _, n := range root.all("resource") {
		r.resource(n)
	}
	r.check()
	r.unsupported(root)
}

var (
	// A name is part of a URL and may contain a path.
	serviceName = regexp.MustCompile(`^[\p{L}\p{N}_.~@$!'()*+,;=:-]+(?:/[\p{L}\p{N}_.~@$!'()*+,;=:-]+)*$`)
	ncName      = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}\p{M}_.\x{B7}-]*$`)
)

func (r *reader) attributes(n *node) *dataservice.Service {
	s := &dataservice.Service{
		Name:             strings.TrimSpace(n.get("name")),
		Description:      strings.TrimSpace(n.get("description")),
		Group:            strings.TrimSpace(n.get("serviceGroup")),
		Active:           r.oneOf(n, "serviceStatus", "active", "inactive") != "inactive",
		Transports:       transports(n.get("transports")),
		BatchRequests:    r.boolean(n, "enableBatchRequests"),
		Boxcarring:       r.boolean(n, "enableBoxcarring"),
		Streaming:        !r.boolean(n, "disableStreaming"),
		RequiresSecurity: n.first("policy") != nil || n.first("enableSec") != nil,
		Roles:            roles(n.own("requiredRoles")),
	}
	s.LegacyBoxcarring = s.Boxcarring && !r.boolean(n, "disableLegacyBoxcarringMode")
	r.boolean(n, "enableDTP")
	if d := n.first("description"); d != nil {
		s.Description = strings.TrimSpace(d.text)
	}
	if p := n.first("policy"); p != nil {
		r.required(p, "key") // WSO2: DBDeployer.handleSecurityProxy
	}
	switch {
	case s.Name == "":
		r.addf(n.at("name"), "<data> needs a name")
	case !serviceName.MatchString(s.Name) || hasDotSegment(s.Name):
		r.addf(n.at("name"), "service name %q cannot be part of a URL", s.Name)
	}
	service, base := strings.TrimSpace(n.get("serviceNamespace")), strings.TrimSpace(n.get("baseURI"))
	s.Namespace = firstOf(service, base, dataservice.DefaultNamespace)
	r.baseNamespace = firstOf(base, service, dataservice.DefaultNamespace)
	return s
}

// transports reads a list with spaces, or with commas as the original's own editor
// writes it.
func transports(list string) []string {
	return strings.FieldsFunc(strings.ToLower(list), func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}

func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// boolean reads an attribute that is true or false; absent or empty is false.
func (r *reader) boolean(n *node, name string) bool {
	switch v := strings.TrimSpace(n.get(name)); strings.ToLower(v) {
	case "true":
		return true
	case "", "false":
	default:
		r.addf(n.at(name), "%s of <%s> is %q; it must be true or false", name, n.Local, v)
	}
	return false
}

// oneOf reads an attribute with a fixed set of values, whatever their case; the
// first is the default.
func (r *reader) oneOf(n *node, name string, values ...string) string {
	v := strings.TrimSpace(n.get(name))
	if v == "" {
		return values[0]
	}
	for _, valid := range values {
		if strings.EqualFold(v, valid) {
			return valid
		}
	}
	r.addf(n.at(name), "%s of <%s> is %q%s", name, n.Local, v, r.meant(v, values, "%q"))
	return values[0]
}

// required reads an attribute that must not be empty.
func (r *reader) required(n *node, name string) string {
	v := strings.TrimSpace(n.get(name))
	if v == "" {
		r.addf(n.at(name), "<%s> needs %s", n.Local, name)
	}
	return v
}

// single reports children of a name beyond the first, and gives the first.
func (r *reader) single(n *node, name string) *node {
	list := n.all(name)
	if len(list) == 0 {
		return nil
	}
	for _, extra := range list[1:] {
		r.addf(extra.pos, "a second <%s> in <%s>", name, n.Local)
	}
	return list[0]
}

// note says what the descriptor asks for in vain, while the rest is served.
func (r *reader) note(at dataservice.Position, what, why string) {
	r.service.Unsupported = append(r.service.Unsupported, dataservice.Unsupported{Position: at, What: what, Why: why})
}

// twice tells whether a thing was described before. The original takes the last
// in silence; that is a fault, unless both say the same.
func (r *reader) twice(n *node, kind, attribute, name string) bool {
	first := r.named[kind+" "+name]
	switch {
	case name == "":
		return false
	case first == nil:
		r.named[kind+" "+name] = n
		return false
	case first.equal(n):
		r.note(n.pos, kind+" "+name, fmt.Sprintf("it is described twice with the same words, first at %s; this one has no effect", first.pos))
	default:
		r.addf(n.at(attribute), "%s %q is described twice, first at %s", kind, name, first.pos)
	}
	return true
}

// roles reads requiredRoles, a list with commas.
func roles(list string) []string {
	var out []string
	for role := range strings.SplitSeq(list, ",") {
		if role = strings.TrimSpace(role); role != "" {
			out = append(out, role)
		}
	}
	return out
}
