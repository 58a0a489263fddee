package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// find gives the parameter of the query that a request's parameter fills; nil:
// there is none.
func (b *builder) find(r *request, name string) *dataservice.Param {
	q := b.service.Query(r.call.Query)
	if q == nil {
		return nil
	}
	for _, w := range r.call.Params {
		if w.QueryParam == name {
			for _, p := range q.Params {
				if strings.EqualFold(p.Name, w.Name) {
					return p
				}
			}
		}
	}
	return nil
}

// required tells whether a request must give a parameter.
func (b *builder) required(r *request, name string) bool {
	p := b.find(r, name)
	return p != nil && p.Default == nil && !p.Optional && p.Mode != "OUT"
}

// param describes a parameter of a request.
func (b *builder) param(r *request, name string) *schema {
	p := b.find(r, name)
	if p == nil {
		return &schema{Type: "string"}
	}
	s := ofSQL(p.SQLType)
	for i := range p.Validators {
		s.validate(&p.Validators[i])
	}
	if p.Array {
		return &schema{Type: "array", Items: s}
	}
	s.Nullable = true
	if p.Default != nil && !strings.HasPrefix(*p.Default, "#{") {
		s.Default = literal(s.Type, *p.Default)
	}
	return s
}

// validate adds the bounds of a validator, as far as JSON schema has a word.
func (s *schema) validate(v *dataservice.Validator) {
	length := func(f *float64) *uint64 {
		if f == nil || *f < 0 {
			return nil
		}
		n := uint64(*f)
		return &n
	}
	switch {
	case v.Kind == dataservice.ValidateLength && s.Type == "string":
		s.MinLength, s.MaxLength = length(v.Minimum), length(v.Maximum)
	case (v.Kind == dataservice.ValidateLong || v.Kind == dataservice.ValidateDouble) && s.Type != "string":
		s.Minimum, s.Maximum = v.Minimum, v.Maximum
	case v.Kind == dataservice.ValidatePattern:
		s.Description = "matches the pattern " + v.Pattern // Java's, which is not JSON schema's
	}
}

// literal gives a default in its type; nil: it does not have that type.
func literal(kind, text string) any {
	switch kind {
	case "integer":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return nil
	case "number":
		if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 { // neither infinite nor NaN
			return f
		}
		return nil
	case "boolean":
		if v, err := strconv.ParseBool(text); err == nil {
			return v
		}
		return nil
	}
	return text
}

// ofSQL describes an sqlType.
func ofSQL(sqlType string) *schema {
	switch sqlType {
	case "INTEGER":
		return &schema{Type: "integer", Format: "int32"}
	case "BIGINT":
		return &schema{Type: "integer", Format: "int64"}
	case "SMALLINT", "TINYINT", "VARINT":
		return &schema{Type: "integer"}
	case "REAL":
		return &schema{Type: "number", Format: "float"}
	case "DOUBLE", "FLOAT":
		return &schema{Type: "number", Format: "double"}
	case "NUMERIC", "DECIMAL", "MONEY", "SMALLMONEY":
		return &schema{Type: "number"}
	case "BIT", "BOOLEAN":
		return &schema{Type: "boolean"}
	case "DATE":
		return &schema{Type: "string", Format: "date"}
	case "BINARY", "VARBINARY", "BLOB":
		return &schema{Type: "string", Format: "byte"}
	case "UUID":
		return &schema{Type: "string", Format: "uuid"}
	}
	return &schema{Type: "string"}
}

// ofXSD describes an xsdType. A dateTime may have no zone, which OpenAPI's date-time
// must have.
func ofXSD(xsdType string) *schema {
	switch xsdType {
	case "int":
		return &schema{Type: "integer", Format: "int32"}
	case "long":
		return &schema{Type: "integer", Format: "int64"}
	case "integer", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger",
		"unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte":
		return &schema{Type: "integer"}
	case "double", "float":
		return &schema{Type: "number", Format: xsdType}
	case "decimal":
		return &schema{Type: "number"}
	case "boolean":
		return &schema{Type: "boolean"}
	case "base64Binary":
		return &schema{Type: "string", Format: "byte"}
	}
	return &schema{Type: "string"}
}

// result describes what a query returns.
func (b *builder) result(q *dataservice.Query) *response {
	const what = "What was found."
	if q.Result.Element == "" || q.Result.XSLT != "" || strings.EqualFold(q.Result.Output, "rdf") {
		return &response{Description: what, Content: map[string]*mediaType{"application/xml": {&schema{Type: "string"}}}}
	}
	return answer(what, q.Result.Element, &schema{Ref: "#/components/schemas/" + b.shape(q)})
}

// shape makes the schema of a query's result, once, and gives its name.
func (b *builder) shape(q *dataservice.Query) string {
	if name, ok := b.results[q.ID]; ok {
		return name
	}
	name := sanitize(q.ID)
	for name == "" || b.Components.Schemas[name] != nil {
		name += "_"
	}
	r := q.Result
	outer := &schema{Type: "object", XML: &xmlName{Name: r.Element, Namespace: r.Namespace}}
	b.results[q.ID], b.Components.Schemas[name] = name, outer // before the fields, which may lead back
	if r.RowName == "" {
		b.fields(outer, r.Fields)
		outer.Required = nil // there may be no row
		return name
	}
	row := &schema{Type: "object"}
	b.fields(row, r.Fields)
	outer.Properties = map[string]*schema{r.RowName: {Type: "array", Items: row}}
	return name // where there is no row, there is no array
}

// fields gives an object the fields of a row.
func (b *builder) fields(to *schema, fields []*dataservice.Field) {
	if to.Properties == nil {
		to.Properties = map[string]*schema{}
	}
	for _, f := range fields {
		name, s, always := b.field(f)
		if s == nil || to.Properties[name] != nil {
			continue
		}
		if len(f.Roles) > 0 {
			s.Description, always = fmt.Sprintf("for the roles %s only", strings.Join(f.Roles, ", ")), false
		}
		to.Properties[name] = s
		if always {
			to.Required = append(to.Required, name)
		}
	}
}

// field describes one, and tells whether it is always there; nil: it is nothing.
func (b *builder) field(f *dataservice.Field) (name string, s *schema, always bool) {
	switch f.Kind {
	case dataservice.FieldCall:
		q := b.service.Query(f.Call.Query)
		if q == nil || q.Result == nil {
			return "", nil, false
		}
		if q.Result.Element == "" { // the rows stand among the fields
			if rows := b.Components.Schemas[b.shape(q)].Properties[q.Result.RowName]; rows != nil {
				return q.Result.RowName, rows, false
			}
			return "", nil, false
		}
		return q.Result.Element, &schema{Ref: "#/components/schemas/" + b.shape(q)}, len(f.Call.Roles) == 0
	case dataservice.FieldGroup:
		s = &schema{Type: "object"}
		b.fields(s, f.Fields)
		return f.Name, s, !f.Optional
	case dataservice.FieldAttribute:
		s = ofXSD(f.Type)
		s.XML = &xmlName{Name: f.Name, Attribute: true}
		return "@" + f.Name, s, false // a null is left out
	}
	s = ofXSD(f.Type)
	if f.ArrayName != "" {
		return f.Name, &schema{Type: "array", Items: s}, false
	}
	s.Nullable = true
	return f.Name, s, !f.Optional
}

// fault describes every failure.
func fault() *response {
	detail := &schema{Ref: "#/components/schemas/DataServiceFault"}
	outer := &schema{Type: "object", Properties: map[string]*schema{"Fault": {Type: "object", Properties: map[string]*schema{
		"faultcode": {Type: "string"}, "faultstring": {Type: "string"},
		"detail": {Type: "object", Properties: map[string]*schema{"DataServiceFault": detail}},
	}}}}
	return &response{Description: "It failed: the status and ds_code say how.", Content: map[string]*mediaType{
		"application/json": {outer}, "application/xml": {detail},
	}}
}

func faultDetail() *schema {
	texts := func(names ...string) map[string]*schema {
		to := map[string]*schema{}
		for _, n := range names {
			to[n] = &schema{Type: "string"}
		}
		return to
	}
	s := &schema{
		Type: "object", XML: &xmlName{Name: "DataServiceFault", Namespace: dataservice.DefaultNamespace},
		Properties: texts("current_params", "current_request_name", "nested_exception"),
	}
	s.Properties["source_data_service"] = &schema{Type: "object", Properties: texts("location", "default_namespace", "description", "data_service_name")}
	s.Properties["ds_code"] = &schema{Type: "string", Enum: []string{
		string(dataservice.DatabaseError), string(dataservice.ConnectionUnavailable), string(dataservice.ValidationError),
		string(dataservice.IncompatibleParameters), string(dataservice.UnknownError),
	}}
	return s
}
