package event

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, rep := newMemory(), &reports{}
		r := &receiver{answer: func(_ task.Message, try int) error {
			if try < 8 {
				return errDown
			}
			return nil
		}}
		startDispatcher(t, newDispatcher(m, r, rep, Limits{Backoff: time.Second, MaxBackoff: 20 * time.Second}))
		m.put(raised("a"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(r.received()) != 1 || len(m.messages()) != 0 || len(rep.codes()) != 0 {
			t.Fatalf("received %d, left %+v, reported %v", len(r.received()), m.messages(), rep.codes())
		}
		want := time.Second
		for i := 1; i < len(r.at); i++ {
			if gap := r.at[i].Sub(r.at[i-1]); gap < want/2 || gap > want+100*time.Millisecond {
				t.Errorf("attempt %d came after %s, want between %s and %s", i+1, gap, want/2, want)
			}
			want = min(2*want, 20*time.Second)
		}
	})
}

// TestSlowRecord: an attempt whose record is seen before it has landed is
// repeated in time all the same.
func TestSlowRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &receiver{answer: func(_ task.Message, try int) error {
			if try < 3 {
				return errDown
			}
			return nil
		}}
		startDispatcher(t, NewDispatcher(DispatcherConfig{
			Outbox: slowRecord{m}, Sender: r, Reporter: &reports{}, Now: time.Now, Rand: newRand(),
			Limits: Limits{Backoff: 2 * time.Second, MaxBackoff: 2 * time.Second},
		}))
		time.Sleep(time.Second)
		m.put(raised("a"))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if len(r.received()) != 1 {
			t.Errorf("not delivered in 6 s, attempts at %v", r.at)
		}
	})
}

type slowRecord struct{ *memory }

func (s slowRecord) Update(ctx context.Context, p Pending) error {
	err := s.memory.Update(ctx, p)
	time.Sleep(time.Second)
	return err
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &receiver{answer: func(_ task.Message, try int) error {
			if try == 1 {
				return Temporary(5*time.Minute, "busy")
			}
			return nil
		}}
		startDispatcher(t, newDispatcher(m, r, &reports{}, Limits{Backoff: time.Second}))
		m.put(raised("a"))
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if len(r.at) != 2 || r.at[1].Sub(r.at[0]) < 5*time.Minute {
			t.Errorf("attempts at %v", r.at)
		}
	})
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		limits Limits
		err    error
		tries  int // at least
		why    string
	}{
		{"permanent", Limits{}, Permanent("no such user"), 1, "no such user"},
		{"attempts", Limits{MaxAttempts: 3}, errDown, 3, "given up after 3 attempts: connection refused"},
		{"age", Limits{MaxAge: time.Hour}, errDown, 10, "given up after 1h0m0s: connection refused"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, rep := newMemory(), &reports{}
			r := &receiver{answer: func(task.Message, int) error { return c.err }}
			d := newDispatcher(m, r, rep, c.limits)
			startDispatcher(t, d)
			m.put(raised("a"))
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			p, ok := m.pending("a")
			if !ok || !p.Dead || p.LastErr != c.why || r.tries < c.tries {
				t.Errorf("%s: kept %v, %+v after %d tries", c.name, ok, p.Message, r.tries)
			}
			if got := rep.codes(); !slices.Equal(got, []string{CodeDead}) || d.Counts().Dead != 1 {
				t.Errorf("%s: reported %v, counts %+v", c.name, got, d.Counts())
			}
			tries := r.tries
			time.Sleep(40 * 24 * time.Hour)
			synctest.Wait()
			if _, ok := m.pending("a"); ok || r.tries != tries {
				t.Errorf("%s: still there %v, tried %d times more", c.name, ok, r.tries-tries)
			}
		})
	}
}

// TestOneTargetDown: a receiver that hangs does not keep others waiting.
func TestOneTargetDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &hanging{}
		for i := range 20 {
			msg := raised(fmt.Sprint(i))
			msg.To = "https://hangs.example/x"
			m.put(msg)
		}
		startDispatcher(t, newDispatcher(m, r, &reports{}, Limits{}))
		time.Sleep(time.Second)
		m.put(raised("mail"))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := r.received(); len(got) != 1 || got[0].ID != "mail" {
			t.Errorf("received %v", got)
		}
	})
}

type hanging struct{ receiver }

func (h *hanging) Send(ctx context.Context, m task.Message) error {
	if m.To[:5] == "https" {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.receiver.Send(ctx, m)
}
