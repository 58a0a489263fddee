package control

import (
	"cmp"
	"context"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// TryOperation calls an operation once, now, on a host that has it. Codes:
// not_found, invalid, unavailable, timeout, unknown_outcome, and what the host
// answers.
func (c *Control) TryOperation(ctx context.Context, service, operation string, params map[string][]string, accept string) (call.TryResult, error) {
	s, err := c.Service(ctx, service)
	if err != nil {
		return call.TryResult{}, err
	}
	var names []string
	for _, o := range s.Operations {
		names = append(names, o.Name)
	}
	if !slices.Contains(names, operation) {
		return call.TryResult{}, &failure.Error{
			Code: failure.CodeNotFound, Message: "service " + service + " has no operation " + operation, Hint: cmp.Or(failure.Nearest(operation, names), "see operation list"),
		}
	}
	if s.Status == contract.StatusRemote {
		return call.TryResult{}, &failure.Error{
			Code: failure.CodeInvalid, Message: "service " + service + " is of another system, and is called by tasks alone",
			Hint: "make a task of it and run that: belfry task run",
		}
	}
	to, err := c.hostOf(ctx, s.Node)
	if err != nil {
		return call.TryResult{}, err
	}
	return call.Try(ctx, c.caller, to, call.TryRequest{Service: service, Operation: operation, Params: params, Accept: accept})
}

// hostOf is the member of a node.
func (c *Control) hostOf(ctx context.Context, node string) (coordclient.MemberID, error) {
	live, err := c.live(ctx)
	if err != nil {
		return "", failure.Wrap(err)
	}
	for id := range live {
		if id.Node() == node {
			return id, nil
		}
	}
	return "", &failure.Error{Code: failure.CodeUnavailable, Message: "node " + node + " is not in the group", Hint: "no host that has the service is up"}
}
