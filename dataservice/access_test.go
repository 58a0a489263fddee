package dataservice_test

import (
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	const (
		open = iota
		unknown
		forbidden
	)
	anna := &dataservice.Principal{Name: "anna", Roles: []string{"sales"}}
	boss := &dataservice.Principal{Name: "boss", Roles: []string{"sales", "admin"}}
	task := &dataservice.Principal{Name: "task", System: true}
	for i, c := range []struct {
		access dataservice.Access
		want   [4]int // of nobody, anna, boss, task
	}{
		{dataservice.Access{}, [4]int{}},
		{dataservice.Access{Roles: [][]string{nil, {}}}, [4]int{}},
		{dataservice.Access{Login: true}, [4]int{unknown}},
		{dataservice.Access{Roles: [][]string{{"admin"}}}, [4]int{unknown, forbidden}},
		{dataservice.Access{Roles: [][]string{{"admin", "sales"}, nil}}, [4]int{unknown}},
		{dataservice.Access{Roles: [][]string{{"sales"}, {"admin"}}}, [4]int{unknown, forbidden}},
		{dataservice.Access{Roles: [][]string{{"Sales"}}}, [4]int{unknown, forbidden, forbidden}},
	} {
		for j, p := range []*dataservice.Principal{nil, anna, boss, task} {
			got := open
			if f := c.access.Check(p); f != nil {
				got = map[dataservice.FaultKind]int{dataservice.FaultUnauthenticated: unknown, dataservice.FaultForbidden: forbidden}[f.Kind]
			}
			if got != c.want[j] {
				t.Errorf("%d, %+v: %d, want %d", i, p, got, c.want[j])
			}
		}
	}
}

func TestSecured(t *testing.T) {
	t.Parallel()
	if shop().Secured() {
		t.Error("the shop is open")
	}
	for name, change := range map[string]func(*dataservice.Service){
		"policy":    func(s *dataservice.Service) { s.RequiresSecurity = true },
		"service":   func(s *dataservice.Service) { s.Roles = []string{"r"} },
		"operation": func(s *dataservice.Service) { s.Operations[0].Call.Roles = []string{"r"} },
		"query":     func(s *dataservice.Service) { s.Query(s.Operations[0].Call.Query).Roles = []string{"r"} },
		"element": func(s *dataservice.Service) {
			s.Query("list").Result = &dataservice.Result{Fields: []*dataservice.Field{{Fields: []*dataservice.Field{{Roles: []string{"r"}}}}}}
		},
	} {
		s := shop()
		if change(s); !s.Secured() {
			t.Errorf("%s: not secured", name)
		}
	}
}
