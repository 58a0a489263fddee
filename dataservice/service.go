package dataservice

import (
	"fmt"
	"strings"
	"unicode"
)

// DefaultNamespace is that of a service which names none.
const DefaultNamespace = "http://ws.wso2.org/dataservice"

// Position is a place in a descriptor, counted from 1. Zero: unknown.
type Position struct{ Line, Column int }

// String gives "line:column".
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Service is one data service (the <data> element).
type Service struct {
	// Name may contain slashes ("group/Service").
	Name        string
	Description string
	// Namespace is serviceNamespace, else baseURI, else DefaultNamespace.
	Namespace string
	Group     string
	// Active is false when serviceStatus says inactive: deployed, but refused.
	Active bool
	// Transports as written ("http", "https", "local"); empty: all.
	Transports []string

	BatchRequests    bool
	Boxcarring       bool
	LegacyBoxcarring bool
	Streaming        bool
	RequiresSecurity bool // a <policy> or enableSec: every caller must be known
	// Roles: every caller must have one of them (requiredRoles of <data>, in Belfry's
	// namespace); empty: any caller will do.
	Roles []string

	Sources    []*Source
	Queries    []*Query
	Operations []*Operation
	Resources  []*Resource
	Triggers   []*EventTrigger

	// Unsupported lists what the descriptor asks for and this host does not do
	// yet, to be said at deployment, for that element alone.
	Unsupported []Unsupported

	// File and Hash are those of the descriptor: its path as deployed and the
	// SHA-256 of its bytes in hexadecimal.
	File, Hash string
}

// HTTP tells whether the service has an HTTP endpoint, with TLS or without, so that
// its operations can be scheduled (WSO2: an EPR that starts with http:).
func (s *Service) HTTP() bool {
	if len(s.Transports) == 0 {
		return true
	}
	for _, t := range s.Transports {
		if t == "http" || t == "https" {
			return true
		}
	}
	return false
}

// Query finds a query by its id; nil if there is none.
func (s *Service) Query(id string) *Query {
	for _, q := range s.Queries {
		if q.ID == id {
			return q
		}
	}
	return nil
}

// Source finds a source by its id; nil if there is none.
func (s *Service) Source(id string) *Source {
	for _, c := range s.Sources {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Operation finds an operation by its name; nil if there is none.
func (s *Service) Operation(name string) *Operation {
	for _, o := range s.Operations {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// Trigger finds an event trigger by its id; nil if there is none.
func (s *Service) Trigger(id string) *EventTrigger {
	for _, t := range s.Triggers {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Unsupported is something that a descriptor asks for in vain.
type Unsupported struct {
	Position
	// What: "operation getX", "resource GET x", "source files", "query q".
	What string
	// Why, for a person: "CSV sources are not supported yet".
	Why string
	// Follows: from a data source that is not supported, which is listed as well.
	Follows bool
}

// SourceKind is inferred from the names of a config's properties.
type SourceKind string

// The kinds of sources. Of those from SourceGSpread on none is served.
const (
	SourceSQL       SourceKind = "RDBMS"
	SourceCarbon    SourceKind = "CARBON_DATASOURCE"
	SourceJNDI      SourceKind = "JNDI"
	SourceCSV       SourceKind = "CSV"
	SourceExcel     SourceKind = "EXCEL"
	SourceGSpread   SourceKind = "GDATA_SPREADSHEET"
	SourceRDF       SourceKind = "RDF"
	SourceSPARQL    SourceKind = "SPARQL"
	SourceWeb       SourceKind = "WEB_CONFIG"
	SourceMongoDB   SourceKind = "MongoDB"
	SourceCassandra SourceKind = "Cassandra"
	SourceCustom    SourceKind = "CUSTOM"
)

// Source is where a query's data are (the <config> element).
type Source struct {
	Position
	ID   string
	Kind SourceKind
	// Properties under today's names (driverClassName, url, username, …), the
	// legacy ones mapped, those without a value left out. What an XA source or a
	// custom one nests stands under "outer.inner"; the url, username and password
	// of an XA source also under these names. Secrets are among them: never print
	// them.
	Properties map[string]string
	OData      bool
	// Mapped: the host's configuration sends it to another, SQL, database.
	Mapped bool
}

// Operation is a named call (the <operation> element).
type Operation struct {
	Position
	Name         string
	Description  string
	Call         CallQuery
	ReturnStatus bool // returnRequestStatus: an in-only call answers REQUEST_STATUS
	Streaming    bool
	// Unsupported says why the operation is refused; empty: it is served.
	Unsupported string
}

// Resource is a call by method and path (the <resource> element).
type Resource struct {
	Position
	Method       string // upper case
	Path         string // "product/{productCode}", without a leading slash
	Description  string
	Call         CallQuery
	ReturnStatus bool
	Streaming    bool
	// Unsupported says why the resource is refused; empty: it is served.
	Unsupported string
}

// Name is "METHOD path", by which faults and logs name a resource.
func (r *Resource) Name() string { return r.Method + " " + r.Path }

// RequestName is what SOAP clients and JSON envelopes call a resource (WSO2:
// Resource.generateRequestName): "_", its method and its path. What XML has in no
// name is "_".
func (r *Resource) RequestName() string {
	name := strings.ToLower("_" + r.Method + strings.NewReplacer("{", "", "}", "").Replace(r.Path))
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, name)
}

// CallQuery calls a query (the <call-query> element), from an operation, a
// resource or, nested, from a result.
type CallQuery struct {
	Position
	Query  string // href
	Params []WithParam
	// Roles (requiredRoles): the caller must have one of them, or the call is refused;
	// one that is nested is left out.
	Roles []string
}

// WithParam fills a query's parameter (the <with-param> element).
type WithParam struct {
	Position
	Name string // the parameter of the query
	// Exactly one of these is set: a request's parameter, or a column of the
	// row around a nested call.
	QueryParam, Column string
}

// EventTrigger rings when its condition holds (the <event-trigger> element).
type EventTrigger struct {
	Position
	ID string
	// Language is "XPath" (default) or, in Belfry's namespace, "CEL".
	Language      string
	Expression    string
	Topic         string
	Subscriptions []string

	// What follows can only be said in Belfry's own namespace; the zero value is
	// the original's behaviour: level-triggered, at once, every time.
	Edge     bool   // ring only when the condition becomes true
	Hold     string // a duration: ring only after it held that long
	CoolDown string // a duration: then stay silent that long
	Rearm    string // edge: a condition in the same language that re-arms it; empty: its negation
	Digest   string // a duration: gather what rang meanwhile into one message
	Subject  string // template (text/template) of a mail's subject
	Body     string // template of a mail's body
}

// BelfryNamespace is that of Belfry's own elements and attributes in a
// descriptor.
const BelfryNamespace = "https://github.com/seed42aab489/belfry/ns/dbs"
