package query

import (
	"context"
	"database/sql"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/bind"
	"github.com/seed42aab489/belfry/dataservice/query/rowset"
	"github.com/seed42aab489/belfry/dataservice/query/shape"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// execute runs one query, whose values are bound, and writes its result.
func (x *run) execute(ctx context.Context, c *compiled, b *bound, out result.Sink, depth int) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := x.statement(ctx, c, b, out, depth); err != nil {
		return err
	}
	x.noteInput(c, b)
	return nil
}

func (x *run) statement(ctx context.Context, c *compiled, b *bound, out result.Sink, depth int) error {
	switch {
	case c.table != nil:
		return x.readTable(ctx, c, b, out, depth)
	case c.plan != nil && c.plan.Variables:
		return x.callProcedure(ctx, c, b, out, depth)
	case c.q.ReturnUpdatedRowCount:
		n, err := x.exec(ctx, b.sql, b.args, sql.Result.RowsAffected)
		if err != nil || c.shape == nil {
			return err
		}
		return x.write1(ctx, c, b, "COUNT", n, out, depth)
	case c.keys == "last":
		id, err := x.exec(ctx, b.sql, b.args, sql.Result.LastInsertId)
		if err != nil || c.shape == nil {
			return err
		}
		return x.write1(ctx, c, b, "GENERATED_KEY", id, out, depth)
	case c.shape == nil && !c.stmt.Returns:
		_, err := x.exec(ctx, b.sql, b.args, sql.Result.RowsAffected)
		return err
	}
	rows, err := x.query(ctx, c, b.sql, b.args)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	src, err := rowset.Open(rows)
	if err != nil {
		return err
	}
	if c.plan != nil {
		src.Rename(c.plan.names())
	}
	if c.shape == nil {
		return x.drain(src)
	}
	return x.result(ctx, c, b, src, out, depth)
}

// readTable reads a file.
func (x *run) readTable(ctx context.Context, c *compiled, b *bound, out result.Sink, depth int) error {
	rows, err := c.table.Rows(ctx, c.q.Sheet)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	if c.shape == nil {
		return x.drain(rows)
	}
	return x.result(ctx, c, b, rows, out, depth)
}

// exec runs a statement that changes something; the number is the rows changed or
// the key made.
func (x *run) exec(ctx context.Context, text string, args []any, number func(sql.Result) (int64, error)) (int64, error) {
	res, err := x.tx.Exec(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, err
	}
	x.change += n
	return number(res)
}

// query runs in the request's transaction if it is on the same source.
func (x *run) query(ctx context.Context, c *compiled, text string, args []any) (*source.Rows, error) {
	if x.tx != nil && c.db == x.db {
		return x.tx.Query(ctx, text, args...)
	}
	return c.db.Query(ctx, text, args...)
}

// write1 writes a result of one row with one column, which has any name.
func (x *run) write1(ctx context.Context, c *compiled, b *bound, name string, n int64, out result.Sink, depth int) error {
	return x.result(ctx, c, b, &rowset.Fixed{Names: []string{name}, Rows: [][]any{{n}}, AnyName: true}, out, depth)
}

// drain reads to the end, so that a query in a call without result does its work.
func (x *run) drain(src rowset.Source) error {
	for {
		vals, err := src.Next()
		if err != nil || vals == nil {
			return err
		}
		if err := x.count(); err != nil {
			return err
		}
	}
}

// count counts a row of the request.
func (x *run) count() error {
	x.rows++
	if limit := int64(x.limits.Rows); x.rows > limit {
		return &result.LimitError{What: "rows", Limit: limit, Setting: "limits.rows"}
	}
	return nil
}

// nested executes the query that a row calls.
func (x *run) nested(ctx context.Context, f *shape.Field, outer *compiled, ob *bound, row *rowView, out result.Sink, depth int) error {
	if limit := x.limits.Depth; depth > limit {
		return &result.LimitError{What: "queries nested in one another", Limit: int64(limit), Setting: "limits.query_depth"}
	}
	c := x.queries[f.Call.Query]
	if !x.req.Caller.Has(c.q.Roles) {
		return nil
	}
	b, err := c.bind(func(p *bind.Param) ([]string, bool) {
		for i := range f.Call.Params {
			w := &f.Call.Params[i]
			if w.Name == p.Name || equalFold(w.Name, p.Name) {
				if v, ok := x.nestedValue(w, outer, ob, row); ok {
					return v, ok
				}
				break
			}
		}
		return x.export(p.Name)
	}, x.req.Caller, x.limits.Array)
	if err != nil {
		f := x.asFault(c, err)
		f.Query = c.q.ID
		return f
	}
	return x.execute(ctx, c, b, out, depth)
}

// nestedValue looks where the with-param says first, then in the other place, as
// the original does: a parameter of the query around, a column of the row.
func (x *run) nestedValue(w *dataservice.WithParam, outer *compiled, ob *bound, row *rowView) ([]string, bool) {
	column := func(name string) ([]string, bool) {
		k := shape.FindColumn(row.names, name, false)
		if k < 0 {
			return nil, false
		}
		v := result.Plain(result.Column{Value: row.vals[k], Type: row.typ(k)})
		if !v.Valid {
			return []string{}, true
		}
		return []string{v.Text}, true
	}
	if w.Column != "" {
		if v, ok := column(w.Column); ok {
			return v, ok
		}
		return x.outerParam(w.Column, outer, ob)
	}
	if v, ok := x.outerParam(w.QueryParam, outer, ob); ok {
		return v, ok
	}
	return column(w.QueryParam)
}

// outerParam finds a parameter of the query around, else of the request.
func (x *run) outerParam(name string, outer *compiled, ob *bound) ([]string, bool) {
	if k := outer.index(name); k >= 0 {
		return ob.texts[k], true
	}
	v, ok := x.req.Values[name]
	return v, ok
}

func equalFold(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }
