package wsdl

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// types are the elements and types of a service, by namespace.
type types struct {
	service *dataservice.Service
	schemas []*schema // that of the service first
	globals map[xml.Name]*global
	named   map[xml.Name]bool
	filled  map[*dataservice.Result]bool
	rows    map[*dataservice.Result]*complexType // of results without an element
}

// schema is one namespace.
type schema struct {
	space   string
	globals []*global
	types   []*complexType
	imports []string
}

// global is an element that stands for itself.
type global struct {
	name xml.Name
	xsd  string // a simple type, without prefix; empty: typ
	typ  *complexType
}

// complexType is what an element holds.
type complexType struct {
	name  xml.Name // Local is empty: it has none
	parts []*part
	attrs []attribute
	any   bool // whatever there is
	each  bool // any number of the parts, in any order
	made  bool // parts are those of a result
}

// part is an element in a type.
type part struct {
	name     string
	ref      xml.Name // Local is set: that of a global
	xsd      string
	typ      *complexType
	optional bool
	many     bool
	nillable bool
}

// attribute is one of a type.
type attribute struct{ name, xsd string }

func newTypes(s *dataservice.Service) *types {
	t := &types{
		service: s, globals: make(map[xml.Name]*global), named: make(map[xml.Name]bool), filled: make(map[*dataservice.Result]bool), rows: make(map[*dataservice.Result]*complexType),
	}
	t.schema(s.Namespace)
	return t
}

// schema gives that of a namespace.
func (t *types) schema(space string) *schema {
	for _, s := range t.schemas {
		if s.space == space {
			return s
		}
	}
	s := &schema{space: space}
	t.schemas = append(t.schemas, s)
	return s
}

// global makes an element.
func (t *types) global(name xml.Name) *global {
	g := &global{name: name}
	t.globals[name] = g
	s := t.schema(name.Space)
	s.globals = append(s.globals, g)
	return g
}

// complexType makes a type, whose name gets a number if there is one of that name.
func (t *types) complexType(name xml.Name) *complexType {
	free := name
	for n := 2; t.named[free]; n++ {
		free.Local = fmt.Sprint(name.Local, n)
	}
	t.named[free] = true
	c := &complexType{name: free}
	s := t.schema(name.Space)
	s.types = append(s.types, c)
	return c
}

// result describes what a query returns and gives the element of it; false: its
// shape is not known.
func (t *types) result(r *dataservice.Result) (xml.Name, bool) {
	outer := xml.Name{Space: r.Namespace, Local: r.Element}
	row := xml.Name{Space: r.Namespace, Local: r.RowName}
	if outer.Local == "" || r.XSLT != "" || strings.EqualFold(r.Output, "rdf") {
		return xml.Name{}, false
	}
	if t.filled[r] {
		return outer, true
	}
	t.filled[r] = true
	g := t.globals[outer]
	if g == nil {
		g = t.global(outer)
		g.typ = t.complexType(outer)
	}
	if g.typ == nil { // it was an element of a value
		g.xsd, g.typ = "", t.complexType(outer)
	}
	if row.Local == "" {
		t.fill(g.typ, r, r.Fields)
		for _, p := range g.typ.parts { // there is one row at most, whose fields may all be absent
			p.optional = true
		}
		return outer, true
	}
	at := slices.IndexFunc(g.typ.parts, func(p *part) bool { return p.name == row.Local && p.typ != nil })
	if at < 0 {
		at = len(g.typ.parts)
		g.typ.parts = append(g.typ.parts, &part{name: row.Local, typ: t.complexType(row), optional: true, many: true})
	}
	t.fill(g.typ.parts[at].typ, r, r.Fields)
	return outer, true
}

// fill gives a type the fields of a result, beside those of another that it may
// have.
func (t *types) fill(c *complexType, r *dataservice.Result, fields []*dataservice.Field) {
	before := slices.Clone(c.parts)
	var here []*part
	for _, f := range fields {
		if f.Kind == dataservice.FieldAttribute {
			t.attribute(c, f)
			continue
		}
		p := t.bare(f)
		if p == nil {
			p = t.part(c, r, f)
		}
		if p != nil {
			here = append(here, p)
		}
	}
	for _, p := range here {
		at := slices.IndexFunc(before, p.same)
		if at < 0 {
			p.optional = p.optional || c.made
			c.parts = append(c.parts, p)
			continue
		}
		before[at].widen(p)
	}
	for _, p := range before {
		p.optional = p.optional || !slices.ContainsFunc(here, p.same)
	}
	c.made = true
}

// bare describes a call whose result has no element around its rows: they stand
// among the fields; nil: it is no such call.
func (t *types) bare(f *dataservice.Field) *part {
	if f.Kind != dataservice.FieldCall {
		return nil
	}
	q := t.service.Query(f.Call.Query)
	if q == nil || q.Result == nil || q.Result.Element != "" || q.Result.RowName == "" || q.Result.Output != "xml" || q.Result.XSLT != "" {
		return nil
	}
	typ := t.rows[q.Result]
	if typ == nil {
		typ = t.complexType(xml.Name{Space: q.Result.Namespace, Local: q.Result.RowName})
		t.rows[q.Result] = typ // before the fields, which may lead back
		t.fill(typ, q.Result, q.Result.Fields)
	}
	return &part{name: q.Result.RowName, typ: typ, optional: true, many: true}
}

// same tells whether two parts are the same element.
func (p *part) same(q *part) bool { return p.name == q.name && p.ref == q.ref }

// widen lets a part be what another is, too.
func (p *part) widen(q *part) {
	p.optional, p.many, p.nillable = p.optional || q.optional, p.many || q.many, p.nillable || q.nillable
	if p.xsd != q.xsd {
		p.xsd = "string"
	}
}

func (t *types) attribute(c *complexType, f *dataservice.Field) {
	if !slices.ContainsFunc(c.attrs, func(a attribute) bool { return a.name == f.Name }) {
		c.attrs = append(c.attrs, attribute{f.Name, simple(f.Type)})
	}
}

// part describes a field that is not an attribute; nil: it is nothing.
func (t *types) part(c *complexType, r *dataservice.Result, f *dataservice.Field) *part {
	p := &part{name: f.Name, optional: f.Optional || len(f.Roles) > 0, many: f.ArrayName != ""}
	space := f.Namespace
	if space == "" {
		space = r.Namespace
	}
	name := xml.Name{Space: space, Local: f.Name}
	switch f.Kind {
	case dataservice.FieldCall:
		q := t.service.Query(f.Call.Query)
		if q == nil || q.Result == nil {
			return nil
		}
		ref, known := t.result(q.Result)
		if !known {
			return nil
		}
		p.name, p.ref, p.optional = "", ref, len(f.Call.Roles) > 0
	case dataservice.FieldGroup:
		g := t.globals[name]
		if g == nil {
			g = t.global(name)
			g.typ = t.complexType(name)
		}
		if g.typ != nil && g.typ != c {
			t.fill(g.typ, r, f.Fields)
		}
		p.name, p.ref = "", name
	default:
		p.nillable, p.xsd = true, simple(f.Type)
		p.optional = p.optional || p.many
		if space != r.Namespace { // a local element is always in the schema's namespace
			if t.globals[name] == nil {
				t.global(name).xsd = p.xsd
			}
			p.name, p.ref, p.nillable, p.xsd = "", name, false, ""
		}
	}
	if p.ref.Local != "" {
		t.schema(r.Namespace).refer(p.ref.Space)
	}
	return p
}

// refer imports another namespace.
func (s *schema) refer(space string) {
	if space != s.space && !slices.Contains(s.imports, space) {
		s.imports = append(s.imports, space)
	}
}

// input describes what a request holds and gives its element.
func (t *types) input(operation string, each bool, parts ...*part) xml.Name {
	name := xml.Name{Space: t.service.Namespace, Local: operation}
	for n := 2; t.globals[name] != nil; n++ {
		name.Local = fmt.Sprint(operation, n)
	}
	t.global(name).typ = &complexType{parts: parts, each: each}
	for _, p := range parts {
		if p.ref.Local != "" {
			t.schema(name.Space).refer(p.ref.Space)
		}
	}
	return name
}

// params are the parts of a call's input, in the order of the query's parameters.
func (t *types) params(call *dataservice.CallQuery) []*part {
	q := t.service.Query(call.Query)
	if q == nil {
		return nil
	}
	var parts []*part
	for _, p := range q.Params {
		at := slices.IndexFunc(call.Params, func(w dataservice.WithParam) bool { return w.QueryParam != "" && strings.EqualFold(w.Name, p.Name) })
		if at < 0 || p.Mode == "OUT" {
			continue
		}
		one := &part{name: call.Params[at].QueryParam, xsd: ofSQL(p.SQLType), many: p.Array, optional: p.Optional, nillable: true}
		if !slices.ContainsFunc(parts, one.same) {
			parts = append(parts, one)
		}
	}
	return parts
}

// simple gives an xsdType that there is.
func simple(xsdType string) string {
	if xsdType == "" {
		return "string"
	}
	return xsdType
}

// ofSQL gives the type of a parameter (WSO2: DBUtils.getJavaTypeFromSQLType, Axis2
// TypeTable).
func ofSQL(sqlType string) string {
	switch sqlType {
	case "INTEGER":
		return "int"
	case "BIGINT":
		return "long"
	case "SMALLINT":
		return "short"
	case "TINYINT":
		return "byte"
	case "BIT", "BOOLEAN":
		return "boolean"
	case "REAL":
		return "float"
	case "DOUBLE", "FLOAT":
		return "double"
	case "NUMERIC", "DECIMAL", "MONEY", "SMALLMONEY":
		return "decimal"
	case "VARINT":
		return "integer"
	case "DATE":
		return "date"
	case "TIME":
		return "time"
	case "TIMESTAMP":
		return "dateTime"
	case "BINARY", "VARBINARY", "LONG VARBINARY", "IMAGE", "BLOB":
		return "base64Binary"
	case "ANYURI":
		return "anyURI"
	case "STRUCT":
		return "anyType"
	}
	return "string"
}
