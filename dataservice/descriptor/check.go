package descriptor

import (
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// check follows the references of what was read, and reports statements that
// can never work. It is no stricter than the original where its files work:
// parameters may be missing from a call or be too many.
func (r *reader) check() {
	s := r.service
	var sources, queries, triggers []string
	for _, c := range s.Sources {
		sources = append(sources, c.ID)
	}
	for _, q := range s.Queries {
		queries = append(queries, q.ID)
	}
	for _, t := range s.Triggers {
		triggers = append(triggers, t.ID)
	}
	for _, q := range s.Queries {
		n := r.sqlAt[q]
		source := s.Source(q.Source)
		switch {
		case source == nil:
			r.addf(n.at("useConfig"), "data source %q is not described%s", q.Source, r.meant(q.Source, sources, "%q"))
		case source.Kind == dataservice.SourceSQL:
			r.checkStatements(n, q)
		}
		for _, a := range []string{"input-event-trigger", "output-event-trigger"} {
			if id := strings.TrimSpace(n.get(a)); id != "" && s.Trigger(id) == nil {
				r.addf(n.at(a), "event trigger %q is not described%s", id, r.meant(id, triggers, "%q"))
			}
		}
	}
	r.orientTemplateCalls()
	target := func(c *dataservice.CallQuery) {
		if c.Query != "" && s.Query(c.Query) == nil {
			r.addf(c.Position, "query %q is not described%s", c.Query, r.meant(c.Query, queries, "%q"))
		}
	}
	for _, o := range s.Operations {
		target(&o.Call)
	}
	for _, res := range s.Resources {
		target(&res.Call)
	}
	for _, q := range s.Queries {
		for c := range q.Nested() {
			target(c)
		}
	}
}

// orientTemplateCalls settles which side of "$column->parameter" names the
// parameter: the right one, but the original takes the left, so that a template
// that is written the other way round works there.
func (r *reader) orientTemplateCalls() {
	for _, c := range r.templateCalls {
		q := r.service.Query(c.Query)
		if q == nil {
			continue
		}
		for i, p := range c.Params {
			if q.Param(p.Name) == nil && q.Param(p.Column) != nil {
				c.Params[i].Name, c.Params[i].Column = p.Column, p.Name
			}
		}
	}
}

func (r *reader) checkStatements(n *node, q *dataservice.Query) {
	list := n.all("sql")
	if len(list) == 0 {
		r.addf(n.pos, "query %q needs <sql>, since its data source %q is a database", q.ID, q.Source)
	}
	for _, s := range list {
		// What \ and $$ mean in a statement differs between databases.
		uncertain := strings.ContainsAny(s.text, "\\") || strings.Contains(s.text, "$$")
		if marks := placeholders(s.text); !uncertain && marks > len(q.Params) {
			r.addf(s.pos, "the statement has %d placeholders, but query %q has %d parameters", marks, q.ID, len(q.Params))
		}
	}
}

// idleParams notes the parameters of a query for which its only statement has no
// place. The original drops them in silence.
func idleParams(q *dataservice.Query, note noteFunc) {
	if len(q.SQL) != 1 {
		return
	}
	for _, sql := range q.SQL {
		if strings.ContainsAny(sql, "\\") || strings.Contains(sql, "$$") {
			return // what these mean differs between databases
		}
		marks, lower := placeholders(sql), strings.ToLower(sql)
		named := func(p *dataservice.Param) bool { return strings.Contains(lower, ":"+strings.ToLower(p.Name)) }
		byName := slices.ContainsFunc(q.Params, named)
		for _, p := range q.Params {
			if !named(p) && (byName && marks == 0 || !byName && p.Ordinal > marks) {
				note(p.Position, "parameter "+p.Name+" of query "+q.ID, "its statement has no place for it, so it has no effect")
			}
		}
	}
}

// placeholders counts the question marks of a statement that stand for
// parameters: not those in quotes or comments, nor doubled ones, which stand for
// themselves.
func placeholders(sql string) int {
	count := 0
	for i := 0; i < len(sql); i++ {
		rest := sql[i:]
		switch {
		case rest[0] == '\'' || rest[0] == '"' || rest[0] == '`':
			end := strings.IndexByte(rest[1:], rest[0])
			if end < 0 {
				return count
			}
			i += end + 1
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				return count
			}
			i += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return count
			}
			i += end + 1
		case strings.HasPrefix(rest, "??"):
			i++
		case rest[0] == '?':
			count++
		}
	}
	return count
}
