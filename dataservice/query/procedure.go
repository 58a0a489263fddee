package query

import (
	"context"
	"strings"

	"github.com/seed42aab489/belfry/dataservice/query/bind"
	"github.com/seed42aab489/belfry/dataservice/query/proc"
	"github.com/seed42aab489/belfry/dataservice/query/rowset"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// plan is a call of a stored procedure.
type plan struct {
	proc.Plan
	sets map[int]int // variable to be set before -> index of the parameter
}

// names are those of the parameters that come back.
func (p *plan) names() []string {
	list := make([]string, len(p.Outs))
	for i, o := range p.Outs {
		list[i] = o.Name
	}
	return list
}

// procedure rewrites a statement that calls a stored procedure in JDBC's way, or
// gives it back as it is.
func (to *compiled) procedure(text string) (sql, refused string) {
	outs := false
	params := make([]proc.Param, len(to.params))
	for i, k := range to.positions() {
		p := to.params[k]
		params[i] = proc.Param{Name: p.Name, In: p.Mode != bind.Out, Out: p.Mode != bind.In}
		outs = outs || params[i].Out
	}
	call, ok := proc.Parse(text)
	switch {
	case !ok && outs:
		return "", "it has OUT parameters, and its statement is not a call of a stored procedure"
	case !ok && strings.HasPrefix(strings.TrimSpace(text), "{"):
		return "", "its statement is not one of JDBC's calls of stored procedures"
	case !ok || !outs && !call.Braces:
		return text, ""
	}
	made, err := call.Plan(to.db.Dialect(), params)
	if err != nil {
		return "", err.Error()
	}
	made.Variables = made.Variables && len(made.Outs) > 0
	to.plan = &plan{Plan: made, sets: map[int]int{}}
	for n, o := range made.Outs {
		if o.In && made.Variables {
			to.plan.sets[n] = to.index(o.Name)
		}
	}
	return made.SQL, ""
}

// callProcedure calls a procedure whose values come back in variables of the
// session: those of the transaction's connection. They are columns of each row
// that it returns, or of one row if it returns none.
func (x *run) callProcedure(ctx context.Context, c *compiled, b *bound, out result.Sink, depth int) error {
	for n, k := range c.plan.sets {
		var arg any
		if text, ok := b.text(k); ok {
			var err error
			if arg, err = c.params[k].Arg(text, c.db.Dialect()); err != nil {
				return err
			}
		}
		if _, err := x.tx.Exec(ctx, proc.Set(n), arg); err != nil {
			return err
		}
	}
	all, err := x.gather(ctx, c, b.sql, b.args)
	if err != nil {
		return err
	}
	came, err := x.gather(ctx, c, c.plan.Get(), nil)
	if err != nil || c.shape == nil {
		return err
	}
	if len(all.Names) == 0 {
		all.Rows = [][]any{nil}
	}
	for i, row := range all.Rows {
		all.Rows[i] = append(row, came.Rows[0]...)
	}
	all.Names, all.Types = append(all.Names, c.plan.names()...), append(all.Types, came.Types...)
	return x.result(ctx, c, b, all, out, depth)
}

// gather reads the first rows that a statement returns, bounded, and gives the
// connection back.
func (x *run) gather(ctx context.Context, c *compiled, text string, args []any) (*rowset.Fixed, error) {
	rows, err := x.tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // what matters was asked below
	src, err := rowset.Open(rows)
	if err != nil {
		return nil, err
	}
	all, err := x.copyRows(c, src)
	if err != nil {
		return nil, err
	}
	for rows.NextResultSet() { //nolint:revive // to the end, where the procedure's error is
	}
	return all, rows.Err()
}
