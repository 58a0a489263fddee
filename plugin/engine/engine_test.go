package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/task"
)

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
		if n, _, err := s.store.Backlog(t.Context()); err != nil || n != 1 {
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
		if n, _, err := s.store.Backlog(t.Context()); err != nil || n != tasks {
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
