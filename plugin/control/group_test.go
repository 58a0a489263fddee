package control

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestMaxSkewIsThatOfTheCluster(t *testing.T) {
	t.Parallel()
	if group.MaxSkew != cluster.MaxSkew {
		t.Errorf("%s, and hosts allow %s", group.MaxSkew, cluster.MaxSkew)
	}
}

func TestTheBarrier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		three := cluster.Options{Servers: 3}
		w.boot("a", 0, three, catalogue()...)
		w.boot("b", 0, three, catalogue()...)
		w.awaits("nodes=2", "leader")
		w.create(minutely("x"))
		synctest.Wait()
		const waiting = "waiting for servers: 2 of 3"
		s, err := w.control.Status(t.Context())
		if err != nil || s.Waiting != waiting || s.Cluster != "zk://z:2181/belfry" || !s.Leader.Present || len(s.Nodes) != 2 {
			t.Fatalf("%+v, %v", s, err)
		}
		if v := w.task("x"); v.State != contract.Unplaced || v.Reason != contract.ReasonWaiting+": "+waiting {
			t.Errorf("%s, %s", v.State, v.Reason)
		}
		p, err := w.control.Placement(t.Context())
		if err != nil || p.Waiting != waiting || len(p.Without) != 1 || p.Unplaced != buckets || len(p.Members) != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		placed, err := group.ParseCondition("placed")
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		e := refused(t, w.control.Await(ctx, []group.Condition{placed}, func(s string) { told = append(told, s) }), failure.CodeTimeout)
		if !strings.Contains(e.Message, waiting) || !slices.Equal(told, []string{waiting}) {
			t.Errorf("%s, told %q", e.Message, told)
		}
		w.activates()
	})
}

func (w *world) activates() {
	w.Helper()
	before, err := w.control.Activate(w.Context(), "alice")
	if err != nil || before.Open || before.Lifted || before.Present != 2 || before.Servers != 3 {
		w.Fatalf("%+v, %v", before, err)
	}
	w.awaits("placed")
	again, err := w.control.Activate(w.Context(), "bob")
	if err != nil || !again.Open || again.LiftedBy != "alice" {
		w.Errorf("%+v, %v", again, err)
	}
	c, err := w.control.Cluster(w.Context())
	if err != nil || c.Waiting != "" || c.Settled != buckets || c.Nodes != 2 || !c.Barrier.Lifted || c.UUID == "" {
		w.Errorf("%+v, %v", c, err)
	}
	synctest.Wait() // its first run may be going
	if v := w.task("x"); v.State != contract.Waiting || v.Node == "" {
		w.Errorf("%+v", v)
	}
}

func TestDrainAndUndrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.boot("a", 0, cluster.Options{}, catalogue()...)
		w.boot("b", 0, cluster.Options{}, catalogue()...)
		w.awaits("nodes=2", "placed")
		if v := w.node("a"); v.State != contract.NodeHealthy || v.Owned == 0 || v.Address != "a:8280" {
			t.Fatalf("%+v", v)
		}
		if last, err := w.control.LastNode(t.Context(), "a"); last || err != nil {
			t.Errorf("a is the last: %v, %v", last, err)
		}
		if _, err := w.control.DrainNode(t.Context(), "a", "kernel", "alice"); err != nil {
			t.Fatal(err)
		}
		e := refused(t, second(w.control.DrainNode(t.Context(), "a", "", "bob")), failure.CodeExists)
		if !strings.Contains(e.Message, "alice") || !strings.Contains(e.Message, "kernel") {
			t.Errorf("%s", e.Message)
		}
		if err := w.control.AwaitDrained(t.Context(), "a", nil); err != nil {
			t.Fatal(err)
		}
		v := w.node("a")
		if v.State != contract.NodeDrained || v.Reason != "kernel by alice" || v.Drain == nil || v.Drain.By != "alice" || v.Owned != 0 {
			t.Errorf("%+v", v)
		}
		if last, err := w.control.LastNode(t.Context(), "b"); !last || err != nil {
			t.Errorf("b is not the last: %v", err)
		}
		// The same administrator may ask again, as after an interruption.
		if _, err := w.control.DrainNode(t.Context(), "a", "", "alice"); err != nil {
			t.Error(err)
		}
		for _, was := range []bool{true, false} {
			if is, err := w.control.UndrainNode(t.Context(), "a"); is != was || err != nil {
				t.Errorf("%v, %v", is, err)
			}
		}
		refused(t, w.control.AwaitDrained(t.Context(), "a", nil), failure.CodeConflict)
		refused(t, second(w.control.DrainNode(t.Context(), "c", "", "bob")), failure.CodeNotFound)
		w.awaits("placed")
	})
}

// A drain that cannot end says why, and can be given up.
func TestAwaitDrainedIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("a") // it owns everything, and there is no leader
		w.create(minutely("x"))
		if err := w.control.store.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.control.DrainNode(t.Context(), "a", "", "alice"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		e := refused(t, w.control.AwaitDrained(ctx, "a", nil), failure.CodeTimeout)
		if want := "a still owns 4 of 4 buckets; there is no leader"; !strings.Contains(e.Message, want) {
			t.Errorf("%q, want %q", e.Message, want)
		}
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := w.control.AwaitDrained(stopped, "a", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// Who waits sits out a store that is away for a while, not one that stays away.
func TestAwaitOutlastsAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var told []string
		done := make(chan error, 1)
		go func() { // ends when the node is there
			nodes, err := group.ParseCondition("nodes=1")
			if err != nil {
				done <- err
				return
			}
			done <- w.control.Await(t.Context(), []group.Condition{nodes}, func(s string) { told = append(told, s) })
		}()
		time.Sleep(time.Second)
		w.client.Cut()
		time.Sleep(maxSilence - time.Second)
		w.client.Heal()
		time.Sleep(time.Second)
		w.boot("a", 0, cluster.Options{}, catalogue()...)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		want := []string{"0 of 1 nodes are there", "the store does not answer", "0 of 1 nodes are there"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		began := time.Now()
		w.client.Cut()
		two, err := group.ParseCondition("nodes=2")
		if err != nil {
			t.Fatal(err)
		}
		refused(t, w.control.Await(t.Context(), []group.Condition{two}, nil), failure.CodeUnavailable)
		if took := time.Since(began); took < maxSilence || took > maxSilence+time.Second {
			t.Errorf("gave up after %s", took)
		}
		w.client.Heal()
	})
}

func TestNodesThatMayNotOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.boot("a", 0, cluster.Options{}, catalogue()...)
		w.awaits("placed")
		w.boot("late", 7*time.Second, cluster.Options{}, catalogue()...)
		w.awaits("nodes=2", "placed")
		v := w.node("late")
		if v.State != contract.NodeClockOff || v.SkewMS < 6000 || v.Owned != 0 || !strings.Contains(v.Reason, "clock") {
			t.Errorf("%+v", v)
		}
		if last, err := w.control.LastNode(t.Context(), "a"); !last || err != nil {
			t.Errorf("%v, %v", last, err)
		}
		info := minutely("sheet")
		info.Service, info.Operation = "Sheets", "readAll"
		w.create(info)
		a.kill()
		time.Sleep(10 * time.Second)
		v2 := w.task("sheet")
		if v2.State == contract.Waiting {
			t.Errorf("%+v", v2)
		}
		p, err := w.control.Placement(t.Context())
		if err != nil || p.Unplaced != buckets || len(p.Without) == 0 || !strings.Contains(p.Without[0].Reason, "clock") {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// A task is placed only where its service is, while that is anywhere.
func TestPlacedByService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.boot("a", 0, cluster.Options{}, catalogue()...)
		w.boot("b", 0, cluster.Options{}, contract.ServiceView{Name: "Other", Status: contract.StatusActive})
		w.awaits("nodes=2", "placed")
		w.create(minutely("x"))
		time.Sleep(5 * time.Second)
		w.awaits("placed")
		if v := w.task("x"); v.Node != "a" {
			t.Fatalf("on %q", v.Node)
		}
		if on, err := w.control.Tasks(t.Context(), TaskFilter{Node: "b"}); err != nil || len(on) != 0 {
			t.Errorf("%+v, %v", on, err)
		}
		if on, err := w.control.Tasks(t.Context(), TaskFilter{Node: "a"}); err != nil || len(on) != 1 {
			t.Errorf("%+v, %v", on, err)
		}
		if v := w.node("a"); v.Tasks != 1 {
			t.Errorf("%+v", v)
		}
		a.stop()
		time.Sleep(5 * time.Second)
		// Its service is nowhere now: somebody has to record that it fails.
		if v := w.task("x"); v.Node != "b" {
			t.Errorf("%s %s on %q", v.State, v.Reason, v.Node)
		}
		all, err := w.control.Buckets(t.Context())
		home := store.Home(task.Key{Name: "x"}.Normal(), buckets)
		if err != nil || len(all) != buckets || all[home].Node != "b" || all[home].Tasks != 1 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// What is in the store is told while no host is up.
func TestTheGroupWithoutHosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.boot("a", 0, cluster.Options{}, catalogue()...)
		b := w.boot("b", 0, cluster.Options{}, catalogue()...)
		w.awaits("nodes=2", "placed")
		w.create(minutely("x"))
		time.Sleep(90 * time.Second)
		a.member.Cut() // or the other would take over from the one that is killed first
		b.member.Cut()
		a.kill()
		b.kill()
		s, err := w.control.Status(t.Context())
		if err != nil || s.Waiting != "no host is up" || s.Leader.Present || s.Leader.Node == "" || len(s.Nodes) != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		for _, n := range s.Nodes {
			if n.State != contract.NodeGone || n.Joined != nil {
				t.Errorf("%+v", n)
			}
		}
		runs, err := w.control.Runs(t.Context(), RunFilter{Task: "x"})
		if err != nil || len(runs) == 0 {
			t.Errorf("%+v, %v", runs, err)
		}
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "x"}, "no hosts"); err != nil {
			t.Error(err)
		}
		if v := w.task("x"); v.State != contract.Paused {
			t.Errorf("%+v", v)
		}
		if l, err := w.control.Leader(t.Context()); err != nil || !strings.HasPrefix(l.Text(), "none; the last was ") {
			t.Errorf("%s, %v", l.Text(), err)
		}
		if services, err := w.control.Services(t.Context()); err != nil || len(services) != 3*len(catalogue()) {
			t.Errorf("%d services, %v", len(services), err) // of n1, of before, too
		}
	})
}

func second[V any](_ V, err error) error { return err }
