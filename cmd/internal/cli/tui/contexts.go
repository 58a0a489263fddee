package tui

import (
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/tui"
)

// opened is the group of a target, and what the screens show of it.
func opened(e *env.Env, target env.Target) tui.Opened {
	name := target.Name()
	return tui.Opened{
		Group: &group{env: e}, Context: name, Flags: e.TargetFlags(),
		Sealed: target.ReadOnly, Danger: danger(name, target),
	}
}

// danger tells whether a group must not be harmed.
func danger(name string, target env.Target) bool {
	return target.Production || strings.Contains(strings.ToLower(name), "prod")
}

// contexts lists what the screens can go to: the contexts, and where they began.
func contexts(e *env.Env, start string, target env.Target) ([]tui.Context, error) {
	all, err := e.Contexts()
	if err != nil {
		return nil, err
	}
	var list []tui.Context
	for _, c := range all.Contexts {
		one := tui.Context{Name: c.Name, Chosen: c.Name == all.Current}
		if t, err := c.Target(); err != nil {
			one.Fault = err.Error()
		} else {
			one.Address, one.Sealed, one.Danger = t.String(), t.ReadOnly, danger(c.Name, t)
		}
		list = append(list, one)
	}
	if len(list) > 0 && !slices.ContainsFunc(list, func(c tui.Context) bool { return c.Name == start }) {
		list = append(list, tui.Context{Name: start, Address: target.String()})
	}
	return list, nil
}

// open makes the group of a context; start is where the screens began, which may
// have no name.
func open(e *env.Env, start tui.Opened, name string) (tui.Opened, error) {
	if name == start.Context {
		start.Group = &group{env: e}
		return start, nil
	}
	other := *e
	other.Connect, other.Coordination, other.Context = "", "", name
	target, err := other.Target()
	if err != nil {
		return tui.Opened{}, err
	}
	return opened(&other, target), nil
}
