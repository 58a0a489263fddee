package dataservice_test

import (
	"slices"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

// The hash of an operation moves with everything it stands on, and with nothing
// else.
func TestOperationHash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*dataservice.Service)
		moves  bool
	}{
		{"layout", func(s *dataservice.Service) { s.Queries[0].Line, s.Hash, s.File = 99, "def", "b.dbs" }, false},
		{"description", func(s *dataservice.Service) { s.Operations[0].Description = "x" }, false},
		{"password", func(s *dataservice.Service) { s.Sources[0].Properties["password"] = "q" }, false},
		{"another query", func(s *dataservice.Service) { s.Queries[2].SQL[""] = "x" }, false},
		{"another operation", func(s *dataservice.Service) { s.Operations[2].Call.Query = "list" }, false},
		{"order of queries", func(s *dataservice.Service) { slices.Reverse(s.Queries) }, false},
		{"order of sources", func(s *dataservice.Service) { slices.Reverse(s.Sources) }, false},
		{"order of with-params", func(s *dataservice.Service) {
			slices.Reverse(s.Queries[0].Result.Fields[1].Fields[0].Call.Params)
		}, false},
		{"a new dialect's absence", func(s *dataservice.Service) { delete(s.Queries[0].SQL, "h2") }, true},
		{"service", func(s *dataservice.Service) { s.Name = "Other" }, true},
		{"namespace", func(s *dataservice.Service) { s.Namespace = "urn:x" }, true},
		{"status", func(s *dataservice.Service) { s.Operations[0].ReturnStatus = true }, true},
		{"statement", func(s *dataservice.Service) { s.Queries[0].SQL[""] = "select 9" }, true},
		{"query's property", func(s *dataservice.Service) { s.Queries[0].Properties = map[string]string{"maxRows": "1"} }, true},
		{"default", func(s *dataservice.Service) { s.Queries[0].Params[0].Default = nil }, true},
		{"validator", func(s *dataservice.Service) { s.Queries[0].Params[0].Validators[0].Minimum = nil }, true},
		{"element", func(s *dataservice.Service) { s.Queries[0].Result.Fields[0].Type = "integer" }, true},
		{"nested parameter", func(s *dataservice.Service) { s.Queries[0].Result.Fields[1].Fields[0].Call.Params[0].Column = "z" }, true},
		{"nested statement", func(s *dataservice.Service) { s.Queries[1].SQL[""] = "select 9" }, true},
		{"source", func(s *dataservice.Service) { s.Sources[0].Properties["url"] = "jdbc:sqlite:z" }, true},
		{"nested source", func(s *dataservice.Service) { s.Sources[1].Properties["url"] = "jdbc:sqlite:z" }, true},
		{"trigger", func(s *dataservice.Service) { s.Triggers[0].Edge = true }, true},
		{"subscription", func(s *dataservice.Service) { s.Triggers[0].Subscriptions = []string{"mailto:x@y.z"} }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := shop()
			before := s.OperationHash("list")
			c.change(s)
			if after := s.OperationHash("list"); (after != before) != c.moves {
				t.Errorf("before %s, after %s; want a change: %v", before, after, c.moves)
			}
		})
	}
	if h := shop().OperationHash("lost"); h != "" {
		t.Errorf("an unknown operation has the hash %s", h)
	}
}
