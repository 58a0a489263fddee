package tui

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

func TestScheduleAnOperation(t *testing.T) {
	play(t, hosted, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Shows("No tasks yet", "Press n to choose an operation")
		d.Press("n")
		d.Shows("Services", "Orders.dbs:14:3")
		d.Press("j", "j", "enter")
		d.Press("enter")
		d.Shows("New task", "every 1m; 525 600 firings a year")
		d.Press("ctrl+u")
		d.Type("stock watch")
		d.Shows("use letters, digits, underscore, hyphen and dot")
		d.Press("ctrl+s")
		d.Shows("ctrl-s is off: name")
		d.Press("ctrl+u")
		d.Type("stock-watch")
		// Cron, with each key answered.
		d.Press("tab", "tab", "tab", "right", "tab", "ctrl+u")
		d.Type("0 30 25")
		d.Shows("column")
		d.Press("ctrl+u")
		d.Type("0 30 2 * * ?")
		d.Press("tab", "ctrl+u")
		d.Type("Europe/Berlin")
		d.Shows("02:30 does not exist", "02:30 happens twice")
		d.Press("ctrl+s")
		d.Shows("Create task stock-watch?", "calls Stock.getLowStock", "belfry task create stock-watch --service Stock --operation getLowStock --cron '0 30 2 * * ?'", "--tz Europe/Berlin")
		if n := w.client.commits.Load(); n != 1 { // the making of the world
			t.Errorf("%d commits before the answer", n)
		}
		d.Press("y")
		d.Shows("Tasks › stock-watch", "created")
		d.ShowsNot("any more")
		d.Pass(time.Second)
		d.Shows("waiting on n1")
		v, err := w.control.Task(t.Context(), task.Key{Name: "stock-watch"})
		if err != nil || v.Trigger != "cron:0 30 2 * * ?" || v.TZ != "Europe/Berlin" || v.Delivery != task.EffectivelyOnce {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// From one group to another and back: nothing of the one is shown as the other's,
// and orders go where the header says.
func TestContexts(t *testing.T) {
	var main, other *world
	play(t, func(t testing.TB) *world {
		t.Helper()
		other = newWorld(t, 4)
		other.host("s1", 0, catalogue()...)
		other.create("stage-task", "getLowStock", every(time.Minute))
		main = full(t)
		return main
	}, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("8")
		d.Shows("● shown", "stage", "zk://stage:2181")
		d.Press("enter")
		d.Shows("enter is off: it is the one that is shown")
		d.Press("j", "enter")
		d.Pass(2 * time.Second)
		d.Shows("belfry · stage · Tasks", "stage-task", "1/1 hosts")
		d.ShowsNot("nightly-sync")
		before, elsewhere := other.client.commits.Load(), w.client.commits.Load()
		d.Press("p", "enter")
		d.Pass(2 * time.Second)
		d.Shows("paused; z undoes it: belfry task resume stage-task")
		if n := other.client.commits.Load() - before; n == 0 {
			t.Error("the order did not reach the group that is shown")
		}
		if n := w.client.commits.Load() - elsewhere; n != 0 {
			t.Errorf("%d commits reached the group that was left", n)
		}
		d.Press("!")
		d.Shows("belfry --context stage task show stage-task")
		d.Press("esc", "8", "g", "enter")
		d.Pass(2 * time.Second)
		d.Shows("belfry · prod-eu [PROD] · Tasks", "nightly-sync", "2/2 hosts")
		d.ShowsNot("stage-task")
		// One that is read-only changes nothing, and those beside it still do.
		d.Press("8")
		d.Shows("[PROD]", "[RO]")
		d.Press("G", "enter")
		d.Pass(2 * time.Second)
		d.Shows("[RO] ● live", "p (pause)")
		d.Press("p")
		d.Shows("p is off: context audit is read-only")
		d.Press("8", "g", "enter")
		d.Pass(2 * time.Second)
		d.Shows("belfry · prod-eu [PROD] · Tasks", "p pause")
	}, func(o *Options) {
		first := o.Context
		o.Contexts = []Context{{Name: first, Chosen: true, Danger: true}, {Name: "stage", Address: "zk://stage:2181"}, {Name: "audit", Sealed: true}}
		o.Open = func(name string) (Opened, error) {
			if name == "stage" {
				return Opened{Group: other, Context: name, Flags: "--context stage"}, nil
			}
			return Opened{Group: main, Context: name, Sealed: name == "audit", Danger: name != "audit"}, nil
		}
	})
}

// Alerts, jitter and what is kept of answers are written in the form.
func TestFormAlertsAndJitter(t *testing.T) {
	play(t, hosted, func(t *testing.T, w *world, d *tuitest.Driver) {
		d.Press("n", "j", "j", "enter", "enter")
		for range 7 {
			d.Press("tab")
		}
		d.Press("ctrl+u")
		d.Type("2m")
		d.Shows("✗ 2m0s is not below the interval")
		d.Press("ctrl+u")
		d.Type("20s")
		for range 9 {
			d.Press("tab")
		}
		d.Press("right", "tab")
		d.Type("failed=mailto")
		d.Shows("✗ alert failed: receiver \"mailto\"")
		d.Type(":ops@example.org late:30s=https://example.org/hook")
		d.Press("ctrl+s")
		d.Shows("--jitter 20s", "--keep-output=true", "--alert failed=mailto:ops@example.org", "late:30s=https://example.org/hook")
		d.Press("y")
		d.Pass(time.Second)
		d.Shows("created")
		info, ok := d.Model().(Model).scene.Picture.Definition(task.Key{Name: "getLowStock"})
		if !ok || len(info.Alerts) != 2 || info.Alerts[1].After != task.Duration(30*time.Second) || info.Trigger.Jitter != task.Duration(20*time.Second) || !info.Output {
			t.Errorf("%+v", info)
		}
		// An edit that leaves them leaves them as they are.
		d.Press("e", "ctrl+s")
		d.Shows("nothing differs")
	})
}
