package engine_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// stage is an engine that owns the one bucket of a store in memory, in fake
// time. What it invokes is up to the test.
type stage struct {
	t      *testing.T
	member *coordtest.Member
	faulty *coordtest.Faulty
	store  *store.Store
	engine *engine.Engine
	invoke func(ctx context.Context, call task.Call) task.Result
	limits []string

	mu    sync.Mutex // guards what follows
	off   time.Duration
	calls []task.Call
}

// onStage runs a test in fake time.
func onStage(t *testing.T, play func(s *stage), change ...func(*engine.Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, member: coordtest.NewMemory()}
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.OK} }
		s.faulty = coordtest.NewFaulty(s.member)
		s.store = store.New(s.member, store.Options{})
		if _, err := s.store.Init(t.Context(), store.Settings{Buckets: 1}); err != nil {
			t.Fatal(err)
		}
		s.open(change...)
		play(s)
		s.close()
	})
}

func (s *stage) open(change ...func(*engine.Options)) {
	s.t.Helper()
	owner := store.New(s.faulty, store.Options{}).Owner(s.member.ID(), s.member)
	o := engine.Options{
		Log: owner, Watcher: owner, Invoker: s, Targets: s, Session: s, Announcer: s, Node: "n", Now: s.now,
		Compile: bucket.Triggers(new(trigger.Compiler)), PreviousOwnerDead: true,
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if s.engine, err = engine.New(o); err != nil {
		s.t.Fatal(err)
	}
	if err := s.engine.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.engine.Acquire(s.t.Context(), 0); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) close() {
	s.t.Helper()
	if err := s.engine.Stop(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	s.faulty.Wait()
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.off)
}

func (s *stage) Invoke(ctx context.Context, call task.Call) task.Result {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	s.mu.Unlock()
	return s.invoke(ctx, call)
}

func (s *stage) Target(task.Info) (task.Target, bool) {
	return task.Target{Hash: "h", Limits: s.limits}, true
}

func (s *stage) State() (bool, <-chan struct{}) {
	state, changed := s.member.State()
	return state == coordclient.Healthy, changed
}

func (s *stage) Announce(n task.Notice) []task.Message {
	return []task.Message{{ID: n.ID, To: n.Info.Alerts[0].To[0], Subject: n.Detail}}
}

// create stores a task that is due every second.
func (s *stage) create(name string, change func(*task.Info)) task.Info {
	s.t.Helper()
	info := task.Info{
		Key: task.Key{Name: name}, Service: "S", Operation: "op", Delivery: task.AtLeastOnce,
		Trigger: task.TriggerInfo{Cron: "* * * * * ?"},
	}
	if change != nil {
		change(&info)
	}
	info, err := s.store.Create(s.t.Context(), info)
	if err != nil {
		s.t.Fatal(err)
	}
	return info
}

func once(after time.Duration) func(*task.Info) {
	return func(i *task.Info) { i.Trigger = task.TriggerInfo{At: time.Now().Add(after)} }
}

// called is how often the target was reached.
func (s *stage) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// view replays what is stored, as the companion does.
func (s *stage) view(info task.Info) (bucket.View, []task.Run) {
	s.t.Helper()
	snap, err := s.store.Snapshot(s.t.Context(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	snap.Loaded.Definitions = []task.Info{info}
	state, err := bucket.Replay(snap.Loaded, bucket.Triggers(new(trigger.Compiler)), bucket.Rules{})
	if err != nil {
		s.t.Fatal(err)
	}
	v, _ := state.View(info.UID)
	return v, state.Runs(info.UID)
}

func (s *stage) lastOutcome(info task.Info) task.Outcome {
	s.t.Helper()
	v, _ := s.view(info)
	if v.Last == nil {
		return ""
	}
	return v.Last.Outcome
}
