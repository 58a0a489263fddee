package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Publish makes services the catalogue of the owner's node, by name. Hosts call
// it when their deployed set has changed.
func Publish(ctx context.Context, owner *store.Owner, services []contract.ServiceView) error {
	published := make(map[string][]byte, len(services))
	for _, s := range services {
		data, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("publish service %s: %w", s.Name, err)
		}
		published[s.Name] = data
	}
	return owner.Publish(ctx, published)
}

// Callable tells whether what a host has published is a service that answers.
func Callable(published store.Service) bool {
	var s contract.ServiceView
	return json.Unmarshal(published.Data, &s) == nil && s.Status == contract.StatusActive
}

// Services lists what the hosts of the group have deployed, by name and node.
// While no host is up, it lists what those before had. Services of other systems
// that were added are among them, of no node.
func (c *Control) Services(ctx context.Context) ([]contract.ServiceView, error) {
	if c.deployed != nil {
		return c.deployed, nil
	}
	catalogue, err := c.store.Catalogue(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	live, err := c.live(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	nodes := make(map[string]bool, len(live))
	for id := range live {
		nodes[id.Node()] = true
	}
	services := make([]contract.ServiceView, 0, len(catalogue))
	for _, entry := range catalogue {
		if len(nodes) > 0 && !nodes[entry.Node] {
			continue
		}
		var s contract.ServiceView
		if err := json.Unmarshal(entry.Data, &s); err != nil {
			s = contract.ServiceView{Status: contract.StatusFailed, Error: "what its host has published cannot be read: " + err.Error()}
		}
		s.Name, s.Node = entry.Name, entry.Node
		services = append(services, s.Whole())
	}
	remotes, err := c.remotes(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	services = append(services, remotes...)
	slices.SortFunc(services, func(a, b contract.ServiceView) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Node, b.Node))
	})
	return services, nil
}

// Service gives one service, from a host on which it is active if there is one.
// Codes: not_found, unavailable.
func (c *Control) Service(ctx context.Context, name string) (contract.ServiceView, error) {
	services, err := c.Services(ctx)
	if err != nil {
		return contract.ServiceView{}, err
	}
	best := -1
	var names []string
	for i, s := range services {
		names = append(names, s.Name)
		if s.Name == name && (best < 0 || services[best].Status != contract.StatusActive && s.Status == contract.StatusActive) {
			best = i
		}
	}
	if best < 0 {
		return contract.ServiceView{}, &failure.Error{Code: failure.CodeNotFound, Message: "there is no service " + name, Hint: cmp.Or(failure.Nearest(name, names), "see service list")}
	}
	return services[best], nil
}

// Operations lists those of a service, or of all if it is empty, each once.
// Codes: not_found, unavailable.
func (c *Control) Operations(ctx context.Context, service string) ([]contract.OperationView, error) {
	if service != "" {
		s, err := c.Service(ctx, service)
		return s.Operations, err
	}
	services, err := c.Services(ctx)
	if err != nil {
		return nil, err
	}
	operations := []contract.OperationView{}
	for _, s := range services {
		operations = append(operations, s.Operations...)
	}
	byName := func(a, b contract.OperationView) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Name, b.Name))
	}
	slices.SortStableFunc(operations, byName)
	return slices.CompactFunc(operations, func(a, b contract.OperationView) bool { return byName(a, b) == 0 }), nil
}
