package control

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/explain"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/cluster"
)

// finds checks that a diagnosis has a finding of a code.
func (w *world) finds(code string, level explain.Level) {
	w.Helper()
	synctest.Wait() // a host that has just joined tells of itself
	d, err := w.control.Diagnose(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if !slices.ContainsFunc(d.Checks, func(f explain.Finding) bool { return f.Code == code && f.Level == level }) || d.Healthy != (d.Failures == 0) ||
		d.Passed+d.Warnings+d.Failures != len(d.Checks) {
		w.Errorf("%+v, want %s %s", d, code, level)
	}
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.finds(explain.DiagNoNode, explain.LevelFail)
		w.finds(explain.DiagServices, explain.LevelWarn)
		a := w.boot("a", 0, cluster.Options{Servers: 2}, catalogue()[:2]...)
		w.awaits("leader")
		w.create(minutely("x"))
		time.Sleep(5 * time.Second)
		w.finds(explain.DiagBarrier, explain.LevelFail)
		w.finds(explain.DiagTasks, explain.LevelFail)
		w.boot("b", 0, cluster.Options{Servers: 2}, catalogue()[:1]...)
		w.awaits("placed")
		for _, code := range []string{explain.DiagStore, explain.DiagNodes, explain.DiagLeader, explain.DiagPlaced, explain.DiagTasksFine, explain.DiagServiceFine, explain.DiagOutboxFine} {
			w.finds(code, explain.LevelOK)
		}
		w.finds(explain.DiagMissing, explain.LevelInfo)
		late := w.boot("late", 7*time.Second, cluster.Options{Servers: 2}, catalogue()[:1]...)
		w.awaits("nodes=3")
		w.finds(explain.DiagClock, explain.LevelFail)
		late.kill()
		if _, err := w.control.DrainNode(t.Context(), "a", "kernel", "ann"); err != nil {
			t.Fatal(err)
		}
		w.finds(explain.DiagNodeOff, explain.LevelWarn)
		a.kill()
		w.finds(explain.DiagNodeGone, explain.LevelWarn)
		if err := w.client.Commit(t.Context(), coordclient.Create("/tasks/0/default~DATA_SERVICE_TASK~bad", []byte("{"))); err != nil {
			t.Fatal(err)
		}
		w.finds(explain.DiagCorrupt, explain.LevelFail)
	})
}

// A service whose file is refused goes on as it was: somebody should mend the file
// before the host starts again.
func TestOutdatedServiceIsToldOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		broken := catalogue()[0]
		broken.Error = "Stock.dbs:3:1: not well-formed"
		w.boot("a", 0, cluster.Options{Servers: 1}, broken)
		w.awaits("placed")
		w.finds(explain.DiagOutdated, explain.LevelWarn)
	})
}
