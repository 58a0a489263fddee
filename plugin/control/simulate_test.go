package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
)

// rehearses lets a peer answer as a host's plugin does.
type rehearses struct{ p *peer }

func (r rehearses) Rehearse(without []string) call.Rehearsal {
	in, plan, leads := r.p.cluster.Rehearse(without)
	answer := call.Rehearsal{Leads: leads, Waiting: plan.Waiting, SessionMS: 4000}
	for _, m := range in.Members {
		answer.Nodes = append(answer.Nodes, m.Node)
	}
	for _, a := range plan.Assignments {
		at := -1
		for i, m := range in.Members {
			if m.ID == a.Member {
				at = i
			}
		}
		answer.Buckets = append(answer.Buckets, at)
	}
	return answer
}

// What is foretold of a loss is what becomes of it.
func TestSimulateIsWhatHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		peers := make(map[string]*peer)
		for _, node := range []string{"a", "b", "c"} {
			p := w.boot(node, 0, cluster.Options{}, catalogue()...)
			call.ServeRehearsals(p.member, rehearses{p})
			peers[node] = p
		}
		w.awaits("nodes=3", "placed", "leader")
		for _, name := range []string{"t1", "t2", "t3", "t4", "t5", "t6"} {
			w.create(minutely(name))
		}
		time.Sleep(30 * time.Second)
		w.awaits("placed")
		still, err := w.control.Simulate(t.Context(), nil)
		if err != nil || len(still.Moved) > 0 || still.Tasks != 6 || still.Unplaced > 0 {
			t.Fatalf("%+v, %v", still, err)
		}
		leader, err := w.control.Leader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, lost := range []string{"a", "b", "c"} {
			if lost == leader.Node {
				continue
			}
			sim, err := w.control.Simulate(t.Context(), []string{lost})
			if err != nil || sim.LeaderLost {
				t.Fatalf("%+v, %v", sim, err)
			}
			foretold := make(map[string]string)
			for _, m := range sim.Moved {
				if m.To == lost || m.To == "" { // what others had may move too: then it evens out what they took
					t.Errorf("%+v", m)
				}
				foretold[m.Task] = m.To
			}
			for _, task := range w.tasks() {
				if _, ok := foretold[task.Name]; task.Node == lost && !ok {
					t.Errorf("%s is on %s, and nothing is foretold of it", task.Name, lost)
				}
			}
			peers[lost].kill()
			time.Sleep(200 * time.Millisecond)
			w.settles()
			for _, task := range w.tasks() {
				if to, ok := foretold[task.Name]; ok && task.Node != to {
					t.Errorf("%s went to %s, foretold was %s", task.Name, task.Node, to)
				}
			}
			break
		}
		all, err := w.control.Simulate(t.Context(), []string{leader.Node})
		if err != nil || !all.LeaderLost {
			t.Errorf("%+v, %v", all, err)
		}
		refused(t, second(w.control.Simulate(t.Context(), []string{"nobody"})), failure.CodeNotFound)
	})
}

func (w *world) tasks() []contract.TaskView {
	w.Helper()
	tasks, err := w.control.Tasks(w.Context(), TaskFilter{})
	if err != nil {
		w.Fatal(err)
	}
	return tasks
}

// settles waits until nothing moves.
func (w *world) settles() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	placed, err := group.ParseCondition("placed")
	if err != nil {
		w.Fatal(err)
	}
	if err := w.control.Await(ctx, []group.Condition{placed}, nil); err != nil {
		w.Fatal(err)
	}
}
