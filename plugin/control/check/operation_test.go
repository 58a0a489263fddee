package check_test

import (
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestOperationOfAFollower(t *testing.T) {
	t.Parallel()
	services := []contract.ServiceView{{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
		{Name: "set", Parameters: []string{"code", "quantity"}, Why: "it has input parameters"},
		{Name: "low", Schedulable: true},
		{Name: "both", Why: "it has no endpoint"},
	}}}
	with := func(names ...string) *task.After {
		after := &task.After{Tasks: []string{"first"}, With: map[string]string{}}
		for _, name := range names {
			after.With[name] = "1"
		}
		return after
	}
	for _, c := range []struct {
		operation string
		after     *task.After
		why       string
	}{
		{"set", with("code", "quantity"), ""},
		{"set", with("code"), "operation set of service Stock is given nothing for quantity"},
		{"set", with(), "cannot be scheduled: it has input parameters"},
		{"set", nil, "cannot be scheduled: it has input parameters"},
		{"low", nil, ""},
		{"low", with("code"), ""},
		{"both", with("code"), "cannot be scheduled: it has no endpoint"},
	} {
		if _, why := check.Operation(services, "Stock", c.operation, c.after); why != c.why {
			t.Errorf("%s with %v: %q, want %q", c.operation, c.after, why, c.why)
		}
	}
}
