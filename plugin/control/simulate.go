package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// rehearse asks the leader.
func (c *Control) rehearse(ctx context.Context, without []string) (call.Rehearsal, error) {
	leader, err := c.Leader(ctx)
	if err != nil {
		return call.Rehearsal{}, err
	}
	none := &failure.Error{Code: failure.CodeUnavailable, Message: "there is no leader to ask how it would place", Hint: "see cluster show"}
	if !leader.Present {
		return call.Rehearsal{}, none
	}
	r, err := call.Rehearse(ctx, c.caller, coordclient.MemberID(leader.Member), without)
	if err != nil {
		return call.Rehearsal{}, err
	}
	if !r.Leads {
		return call.Rehearsal{}, none
	}
	return r, nil
}

// MovedTask is a task that a change of the group moves.
type MovedTask struct {
	Task   string     `json:"task"`
	Tenant string     `json:"tenant"`
	Type   string     `json:"type"`
	From   string     `json:"from"` // empty: nobody had it
	To     string     `json:"to"`   // empty: nobody takes it
	Why    string     `json:"why"`  // why nobody does
	Next   *time.Time `json:"next"`
	// Late: its next instant comes before the group knows of the loss.
	Late bool `json:"late"`
	// Running: a run of it goes, which the loss cuts.
	Running bool `json:"running"`
}

// Simulation is what would become of a group.
type Simulation struct {
	Lost        []string    `json:"lost"`
	LeaderLost  bool        `json:"leader_lost"` // another is elected first
	WithinMS    int64       `json:"noticed_within_ms"`
	Nodes       []LoadView  `json:"nodes"`
	Moved       []MovedTask `json:"moved"`
	Unplaced    int         `json:"unplaced"` // tasks that nobody would run
	Late        int         `json:"late"`
	Interrupted int         `json:"interrupted"`
	Waiting     string      `json:"waiting"`
	Tasks       int         `json:"tasks"`
}

// LoadView is how many tasks and buckets a node has, and would have.
type LoadView struct {
	Node    string `json:"node"`
	Before  int    `json:"tasks_before"`
	After   int    `json:"tasks_after"`
	Buckets int    `json:"buckets_after"`
}

// Simulate tells what would happen if these nodes died now; none: where the
// leader would place everything as the group is. The leader works it out by the
// code by which it places, and changes nothing. Codes: not_found (a node),
// unavailable (also: no leader).
func (c *Control) Simulate(ctx context.Context, lost []string) (Simulation, error) {
	for _, name := range lost {
		if n, err := c.Node(ctx, name); err != nil {
			return Simulation{}, err
		} else if n.Member == "" {
			return Simulation{}, &failure.Error{Code: failure.CodeNotFound, Message: "node " + name + " is gone already", Hint: "see node list"}
		}
	}
	leader, err := c.Leader(ctx)
	if err != nil {
		return Simulation{}, err
	}
	r, err := c.rehearse(ctx, lost)
	if err != nil {
		return Simulation{}, err
	}
	sim := Simulation{
		Lost: append([]string{}, lost...), LeaderLost: slices.Contains(lost, leader.Node), WithinMS: r.SessionMS,
		Waiting: r.Waiting, Moved: []MovedTask{}, Nodes: []LoadView{},
	}
	if len(lost) == 0 {
		sim.WithinMS = 0
	}
	return sim, failure.Wrap(c.play(ctx, &sim, &r))
}

// play follows each task.
func (c *Control) play(ctx context.Context, sim *Simulation, r *call.Rehearsal) error {
	around, err := c.around(ctx)
	if err != nil {
		return err
	}
	noticed := c.now().Add(time.Duration(sim.WithinMS) * time.Millisecond)
	var mu sync.Mutex // guards sim and loads
	loads := make(map[string]*LoadView)
	load := func(node string) *LoadView {
		if loads[node] == nil {
			loads[node] = &LoadView{Node: node}
		}
		return loads[node]
	}
	for b := range r.Buckets {
		if node, _ := r.Of(b); node != "" {
			load(node).Buckets++
		}
	}
	err = c.store.Snapshots(ctx, nil, func(snap store.Snapshot) error {
		to, why := r.Of(snap.Bucket)
		views := c.replay(snap, around).Views(TaskFilter{}.definition)
		mu.Lock()
		defer mu.Unlock()
		for i := range views {
			v := &views[i]
			sim.Tasks++
			if v.Node != "" {
				load(v.Node).Before++
			}
			if to != "" {
				load(to).After++
			} else {
				sim.Unplaced++
			}
			if v.Node != to {
				sim.move(v, to, why, noticed)
			}
		}
		return nil
	})
	for _, l := range loads {
		sim.Nodes = append(sim.Nodes, *l)
	}
	slices.SortFunc(sim.Nodes, func(a, b LoadView) int { return strings.Compare(a.Node, b.Node) })
	slices.SortFunc(sim.Moved, func(a, b MovedTask) int {
		return strings.Compare(fmt.Sprint(a.Task, "\x00", a.Tenant, "\x00", a.Type), fmt.Sprint(b.Task, "\x00", b.Tenant, "\x00", b.Type))
	})
	return err
}

func (sim *Simulation) move(v *contract.TaskView, to, why string, noticed time.Time) {
	m := MovedTask{Task: v.Name, Tenant: v.Tenant, Type: v.Type, From: v.Node, To: to, Why: why, Next: v.Next}
	if slices.Contains(sim.Lost, v.Node) {
		m.Late = v.Next != nil && v.Next.Before(noticed)
		m.Running = v.State == contract.Running || v.State == contract.Blocked
	}
	if m.Late {
		sim.Late++
	}
	if m.Running {
		sim.Interrupted++
	}
	sim.Moved = append(sim.Moved, m)
}
