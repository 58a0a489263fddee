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
