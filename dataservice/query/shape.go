package query

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// shape is the form of a result. Attributes stand before elements in each list of
// fields, as XML wants them.
type shape struct {
	element, row       result.Name
	hasElement, hasRow bool
	fields             []*field
	byNumber           bool
	escape             bool
	nests              bool // a query is called for each row
	leaves             int  // fields that take their value from a column
}

// field is a part of a row.
type field struct {
	kind   dataservice.FieldKind
	name   result.Name
	xsd    string
	leaf   int    // index among those with a column; -1: none
	column string // as written
	param  int    // index of the query's parameter; -1: none
	fixed  string // value
	omit   bool   // optional: a null is left out
	array  bool
	roles  []string // of which the caller has one, or the field is left out
	fields []*field
	call   *dataservice.CallQuery
	// export is the name, lower case, under which queries after this one find the
	// value; empty: none. All of them, if it is an array.
	export    string
	exportAll bool
}

// shape compiles a result, or says why the query is refused.
func (c *compiler) shape(q *dataservice.Query) (*shape, string) {
	r := q.Result
	switch {
	case r.XSLT != "":
		return nil, "transforming a result by XSLT is not supported: there is no sound library for it"
	case strings.EqualFold(r.Output, "rdf"):
		return nil, "results in RDF are not supported"
	}
	s := &shape{
		element: result.Name{Space: r.Namespace, Local: r.Element}, hasElement: r.Element != "",
		row: result.Name{Space: r.Namespace, Local: r.RowName}, hasRow: r.RowName != "",
		byNumber: r.UseColumnNumbers, escape: r.EscapeNonPrint,
	}
	c.name(r.Position, q.ID, r.Element)
	c.name(r.Position, q.ID, r.RowName)
	s.fields = c.fields(q, s, r.Fields)
	return s, ""
}

// name checks a name that may be empty.
func (c *compiler) name(at dataservice.Position, query, s string) {
	if s != "" && !result.ValidName(s) {
		c.fault(at, "query %s: %q cannot be the name of an element", query, s)
	}
}

func (c *compiler) fields(q *dataservice.Query, s *shape, list []*dataservice.Field) []*field {
	var attributes, rest []*field
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

func (c *compiler) field(q *dataservice.Query, s *shape, f *dataservice.Field) *field {
	to := &field{kind: f.Kind, xsd: f.Type, leaf: -1, param: -1, fixed: f.Value, omit: f.Optional, array: f.ArrayName != "", call: f.Call}
	to.roles, to.export, to.exportAll = f.Roles, strings.ToLower(f.Export), f.ExportType == "ARRAY"
	to.name = result.Name{Space: f.Namespace, Local: f.Name}
	if f.Kind != dataservice.FieldAttribute && to.name.Space == "" {
		to.name.Space = q.Result.Namespace
	}
	switch f.Kind {
	case dataservice.FieldCall:
		s.nests = true
		return to
	case dataservice.FieldGroup:
		c.name(f.Position, q.ID, f.Name)
		to.fields = c.fields(q, s, f.Fields)
		return to
	}
	if f.Name == "" {
		c.fault(f.Position, "query %s: an element of the result has no name", q.ID)
		return nil
	}
	c.name(f.Position, q.ID, f.Name)
	switch {
	case f.QueryParam != "":
		if to.param = paramIndex(q, f.QueryParam); to.param < 0 {
			c.fault(f.Position, "query %s: element %s: there is no parameter %q", q.ID, f.Name, f.QueryParam)
		}
	case f.Column != "":
		to.column, to.leaf = f.Column, s.leaves
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

// columns finds the column of each leaf.
func (s *shape) columns(names []string, byAnyName bool) ([]int, error) {
	at := make([]int, s.leaves)
	return at, s.locate(s.fields, names, byAnyName, at)
}

func (s *shape) locate(fields []*field, names []string, byAnyName bool, at []int) error {
	for _, f := range fields {
		if err := s.locate(f.fields, names, byAnyName, at); err != nil {
			return err
		}
		if f.leaf < 0 {
			continue
		}
		k := findColumn(names, f.column, s.byNumber)
		if k < 0 && byAnyName && len(names) == 1 {
			k = 0
		}
		switch {
		case k >= 0:
		case f.omit:
		case s.byNumber:
			return fmt.Errorf("the result has %d columns, element %s wants number %s", len(names), f.name.Local, f.column)
		default:
			return fmt.Errorf("the result has no column %s, which element %s wants", f.column, f.name.Local)
		}
		at[f.leaf] = k
	}
	return nil
}

// findColumn compares names in any case, an exact one first.
func findColumn(names []string, column string, byNumber bool) int {
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
