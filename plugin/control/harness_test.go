package control

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// world is a cluster in memory, an administrator and at most one host.
type world struct {
	*testing.T
	cluster *coordtest.Cluster
	client  *coordtest.Client // the administrator's session
	control *Control
	member  *coordtest.Member
	owner   *store.Owner
	engine  *engine.Engine

	mu     sync.Mutex
	invoke func(ctx context.Context, call task.Call) task.Result
}

const buckets = 4

// newWorld has a catalogue, and no host any more. It must be called within a
// synctest bubble, or by a test that does not wait.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, cluster: coordtest.NewCluster(nil)}
	w.join("n1")
	w.client = w.cluster.Dial()
	w.control = New(Deps{KV: w.client, Members: w.client, Caller: w.client})
	w.leave()
	return w
}

// join brings up a host that has published its services and owns nothing.
func (w *world) join(node string) {
	w.Helper()
	w.member = w.cluster.Join(node, []byte(`{"version":"1.2","address":"127.0.0.1:8280","running":3}`))
	s := store.New(w.member, store.Options{})
	if _, err := s.Init(w.Context(), store.Settings{Buckets: buckets}); err != nil {
		w.Fatal(err)
	}
	w.owner = s.Owner(w.member.ID(), w.member)
	if err := Publish(w.Context(), w.owner, catalogue()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) leave() { w.member.Expire() }

// serve brings up a host that fires.
func (w *world) serve(node string) {
	w.Helper()
	w.join(node)
	var compiler trigger.Compiler
	e, err := engine.New(engine.Options{
		Log: w.owner, Watcher: w.owner, Invoker: w, Targets: w, Node: node, PreviousOwnerDead: true,
		Compile: bucket.Triggers(&compiler),
	})
	if err != nil {
		w.Fatal(err)
	}
	w.engine = e
	if err := e.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	for b := range buckets {
		if err := e.Acquire(w.Context(), b); err != nil {
			w.Fatal(err)
		}
	}
	w.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if state, _ := w.member.State(); state == coordclient.Lost {
			_ = e.Stop(ctx) // it has nothing left to hand over
		} else if err := e.Stop(ctx); err != nil {
			w.Error(err)
		}
	})
}

// does says what the operations do from now on.
func (w *world) does(f func(ctx context.Context, call task.Call) task.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.invoke = f
}

func (w *world) Invoke(ctx context.Context, call task.Call) task.Result {
	w.mu.Lock()
	f := w.invoke
	w.mu.Unlock()
	if f == nil {
		return task.Result{Outcome: task.OK}
	}
	return f(ctx, call)
}

func (*world) Target(task.Info) (task.Target, bool) { return task.Target{Hash: "h"}, true }

// until runs for d, or until its context ends.
func until(d time.Duration, then task.Outcome) func(context.Context, task.Call) task.Result {
	return func(ctx context.Context, _ task.Call) task.Result {
		if wait(ctx, d) != nil {
			return task.Result{Outcome: task.Interrupted, Error: "stopped"}
		}
		return task.Result{Outcome: then, Error: map[bool]string{true: "", false: "no such table"}[then == task.OK]}
	}
}

func catalogue() []contract.ServiceView {
	return []contract.ServiceView{
		{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
			{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce, Reads: true},
			{Service: "Stock", Name: "setStock", Why: "it has parameters: code, quantity", Parameters: []string{"code", "quantity"}, Delivery: task.EffectivelyOnce},
		}},
		{Name: "Sheets", Status: contract.StatusActive, Operations: []contract.OperationView{
			{Service: "Sheets", Name: "readAll", Schedulable: true, Delivery: task.AtLeastOnce, Reads: true},
		}},
		{Name: "Broken", Status: contract.StatusFailed, Error: "broken.dbs:3:1: no such element"},
	}
}

func minutely(name string) task.Info {
	return task.Info{
		Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock",
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
}

func (w *world) create(info task.Info) contract.TaskView {
	w.Helper()
	v, _, err := w.control.CreateTask(w.Context(), info)
	if err != nil {
		w.Fatalf("%v (%s)", err, failure.Of(err).Hint)
	}
	return v
}

func (w *world) task(name string) contract.TaskView {
	w.Helper()
	v, err := w.control.Task(w.Context(), task.Key{Name: name})
	if err != nil {
		w.Fatal(err)
	}
	return v
}

// refused checks the code of an error, and gives it.
func refused(t *testing.T, err error, code failure.Code) *failure.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("done, want %s", code)
	}
	e := failure.Of(err)
	if e.Code != code {
		t.Fatalf("%s (%v), want %s", e.Code, err, code)
	}
	return e
}

func newEmpty() *coordtest.Client { return coordtest.NewCluster(nil).Dial() }
