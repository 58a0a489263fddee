package plugin_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
	"github.com/seed42aab489/belfry/plugin/task"
)

// shop is a host with one operation.
type shop struct {
	mu    sync.Mutex
	calls []invoke.OperationCall // guarded by mu
	fail  error                  // guarded by mu
}

func (s *shop) Call(_ context.Context, c invoke.OperationCall) (invoke.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return invoke.Answer{Rows: 1, Body: []byte("<low>7</low>")}, s.fail
}

func (s *shop) made() []invoke.OperationCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]invoke.OperationCall(nil), s.calls...)
}

func (s *shop) Target(info task.Info) (task.Target, bool) {
	return task.Target{Hash: "h"}, info.Service == "Stock"
}

func (s *shop) TryOperation(context.Context, call.TryRequest) (call.TryResult, error) {
	return call.TryResult{ContentType: "text/plain", Rows: 3, Body: []byte("three")}, nil
}

func (*shop) Invoke(context.Context, string, string, map[string][]string) (code.Answer, error) {
	return code.Answer{}, nil
}

func (*shop) Access(context.Context, string, string, string, map[string][]string) (code.Answer, error) {
	return code.Answer{}, nil
}

func (*shop) Active(string) bool { return true }

func (s *shop) Services() []contract.ServiceView {
	return []contract.ServiceView{{
		Name: "Stock", Status: contract.StatusActive,
		Operations: []contract.OperationView{{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce}},
	}}
}

// post is a sender that keeps what it is given.
type post struct {
	mu   sync.Mutex
	sent []task.Message // guarded by mu
}

func (p *post) Check(string) error { return nil }

func (p *post) Send(_ context.Context, m task.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

func run(t *testing.T, f func(t *testing.T, c *control.Control, host *shop, mail *post)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		member := coordtest.NewCluster(time.Now).Join("n1", nil)
		host, mail := &shop{}, &post{}
		p := plugin.New(plugin.Deps{
			Join: func(context.Context) (plugin.Port, error) { return member, nil },
			Host: host, Sender: mail, Node: "n1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Options: plugin.Options{Buckets: 8, Output: 1024, PreviousOwnerDead: true},
		})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, control.New(control.Deps{KV: member, Members: member, Caller: member, Now: time.Now}), host, mail)
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

func schedule(t *testing.T, c *control.Control, info task.Info) contract.TaskView {
	t.Helper()
	info.Key = task.Key{Name: "watch"}.Normal()
	info.Service, info.Operation = "Stock", "getLowStock"
	v, _, err := c.CreateTask(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The life of a firing through the whole plugin: created, claimed, called with
// its fire id, settled, visible.
func TestATaskFires(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, c *control.Control, host *shop, _ *post) {
		v := schedule(t, c, task.Info{Trigger: task.TriggerInfo{Interval: task.Duration(time.Second), Count: 2}})
		if v.Delivery != task.EffectivelyOnce {
			t.Errorf("delivery %s: the strongest that the catalogue offers is the default", v.Delivery)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		calls := host.made()
		if len(calls) != 3 {
			t.Fatalf("%d calls, want 3", len(calls))
		}
		seen := map[task.FireID]bool{}
		for _, call := range calls {
			if !call.Keyed || call.Task.Name != "watch" || seen[call.FireID] {
				t.Errorf("call %+v", call)
			}
			seen[call.FireID] = true
		}
		after, err := c.Task(t.Context(), task.Key{Name: "watch"}.Normal())
		if err != nil || after.State != contract.Finished || after.Fired != 3 {
			t.Errorf("%v: %+v", err, after)
		}
	})
}

// What a run was answered is kept where that was asked for.
func TestOutputIsKept(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, c *control.Control, host *shop, _ *post) {
		v := schedule(t, c, task.Info{Trigger: task.TriggerInfo{Interval: task.Duration(time.Second), Count: 0}})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		scheduled := string(host.made()[0].FireID)
		if _, err := c.Output(t.Context(), scheduled); failure.Of(err).Code != failure.CodeNotFound {
			t.Errorf("kept without being asked for: %v", err)
		}
		key := task.Key{Name: v.Name}.Normal()
		id, err := c.RunTask(t.Context(), key, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WaitRun(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if r, err := c.Output(t.Context(), id); err != nil || r.Value != "<low>7</low>" {
			t.Errorf("by hand: %+v, %v", r, err)
		}
		if _, err := c.UpdateTask(t.Context(), key, 0, func(i *task.Info) error {
			i.Output, i.Trigger = true, task.TriggerInfo{At: time.Now().Add(time.Second)}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		calls := host.made()
		if r, err := c.Output(t.Context(), string(calls[len(calls)-1].FireID)); err != nil || r.Value != "<low>7</low>" || len(calls) != 3 {
			t.Errorf("by its task: %+v, %v, %d calls", r, err, len(calls))
		}
	})
}

// A run that fails is reported, raises the alert that was asked for, once, and
// the message is delivered.
func TestAFailureIsTold(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, c *control.Control, host *shop, mail *post) {
		host.fail = &invoke.Failure{Final: true, Err: errors.New("no such table")}
		schedule(t, c, task.Info{
			Trigger: task.TriggerInfo{At: time.Now().Add(time.Second)}, Retry: task.Retry{Max: 1},
			Alerts: []task.Alert{{On: task.AlertFailed, To: []string{"mailto:ops@example.org"}}},
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(host.made()); n != 2 {
			t.Errorf("%d attempts, want 2", n)
		}
		if n := mail.count(); n != 1 {
			t.Errorf("%d messages, want 1", n)
		}
		events, err := c.Events(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		codes := map[string]int{}
		for _, e := range events {
			codes[e.Code]++
		}
		if codes[plugin.CodeRunFailed] != 2 || codes[plugin.CodeMessageSent] != 1 {
			t.Errorf("events: %v", codes)
		}
	})
}

func TestTryAndCatalogue(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, c *control.Control, _ *shop, _ *post) {
		result, err := c.TryOperation(t.Context(), "Stock", "getLowStock", nil, "")
		if err != nil || string(result.Body) != "three" || result.Rows != 3 {
			t.Errorf("%v: %+v", err, result)
		}
		_, _, err = c.CreateTask(t.Context(), task.Info{
			Key: task.Key{Name: "x"}, Service: "Stock", Operation: "nothing", Trigger: task.TriggerInfo{Interval: task.Duration(time.Second), Count: -1},
		})
		if e := failure.Of(err); e == nil || e.Code != failure.CodeInvalid {
			t.Errorf("an operation that is not there: %v", err)
		}
	})
}

// Three hosts, of which one after another loses its session and joins again: no
// instant is lost, none is decided twice, and the three tasks are never all on
// the same host for long.
func TestAGroupFires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const tasks, seconds = 3, 120
		group, host := coordtest.NewCluster(time.Now), &shop{}
		var mu sync.Mutex
		present := map[string]*coordtest.Member{} // guarded by mu
		var plugins []*plugin.Plugin
		for _, node := range []string{"n1", "n2", "n3"} {
			p := plugin.New(plugin.Deps{
				Join: func(context.Context) (plugin.Port, error) {
					mu.Lock()
					defer mu.Unlock()
					present[node] = group.Join(node, nil)
					return present[node], nil
				},
				Host: host, Sender: &post{}, Node: node, Now: time.Now, Log: slog.New(slog.DiscardHandler),
				Options: plugin.Options{Buckets: 16, SessionTimeout: 4 * time.Second},
			})
			if err := p.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			plugins = append(plugins, p)
		}
		companion := group.Dial()
		c := control.New(control.Deps{KV: companion, Members: companion, Caller: companion, Now: time.Now})
		first := time.Now().Add(10 * time.Second).Truncate(time.Second)
		for _, name := range []string{"a", "b", "c"} {
			_, _, err := c.CreateTask(t.Context(), task.Info{
				Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock", Misfire: task.MisfireFireAll,
				Trigger: task.TriggerInfo{Interval: task.Duration(time.Second), Count: seconds - 1, Start: first},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 9 {
			time.Sleep(11 * time.Second)
			mu.Lock()
			lost := present[[]string{"n1", "n2", "n3"}[i%3]]
			mu.Unlock()
			lost.Expire()
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		effects := map[task.FireID]bool{}
		for _, call := range host.made() {
			effects[call.FireID] = true
		}
		if len(effects) != tasks*seconds {
			t.Errorf("%d firings took effect, want %d", len(effects), tasks*seconds)
		}
		views, err := c.Tasks(t.Context(), control.TaskFilter{})
		if err != nil {
			t.Fatal(err)
		}
		owners := map[string]bool{}
		for _, v := range views {
			owners[v.Node] = true
			if v.State != contract.Finished || v.Fired != seconds {
				t.Errorf("%s: %s, fired %d, want finished, %d", v.Name, v.State, v.Fired, seconds)
			}
		}
		if len(owners) < 2 {
			t.Errorf("all three tasks are on %v", owners)
		}
		var all sync.WaitGroup
		for _, p := range plugins {
			all.Go(func() {
				if err := p.Stop(context.Background()); err != nil {
					t.Errorf("stop: %v", err)
				}
			})
		}
		all.Wait()
		if err := companion.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Others follow when a task has ended: one a success with what came of it, one a
// failure, one when both of two have.
func TestTasksFollowOthers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, c *control.Control, host *shop, mail *post) {
		create := func(name string, trigger task.TriggerInfo, after *task.After) {
			t.Helper()
			_, _, err := c.CreateTask(t.Context(), task.Info{
				Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock", Trigger: trigger, After: after,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		thrice := task.TriggerInfo{Interval: task.Duration(10 * time.Second), Count: 2}
		create("a", thrice, nil)
		create("b", thrice, nil)
		create("ok", task.TriggerInfo{}, &task.After{Tasks: []string{"a"}, With: map[string]string{"ended": "{{.FireID}} {{.Outcome}}"}})
		create("failed", task.TriggerInfo{}, &task.After{Tasks: []string{"a"}, On: task.OnFailure})
		create("both", task.TriggerInfo{}, &task.After{Tasks: []string{"a", "b"}, All: true})
		create("later", task.TriggerInfo{}, &task.After{Tasks: []string{"both"}})
		time.Sleep(time.Minute)
		synctest.Wait()
		calls := map[string]int{}
		for _, call := range host.made() {
			calls[call.Task.Name]++
			if call.Task.Name == "ok" && !strings.HasSuffix(call.Params["ended"], " OK") {
				t.Errorf("given %v", call.Params)
			}
		}
		for name, want := range map[string]int{"a": 3, "b": 3, "ok": 3, "failed": 0, "both": 3, "later": 3} {
			if calls[name] != want {
				t.Errorf("%s ran %d times, want %d", name, calls[name], want)
			}
		}
		if n := mail.count(); n != 0 {
			t.Errorf("%d messages were sent to people", n)
		}
	})
}
