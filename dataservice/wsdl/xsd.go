package wsdl

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

const xsdSpace = "http://www.w3.org/2001/XMLSchema"

// Schema gives the nth schema of a service as a document of its own, from 0,
// which is that of its namespace. It refers to the others by address; false:
// there is no such schema.
func Schema(s *dataservice.Service, n int, address func(n int) string) ([]byte, bool) {
	d := describe(s)
	if n < 0 || n >= len(d.schemas) {
		return nil, false
	}
	root := d.schemas[n].node(d.types, address)
	root.attrs = append(append([]string{"xmlns:xs", xsdSpace}, d.namespaces()...), root.attrs...)
	return root.document(), true
}

// namespaces are the declarations of the schemas' prefixes.
func (t *types) namespaces() []string {
	var attrs []string
	for i, s := range t.schemas {
		attrs = append(attrs, fmt.Sprint("xmlns:ns", i), s.space)
	}
	return attrs
}

// qname writes a name with its prefix.
func (t *types) qname(name xml.Name) string {
	for i, s := range t.schemas {
		if s.space == name.Space {
			return fmt.Sprintf("ns%d:%s", i, name.Local)
		}
	}
	return name.Local // not reached: every name has a schema
}

// node writes a schema. Address may be nil: the schemas stand beside each other.
func (s *schema) node(t *types, address func(n int) string) *node {
	root := el("xs:schema", "attributeFormDefault", "unqualified", "elementFormDefault", "qualified", "targetNamespace", s.space)
	for _, space := range s.imports {
		i := el("xs:import", "namespace", space)
		for n, other := range t.schemas {
			if other.space == space && address != nil {
				i.with("schemaLocation", address(n))
			}
		}
		root.add(i)
	}
	for _, g := range s.globals {
		e := el("xs:element", "name", g.name.Local)
		switch {
		case g.typ == nil:
			e.with("nillable", map[bool]string{true: "true"}[g.nillable()]).with("type", "xs:"+g.xsd)
		case g.typ.name.Local != "":
			e.with("type", t.qname(g.typ.name))
		default:
			e.add(g.typ.node(t))
		}
		root.add(e)
	}
	for _, c := range s.types {
		root.add(c.node(t))
	}
	return root
}

// nillable: an element of a value is, but for what the service says itself.
func (g *global) nillable() bool { return g.name != statusName }

func (c *complexType) node(t *types) *node {
	n := el("xs:complexType").with("name", c.name.Local)
	switch {
	case c.any:
		n.add(el("xs:sequence").add(el("xs:any", "minOccurs", "0", "processContents", "lax")))
	case c.each:
		choice := el("xs:choice", "minOccurs", "0", "maxOccurs", "unbounded")
		for _, p := range c.parts {
			choice.add(p.node(t))
		}
		n.add(choice)
	default:
		sequence := el("xs:sequence")
		for _, p := range c.parts {
			sequence.add(p.node(t))
		}
		n.add(sequence)
	}
	for _, a := range c.attrs {
		n.add(el("xs:attribute", "name", a.name, "type", "xs:"+strings.TrimPrefix(a.xsd, "xs:"), "use", "optional"))
	}
	return n
}

func (p *part) node(t *types) *node {
	n := el("xs:element")
	if p.many {
		n.with("maxOccurs", "unbounded")
	}
	if p.optional {
		n.with("minOccurs", "0")
	}
	switch {
	case p.ref.Local != "":
		return n.with("ref", t.qname(p.ref))
	case p.typ == nil:
		n.with("name", p.name)
		if p.nillable {
			n.with("nillable", "true")
		}
		return n.with("type", "xs:"+p.xsd)
	case p.typ.name.Local == "":
		return n.with("name", p.name).add(p.typ.node(t))
	}
	return n.with("name", p.name).with("type", t.qname(p.typ.name))
}
