package dataservice

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// OperationHash identifies what an operation does: its call, its query, the
// queries nested in the result, their data sources and event triggers. It is
// the same for descriptors that differ only in layout, order, descriptions or
// passwords, and empty if there is no such operation.
func (s *Service) OperationHash(operation string) string {
	o := s.Operation(operation)
	if o == nil {
		return ""
	}
	d := digest{sha256.New()}
	d.add("operation 1", s.Name, s.Namespace, o.Name, o.ReturnStatus)
	d.call(&o.Call)
	var sources, triggers []string
	for _, q := range s.reachable(o.Call.Query) {
		d.query(q)
		sources = append(sources, q.Source)
		triggers = append(triggers, q.InputTrigger, q.OutputTrigger)
	}
	for _, id := range distinct(sources) {
		if c := s.Source(id); c != nil {
			d.add("source", c.ID, c.Kind)
			d.properties(c.Properties)
		}
	}
	for _, id := range distinct(triggers) {
		if t := s.Trigger(id); t != nil {
			d.add("trigger", t.ID, t.Language, t.Expression, t.Topic, t.Edge, t.Hold, t.CoolDown, t.Rearm, t.Digest, t.Subject, t.Body)
			d.add(len(t.Subscriptions), t.Subscriptions)
		}
	}
	return hex.EncodeToString(d.Sum(nil))
}

// reachable lists a query and all that its result calls, by id.
func (s *Service) reachable(id string) []*Query {
	found := map[string]*Query{}
	var visit func(id string)
	visit = func(id string) {
		q := s.Query(id)
		if q == nil || found[id] != nil {
			return
		}
		found[id] = q
		for c := range q.Nested() {
			visit(c.Query)
		}
	}
	visit(id)
	var list []*Query
	for _, key := range slices.Sorted(maps.Keys(found)) {
		list = append(list, found[key])
	}
	return list
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// digest hashes values, each with its length, so that no two lists of values
// look alike.
type digest struct{ hash.Hash }

func (d digest) add(values ...any) {
	for _, v := range values {
		text := fmt.Sprintf("%v", v)
		if list, ok := v.([]string); ok {
			text = fmt.Sprintf("%q", list)
		}
		// A hash never fails to write.
		_, _ = fmt.Fprintf(d, "%d:%s", len(text), text)
	}
}

func (d digest) properties(m map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !strings.HasSuffix(strings.ToLower(key), "password") {
			d.add(key, m[key])
		}
	}
	d.add("end")
}

func (d digest) call(c *CallQuery) {
	d.add("call", c.Query, c.Roles, len(c.Params))
	params := slices.Clone(c.Params)
	slices.SortFunc(params, func(a, b WithParam) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for _, p := range params {
		d.add(p.Name, p.QueryParam, p.Column)
	}
}

func (d digest) query(q *Query) {
	d.add("query", q.ID, q.Source, q.ReturnGeneratedKeys, q.KeyColumns, q.ReturnUpdatedRowCount, q.InputTrigger, q.OutputTrigger)
	if len(q.Roles) > 0 {
		d.add("roles", q.Roles)
	}
	d.properties(q.SQL)
	d.properties(q.Properties)
	if s := q.Sheet; s != nil {
		d.add("sheet", s.Name, s.HasHeader, s.Header, s.Start, s.MaxRows)
	}
	for _, p := range q.Params {
		d.add("param", p.Name, p.SQLType, p.Mode, p.Array, p.Ordinal, p.Default != nil, p.ForceDefault, p.Optional, p.StructType)
		if p.Default != nil {
			d.add(*p.Default)
		}
		for _, v := range p.Validators {
			d.add("validator", v.Kind, number(v.Minimum), number(v.Maximum), v.Pattern, v.Class)
		}
	}
	if r := q.Result; r != nil {
		d.add("result", r.Element, r.RowName, r.Namespace, r.Output, r.UseColumnNumbers, r.EscapeNonPrint, r.XSLT)
		d.fields(r.Fields)
	}
}

func number(f *float64) string {
	if f == nil {
		return "none"
	}
	return fmt.Sprint(*f)
}

func (d digest) fields(list []*Field) {
	d.add(len(list))
	for _, f := range list {
		d.add("field", f.Kind, f.Name, f.Namespace, f.Column, f.QueryParam, f.Value, f.HasValue, f.Type, f.Roles)
		d.add(f.Export, f.ExportType, f.Optional, f.ArrayName)
		if f.Call != nil {
			d.call(f.Call)
		}
		d.fields(f.Fields)
	}
}
