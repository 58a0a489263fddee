package query

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/bind"
	"github.com/seed42aab489/belfry/dataservice/query/shape"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// compiled is a query that is ready to be executed. It is not changed once it
// is made.
type compiled struct {
	q       *dataservice.Query
	refused string            // why it is not executed; empty: it is
	db      *source.DB        // nil: the source is a table
	table   *source.Table     // a file; nil: the source is a database
	stmt    *source.Statement // of a table, an empty one
	params  []*bind.Param
	slots   []int        // placeholder -> index into params
	casts   []string     // by placeholder
	text    string       // the statement, if no parameter is an array or pasted
	pastes  bool         // a parameter is text of the statement (QUERY_STRING)
	partial bool         // an UPDATE that leaves columns whose parameter is not there
	plan    *plan        // a stored procedure that gives values back; nil: none
	shape   *shape.Shape // nil: in-only
	keys    string       // how generated keys are asked for; see keysOf
	timeout time.Duration
	maxRows int // more are left out; 0: all

	input, output *dataservice.EventTrigger

	// Of the query and all that its result calls.
	writes bool            // something may write: the request is a transaction
	rings  bool            // an event trigger may want to see something
	words  map[string]bool // the names in statements that write
}

// compiler gathers what is wrong with a service.
type compiler struct {
	e    *Engine
	svc  *dataservice.Service
	rt   *Runtime
	errs Errors
}

// compile makes a Runtime, its sources open, or gives the descriptor's faults.
func (e *Engine) compile(s *dataservice.Service) (*Runtime, error) {
	c := &compiler{e: e, svc: s, rt: &Runtime{
		limits: e.opts.LimitsOf(s.Name).withDefaults(),
		engine: e, svc: s, queries: map[string]*compiled{}, sources: map[string]*source.DB{}, tables: map[string]*source.Table{},
	}}
	reasons := map[string]string{}
	for _, cfg := range s.Sources {
		err := c.open(cfg)
		if err != nil {
			reasons[cfg.ID] = fmt.Sprintf("source %s: %v", cfg.ID, err)
			if what := "source " + cfg.ID; !c.known(what) {
				c.unsupported(cfg.Position, what, err.Error())
			}
		}
	}
	for _, q := range s.Queries {
		c.rt.queries[q.ID] = c.query(q, reasons[q.Source])
	}
	for _, q := range c.rt.queries {
		c.link(q)
	}
	for _, db := range c.rt.sources {
		e.inbox.Watch(db)
	}
	if len(c.errs) > 0 {
		_ = c.rt.Close() // nothing was connected
		slices.SortFunc(c.errs, func(a, b *Error) int { return a.Line*1_000_000 + a.Column - b.Line*1_000_000 - b.Column })
		return nil, c.errs
	}
	return c.rt, nil
}

// open opens a source.
func (c *compiler) open(cfg *dataservice.Source) error {
	if source.IsTable(cfg) {
		t, err := c.e.opts.Sources.OpenTable(cfg)
		if err == nil {
			c.rt.tables[cfg.ID] = t
		}
		return err
	}
	db, err := c.e.opts.Sources.Open(c.svc.Name, cfg)
	if err == nil {
		c.rt.sources[cfg.ID] = db
	}
	return err
}

func (c *compiler) fault(at dataservice.Position, format string, args ...any) {
	c.errs = append(c.errs, &Error{Position: at, Msg: fmt.Sprintf(format, args...)})
}

// known tells whether the descriptor's reader has said that something is not served.
func (c *compiler) known(what string) bool {
	return slices.ContainsFunc(c.svc.Unsupported, func(u dataservice.Unsupported) bool { return u.What == what })
}

func (c *compiler) unsupported(at dataservice.Position, what, why string) {
	c.rt.unsupported = append(c.rt.unsupported, dataservice.Unsupported{Position: at, What: what, Why: why})
}

// query compiles one; refusedSource says why its source is not served.
func (c *compiler) query(q *dataservice.Query, refusedSource string) *compiled {
	to := &compiled{q: q, refused: refusedSource, db: c.rt.sources[q.Source], table: c.rt.tables[q.Source], timeout: c.rt.limits.Timeout}
	if to.refused != "" {
		return to
	}
	refuse := func(at dataservice.Position, why string) *compiled {
		to.refused = why
		c.unsupported(at, "query "+q.ID, why)
		return to
	}
	if to.db == nil && to.table == nil {
		c.fault(q.Position, "query %s: there is no source %q", q.ID, q.Source)
		return to
	}
	if why := c.properties(q, to); why != "" {
		return refuse(q.Position, why)
	}
	for _, p := range q.Params {
		one, err := bind.New(p, c.e.opts.Now)
		if err != nil {
			return refuse(p.Position, fmt.Sprintf("parameter %s: %v", p.Name, err))
		}
		to.params = append(to.params, one)
	}
	if why := c.statement(q, to); why != "" {
		return refuse(q.Position, why)
	}
	if q.Result != nil {
		s, why := shape.Of(q, c.fault)
		if why != "" {
			return refuse(q.Result.Position, why)
		}
		to.shape = s
	}
	to.input, to.output = c.trigger(q, q.InputTrigger), c.trigger(q, q.OutputTrigger)
	return to
}

func (c *compiler) trigger(q *dataservice.Query, id string) *dataservice.EventTrigger {
	if id == "" {
		return nil
	}
	t := c.svc.Trigger(id)
	if t == nil {
		c.fault(q.Position, "query %s: there is no event trigger %q", q.ID, id)
	}
	return t
}

// properties takes those of the source, then those of the query.
func (c *compiler) properties(q *dataservice.Query, to *compiled) string {
	set, err := source.SettingsOf(c.svc.Source(q.Source))
	if err != nil {
		return err.Error() // the source was opened, so that there is none
	}
	if set.QueryTimeout > 0 {
		to.timeout = set.QueryTimeout
	}
	to.maxRows = set.MaxRows
	for name, v := range q.Properties {
		n, err := strconv.Atoi(strings.TrimSpace(v))
		switch strings.ToLower(name) {
		case "querytimeout":
			if err == nil && n > 0 {
				to.timeout = time.Duration(n) * time.Second
			}
		case "maxrows":
			if err == nil && n >= 0 {
				to.maxRows = n
			}
		}
	}
	return ""
}

// statement chooses the text for the source's dialect and finds its placeholders.
func (c *compiler) statement(q *dataservice.Query, to *compiled) (refused string) {
	if to.table != nil {
		to.stmt = &source.Statement{}
		if len(q.SQL) > 0 {
			return "its source is a file, which is read as it is and not by SQL"
		}
		return ""
	}
	if len(q.SQL) == 0 {
		return "it has no SQL statement"
	}
	text, ok := chooseSQL(q.SQL, to.db.Dialect(), c.svc.Source(q.Source).Properties["url"])
	if !ok {
		return fmt.Sprintf("it has no statement for %s, and none without a dialect", to.db.Dialect())
	}
	text, refused = to.procedure(text)
	if refused != "" {
		return refused
	}
	stmt, err := source.Parse(text, to.db.Dialect(), func(name string) bool { return to.index(name) >= 0 })
	if errors.Is(err, source.ErrMultiple) {
		return "its SQL holds more than one statement"
	}
	if err != nil {
		c.fault(q.Position, "query %s: SQL: %v", q.ID, err)
		return ""
	}
	to.stmt = stmt
	if !c.bindSlots(to) {
		return ""
	}
	to.keysOf()
	stmt.Writes = stmt.Writes || q.ReturnUpdatedRowCount || to.keys != "" || to.plan != nil
	if to.pastes = slices.ContainsFunc(to.params, func(p *bind.Param) bool { return p.Pasted }); to.pastes && stmt.Dialect == source.SQLServer {
		return "QUERY_STRING parameters are not supported on SQL Server, where a second statement needs no semicolon before it"
	}
	to.partial = stmt.Verb == "update" && slices.ContainsFunc(to.params, (*bind.Param).MayLack)
	if !to.arrays() && !to.pastes {
		to.text = to.stmt.SQL(nil, to.casts)
	}
	return ""
}

// chooseSQL picks the statement of the dialect (the <sql dialect="a,b">), else the
// one without, else that of the database which the descriptor names: it may be
// mapped to another.
func chooseSQL(by map[string]string, d source.Dialect, url string) (string, bool) {
	of := func(names ...string) (string, bool) {
		for key, text := range by {
			if slices.Contains(names, strings.ToLower(strings.TrimSpace(key))) {
				return text, true
			}
		}
		return "", false
	}
	if text, ok := of(d.Names()...); ok {
		return text, true
	}
	if text, ok := by[""]; ok {
		return text, true
	}
	own, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(url), "jdbc:"), ":")
	return of(own)
}

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

// link decides what concerns a query together with those it calls.
func (c *compiler) link(q *compiled) {
	seen := map[*compiled]bool{}
	q.words = map[string]bool{}
	var visit func(k *compiled)
	visit = func(k *compiled) {
		if seen[k] {
			return
		}
		seen[k] = true
		if k.refused != "" && q.refused == "" {
			q.refused = "it calls query " + k.q.ID + ": " + k.refused
		}
		q.rings = q.rings || k.input != nil
		if k.stmt != nil && k.stmt.Writes {
			q.writes = true
			maps.Copy(q.words, k.stmt.Words)
			if k.db != q.db && q.refused == "" {
				q.refused = "it calls query " + k.q.ID + ", which writes to another source: there are no transactions across sources"
				c.unsupported(q.q.Position, "query "+q.q.ID, q.refused)
			}
		}
		for call := range k.q.Nested() {
			if n := c.rt.queries[call.Query]; n != nil {
				visit(n)
			} else {
				c.fault(call.Position, "query %s: it calls a query %q that is not there", k.q.ID, call.Query)
			}
		}
	}
	visit(q)
	q.rings = q.rings || q.output != nil
}
