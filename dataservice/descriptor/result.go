package descriptor

import (
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// xsdTypes are the built-in simple types of XML Schema.
var xsdTypes = words("string boolean decimal float double duration dateTime time date gYearMonth gYear gMonthDay gDay gMonth " +
	"hexBinary base64Binary anyURI QName NOTATION normalizedString token language integer nonPositiveInteger negativeInteger " +
	"long int short byte nonNegativeInteger unsignedLong unsignedInt unsignedShort unsignedByte positiveInteger")

func (r *reader) result(n *node, q *dataservice.Query) *dataservice.Result {
	res := &dataservice.Result{
		Position: n.pos,
		Element:  strings.TrimSpace(n.get("element")), RowName: strings.TrimSpace(n.get("rowName")),
		Namespace:        firstOf(strings.TrimSpace(n.get("defaultNamespace")), r.baseNamespace),
		Output:           r.oneOf(n, "outputType", "xml", "json", "rdf"),
		UseColumnNumbers: r.boolean(n, "useColumnNumbers"),
		EscapeNonPrint:   r.boolean(n, "escapeNonPrintableChar"),
		XSLT:             strings.TrimSpace(n.get("xsltPath")),
	}
	if res.Output == "json" {
		// The original gives each of these a namespace of its own
		// (QueryFactory.calculateJSONXMLQueryNS).
		res.Namespace = strings.TrimSuffix(res.Namespace, "/") + "/" + q.ID
		r.template(n, res)
		return res
	}
	if offset := len(n.text) - len(strings.TrimLeft(n.text, " \t\r\n")); offset < len(n.text) {
		r.addf(n.textPos(r.doc, offset), `<result> holds no text unless its outputType is "json"`)
	}
	if res.Output == "xml" {
		r.elementName(n, "element", res.Element)
		r.elementName(n, "rowName", res.RowName)
	}
	res.Fields = r.fields(n, res)
	return res
}

func (r *reader) elementName(n *node, attribute, name string) {
	if name != "" && !ncName.MatchString(name) {
		r.addf(n.at(attribute), "%s %q cannot be the name of an XML element", attribute, name)
	}
}

func (r *reader) fields(n *node, res *dataservice.Result) []*dataservice.Field {
	var out []*dataservice.Field
	for _, c := range n.children {
		if c.Space != "" {
			continue
		}
		switch c.Local {
		case "element", "attribute":
			out = append(out, r.field(c, res))
		case "call-query":
			call := r.call(c)
			out = append(out, &dataservice.Field{Position: c.pos, Kind: dataservice.FieldCall, Roles: call.Roles, Call: &call})
		}
	}
	return out
}

func (r *reader) field(n *node, res *dataservice.Result) *dataservice.Field {
	f := &dataservice.Field{
		Position: n.pos, Name: r.required(n, "name"),
		Namespace: strings.TrimSpace(n.get("namespace")),
		Column:    strings.TrimSpace(n.get("column")), QueryParam: strings.TrimSpace(n.get("query-param")),
		Value: n.get("value"), HasValue: n.attr("value") != nil,
		Type:       r.xsdType(n.at("xsdType"), n.get("xsdType")),
		Roles:      roles(n.get("requiredRoles")),
		Export:     strings.TrimSpace(n.get("export")),
		ExportType: r.oneOf(n, "exportType", "SCALAR", "ARRAY"),
		Optional:   r.boolean(n, "optional"),
		ArrayName:  strings.TrimSpace(n.get("arrayName")),
	}
	r.elementName(n, "name", f.Name)
	// As in the original, the first of these that is given is meant.
	switch {
	case f.Column != "":
		f.QueryParam, f.Value, f.HasValue = "", "", false
	case f.QueryParam != "":
		f.Value, f.HasValue = "", false
	}
	sourced := f.Column != "" || f.QueryParam != "" || f.HasValue || n.attr("rdf-ref-uri") != nil
	if n.Local == "attribute" {
		f.Kind = dataservice.FieldAttribute
		if !sourced {
			r.addf(n.pos, "<attribute> needs column, query-param or value")
		}
	} else if !sourced {
		f.Kind = dataservice.FieldGroup
		f.Fields = r.fields(n, res)
		return f
	}
	if len(n.children) > 0 && n.Local == "element" {
		r.addf(n.children[0].pos, "an <element> with a value of its own holds no elements")
	}
	r.columnNumber(n.at("column"), f, res)
	return f
}

// columnNumber checks a column that is meant by its number.
func (r *reader) columnNumber(at dataservice.Position, f *dataservice.Field, res *dataservice.Result) {
	if res.UseColumnNumbers && f.Column != "" {
		if i, err := strconv.Atoi(f.Column); err != nil || i < 1 {
			r.addf(at, "column %q must be a number from 1, since the result uses column numbers", f.Column)
		}
	}
}

// xsdType reads "xs:integer" or "integer", whatever the case; empty is string, and
// so is what is none, which the original does not mind.
func (r *reader) xsdType(at dataservice.Position, written string) string {
	name := strings.TrimSpace(written)
	if _, local, prefixed := strings.Cut(name, ":"); prefixed {
		name = local
	}
	if name == "" {
		return "string"
	}
	for _, t := range xsdTypes {
		if strings.EqualFold(t, name) {
			return t
		}
	}
	r.note(at, "xsdType "+written, "it is not a type of XML Schema, so it is taken for a string"+r.meant(name, xsdTypes, "%q"))
	return "string"
}
