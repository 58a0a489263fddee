package plugin_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/task"
)

// shop is a host with one operation.
type shop struct {
	mu    sync.Mutex
	calls []invoke.OperationCall // guarded by mu
	fail  error                  // guarded by mu
}

func (s *shop) Call(_ context.Context, c invoke.OperationCall) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	return 1, s.fail
}

func (s *shop) made() []invoke.OperationCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]invoke.OperationCall(nil), s.calls...)
}

func (s *shop) Target(info task.Info) (task.Target, bool) {
	return task.Target{Hash: "h"}, info.Service == "Stock"
}

func (s *shop) TryOperation(context.Context, control.TryRequest) (control.TryResult, error) {
	return control.TryResult{ContentType: "text/plain", Rows: 3, Body: []byte("three")}, nil
}

func (s *shop) Services() []control.ServiceView {
	return []control.ServiceView{{
		Name: "Stock", Status: control.StatusActive,
		Operations: []control.OperationView{{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce}},
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
		p, err := plugin.New(plugin.Deps{
			Port: member, Host: host, Sender: mail, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Options: plugin.Options{Buckets: 8, PreviousOwnerDead: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, control.New(control.Deps{KV: member, Members: member, Caller: member, Now: time.Now}), host, mail)
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := member.Close(); err != nil {
			t.Error(err)
		}
	})
}

func schedule(t *testing.T, c *control.Control, info task.Info) control.TaskView {
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
		if err != nil || after.State != control.Finished || after.Fired != 3 {
			t.Errorf("%v: %+v", err, after)
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
		if e := control.AsError(err); e == nil || e.Code != control.CodeInvalid {
			t.Errorf("an operation that is not there: %v", err)
		}
	})
}
