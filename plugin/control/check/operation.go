package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxListed bounds the operations that a refusal names.
const maxListed = 12

// Operation looks for an operation that can be scheduled, or says why there
// is none.
func Operation(services []contract.ServiceView, service, operation string, after *task.After) (contract.OperationView, string) {
	switch {
	case service == "":
		return contract.OperationView{}, "no service is named"
	case operation == "":
		return contract.OperationView{}, "no operation is named"
	}
	why := "service " + service + " is not deployed on any host"
	for _, s := range services {
		if s.Name != service {
			continue
		}
		if s.Status == contract.StatusFailed {
			why = "service " + service + " could not be deployed: " + s.Error
			continue
		}
		i := slices.IndexFunc(s.Operations, func(o contract.OperationView) bool { return o.Name == operation })
		switch {
		case i < 0:
			why = "service " + service + " has no operation " + operation
		case s.Operations[i].Schedulable:
			return s.Operations[i], ""
		case after != nil && len(after.With) > 0 && len(s.Operations[i].Parameters) > 0:
			missing := missing(s.Operations[i], after)
			if missing == nil {
				return s.Operations[i], ""
			}
			why = "operation " + operation + " of service " + service + " is given nothing for " + strings.Join(missing, ", ")
		default:
			why = "cannot be scheduled: " + s.Operations[i].Why
		}
	}
	return contract.OperationView{}, why
}

// missing are the parameters of an operation that do not come from what its task
// follows.
func missing(o contract.OperationView, after *task.After) []string {
	var names []string
	for _, p := range o.Parameters {
		if _, ok := after.With[p]; !ok {
			names = append(names, p)
		}
	}
	return names
}

// Schedulable lists what could be scheduled: of the service if it has any.
func Schedulable(services []contract.ServiceView, service string) string {
	var of, all []string
	for _, s := range services {
		for _, o := range s.Operations {
			if !o.Schedulable || s.Status == contract.StatusFailed {
				continue
			}
			all = append(all, s.Name+"."+o.Name)
			if s.Name == service {
				of = append(of, s.Name+"."+o.Name)
			}
		}
	}
	if len(of) > 0 {
		all = of
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return "nothing can be scheduled yet: deploy a service with an HTTP endpoint and an operation without parameters"
	}
	more := ""
	if len(all) > maxListed {
		more = fmt.Sprintf(" and %d more", len(all)-maxListed)
		all = all[:maxListed]
	}
	return "could be scheduled: " + strings.Join(all, ", ") + more
}
