package control

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// explains checks that a task's explanation has a finding of a code, and with it
// commands that name the companion.
func (w *world) explains(name, code string, level Level) Finding {
	w.Helper()
	x, err := w.control.ExplainTask(w.Context(), task.Key{Name: name})
	if err != nil {
		w.Fatal(err)
	}
	i := slices.IndexFunc(x.Findings, func(f Finding) bool { return f.Code == code })
	if i < 0 {
		w.Fatalf("%s: %+v, want %s", name, x.Findings, code)
	}
	f := x.Findings[i]
	if f.Level != level || f.Text == "" || x.Healthy && (level == LevelWarn || level == LevelFail) {
		w.Errorf("%s: %+v, healthy %v; want %s", name, f, x.Healthy, level)
	}
	for _, fix := range f.Fix {
		if !strings.HasPrefix(fix, "belfry ") {
			w.Errorf("%s: what helps is %q", code, fix)
		}
	}
	return f
}

// Each reason for which a task does not fire is brought about, and told by its
// code.
func TestExplainStanding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.control = w.control.As("ann@desk")
		w.create(minutely("x"))
		w.explains("x", contract.ReasonNoOwner, LevelFail)
		if _, err := w.control.RunTask(t.Context(), task.Key{Name: "x"}, ""); err != nil {
			t.Fatal(err)
		}
		w.explains("x", ReasonAsked, LevelInfo)
		w.serve("n2")
		time.Sleep(time.Second)
		x := w.explains("x", ReasonFine, LevelOK)
		if x.Text != "it waits for its next instant" {
			t.Errorf("%+v", x)
		}
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "x"}, "db patch"); err != nil {
			t.Fatal(err)
		}
		if f := w.explains("x", string(task.ReasonPaused), LevelFail); !strings.Contains(f.Text, "db patch; last edited by ann@desk") {
			t.Errorf("%+v", f)
		}
		later := minutely("later")
		later.Trigger.Start = time.Now().Add(time.Hour)
		w.create(later)
		w.explains("later", contract.ReasonNotStarted, LevelInfo)
		once := minutely("once")
		once.Trigger = task.TriggerInfo{At: time.Now().Add(time.Second)}
		w.create(once)
		ended := minutely("ended")
		ended.Trigger.End = time.Now().Add(90 * time.Second)
		w.create(ended)
		berlin := minutely("berlin")
		berlin.Trigger = task.TriggerInfo{Cron: "0 30 2 26 3 ? 2000", TZ: "Europe/Berlin"}
		w.create(berlin)
		time.Sleep(3 * time.Minute)
		w.explains("once", contract.ReasonExhausted, LevelInfo)
		w.explains("ended", contract.ReasonEnded, LevelInfo)
		w.explains("berlin", ReasonClockChange, LevelInfo)
		w.leave()
		if f := w.explains("later", contract.ReasonUnreachable, LevelFail); !strings.Contains(f.Text, "n2") {
			t.Errorf("%+v", f)
		}
		refused(t, second(w.control.ExplainTask(t.Context(), task.Key{Name: "nobody"})), failure.CodeNotFound)
	})
}

func TestExplainRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.does(until(150*time.Second, task.OK))
		for name, overlap := range map[string]task.Overlap{"skips": task.OverlapSkip, "queues": task.OverlapQueue} {
			info := minutely(name)
			info.Overlap, info.Timeout = overlap, task.Duration(time.Hour)
			w.create(info)
		}
		time.Sleep(100 * time.Second)
		w.explains("queues", string(task.ReasonQueued), LevelWarn)
		w.explains("skips", string(task.ReasonOverlap), LevelWarn)

		w.does(until(0, task.Failed))
		retried, fails := minutely("retried"), minutely("fails")
		retried.Retry = task.Retry{Max: 2, Backoff: task.Duration(time.Minute)}
		w.create(retried)
		w.create(fails)
		time.Sleep(2 * time.Second)
		if f := w.explains("retried", contract.ReasonRetry, LevelWarn); !strings.Contains(f.Text, "no such table") {
			t.Errorf("%+v", f)
		}
		w.explains("fails", contract.ReasonRun, LevelFail)

		w.does(func(context.Context, task.Call) task.Result {
			return task.Result{Outcome: task.Failed, Error: "address 10.0.0.1 may not be called; egress.allow can allow it", NotSent: true, Refused: true}
		})
		w.create(minutely("forbidden"))
		time.Sleep(2 * time.Second)
		if f := w.explains("forbidden", string(task.ReasonEgress), LevelFail); !strings.Contains(f.Text, "egress.allow can allow it; such a run is not retried") {
			t.Errorf("%+v", f)
		}
		if v := w.task("forbidden"); v.Failures != 1 || v.Last == nil || v.Last.Reason != string(task.ReasonEgress) || v.Last.Attempt != 1 {
			t.Errorf("%+v", v)
		}
	})
}

// What was missed while no host was up is told by the policy that decided it.
func TestExplainWhatWasMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.boot("a", 0, cluster.Options{}, catalogue()...)
		w.awaits("placed")
		for name, misfire := range map[string]task.Misfire{"merged": task.MisfireFireOnce, "skipped": task.MisfireSkip} {
			info := minutely(name)
			info.Misfire = misfire
			w.create(info)
		}
		time.Sleep(90 * time.Second)
		a.kill()
		time.Sleep(10*time.Minute + 45*time.Second)
		w.boot("b", 0, cluster.Options{}, catalogue()...)
		w.awaits("placed")
		time.Sleep(time.Second)
		w.explains("skipped", string(task.ReasonMissed), LevelWarn)
		w.explains("merged", string(task.ReasonReplaced), LevelWarn)
		w.explains("merged", ReasonLate, LevelWarn)
	})
}

func TestExplainServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.create(minutely("x"))
		publish := func(services ...contract.ServiceView) {
			t.Helper()
			if err := Publish(t.Context(), w.owner, services); err != nil {
				t.Fatal(err)
			}
		}
		stock := catalogue()[0]
		stock.Operations = stock.Operations[1:]
		publish(stock)
		w.explains("x", ReasonNoOperation, LevelFail)
		stock.Status = contract.StatusInactive
		publish(stock)
		w.explains("x", ReasonInactive, LevelFail)
		publish(catalogue()[1])
		w.explains("x", ReasonNoService, LevelFail)
		x, err := w.control.ExplainTask(t.Context(), task.Key{Name: "x"})
		if err != nil || len(x.Nodes) != 1 || x.Nodes[0].Eligible || !x.Nodes[0].Owner || !strings.Contains(x.Nodes[0].Why, "not deployed") {
			t.Errorf("%+v, %v", x.Nodes, err)
		}
	})
}

// An owner that lives and does nothing is found out.
func TestExplainOverdue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.join("n2")
		for b := range buckets {
			if _, err := w.owner.Acquire(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		w.create(minutely("x"))
		time.Sleep(2 * time.Minute)
		w.explains("x", ReasonOverdue, LevelFail)
	})
}

func TestExplainPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.boot("a", 0, cluster.Options{Servers: 2}, catalogue()...)
		w.awaits("leader")
		w.create(minutely("x"))
		time.Sleep(5 * time.Second)
		w.explains("x", contract.ReasonWaiting, LevelFail)
		b := w.boot("b", 0, cluster.Options{Servers: 2}, catalogue()...)
		w.awaits("placed")
		moved, missing, err := w.control.MoveTask(t.Context(), task.Key{Name: "x"}, Pinned("nobody"))
		if err != nil || !slices.Equal(missing, []string{"nobody"}) {
			t.Fatalf("%+v, %v, %v", moved, missing, err)
		}
		time.Sleep(10 * time.Second)
		w.explains("x", contract.ReasonNoNode, LevelFail)
		_ = b
	})
}

// A task is on its way for as long as a run of it goes where it was.
func TestExplainMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.does(until(30*time.Second, task.OK))
		w.create(minutely("x"))
		if _, err := w.control.RunTask(t.Context(), task.Key{Name: "x"}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, _, err := w.control.MoveTask(t.Context(), task.Key{Name: "x"}, Pinned("n2")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.explains("x", ReasonMoving, LevelInfo)
	})
}

// A broken trigger and a broken bucket are told, not guessed over.
func TestExplainWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		s := store.New(w.client, store.Options{})
		broken := minutely("broken")
		broken.Trigger = task.TriggerInfo{Cron: "never"}
		broken.Delivery = task.AtLeastOnce
		if _, err := s.Create(t.Context(), broken); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if x, err := w.control.ExplainTask(t.Context(), broken.Key); err != nil || x.Findings[0].Code != contract.ReasonTrigger {
			t.Errorf("%+v, %v", x.Findings, err)
		}
		w.create(minutely("x"))
		w.leave()
		info, err := s.Get(t.Context(), task.Key{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		b, _ := store.BucketOf(info.UID)
		page := "/buckets/" + string(rune('0'+b)) + "/page/0"
		if err := w.client.Commit(t.Context(), coordclient.Create(page, []byte("?"))); err != nil {
			e, _, getErr := w.client.Get(t.Context(), page)
			if getErr != nil {
				t.Fatal(err, getErr)
			}
			if err := w.client.Commit(t.Context(), coordclient.Set(page, []byte("?"), e.Version)); err != nil {
				t.Fatal(err)
			}
		}
		w.explains("x", contract.ReasonCorrupt, LevelFail)
		if gaps, err := w.control.Gaps(t.Context()); err != nil || len(gaps) != 1 || gaps[0].Bucket != b || gaps[0].Fault == "" {
			t.Errorf("%+v, %v", gaps, err)
		}
	})
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.create(minutely("x"))
		w.create(minutely("y"))
		time.Sleep(130 * time.Second)
		w.does(until(0, task.Failed))
		time.Sleep(time.Minute)
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "y"}, ""); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		v, err := w.control.Timeline(t.Context(), TimelineAsk{From: now.Add(-5 * time.Minute), To: now.Add(5 * time.Minute), Cells: 10})
		if err != nil || len(v.Tasks) != 2 || v.CellMS != 60_000 {
			t.Fatalf("%+v, %v", v, err)
		}
		var text [2]string
		for i, s := range v.Tasks {
			for _, c := range s.Cells {
				switch {
				case c.OK > 0:
					text[i] += "+"
				case c.Failed > 0:
					text[i] += "x"
				case c.Planned:
					text[i] += "o"
				case c.Paused:
					text[i] += "="
				default:
					text[i] += "."
				}
			}
		}
		if text != [2]string{".+++xooooo", ".+++x====="} {
			t.Errorf("%q", text)
		}
		if v, err := w.control.Timeline(t.Context(), TimelineAsk{Names: []string{"x"}, From: now, To: now.Add(time.Hour), Cells: 6}); err != nil || len(v.Tasks) != 1 {
			t.Errorf("%+v, %v", v, err)
		}
		if v, err := w.control.Timeline(t.Context(), TimelineAsk{Strips: 1, From: now, To: now.Add(time.Hour), Cells: 6}); err != nil || len(v.Tasks) != 1 || v.More != 1 {
			t.Errorf("%+v, %v", v, err)
		}
		refused(t, second(w.control.Timeline(t.Context(), TimelineAsk{From: now, To: now, Cells: 6})), failure.CodeInvalid)
		refused(t, second(w.control.Timeline(t.Context(), TimelineAsk{Names: []string{"z"}, From: now, To: now.Add(time.Hour), Cells: 6})), failure.CodeNotFound)
	})
}

// finds checks that a diagnosis has a finding of a code.
func (w *world) finds(code string, level Level) {
	w.Helper()
	d, err := w.control.Diagnose(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if !slices.ContainsFunc(d.Checks, func(f Finding) bool { return f.Code == code && f.Level == level }) || d.Healthy != (d.Failures == 0) ||
		d.Passed+d.Warnings+d.Failures != len(d.Checks) {
		w.Errorf("%+v, want %s %s", d, code, level)
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.finds(DiagNoNode, LevelFail)
		w.finds(DiagServices, LevelWarn)
		a := w.boot("a", 0, cluster.Options{Servers: 2}, catalogue()[:2]...)
		w.awaits("leader")
		w.create(minutely("x"))
		time.Sleep(5 * time.Second)
		w.finds(DiagBarrier, LevelFail)
		w.finds(DiagTasks, LevelFail)
		w.boot("b", 0, cluster.Options{Servers: 2}, catalogue()[:1]...)
		w.awaits("placed")
		for _, code := range []string{DiagStore, DiagNodes, DiagLeader, DiagPlaced, DiagTasksFine, DiagServiceFine, DiagOutboxFine} {
			w.finds(code, LevelOK)
		}
		w.finds(DiagMissing, LevelInfo)
		late := w.boot("late", 7*time.Second, cluster.Options{Servers: 2}, catalogue()[:1]...)
		w.awaits("nodes=3")
		w.finds(DiagClock, LevelFail)
		late.kill()
		if _, err := w.control.DrainNode(t.Context(), "a", "kernel", "ann"); err != nil {
			t.Fatal(err)
		}
		w.finds(DiagNodeOff, LevelWarn)
		a.kill()
		w.finds(DiagNodeGone, LevelWarn)
		if err := w.client.Commit(t.Context(), coordclient.Create("/tasks/0/default~DATA_SERVICE_TASK~bad", []byte("{"))); err != nil {
			t.Fatal(err)
		}
		w.finds(DiagCorrupt, LevelFail)
	})
}

// rehearses lets a peer answer as a host's plugin does.
type rehearses struct{ p *peer }

func (r rehearses) Rehearse(without []string) Rehearsal {
	in, plan, leads := r.p.cluster.Rehearse(without)
	answer := Rehearsal{Leads: leads, Waiting: plan.Waiting, SessionMS: 4000}
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
			ServeRehearsals(p.member, rehearses{p})
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
				if m.From != lost || m.To == lost || m.To == "" {
					t.Errorf("%+v", m)
				}
				foretold[m.Task] = m.To
			}
			peers[lost].kill()
			time.Sleep(200 * time.Millisecond)
			w.settles()
			tasks, err := w.control.Tasks(t.Context(), TaskFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range tasks {
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
