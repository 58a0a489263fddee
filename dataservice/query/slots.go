package query

import (
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice/source"
)

// index finds a parameter: by its exact name, else in any case.
func (to *compiled) index(name string) int {
	for i, p := range to.params {
		if p.Name == name {
			return i
		}
	}
	for i, p := range to.params {
		if strings.EqualFold(p.Name, name) {
			return i
		}
	}
	return -1
}

// bindSlots gives each placeholder its parameter: by name, or by ordinal and then
// in the order of declaration. A parameter beyond the last placeholder has no
// effect, as in the original.
func (c *compiler) bindSlots(to *compiled) bool {
	n := len(to.stmt.Params)
	to.slots, to.casts = make([]int, n), make([]string, n)
	order := to.positions()
	if to.stmt.Named {
		order = to.unnamed()
	}
	for i, name := range to.stmt.Params {
		k := -1
		switch {
		case name != "":
			k = to.index(name)
		case i < len(order):
			k = order[i]
		}
		if k < 0 {
			c.fault(to.q.Position, "query %s: SQL has %d placeholders and there are %d parameters", to.q.ID, n, len(to.params))
			return false
		}
		to.slots[i], to.casts[i] = k, to.params[k].Cast
	}
	return true
}

// unnamed gives, for each placeholder of a statement that has names too, the
// parameter that it would be by position: the one of that ordinal, if the statement
// does not name it, else the next that it does not name (WSO2:
// ExpressionQuery.processNamedParams).
func (to *compiled) unnamed() []int {
	rest := slices.DeleteFunc(to.positions(), func(k int) bool {
		return slices.ContainsFunc(to.stmt.Params, func(name string) bool { return name != "" && to.index(name) == k })
	})
	order := make([]int, len(to.stmt.Params))
	for i, name := range to.stmt.Params {
		order[i] = -1
		if name != "" || len(rest) == 0 {
			continue
		}
		at := max(0, slices.IndexFunc(rest, func(k int) bool { return to.params[k].Ordinal == i+1 }))
		order[i] = rest[at]
		rest = slices.Delete(rest, at, at+1)
	}
	return order
}

// positions orders the parameters for positional placeholders.
func (to *compiled) positions() []int {
	order := make([]int, len(to.params))
	for i := range order {
		order[i] = -1
	}
	var rest []int
	for i, p := range to.params {
		if k := p.Ordinal - 1; k >= 0 && k < len(order) && order[k] < 0 {
			order[k] = i
		} else {
			rest = append(rest, i)
		}
	}
	for k := range order {
		if order[k] < 0 {
			order[k], rest = rest[0], rest[1:]
		}
	}
	return order
}

func (to *compiled) arrays() bool {
	for _, k := range to.slots {
		if to.params[k].Array {
			return true
		}
	}
	return false
}

// keysOf decides how generated keys come back: PostgreSQL and, if key columns
// are named, SQLite are asked with RETURNING, SQL Server for the identity; otherwise
// the driver tells the last one.
func (to *compiled) keysOf() {
	if !to.q.ReturnGeneratedKeys || to.stmt.Verb != "insert" || to.stmt.Returns {
		return
	}
	if to.stmt.Dialect == source.SQLServer {
		name := "GENERATED_KEYS" // as its JDBC driver calls it
		if len(to.q.KeyColumns) == 1 && source.PlainName(to.q.KeyColumns[0]) {
			name = to.q.KeyColumns[0]
		}
		to.keys = "returning"
		to.stmt = to.stmt.WithSuffix("; SELECT CAST(SCOPE_IDENTITY() AS bigint) AS " + name)
		return
	}
	to.keys = "last"
	cols := strings.Join(to.q.KeyColumns, ", ")
	switch {
	case to.db.Dialect() == source.Postgres && cols == "":
		cols = "*" // as its JDBC driver does
	case to.db.Dialect() == source.MySQL || cols == "":
		return
	}
	for _, col := range to.q.KeyColumns {
		if !source.PlainName(col) {
			return
		}
	}
	to.keys = "returning"
	to.stmt = to.stmt.WithSuffix(" RETURNING " + cols)
}
