package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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

func TestFiresOnTime(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		info := s.create("a", nil)
		time.Sleep(10*time.Second + time.Millisecond)
		s.mu.Lock()
		for i, call := range s.calls {
			if want := info.From.Truncate(time.Second).Add(time.Duration(i+1) * time.Second); !call.Scheduled.Equal(want) {
				t.Errorf("call %d: scheduled %s, want %s", i, call.Scheduled, want)
			}
		}
		s.mu.Unlock()
		if n := s.called(); n != 10 {
			t.Errorf("%d calls", n)
		}
		time.Sleep(1500 * time.Millisecond)
		if v, runs := s.view(info); v.Counts.OK != 11 || v.Phase != bucket.PhaseWaiting || len(runs) < 11 {
			t.Errorf("%+v, %d runs", v, len(runs))
		}
	})
}

// A clock that is set forward lets what is passed over fire within a second;
// one that is set back fires nothing twice.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		info := s.create("a", once(30*time.Second))
		time.Sleep(5 * time.Second)
		s.mu.Lock()
		s.off = time.Minute
		s.mu.Unlock()
		time.Sleep(time.Second + time.Millisecond)
		if n := s.called(); n != 1 {
			t.Errorf("set forward: %d calls", n)
		}
		s.mu.Lock()
		s.off = 0
		s.mu.Unlock()
		time.Sleep(time.Minute)
		if v, _ := s.view(info); s.called() != 1 || v.Phase != bucket.PhaseFinished {
			t.Errorf("set back: %d calls, %+v", s.called(), v)
		}
	})
}

// A claim whose commit took longer than W starts only after another commit.
func TestLateCommitOpensANewWindow(t *testing.T) {
	t.Parallel()
	metrics := new(engine.Metrics)
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", once(time.Second))
		time.Sleep(500 * time.Millisecond)
		commits := s.faulty.Calls(coordtest.OpCommit)
		s.faulty.FailNth(coordtest.OpCommit, 1, coordtest.Fault{Hold: 3 * time.Second})
		time.Sleep(4 * time.Second)
		if s.called() != 1 || metrics.Late.Load() != 1 {
			t.Errorf("%d calls, %d put off", s.called(), metrics.Late.Load())
		}
		if n := s.faulty.Calls(coordtest.OpCommit) - commits; n != 3 { // claim, proof, settlement
			t.Errorf("%d commits", n)
		}
	}, func(o *engine.Options) { o.Metrics = metrics })
}

func TestLostAnswerIsFoundOut(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"answer lost":      {LoseReply: true},
		"question lost":    {Drop: true, LoseReply: true},
		"refused":          {Drop: true},
		"question is late": {Late: 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				t := s.t
				info := s.create("a", once(time.Second))
				time.Sleep(500 * time.Millisecond)
				s.faulty.FailNth(coordtest.OpCommit, 1, fault)
				time.Sleep(5 * time.Second)
				if s.called() != 1 || s.lastOutcome(info) != task.OK {
					t.Errorf("%d calls, %s", s.called(), s.lastOutcome(info))
				}
			})
		})
	}
}

func TestNothingStartsWhileSuspended(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		info := s.create("a", nil)
		time.Sleep(3500 * time.Millisecond)
		s.member.Cut()
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 3 {
			t.Errorf("%d calls while suspended", n)
		}
		s.member.Heal()
		time.Sleep(100 * time.Millisecond)
		if n := s.called(); n != 8 {
			t.Errorf("%d calls after", n)
		}
		if v, _ := s.view(info); v.Counts.Fired != 8 {
			t.Errorf("%+v", v.Counts)
		}
	})
}

func TestTimeOutAndPanic(t *testing.T) {
	t.Parallel()
	metrics := new(engine.Metrics)
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(ctx context.Context, call task.Call) task.Result {
			if call.Info.Name == "panics" {
				panic("oh")
			}
			<-ctx.Done()
			return task.Result{Outcome: task.Failed, Error: context.Cause(ctx).Error()}
		}
		slow := s.create("slow", func(i *task.Info) { once(time.Second)(i); i.Timeout = task.Duration(2 * time.Second) })
		panics := s.create("panics", once(time.Second))
		time.Sleep(5 * time.Second)
		if got := s.lastOutcome(slow); got != task.TimedOut {
			t.Errorf("slow: %s", got)
		}
		if got := s.lastOutcome(panics); got != task.Failed || metrics.Panics.Load() != 1 {
			t.Errorf("panics: %s, counted %d", got, metrics.Panics.Load())
		}
	}, func(o *engine.Options) { o.Metrics = metrics })
}

func TestCancelOfARun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(ctx context.Context, _ task.Call) task.Result {
			<-ctx.Done()
			return task.Result{Outcome: task.Failed, Error: "cut"}
		}
		info := s.create("a", once(time.Second))
		time.Sleep(2 * time.Second)
		if _, err := s.store.Ask(t.Context(), task.Request{
			Kind: task.RequestCancel, Task: info.Key, FireID: task.ScheduledID(info.UID, info.Trigger.At),
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got := s.lastOutcome(info); got != task.Cancelled {
			t.Errorf("outcome %s", got)
		}
		if left, err := s.store.Requests(t.Context(), 0); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

func TestRunByHand(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		info := s.create("a", once(time.Hour))
		q, err := s.store.Ask(t.Context(), task.Request{Kind: task.RequestRun, Task: info.Key})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		v, _ := s.view(info)
		if s.called() != 1 || v.Last == nil || v.Last.FireID != task.ManualID(info.UID, q.ID) {
			t.Errorf("%d calls, last %+v", s.called(), v.Last)
		}
		if !v.Next.Equal(info.Trigger.At.Truncate(time.Millisecond)) {
			t.Errorf("the cursor moved: next is %s", v.Next)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	var most, now int
	onStage(t, func(s *stage) {
		t := s.t
		s.limits = []string{"source:S"}
		s.invoke = func(context.Context, task.Call) task.Result {
			s.mu.Lock()
			now++
			most = max(most, now)
			s.mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			s.mu.Lock()
			now--
			s.mu.Unlock()
			return task.Result{Outcome: task.OK}
		}
		for i := range 10 {
			s.create(fmt.Sprint("t", i), once(time.Second))
		}
		time.Sleep(3 * time.Second)
		if s.called() != 10 || most != 3 {
			t.Errorf("%d calls, at most %d at once", s.called(), most)
		}
	}, func(o *engine.Options) {
		o.Limit = func(string) int { return 3 }
	})
}

func TestAlertsAreCommitted(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Failed, Error: "no"} }
		s.create("a", func(i *task.Info) {
			once(time.Second)(i)
			i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:a@example.org"}}}
		})
		time.Sleep(2 * time.Second)
		if n, err := s.store.Waiting(t.Context()); err != nil || n != 1 {
			t.Errorf("%d messages, %v", n, err)
		}
	})
}

// What goes with records is bounded, so that a bad moment does not make a
// commit that the store refuses.
func TestManyAlertsAtOnce(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Failed, Error: "no"} }
		const tasks = 1500
		for i := range tasks {
			s.create(fmt.Sprint("t", i), func(i *task.Info) {
				once(5 * time.Second)(i)
				i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:a@example.org"}}}
			})
		}
		time.Sleep(10 * time.Second)
		if n, err := s.store.Waiting(t.Context()); err != nil || n != tasks {
			t.Errorf("%d messages, %v", n, err)
		}
		for i := range tasks {
			if err := s.store.Delete(t.Context(), task.Key{Name: fmt.Sprint("t", i)}, 0); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if left, err := s.store.Keys(t.Context()); err != nil || len(left) > 0 {
			t.Errorf("%d tombstones left, %v", len(left), err)
		}
	})
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.invoke = func(ctx context.Context, call task.Call) task.Result {
			length := time.Second
			if call.Info.Name == "long" {
				length = time.Hour
			}
			select {
			case <-time.After(length):
				return task.Result{Outcome: task.OK}
			case <-ctx.Done():
				return task.Result{Outcome: task.Failed, Error: "cut"}
			}
		}
		short, long := s.create("short", once(time.Second)), s.create("long", func(i *task.Info) {
			once(time.Second)(i)
			i.Timeout = task.Duration(2 * time.Hour)
		})
		later := s.create("later", once(1500*time.Millisecond))
		time.Sleep(1100 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		begun := time.Now()
		if err := s.engine.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took < 5*time.Second || took > 7*time.Second {
			t.Errorf("it took %s", took)
		}
		if a, b, c := s.lastOutcome(short), s.lastOutcome(long), s.lastOutcome(later); a != task.OK || b != task.Interrupted || c != "" {
			t.Errorf("short %s, long %s, later %s", a, b, c)
		}
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.OK} }
		s.open()
		time.Sleep(time.Second)
		for _, info := range []task.Info{short, long, later} {
			if v, _ := s.view(info); v.Counts != (bucket.Counts{Fired: 1, OK: 1}) {
				t.Errorf("%s: %+v", info.Name, v.Counts)
			}
		}
	})
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		if err := s.engine.Acquire(t.Context(), 0); !errors.Is(err, engine.ErrOwned) {
			t.Error(err)
		}
		if got := s.engine.Owned(); !slices.Equal(got, []int{0}) {
			t.Error(got)
		}
		s.close()
		s.close()
		if err := s.engine.Acquire(t.Context(), 0); !errors.Is(err, engine.ErrStopped) {
			t.Error(err)
		}
		if err := s.engine.Start(t.Context()); !errors.Is(err, engine.ErrStopped) {
			t.Error(err)
		}
	})
}

func TestNewWantsItsPorts(t *testing.T) {
	t.Parallel()
	if _, err := engine.New(engine.Options{}); err == nil {
		t.Error("no error")
	}
}

// fencedLog is a Log whose member is fenced from some moment on.
type fencedLog struct {
	engine.Log
	fenced atomic.Bool
}

func (l *fencedLog) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	if l.fenced.Load() {
		return fmt.Errorf("commit: %w", bucket.ErrFenced)
	}
	return l.Log.Commit(ctx, f, w)
}

// An owner that is fenced starts nothing more, leaves, and says so. The bucket
// can be acquired again.
func TestFenced(t *testing.T) {
	t.Parallel()
	var (
		log  fencedLog
		left atomic.Value // of error
	)
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", nil)
		time.Sleep(1500 * time.Millisecond)
		log.fenced.Store(true)
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 1 || !errors.Is(left.Load().(error), bucket.ErrFenced) || len(s.engine.Owned()) != 0 {
			t.Errorf("%d calls, left: %v, owned: %v", n, left.Load(), s.engine.Owned())
		}
		log.fenced.Store(false)
		if err := s.engine.Acquire(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if n := s.called(); n != 6 {
			t.Errorf("%d calls after it was acquired again", n)
		}
	}, func(o *engine.Options) {
		log.Log = o.Log
		o.Log, o.Left = &log, func(_ int, err error) { left.Store(err) }
	})
}

// A session that is lost for good ends with its engine.
func TestStopWithoutAStore(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.t
		s.create("a", nil)
		time.Sleep(1500 * time.Millisecond)
		s.member.Expire()
		time.Sleep(5 * time.Second)
		if n := s.called(); n != 1 {
			t.Errorf("%d calls", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begun := time.Now()
		if err := s.engine.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}
