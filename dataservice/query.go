package dataservice

import "iter"

// Query is a statement with its parameters and the shape of its result (the
// <query> element).
type Query struct {
	Position
	ID     string
	Source string // useConfig; default "default"
	// SQL by dialect, as written; the key "" is the default. Empty for sources
	// that are not SQL.
	SQL map[string]string

	// Roles (requiredRoles, in Belfry's namespace): who calls it must have one of
	// them; where it is nested in another query's result, it is left out otherwise.
	Roles []string

	// Sheet is what a query of an Excel workbook reads; nil for any other.
	Sheet *Sheet

	Params []*Param
	Result *Result // nil: in-only

	ReturnGeneratedKeys   bool
	KeyColumns            []string
	ReturnUpdatedRowCount bool

	// Properties of the query under today's names (queryTimeout in seconds,
	// maxRows, fetchSize, autoCommit, …).
	Properties map[string]string

	// InputTrigger and OutputTrigger name event triggers; empty: none.
	InputTrigger, OutputTrigger string
}

// Sheet says which rows of a workbook a query reads (the <excel> element). Rows are
// counted from 1.
type Sheet struct {
	Name      string // of the sheet; empty: the first
	HasHeader bool
	Header    int // row of the header; zero: the first
	Start     int // first row of data; zero: the one after the header
	MaxRows   int // negative: all
}

// Param finds a parameter by its name; nil if there is none.
func (q *Query) Param(name string) *Param {
	for _, p := range q.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Nested yields the calls of other queries in the query's result, in order.
func (q *Query) Nested() iter.Seq[*CallQuery] {
	return func(yield func(*CallQuery) bool) {
		if q.Result != nil {
			nested(q.Result.Fields, yield)
		}
	}
}

func nested(fields []*Field, yield func(*CallQuery) bool) bool {
	for _, f := range fields {
		if f.Kind == FieldCall && !yield(f.Call) || !nested(f.Fields, yield) {
			return false
		}
	}
	return true
}

// Param is a parameter of a query (the <param> element).
type Param struct {
	Position
	Name    string
	SQLType string // upper case; default STRING
	Mode    string // IN (default), OUT, INOUT
	Array   bool   // paramType ARRAY
	// Ordinal is the position among the placeholders, from 1. One that the
	// descriptor leaves out follows the highest before it. A statement that names
	// its placeholders (":x") does not use it.
	Ordinal int
	// Default applies when the request does not give the parameter. "#{NULL}",
	// "#{UUID}" and the like are kept as written. ForceDefault applies it also
	// to an empty value.
	Default      *string
	ForceDefault bool
	Optional     bool
	StructType   string
	Validators   []Validator
}

// ValidatorKind says what a validator looks at.
type ValidatorKind string

// The validators.
const (
	ValidateLong    ValidatorKind = "validateLongRange"
	ValidateDouble  ValidatorKind = "validateDoubleRange"
	ValidateLength  ValidatorKind = "validateLength"
	ValidatePattern ValidatorKind = "validatePattern"
	ValidateCustom  ValidatorKind = "validateCustom"
)

// Validator is a condition on a parameter's value. Minimum and Maximum are nil
// when absent.
type Validator struct {
	Position
	Kind             ValidatorKind
	Minimum, Maximum *float64
	Pattern          string // Java's regular expression, to match the whole value
	Class            string
}

// Result is the shape of what a query returns (the <result> element).
type Result struct {
	Position
	// Element wraps everything; RowName wraps each row. Empty RowName: at most one
	// row, whose fields stand directly in Element. Both come from the template
	// when the result is JSON.
	Element, RowName string
	// Namespace is defaultNamespace, else the service's baseURI, else its
	// serviceNamespace; never empty.
	Namespace string
	// Output is "xml" (default), "json" or "rdf".
	Output           string
	UseColumnNumbers bool
	EscapeNonPrint   bool
	XSLT             string
	Fields           []*Field
}

// FieldKind says what a field of a result is.
type FieldKind uint8

// The kinds of fields.
const (
	FieldElement   FieldKind = iota // an element with a value
	FieldAttribute                  // an attribute of what surrounds it
	FieldGroup                      // an element with fields of its own
	FieldCall                       // a nested query
)

// Field is one part of a result's row.
type Field struct {
	Position
	Kind      FieldKind
	Name      string
	Namespace string // empty: that of the result
	// Column, QueryParam, Value: where the value comes from; one of them is set.
	// With UseColumnNumbers, Column is a number from 1.
	Column, QueryParam, Value string
	HasValue                  bool   // Value is meant, though it may be empty
	Type                      string // xsdType in its canonical case, without prefix: "string" (default), "integer", …
	Roles                     []string
	Export                    string
	ExportType                string
	Optional                  bool
	ArrayName                 string     // the element is an SQL array
	Fields                    []*Field   // of a group
	Call                      *CallQuery // of a nested query
}
