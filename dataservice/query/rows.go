package query

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// rowSource gives rows one by one. The values are good until the next one.
type rowSource interface {
	columns() (names, types []string, anyName bool)
	next() ([]any, error) // nil: no more
	close() error
}

// sqlRows are rows as they come from the database.
type sqlRows struct {
	rows         *source.Rows
	names, types []string
	vals, ptrs   []any
}

func newRowSource(rows *source.Rows) (*sqlRows, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	s := &sqlRows{rows: rows, names: names, types: make([]string, len(names)), vals: make([]any, len(names)), ptrs: make([]any, len(names))}
	for i := range names {
		s.ptrs[i] = &s.vals[i]
		t := strings.ToUpper(types[i].DatabaseTypeName())
		t, _, _ = strings.Cut(t, "(")
		s.types[i] = strings.TrimPrefix(t, "UNSIGNED ")
	}
	return s, nil
}

func (s *sqlRows) columns() ([]string, []string, bool) { return s.names, s.types, false }

func (s *sqlRows) next() ([]any, error) {
	if !s.rows.Next() {
		return nil, s.rows.Err()
	}
	return s.vals, s.rows.Scan(s.ptrs...)
}

func (s *sqlRows) close() error { return s.rows.Close() }

// fixedRows are rows at hand.
type fixedRows struct {
	names, types []string
	rows         [][]any
	anyName      bool // the only column answers to every name
}

func (f *fixedRows) columns() ([]string, []string, bool) { return f.names, f.types, f.anyName }

func (f *fixedRows) next() ([]any, error) {
	if len(f.rows) == 0 {
		return nil, nil
	}
	row := f.rows[0]
	f.rows = f.rows[1:]
	return row, nil
}

func (f *fixedRows) close() error { return nil }

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
func (x *run) result(ctx context.Context, c *compiled, b *bound, src rowSource, out result.Sink, depth int) error {
	s := c.shape
	names, types, anyName := src.columns()
	at, err := s.columns(names, anyName)
	if err != nil {
		return &dataservice.Fault{Code: dataservice.DatabaseError, Message: err.Error()}
	}
	if s.nests {
		// One connection cannot read rows and run other queries at once, and taking
		// a second one while holding the first is how pools lock up.
		if src, err = x.keep(c, src); err != nil {
			return err
		}
	}
	w := &walker{run: x, c: c, b: b, out: out, depth: depth, row: rowView{names: names, types: types, at: at}}
	if s.hasElement {
		if err := out.Open(s.element, false); err != nil {
			return toSink(err)
		}
	}
	if err := w.rows(ctx, src); err != nil {
		return err
	}
	if s.hasElement {
		return toSink(out.Close())
	}
	return nil
}

// keep reads all rows, bounded, and gives the connection back.
func (x *run) keep(c *compiled, src rowSource) (rowSource, error) {
	names, types, anyName := src.columns()
	all := &fixedRows{names: names, types: types, anyName: anyName}
	for {
		vals, err := src.next()
		if err != nil {
			return nil, err
		}
		if vals == nil || c.maxRows > 0 && len(all.rows) >= c.maxRows || !c.shape.hasRow && len(all.rows) == 1 {
			return all, src.close()
		}
		if len(all.rows) >= x.engine.opts.Limits.Rows {
			return nil, &result.LimitError{What: "rows", Limit: int64(x.engine.opts.Limits.Rows), Setting: "limits.rows"}
		}
		for _, v := range vals {
			x.kept += sizeOf(v)
		}
		if limit := x.engine.opts.Limits.Bytes; x.kept > limit {
			return nil, &result.LimitError{What: "bytes of rows kept for nested queries", Limit: limit, Setting: "limits.held"}
		}
		all.rows = append(all.rows, append([]any(nil), vals...))
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

func (w *walker) rows(ctx context.Context, src rowSource) error {
	s := w.c.shape
	if s.hasRow {
		if err := result.List(w.out, s.row); err != nil && s.hasElement {
			return toSink(err)
		}
	}
	for n := 0; w.c.maxRows <= 0 || n < w.c.maxRows; n++ {
		vals, err := src.next()
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
		if !s.hasRow {
			return w.fields(ctx, s.fields) // at most one row
		}
		if err := w.out.Open(s.row, true); err != nil {
			return toSink(err)
		}
		if err := w.fields(ctx, s.fields); err != nil {
			return err
		}
		if err := w.out.Close(); err != nil {
			return toSink(err)
		}
	}
	return nil
}

func (w *walker) fields(ctx context.Context, list []*field) error {
	for _, f := range list {
		if err := w.field(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(ctx context.Context, f *field) error {
	switch f.kind {
	case dataservice.FieldCall:
		return w.nested(ctx, f, w.c, w.b, &w.row, w.out, w.depth+1)
	case dataservice.FieldGroup:
		if err := w.out.Open(f.name, false); err != nil {
			return toSink(err)
		}
		if err := w.fields(ctx, f.fields); err != nil {
			return err
		}
		return toSink(w.out.Close())
	}
	v := w.value(f)
	switch {
	case !v.Valid && f.omit:
		return nil
	case f.kind == dataservice.FieldAttribute:
		return toSink(w.out.Attribute(f.name, v))
	case f.array && v.Valid:
		return w.array(f, v)
	}
	return toSink(w.out.Leaf(f.name, v))
}

// value is that of a column, of a parameter, or the one that is written.
func (w *walker) value(f *field) result.Value {
	var v result.Value
	switch {
	case f.leaf >= 0:
		k := w.row.at[f.leaf]
		if k < 0 {
			return result.Value{Type: f.xsd}
		}
		v = result.Lexical(result.Column{Value: w.row.vals[k], Type: w.row.typ(k)}, f.xsd)
	case f.param >= 0:
		v.Text, v.Valid = w.b.text(f.param)
		v.Type = f.xsd
	default:
		v = result.Value{Valid: true, Text: f.fixed, Type: f.xsd}
	}
	if w.c.shape.escape && v.Valid {
		v.Text = escapeControls(v.Text)
	}
	return v
}

// array writes an element for each value of an SQL array, which comes as text:
// {a,"b,c",NULL}.
func (w *walker) array(f *field, v result.Value) error {
	if err := result.List(w.out, f.name); err != nil {
		return toSink(err)
	}
	for _, e := range splitArray(v.Text) {
		e.Type = v.Type
		if err := w.out.Leaf(f.name, e); err != nil {
			return toSink(err)
		}
	}
	return nil
}

// splitArray reads PostgreSQL's text of a one-dimensional array. Other text is
// one value.
func splitArray(s string) []result.Value {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return []result.Value{{Valid: true, Text: s}}
	}
	s = s[1 : len(s)-1]
	var list []result.Value
	var b strings.Builder
	quoted, within := false, false
	end := func() {
		text := b.String()
		list = append(list, result.Value{Valid: quoted || text != "NULL", Text: text})
		b.Reset()
		quoted = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			within, quoted = !within, true
		case c == ',' && !within:
			end()
		default:
			b.WriteByte(c)
		}
	}
	if s != "" {
		end()
	}
	return list
}

// escapeControls writes characters that cannot be printed as \uXXXX (the
// descriptor's escapeNonPrintableChar).
func escapeControls(s string) string {
	plain := func(r rune) bool { return unicode.IsPrint(r) || r == '\n' || r == '\t' || r == '\r' }
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if plain(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
