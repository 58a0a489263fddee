package control

import (
	"context"
	"errors"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// FetchWSDL has a host read a WSDL document or a schema, since it is the hosts
// that will call the service. Codes: invalid, unavailable, timeout.
func (c *Control) FetchWSDL(ctx context.Context, address string) ([]byte, error) {
	live, err := c.live(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	ids := make([]coordclient.MemberID, 0, len(live))
	for id := range live {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, &failure.Error{Code: failure.CodeUnavailable, Message: "no host is up that could read " + task.Shown(address)}
	}
	return call.Fetch(ctx, c.caller, slices.Min(ids), address)
}

// AddService registers a service of another system. Codes: invalid, exists,
// unavailable, unknown_outcome.
func (c *Control) AddService(ctx context.Context, r task.RemoteService) (contract.ServiceView, error) {
	if err := store.CheckKey(task.Key{Name: r.Name}.Normal()); err != nil {
		return contract.ServiceView{}, failure.Invalid("%v", err)
	}
	if err := check.URL("endpoint", r.Endpoint); err != nil {
		return contract.ServiceView{}, err
	}
	services, err := c.Services(ctx)
	if err != nil {
		return contract.ServiceView{}, err
	}
	exists := &failure.Error{Code: failure.CodeExists, Message: "there is a service " + r.Name + " already", Hint: "choose another name, or remove it first"}
	if slices.ContainsFunc(services, func(s contract.ServiceView) bool { return s.Name == r.Name }) {
		return contract.ServiceView{}, exists
	}
	if err := c.store.AddRemote(ctx, r); err != nil {
		if errors.Is(err, coordclient.ErrExists) {
			return contract.ServiceView{}, exists
		}
		return contract.ServiceView{}, failure.Wrap(err)
	}
	return c.Service(ctx, r.Name)
}

// RemoveService forgets a service of another system; tasks that call it stay.
// Codes: not_found, unavailable, unknown_outcome.
func (c *Control) RemoveService(ctx context.Context, name string) error {
	err := c.store.RemoveRemote(ctx, name)
	if errors.Is(err, coordclient.ErrNotFound) {
		return &failure.Error{
			Code: failure.CodeNotFound, Message: "no service " + name + " was added", Hint: "a service that hosts have deployed is removed with its descriptor",
		}
	}
	return failure.Wrap(err)
}

// remotes are the services of other systems as views.
func (c *Control) remotes(ctx context.Context) ([]contract.ServiceView, error) {
	all, err := c.store.Remotes(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]contract.ServiceView, 0, len(all))
	for i := range all {
		r := &all[i]
		v := contract.ServiceView{Name: r.Name, File: r.WSDL, Status: contract.StatusRemote, Description: "SOAP " + r.Version + " at " + task.Shown(r.Endpoint)}
		if !r.Added.IsZero() {
			v.Deployed = &r.Added
		}
		for j := range r.Operations {
			o := &r.Operations[j]
			v.Operations = append(v.Operations, contract.OperationView{
				Service: r.Name, Name: o.Name, Parameters: o.Parameters, Schedulable: o.Why == "", Why: o.Why,
				Delivery: task.AtLeastOnce, Reads: !o.InOnly, Action: r.Call(o),
			})
		}
		views = append(views, v.Whole())
	}
	return views, nil
}
