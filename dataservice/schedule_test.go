package dataservice_test

import (
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func shop() *dataservice.Service {
	ten := "10"
	minimum := 1.0
	return &dataservice.Service{
		Name: "Shop", Namespace: "urn:shop", Active: true, File: "shop.dbs", Hash: "abc",
		Sources: []*dataservice.Source{
			{ID: "main", Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:sqlite:x", "password": "p"}},
			{ID: "other", Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:sqlite:y"}},
		},
		Queries: []*dataservice.Query{
			{
				ID: "list", Source: "main", SQL: map[string]string{"": "select 1", "h2": "select 2"}, OutputTrigger: "low",
				Params: []*dataservice.Param{{
					Name: "below", SQLType: "INTEGER", Mode: "IN", Ordinal: 1, Default: &ten,
					Validators: []dataservice.Validator{{Kind: dataservice.ValidateLong, Minimum: &minimum}},
				}},
				Result: &dataservice.Result{Element: "goods", RowName: "good", Fields: []*dataservice.Field{
					{Name: "code", Column: "code", Type: "string"},
					{Kind: dataservice.FieldGroup, Name: "more", Fields: []*dataservice.Field{
						{Kind: dataservice.FieldCall, Call: &dataservice.CallQuery{
							Query: "parts", Params: []dataservice.WithParam{{Name: "a", Column: "a"}, {Name: "b", Column: "b"}},
						}},
					}},
				}},
			},
			{ID: "parts", Source: "other", SQL: map[string]string{"": "select 3"}, Result: &dataservice.Result{
				Element: "parts", Fields: []*dataservice.Field{{Kind: dataservice.FieldCall, Call: &dataservice.CallQuery{Query: "list"}}},
			}},
			{ID: "erase", Source: "other", SQL: map[string]string{"": "delete from x"}},
		},
		Operations: []*dataservice.Operation{
			{Name: "list", Description: "Lists", Call: dataservice.CallQuery{Query: "list"}},
			{Name: "one", Call: dataservice.CallQuery{Query: "list", Params: []dataservice.WithParam{{Name: "below", QueryParam: "below"}}}},
			{Name: "erase", Call: dataservice.CallQuery{Query: "erase"}},
			{Name: "sheet", Unsupported: "CSV sources are not supported yet (source files)", Call: dataservice.CallQuery{Query: "erase"}},
		},
		Triggers: []*dataservice.EventTrigger{{ID: "low", Language: "XPath", Expression: "//x", Subscriptions: []string{"mailto:a@b.c"}}},
	}
}

func TestSchedulable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, operation string
		change          func(*dataservice.Service)
		reason          string
	}{
		{"without input", "list", nil, ""},
		{"with input", "one", nil, "operation one of service Shop has input parameters"},
		{"unknown", "lost", nil, "service Shop has no operation lost"},
		{"boxcarring", "end_boxcar", nil, "operation end_boxcar of service Shop controls a boxcarring session, it does no work of its own"},
		{"unsupported", "sheet", nil, "operation sheet of service Shop is not served: CSV sources are not supported yet (source files)"},
		{"inactive", "list", func(s *dataservice.Service) { s.Active = false }, "service Shop is inactive"},
		{"https alone", "list", func(s *dataservice.Service) { s.Transports = []string{"https", "local"} }, ""},
		{"local alone", "list", func(s *dataservice.Service) { s.Transports = []string{"local"} }, "service Shop has no HTTP endpoint"},
		{"http among others", "list", func(s *dataservice.Service) { s.Transports = []string{"https", "http"} }, ""},
		{"secured", "list", func(s *dataservice.Service) { s.RequiresSecurity = true }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := shop()
			if c.change != nil {
				c.change(s)
			}
			reason, ok := s.Schedulable(c.operation)
			if reason != c.reason || ok != (c.reason == "") {
				t.Errorf("got %q, %v; want %q", reason, ok, c.reason)
			}
		})
	}
}
