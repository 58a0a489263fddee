// Package shape compiles how a query's rows are to be written: the <result> of a
// descriptor, made ready to be followed row by row.
package shape

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Shape is the form of a result. Attributes stand before elements in each list of
// fields, as XML wants them. Safe for concurrent use.
type Shape struct {
	Element, Row       result.Name
	HasElement, HasRow bool
	Fields             []*Field
	Escape             bool // characters that cannot be printed are written as \uXXXX
	Nests              bool // a query is called for each row

	byNumber bool
	leaves   int // fields that take their value from a column
}

// Field is a part of a row.
type Field struct {
	Kind  dataservice.FieldKind
	Name  result.Name
	XSD   string
	Leaf  int    // index among those with a column; -1: none
	Param int    // index of the query's parameter; -1: none
	Fixed string // the value, if it has neither
	Omit  bool   // optional: a null is left out
	Array bool
	// Roles of which the caller has one, or the field is left out.
	Roles  []string
	Fields []*Field
	Call   *dataservice.CallQuery
	// Export is the name, lower case, under which queries after this one find the
	// value; empty: none. All of them, if ExportAll.
	Export    string
	ExportAll bool

	column string // as written
}

// compiler gathers what is wrong with a result.
type compiler struct {
	fault func(at dataservice.Position, format string, args ...any)
}

// Of compiles the result of a query, or says why the query is refused. What is
// wrong with the descriptor goes to fault.
func Of(q *dataservice.Query, fault func(at dataservice.Position, format string, args ...any)) (*Shape, string) {
	c := &compiler{fault}
	r := q.Result
	switch {
	case r.XSLT != "":
		return nil, "transforming a result by XSLT is not supported: there is no sound library for it"
	case strings.EqualFold(r.Output, "rdf"):
		return nil, "results in RDF are not supported"
	}
	s := &Shape{
		Element: result.Name{Space: r.Namespace, Local: r.Element}, HasElement: r.Element != "",
		Row: result.Name{Space: r.Namespace, Local: r.RowName}, HasRow: r.RowName != "",
		byNumber: r.UseColumnNumbers, Escape: r.EscapeNonPrint,
	}
	c.name(r.Position, q.ID, r.Element)
	c.name(r.Position, q.ID, r.RowName)
	s.Fields = c.fields(q, s, r.Fields)
	return s, ""
}

// name checks a name that may be empty.
func (c *compiler) name(at dataservice.Position, query, s string) {
	if s != "" && !result.ValidName(s) {
		c.fault(at, "query %s: %q cannot be the name of an element", query, s)
	}
}

func (c *compiler) fields(q *dataservice.Query, s *Shape, list []*dataservice.Field) []*Field {
	var attributes, rest []*Field
	for _, f := range list {
		one := c.field(q, s, f)
		switch {
		case one == nil:
		case f.Kind == dataservice.FieldAttribute:
			attributes = append(attributes, one)
		default:
			rest = append(rest, one)
		}
	}
	return append(attributes, rest...)
}

func (c *compiler) field(q *dataservice.Query, s *Shape, f *dataservice.Field) *Field {
	to := &Field{Kind: f.Kind, XSD: f.Type, Leaf: -1, Param: -1, Fixed: f.Value, Omit: f.Optional, Array: f.ArrayName != "", Call: f.Call}
	to.Roles, to.Export, to.ExportAll = f.Roles, strings.ToLower(f.Export), f.ExportType == "ARRAY"
	to.Name = result.Name{Space: f.Namespace, Local: f.Name}
	if f.Kind != dataservice.FieldAttribute && to.Name.Space == "" {
		to.Name.Space = q.Result.Namespace
	}
	switch f.Kind {
	case dataservice.FieldCall:
		s.Nests = true
		return to
	case dataservice.FieldGroup:
		c.name(f.Position, q.ID, f.Name)
		to.Fields = c.fields(q, s, f.Fields)
		return to
	}
	if f.Name == "" {
		c.fault(f.Position, "query %s: an element of the result has no name", q.ID)
		return nil
	}
	c.name(f.Position, q.ID, f.Name)
	switch {
	case f.QueryParam != "":
		if to.Param = paramIndex(q, f.QueryParam); to.Param < 0 {
			c.fault(f.Position, "query %s: element %s: there is no parameter %q", q.ID, f.Name, f.QueryParam)
		}
	case f.Column != "":
		to.column, to.Leaf = f.Column, s.leaves
		s.leaves++
		if n, err := strconv.Atoi(f.Column); s.byNumber && (err != nil || n < 1) {
			c.fault(f.Position, "query %s: element %s: column %q is not a number from 1, as useColumnNumbers wants", q.ID, f.Name, f.Column)
		}
	}
	return to
}

func paramIndex(q *dataservice.Query, name string) int {
	for i, p := range q.Params {
		if strings.EqualFold(p.Name, name) {
			return i
		}
	}
	return -1
}

// Columns finds the column of each leaf, by the names of the columns that there
// are: -1 for an optional one that is not there. An error is for the log.
func (s *Shape) Columns(names []string, byAnyName bool) ([]int, error) {
	at := make([]int, s.leaves)
	return at, s.locate(s.Fields, names, byAnyName, at)
}

func (s *Shape) locate(fields []*Field, names []string, byAnyName bool, at []int) error {
	for _, f := range fields {
		if err := s.locate(f.Fields, names, byAnyName, at); err != nil {
			return err
		}
		if f.Leaf < 0 {
			continue
		}
		k := FindColumn(names, f.column, s.byNumber)
		if k < 0 && byAnyName && len(names) == 1 {
			k = 0
		}
		switch {
		case k >= 0:
		case f.Omit:
		case s.byNumber:
			return fmt.Errorf("the result has %d columns, element %s wants number %s", len(names), f.Name.Local, f.column)
		default:
			return fmt.Errorf("the result has no column %s, which element %s wants", f.column, f.Name.Local)
		}
		at[f.Leaf] = k
	}
	return nil
}

// FindColumn compares names in any case, an exact one first.
func FindColumn(names []string, column string, byNumber bool) int {
	if byNumber {
		if n, err := strconv.Atoi(column); err == nil && n >= 1 && n <= len(names) {
			return n - 1
		}
		return -1
	}
	fold := -1
	for i, n := range names {
		if n == column {
			return i
		}
		if fold < 0 && strings.EqualFold(n, column) {
			fold = i
		}
	}
	return fold
}
