package control

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		change func(i *task.Info)
		say    string // in message or hint
	}{
		"name":              {func(i *task.Info) { i.Name = "a b" }, "hyphen"},
		"no service":        {func(i *task.Info) { i.Service = "" }, "no service"},
		"not deployed":      {func(i *task.Info) { i.Service = "Nowhere" }, "not deployed on any host"},
		"what could be":     {func(i *task.Info) { i.Service = "Nowhere" }, "could be scheduled: Sheets.readAll, Stock.getLowStock"},
		"failed":            {func(i *task.Info) { i.Service = "Broken" }, "broken.dbs:3:1"},
		"no operation":      {func(i *task.Info) { i.Operation = "nope" }, "has no operation nope"},
		"of this service":   {func(i *task.Info) { i.Operation = "nope" }, "could be scheduled: Stock.getLowStock"},
		"parameters":        {func(i *task.Info) { i.Operation = "setStock" }, "it has parameters: code, quantity"},
		"delivery":          {func(i *task.Info) { i.Delivery = "twice" }, "effectively-once"},
		"delivery too good": {func(i *task.Info) { i.Service, i.Operation, i.Delivery = "Sheets", "readAll", task.EffectivelyOnce }, "no transactions"},
		"misfire":           {func(i *task.Info) { i.Misfire = "x" }, "fire-once"},
		"overlap":           {func(i *task.Info) { i.Overlap = "x" }, "queue"},
		"retry":             {func(i *task.Info) { i.Retry.Max = -1 }, "0 to 100"},
		"backoff":           {func(i *task.Info) { i.Retry.Backoff = -1 }, "backoff"},
		"timeout":           {func(i *task.Info) { i.Timeout = task.Duration(check.MaxTimeout + 1) }, "24h"},
		"description":       {func(i *task.Info) { i.Description = strings.Repeat("x", check.MaxDescription+1) }, "4096"},
		"cron":              {func(i *task.Info) { i.Trigger = task.TriggerInfo{Cron: "0 0 * * *x ?"} }, "trigger"},
		"zone":              {func(i *task.Info) { i.Trigger.TZ = "Mars/Base" }, "Mars/Base"},
		"never":             {func(i *task.Info) { i.Trigger = task.TriggerInfo{At: time.Unix(1, 0)} }, "never fire"},
		"alert":             {func(i *task.Info) { i.Alerts = []task.Alert{{On: "x"}} }, "silent"},
		"alert after":       {func(i *task.Info) { i.Alerts = []task.Alert{{On: task.AlertLate, To: []string{"mailto:a@b"}}} }, "how long"},
		"alert receivers":   {func(i *task.Info) { i.Alerts = []task.Alert{{On: task.AlertFailed}} }, "receivers"},
		"alert to":          {func(i *task.Info) { i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"ftp://x"}}} }, "mailto:"},
		"alert to nobody":   {func(i *task.Info) { i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"https://"}}} }, "names no host"},
		"alert to nothing":  {func(i *task.Info) { i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:ops"}}} }, "no mail address"},
		"alert to headers": {func(i *task.Info) {
			i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:a@b?bcc=c@d"}}}
		}, "no mail address"},
		"alert to two": {func(i *task.Info) {
			i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:a@b,failed=mailto:c@d"}}}
		}, "\"failed=mailto:c@d\" is no mail address"},
		"too many alerts":    {func(i *task.Info) { i.Alerts = make([]task.Alert, check.MaxAlerts+1) }, "16"},
		"long pause reasons": {func(i *task.Info) { i.PauseReason = strings.Repeat("x", check.MaxDescription+1) }, "4096"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := minutely("x")
			c.change(&info)
			_, _, err := w.control.CreateTask(t.Context(), info)
			if e := refused(t, err, failure.CodeInvalid); !strings.Contains(e.Message+" "+e.Hint, c.say) {
				t.Errorf("%q (%q) does not say %q", e.Message, e.Hint, c.say)
			}
		})
	}
}

// All of it works while no host is up.
func TestATaskWithoutAHost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx := t.Context()
		start := time.Now()
		v, next, err := w.control.CreateTask(ctx, minutely("x"))
		if err != nil {
			t.Fatal(err)
		}
		if v.State != contract.Unplaced || v.Delivery != task.EffectivelyOnce || v.Misfire != task.MisfireFireOnce || v.Overlap != task.OverlapAllow ||
			v.Revision != 1 || v.Tenant != task.DefaultTenant || v.TZ != "UTC" || v.Timeout != "1m0s" || v.Last != nil {
			t.Errorf("created %+v", v)
		}
		if len(next) != firstNext || !next[1].Equal(next[0].Add(time.Minute)) || !v.Next.Equal(next[0]) || next[0].Before(start) {
			t.Errorf("next %v, view %v", next, v.Next)
		}
		sheet := minutely("y")
		sheet.Service, sheet.Operation = "Sheets", "readAll"
		if v := w.create(sheet); v.Delivery != task.AtLeastOnce {
			t.Errorf("delivery %s", v.Delivery)
		}
		_, _, err = w.control.CreateTask(ctx, minutely("x"))
		refused(t, err, failure.CodeExists)
		if v, err = w.control.PauseTask(ctx, task.Key{Name: "x"}, "db patch"); err != nil || v.State != contract.Paused || v.Reason != "PAUSED_BY_USER: db patch" || v.Next != nil {
			t.Errorf("paused %+v, %v", v, err)
		}
		_, err = w.control.RunTask(ctx, task.Key{Name: "x"}, "")
		refused(t, err, failure.CodeConflict)
		if v, err = w.control.ResumeTask(ctx, task.Key{Name: "x"}); err != nil || v.State != contract.Unplaced {
			t.Errorf("resumed %+v, %v", v, err)
		}
		_, err = w.control.UpdateTask(ctx, task.Key{Name: "x"}, 1, func(i *task.Info) error { i.Retry.Max = 2; return nil })
		refused(t, err, failure.CodeConflict)
		_, err = w.control.UpdateTask(ctx, task.Key{Name: "x"}, 3, func(i *task.Info) error { i.Operation = "nope"; return nil })
		refused(t, err, failure.CodeInvalid)
		if v, err = w.control.UpdateTask(ctx, task.Key{Name: "x"}, 3, func(i *task.Info) error { i.Retry.Max = 2; return nil }); err != nil || v.Retry != 2 || v.Revision != 4 {
			t.Errorf("changed %+v, %v", v, err)
		}
		_, err = w.control.Task(ctx, task.Key{Name: "xx"})
		if e := refused(t, err, failure.CodeNotFound); e.Hint != "did you mean x, y?" {
			t.Errorf("hint %q", e.Hint)
		}
		_, err = w.control.Task(ctx, task.Key{Tenant: "other", Name: "x"})
		if e := refused(t, err, failure.CodeNotFound); !strings.Contains(e.Hint, "tenant default") {
			t.Errorf("hint %q", e.Hint)
		}
		if err := w.control.DeleteTask(ctx, task.Key{Name: "x"}); err != nil {
			t.Fatal(err)
		}
		_, _, err = w.control.CreateTask(ctx, minutely("x")) // nobody clears the tombstone away
		refused(t, err, failure.CodeConflict)
		refused(t, w.control.DeleteTask(ctx, task.Key{Name: "x"}), failure.CodeNotFound)
		s, err := w.control.Status(ctx)
		if err != nil || s.Total != 1 || s.Tasks[contract.Unplaced] != 1 || len(s.Trouble) != 1 || len(s.Nodes) != 0 || s.Services != 3 || s.Failed != 1 {
			t.Errorf("status %+v, %v", s, err)
		}
	})
}

// A pause must not give an interval its firings back.
func TestAResumedIntervalGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		info := minutely("x")
		info.Trigger.Count = 9
		_, next, err := w.control.CreateTask(t.Context(), info)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Minute + 30*time.Second)
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "x"}, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := w.control.ResumeTask(t.Context(), task.Key{Name: "x"}); err != nil {
			t.Fatal(err)
		}
		after, err := w.control.Next(t.Context(), task.Key{Name: "x"}, 20, time.Now())
		if err != nil || len(after) != 4 || !after[0].At.Equal(next[0].Add(6*time.Minute)) {
			t.Errorf("%v, %v; began %v", after, err, next[0])
		}
	})
}

func TestNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := minutely("x")
	info.Trigger = task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "Europe/Berlin"}
	w.create(info)
	from := time.Date(2090, 3, 24, 12, 0, 0, 0, time.UTC)
	next, err := w.control.Next(t.Context(), task.Key{Name: "x"}, 3, from)
	if err != nil || len(next) != 3 || next[0].Note != "" || next[1].Note == "" || next[2].Note != "" {
		t.Errorf("the spring change is on the 26th: %+v, %v", next, err)
	}
	for _, n := range []int{0, -1, MaxNext + 1} {
		_, err := w.control.Next(t.Context(), task.Key{Name: "x"}, n, from)
		refused(t, err, failure.CodeInvalid)
	}
	if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "x"}, ""); err != nil {
		t.Fatal(err)
	}
	if next, err = w.control.Next(t.Context(), task.Key{Name: "x"}, 1, from); err != nil || !strings.HasPrefix(next[0].Note, "PAUSED_BY_USER") {
		t.Errorf("paused: %+v, %v", next, err)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"b2", "a1", "b1"} {
		w.create(minutely(name))
	}
	other := minutely("a1")
	other.Tenant, other.Type, other.Service, other.Operation = "acme", "T2", "Sheets", "readAll"
	w.create(other)
	if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "b1"}, ""); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]TaskFilter{
		"acme/a1 default/a1 default/b1 default/b2": {},
		"default/b1 default/b2":                    {NamePrefix: "b"},
		"acme/a1":                                  {Tenant: "acme"},
		"acme/a1 ":                                 {Service: "Sheets"},
		"acme/a1  ":                                {Type: "T2"},
		"default/b1":                               {States: []contract.State{contract.Paused}},
		"":                                         {States: []contract.State{contract.Running}},
	} {
		tasks, err := w.control.Tasks(t.Context(), f)
		var got []string
		for _, v := range tasks {
			got = append(got, v.Tenant+"/"+v.Name)
		}
		if err != nil || strings.Join(got, " ") != strings.TrimSpace(want) || tasks == nil {
			t.Errorf("%+v: %q, %v", f, got, err)
		}
	}
	_, err := w.control.Tasks(t.Context(), TaskFilter{States: []contract.State{"pausd"}})
	if e := refused(t, err, failure.CodeInvalid); e.Hint != "did you mean paused?" {
		t.Errorf("hint %q", e.Hint)
	}
}

// A bucket whose state is broken, a definition that cannot be read: the rest
// is shown, and what is wrong is named.
func TestBrokenRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.create(minutely("t" + string(rune('a'+i))))
	}
	client := w.cluster.Dial()
	if err := client.Commit(t.Context(), coordclient.Create("/buckets/1/page/0", []byte("rubbish"))); err != nil {
		t.Fatal(err)
	}
	segments, err := client.List(t.Context(), "/tasks/2")
	if err != nil || len(segments) == 0 {
		t.Fatal(err)
	}
	if err := client.Commit(t.Context(), coordclient.Set("/tasks/2/"+segments[0], []byte("{"), 0)); err != nil {
		t.Fatal(err)
	}
	tasks, err := w.control.Tasks(t.Context(), TaskFilter{})
	if err != nil || len(tasks) != 19 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	broken := slices.DeleteFunc(tasks, func(v contract.TaskView) bool { return !strings.HasPrefix(v.Reason, contract.ReasonCorrupt) })
	homes, err := client.List(t.Context(), "/tasks/1")
	if err != nil || len(broken) != len(homes) || len(broken) == 0 || broken[0].State != contract.Unknown {
		t.Errorf("%d of %d tasks are shown as broken, %v", len(broken), len(homes), err)
	}
}
