package control

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/explain"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// explains checks that a task's explanation has a finding of a code, and with it
// commands that name the companion.
func (w *world) explains(name, code string, level explain.Level) explain.Finding {
	w.Helper()
	x, err := w.control.ExplainTask(w.Context(), task.Key{Name: name})
	if err != nil {
		w.Fatal(err)
	}
	i := slices.IndexFunc(x.Findings, func(f explain.Finding) bool { return f.Code == code })
	if i < 0 {
		w.Fatalf("%s: %+v, want %s", name, x.Findings, code)
	}
	f := x.Findings[i]
	if f.Level != level || f.Text == "" || x.Healthy && (level == explain.LevelWarn || level == explain.LevelFail) {
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
		w.explains("x", contract.ReasonNoOwner, explain.LevelFail)
		if _, err := w.control.RunTask(t.Context(), task.Key{Name: "x"}, ""); err != nil {
			t.Fatal(err)
		}
		w.explains("x", explain.ReasonAsked, explain.LevelInfo)
		w.serve("n2")
		time.Sleep(time.Second)
		x := w.explains("x", explain.ReasonFine, explain.LevelOK)
		if x.Text != "it waits for its next instant" {
			t.Errorf("%+v", x)
		}
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "x"}, "db patch"); err != nil {
			t.Fatal(err)
		}
		if f := w.explains("x", string(task.ReasonPaused), explain.LevelFail); !strings.Contains(f.Text, "db patch; last edited by ann@desk") {
			t.Errorf("%+v", f)
		}
		later := minutely("later")
		later.Trigger.Start = time.Now().Add(time.Hour)
		w.create(later)
		w.explains("later", contract.ReasonNotStarted, explain.LevelInfo)
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
		w.explains("once", contract.ReasonExhausted, explain.LevelInfo)
		w.explains("ended", contract.ReasonEnded, explain.LevelInfo)
		w.explains("berlin", explain.ReasonClockChange, explain.LevelInfo)
		w.leave()
		if f := w.explains("later", contract.ReasonUnreachable, explain.LevelFail); !strings.Contains(f.Text, "n2") {
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
		w.explains("queues", string(task.ReasonQueued), explain.LevelWarn)
		w.explains("skips", string(task.ReasonOverlap), explain.LevelWarn)

		w.does(until(0, task.Failed))
		retried, fails := minutely("retried"), minutely("fails")
		retried.Retry = task.Retry{Max: 2, Backoff: task.Duration(time.Minute)}
		w.create(retried)
		w.create(fails)
		time.Sleep(2 * time.Second)
		if f := w.explains("retried", contract.ReasonRetry, explain.LevelWarn); !strings.Contains(f.Text, "no such table") {
			t.Errorf("%+v", f)
		}
		w.explains("fails", contract.ReasonRun, explain.LevelFail)

		w.does(func(context.Context, task.Call) task.Result {
			return task.Result{Outcome: task.Failed, Error: "address 10.0.0.1 may not be called; egress.allow can allow it", NotSent: true, Refused: true}
		})
		w.create(minutely("forbidden"))
		time.Sleep(2 * time.Second)
		if f := w.explains("forbidden", string(task.ReasonEgress), explain.LevelFail); !strings.Contains(f.Text, "egress.allow can allow it; such a run is not retried") {
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
		w.explains("skipped", string(task.ReasonMissed), explain.LevelWarn)
		w.explains("merged", string(task.ReasonReplaced), explain.LevelWarn)
		w.explains("merged", explain.ReasonLate, explain.LevelWarn)
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
		w.explains("x", explain.ReasonNoOperation, explain.LevelFail)
		stock.Status = contract.StatusInactive
		publish(stock)
		w.explains("x", explain.ReasonInactive, explain.LevelFail)
		publish(catalogue()[1])
		w.explains("x", explain.ReasonNoService, explain.LevelFail)
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
		w.explains("x", explain.ReasonOverdue, explain.LevelFail)
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
		w.explains("x", contract.ReasonWaiting, explain.LevelFail)
		b := w.boot("b", 0, cluster.Options{Servers: 2}, catalogue()...)
		w.awaits("placed")
		w.move("x", "nobody")
		time.Sleep(10 * time.Second)
		w.explains("x", contract.ReasonNoNode, explain.LevelFail)
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
		w.move("x", "n2")
		time.Sleep(time.Second)
		w.explains("x", explain.ReasonMoving, explain.LevelInfo)
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
		w.explains("broken", contract.ReasonTrigger, explain.LevelFail)
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
		w.explains("x", contract.ReasonCorrupt, explain.LevelFail)
		if gaps, err := w.control.Gaps(t.Context()); err != nil || len(gaps) != 1 || gaps[0].Bucket != b || gaps[0].Fault == "" {
			t.Errorf("%+v, %v", gaps, err)
		}
	})
}

// move gives a task to a node.
func (w *world) move(name, node string) {
	w.Helper()
	made, err := w.control.EditTask(w.Context(), task.Key{Name: name}, 0, func(info *task.Info) error {
		info.Location = Pinned(node)
		return nil
	})
	if err != nil || !made.Changed() || made.Was.Location != nil || made.Is.Location == nil {
		w.Fatalf("%+v, %v", made, err)
	}
}
