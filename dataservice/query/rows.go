package query

import (
	"context"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/rowset"
	"github.com/seed42aab489/belfry/dataservice/query/shape"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// rowView is the current row.
type rowView struct {
	names, types []string
	vals         []any
	at           []int // column of each leaf
}

func (r *rowView) typ(k int) string {
	if k < len(r.types) {
		return r.types[k]
	}
	return ""
}

// result writes what a query returned, by its mapping.
func (x *run) result(ctx context.Context, c *compiled, b *bound, src rowset.Source, out result.Sink, depth int) error {
	s := c.shape
	names, types, anyName := src.Columns()
	at, err := s.Columns(names, anyName)
	if err != nil {
		return &dataservice.Fault{Code: dataservice.DatabaseError, Message: err.Error()}
	}
	if s.Nests {
		// One connection cannot read rows and run other queries at once, and taking
		// a second one while holding the first is how pools lock up.
		if src, err = x.keep(c, src); err != nil {
			return err
		}
	}
	w := &walker{run: x, c: c, b: b, out: out, depth: depth, row: rowView{names: names, types: types, at: at}}
	if s.HasElement {
		if err := out.Open(s.Element, false); err != nil {
			return toSink(err)
		}
	}
	if err := w.rows(ctx, src); err != nil {
		return err
	}
	if s.HasElement {
		return toSink(out.Close())
	}
	return nil
}

// keep reads all rows, bounded, and gives the connection back.
func (x *run) keep(c *compiled, src rowset.Source) (rowset.Source, error) {
	all, err := x.copyRows(c, src)
	if err != nil {
		return nil, err
	}
	return all, src.Close()
}

// copyRows reads all rows that the result will show, bounded.
func (x *run) copyRows(c *compiled, src rowset.Source) (*rowset.Fixed, error) {
	names, types, anyName := src.Columns()
	all := &rowset.Fixed{Names: names, Types: types, AnyName: anyName}
	for {
		vals, err := src.Next()
		if err != nil {
			return nil, err
		}
		if vals == nil || c.maxRows > 0 && len(all.Rows) >= c.maxRows || c.shape != nil && !c.shape.HasRow && len(all.Rows) == 1 {
			return all, nil
		}
		if len(all.Rows) >= x.limits.Rows {
			return nil, &result.LimitError{What: "rows", Limit: int64(x.limits.Rows), Setting: "limits.rows"}
		}
		for _, v := range vals {
			x.kept += sizeOf(v)
		}
		if limit := x.limits.Bytes; x.kept > limit {
			return nil, &result.LimitError{What: "bytes of rows kept for nested queries", Limit: limit, Setting: "limits.held"}
		}
		all.Rows = append(all.Rows, append([]any(nil), vals...))
	}
}

// sizeOf is about what a value takes.
func sizeOf(v any) int64 {
	switch x := v.(type) {
	case string:
		return int64(len(x)) + 16
	case []byte:
		return int64(len(x)) + 24
	}
	return 24
}

// walker writes rows by a shape.
type walker struct {
	*run
	c     *compiled
	b     *bound
	out   result.Sink
	depth int
	row   rowView
}

func (w *walker) rows(ctx context.Context, src rowset.Source) error {
	s := w.c.shape
	if s.HasRow {
		if err := result.List(w.out, s.Row); err != nil && s.HasElement {
			return toSink(err)
		}
	}
	for n := 0; w.c.maxRows <= 0 || n < w.c.maxRows; n++ {
		vals, err := src.Next()
		if err != nil {
			return err
		}
		if vals == nil {
			return nil
		}
		if err := w.count(); err != nil {
			return err
		}
		w.row.vals = vals
		if !s.HasRow {
			return w.fields(ctx, s.Fields) // at most one row
		}
		if err := w.out.Open(s.Row, true); err != nil {
			return toSink(err)
		}
		if err := w.fields(ctx, s.Fields); err != nil {
			return err
		}
		if err := w.out.Close(); err != nil {
			return toSink(err)
		}
	}
	return nil
}

func (w *walker) fields(ctx context.Context, list []*shape.Field) error {
	for _, f := range list {
		if err := w.field(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(ctx context.Context, f *shape.Field) error {
	if !w.req.Caller.Has(f.Roles) {
		return nil
	}
	switch f.Kind {
	case dataservice.FieldCall:
		return w.nested(ctx, f, w.c, w.b, &w.row, w.out, w.depth+1)
	case dataservice.FieldGroup:
		if err := w.out.Open(f.Name, false); err != nil {
			return toSink(err)
		}
		if err := w.fields(ctx, f.Fields); err != nil {
			return err
		}
		return toSink(w.out.Close())
	}
	v := w.value(f)
	if f.Export != "" {
		w.keepExport(f, v)
	}
	switch {
	case !v.Valid && f.Omit:
		return nil
	case f.Kind == dataservice.FieldAttribute:
		return toSink(w.out.Attribute(f.Name, v))
	case f.Array && v.Valid:
		return w.array(f, v)
	}
	return toSink(w.out.Leaf(f.Name, v))
}

// value is that of a column, of a parameter, or the one that is written.
func (w *walker) value(f *shape.Field) result.Value {
	var v result.Value
	switch {
	case f.Leaf >= 0:
		k := w.row.at[f.Leaf]
		if k < 0 {
			return result.Value{Type: f.XSD}
		}
		v = result.Lexical(result.Column{Value: w.row.vals[k], Type: w.row.typ(k)}, f.XSD)
	case f.Param >= 0:
		v.Text, v.Valid = w.b.text(f.Param)
		v.Type = f.XSD
	default:
		v = result.Value{Valid: true, Text: f.Fixed, Type: f.XSD}
	}
	if w.c.shape.Escape && v.Valid {
		v.Text = rowset.EscapeControls(v.Text)
	}
	return v
}

// array writes an element for each value of an SQL array, which comes as text:
// {a,"b,c",NULL}.
func (w *walker) array(f *shape.Field, v result.Value) error {
	if err := result.List(w.out, f.Name); err != nil {
		return toSink(err)
	}
	for _, e := range rowset.SplitArray(v.Text) {
		e.Type = v.Type
		if err := w.out.Leaf(f.Name, e); err != nil {
			return toSink(err)
		}
	}
	return nil
}

// keepExport makes a value known to the queries after this one: the last, or if
// it is an array all of them.
func (x *run) keepExport(f *shape.Field, v result.Value) {
	if x.exported == nil {
		x.exported = map[string][]string{}
	}
	var list []string
	if f.ExportAll {
		list = x.exported[f.Export]
	}
	if v.Valid {
		list = append(list, v.Text)
	} else if list == nil {
		list = []string{}
	}
	x.exported[f.Export] = list
}
