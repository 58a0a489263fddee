package descriptor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

var kindNames = map[dataservice.SourceKind]string{
	dataservice.SourceCSV: "CSV sources", dataservice.SourceExcel: "Excel sources",
	dataservice.SourceGSpread: "Google spreadsheets", dataservice.SourceRDF: "RDF sources",
	dataservice.SourceSPARQL: "SPARQL sources", dataservice.SourceWeb: "web scraping sources",
	dataservice.SourceMongoDB: "MongoDB sources", dataservice.SourceCassandra: "Cassandra sources",
	dataservice.SourceCustom: "custom data sources",
}

// unsupported lists what is described and not served yet: each thing alone, so
// that the rest is.
func (r *reader) unsupported(root *node) {
	s := r.service
	note := r.note
	r.unsupportedService(root, note)
	for _, c := range s.Sources {
		r.unsupportedSource(r.named["data source "+c.ID], c, note)
	}
	for _, t := range s.Triggers {
		t.Subscriptions = slices.DeleteFunc(t.Subscriptions, func(uri string) bool {
			scheme, _, _ := strings.Cut(uri, ":")
			if slices.Contains(words("mailto http https"), strings.ToLower(scheme)) {
				return false
			}
			note(t.Position, "subscription "+uri+" of event trigger "+t.ID, scheme+": is not supported yet: nothing is sent there")
			return true
		})
	}
	for _, q := range s.Queries {
		if q.OutputTrigger != "" && q.Result == nil {
			note(q.Position, "output-event-trigger of query "+q.ID, "the query returns nothing, so it never rings")
		}
		for c := range q.Nested() {
			strayParams(s, c, "query "+q.ID, note)
		}
		if source := s.Source(q.Source); source != nil && source.Kind == dataservice.SourceSQL {
			idleParams(q, note)
		}
	}
	refused := r.refusedQueries()
	for _, o := range s.Operations {
		strayParams(s, &o.Call, "operation "+o.Name, note)
		o.Unsupported = r.unserved(refused, o.Call.Query, o.Position, "operation "+o.Name)
	}
	for _, res := range s.Resources {
		strayParams(s, &res.Call, "resource "+res.Name(), note)
		res.Unsupported = r.unserved(refused, res.Call.Query, res.Position, "resource "+res.Name())
	}
	slices.SortStableFunc(s.Unsupported, func(a, b dataservice.Unsupported) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}

// unserved notes why what calls a query cannot be served, and gives it; empty: it can.
func (r *reader) unserved(refused map[string]refusal, query string, at dataservice.Position, what string) string {
	s := r.service
	because := refusedCall(s, refused, query)
	why := cmp.Or(because.why, bare(s, query))
	if why != "" {
		s.Unsupported = append(s.Unsupported, dataservice.Unsupported{Position: at, What: what, Why: why, Follows: because.bySource})
	}
	return why
}

// strayParams notes what a call gives to a parameter that its query does not
// have, which the original takes and drops.
func strayParams(s *dataservice.Service, c *dataservice.CallQuery, from string, note noteFunc) {
	q := s.Query(c.Query)
	if q == nil {
		return
	}
	for _, w := range c.Params {
		known := slices.ContainsFunc(q.Params, func(p *dataservice.Param) bool { return strings.EqualFold(p.Name, w.Name) })
		if known {
			continue
		}
		var names []string
		for _, p := range q.Params {
			names = append(names, p.Name)
		}
		note(w.Position, "with-param "+w.Name+" of "+from,
			fmt.Sprintf("query %s has no parameter of that name, so it has no effect%s", q.ID, meant(w.Name, names, "%s")))
	}
}

type noteFunc func(at dataservice.Position, what, why string)

func (r *reader) unsupportedService(root *node, note noteFunc) {
	for _, t := range r.service.Transports {
		if known := words("http https local jms"); !slices.Contains(known, t) {
			note(root.at("transports"), "transport "+t, "it is not known, and nothing is offered over it"+meant(t, known, "%s"))
		}
	}
	if n := root.first("authorization_provider"); n != nil {
		note(n.pos, "authorization_provider", "Java classes are not run: roles come from the host's users file or from tokens (auth in belfryd.yaml)")
	}
}

func (r *reader) unsupportedSource(n *node, c *dataservice.Source, note noteFunc) {
	if why := sourceRefusal(c); why != "" {
		note(c.Position, "source "+c.ID, why)
	}
	if c.OData {
		note(n.at("enableOData"), "OData of source "+c.ID, "it is not supported yet")
	}
	for _, p := range n.all("property") {
		name := propertyName(p)
		known := slices.Contains(numberProperties, name) || slices.Contains(booleanProperties, name) || slices.Contains(textProperties, name)
		if c.Kind == dataservice.SourceSQL && !c.Mapped && !known {
			valid := slices.Concat(numberProperties, booleanProperties, textProperties)
			note(p.pos, "property "+name+" of source "+c.ID, "it is not known and has no effect"+meant(name, valid, "%s"))
		}
	}
}

func sourceRefusal(c *dataservice.Source) string {
	switch {
	case c.Mapped:
	case strings.HasPrefix(c.Properties["url"], "jdbc:wso2:"):
		return "the original's SQL driver for spreadsheets is not supported"
	case c.Kind == dataservice.SourceCSV, c.Kind == dataservice.SourceExcel:
	case c.Kind == dataservice.SourceCarbon, c.Kind == dataservice.SourceJNDI:
		name := firstOf(c.Properties["carbon_datasource_name"], c.Properties["jndi_resource_name"])
		return fmt.Sprintf("the address of the shared data source %s is not known here: say it in datasource_map, or with --map-datasource '%s=URL'", name, name)
	case c.Kind != dataservice.SourceSQL:
		return kindNames[c.Kind] + " are not supported"
	}
	return ""
}

// refusal is why a query cannot be executed.
type refusal struct {
	why      string
	bySource bool // its data source is not served, which is noted of the source
}

// refusedQueries tells, by id, of queries that cannot be executed.
func (r *reader) refusedQueries() map[string]refusal {
	out := map[string]refusal{}
	for _, q := range r.service.Queries {
		source := r.service.Source(q.Source)
		if source == nil {
			continue
		}
		if why := sourceRefusal(source); why != "" {
			out[q.ID] = refusal{fmt.Sprintf("%s (source %s)", why, source.ID), true}
			continue
		}
		if why := queryRefusal(q); why != "" {
			out[q.ID] = refusal{why: fmt.Sprintf("%s (query %s)", why, q.ID)}
		}
	}
	return out
}

func queryRefusal(q *dataservice.Query) string {
	for _, p := range q.Params {
		switch {
		case slices.Contains([]string{"ORACLE_REF_CURSOR", "STRUCT", "ARRAY"}, p.SQLType):
			return fmt.Sprintf("parameters of type %s, which are Oracle's, are not supported (%s)", p.SQLType, p.Name)
		}
		for _, v := range p.Validators {
			if v.Kind == dataservice.ValidateCustom {
				return fmt.Sprintf("validators that are Java classes are not supported (%s)", v.Class)
			}
		}
	}
	if q.Result != nil && q.Result.Output == "rdf" {
		return "RDF results are not supported"
	}
	if q.Result != nil && q.Result.XSLT != "" {
		return "results are not transformed by XSLT (xsltPath): there is no sound library for it"
	}
	return ""
}

// refusedCall tells why a call cannot be served: because of its query, or of one
// that is nested in its result.
func refusedCall(s *dataservice.Service, refused map[string]refusal, id string) refusal {
	seen := map[string]bool{}
	var visit func(id string) refusal
	visit = func(id string) refusal {
		if because := refused[id]; because.why != "" || seen[id] {
			return because
		}
		seen[id] = true
		q := s.Query(id)
		if q == nil {
			return refusal{}
		}
		for c := range q.Nested() {
			if because := visit(c.Query); because.why != "" {
				return because
			}
		}
		return refusal{}
	}
	return visit(id)
}

// bare tells why a query cannot be an answer of its own: its result has no element
// around the rows, which only one that is nested in another can do without.
func bare(s *dataservice.Service, id string) string {
	if q := s.Query(id); q != nil && q.Result != nil && q.Result.Output == "xml" && q.Result.Element == "" {
		return "the result has no element around its rows, so that it can only be nested in another (query " + id + ")"
	}
	return ""
}
