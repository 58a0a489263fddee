package control

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/seed42aab489/belfry/plugin/store"
)

// Bounds of the lists in a status.
const (
	soonest    = 5
	maxTrouble = 20
)

// NodeInfo is the value of a member: what a host publishes of itself.
type NodeInfo struct {
	Version string `json:"version"`
	Address string `json:"address"`
	State   string `json:"state"` // healthy, suspended, draining; empty: healthy
	Running int    `json:"running"`
}

// Nodes lists the hosts of the group, oldest first.
func (c *Control) Nodes(ctx context.Context) ([]NodeView, error) {
	members, _, err := c.members.Members(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	nodes := make([]NodeView, 0, len(members))
	for _, m := range members {
		var info NodeInfo
		if len(m.Value) > 0 {
			if err := json.Unmarshal(m.Value, &info); err != nil {
				info = NodeInfo{State: "unreadable"}
			}
		}
		nodes = append(nodes, NodeView{
			Name: m.ID.Node(), Member: string(m.ID), Joined: m.Joined.UTC(),
			Version: info.Version, Address: info.Address, State: orWord(info.State, "healthy"), Running: info.Running,
		})
	}
	return nodes, nil
}

// Status is the whole in one screen.
func (c *Control) Status(ctx context.Context) (StatusView, error) {
	v := StatusView{Cluster: orWord(c.root, "standalone"), Next: []TaskView{}, Trouble: []TaskView{}}
	var (
		tasks    []TaskView
		services []ServiceView
	)
	err := together(
		func() (err error) { v.Nodes, err = c.Nodes(ctx); return err },
		func() (err error) { tasks, err = c.Tasks(ctx, TaskFilter{}); return err },
		func() (err error) { services, err = c.Services(ctx); return err },
		func() (err error) { v.Outbox, err = c.store.Waiting(ctx); return err },
	)
	if err != nil {
		return StatusView{}, wrap(err)
	}
	v.count(tasks)
	names := make(map[string]bool)
	for _, s := range services {
		names[s.Name] = true
		if s.Status == StatusFailed {
			v.Failed++
		}
	}
	v.Services = len(names)
	return v, nil
}

func (v *StatusView) count(tasks []TaskView) {
	v.Total = len(tasks)
	v.Tasks = make(map[State]int)
	for _, s := range States() {
		v.Tasks[s] = 0
	}
	var next []TaskView
	for _, t := range tasks {
		v.Tasks[t.State]++
		switch t.State {
		case Failed, Blocked, Unplaced, Unknown:
			if len(v.Trouble) < maxTrouble {
				v.Trouble = append(v.Trouble, t)
			}
		}
		if t.Next != nil {
			next = append(next, t)
		}
	}
	slices.SortStableFunc(next, func(a, b TaskView) int { return a.Next.Compare(*b.Next) })
	v.Next = append(v.Next, next[:min(len(next), soonest)]...)
}

// Events lists what happened lately, newest last; at most limit (below 1: all
// that are kept).
func (c *Control) Events(ctx context.Context, limit int) ([]EventView, error) {
	events, err := c.store.Events(ctx, limit)
	if err != nil {
		return nil, wrap(err)
	}
	views := make([]EventView, 0, len(events))
	for _, e := range events {
		views = append(views, eventView(e))
	}
	return views, nil
}

func eventView(e store.Event) EventView {
	return EventView{Time: e.Time.UTC(), Level: e.Level, Code: e.Code, Object: e.Object, Text: e.Text, Node: e.Node}
}
