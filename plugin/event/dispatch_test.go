package event

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func newDispatcher(m *memory, r Sender, rep Reporter, l Limits) *Dispatcher {
	return NewDispatcher(DispatcherConfig{Outbox: m, Sender: r, Reporter: rep, Now: time.Now, Rand: newRand(), Limits: l})
}

func raised(id string) task.Message {
	return task.Message{ID: id, To: "mailto:a@b", Raised: time.Now(), Subject: "s " + id}
}

func startDispatcher(t *testing.T, d *Dispatcher) {
	t.Helper()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestDeliversAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, r := newMemory(), &receiver{}
		startDispatcher(t, newDispatcher(m, r, &reports{}, Limits{}))
		time.Sleep(10 * time.Second)
		m.put(raised("a"))
		synctest.Wait()
		if got := r.received(); len(got) != 1 || len(m.messages()) != 0 {
			t.Errorf("received %d, %d are left", len(got), len(m.messages()))
		}
	})
}

// TestManyMessages: more than a page and than there is room for, each once.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, most := newMemory(), 0
		var mu sync.Mutex
		now := 0
		slow := &slowSender{before: func() { mu.Lock(); now++; most = max(most, now); mu.Unlock() }, after: func() { mu.Lock(); now--; mu.Unlock() }}
		const n = 1000
		for i := range n {
			m.put(raised(fmt.Sprint(i)))
		}
		startDispatcher(t, newDispatcher(m, slow, &reports{}, Limits{Concurrency: 4, PerTarget: 3}))
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(slow.got) != n || len(m.messages()) != 0 {
			t.Errorf("%d different messages, %d are left", len(slow.got), len(m.messages()))
		}
		for id, k := range slow.got {
			if k != 1 {
				t.Errorf("%s was sent %d times", id, k)
			}
		}
		if most != 3 {
			t.Errorf("%d at once, want 3 to one target", most)
		}
	})
}

type slowSender struct {
	receiver
	before, after func()
	mu            sync.Mutex
	got           map[string]int
}

func (s *slowSender) Send(ctx context.Context, m task.Message) error {
	s.before()
	defer s.after()
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.got == nil {
		s.got = map[string]int{}
	}
	s.got[m.ID]++
	return nil
}

// TestUnrecordedAcceptance: what the receiver accepted is not sent again while
// this process lives, however long the outbox does not take the record.
func TestUnrecordedAcceptance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, r, down := newMemory(), &receiver{}, true
		m.fail = func(op string, _ bool) error {
			if op == "done" && down {
				return ErrUnavailable
			}
			return nil
		}
		startDispatcher(t, newDispatcher(m, r, &reports{}, Limits{}))
		m.put(raised("a"))
		time.Sleep(5 * time.Minute)
		m.mu.Lock()
		down = false
		m.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if r.tries != 1 || len(m.messages()) != 0 {
			t.Errorf("sent %d times, %d are left", r.tries, len(m.messages()))
		}
	})
}

// TestUnrecordedFailure: an outbox that does not take the record of an attempt
// does not make the dispatcher hammer the receiver.
func TestUnrecordedFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.fail = func(op string, _ bool) error {
			if op == "update" {
				return ErrConflict
			}
			return nil
		}
		r := &receiver{answer: func(task.Message, int) error { return errDown }}
		startDispatcher(t, newDispatcher(m, r, &reports{}, Limits{Backoff: 10 * time.Second}))
		m.put(raised("a"))
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.tries < 2 || r.tries > 15 {
			t.Errorf("%d attempts in a minute", r.tries)
		}
	})
}

// errLostMessage and errExtraCopy quote the promise of the outbox.
const (
	errLostMessage = "a message was lost"
	errExtraCopy   = "a message has more copies than kills between acceptance and record explain"
)

// TestKilledDispatchers: dispatchers that are killed at any moment, over a store
// and a receiver that fail, deliver every message; an extra copy only where a
// kill came between the receiver's acceptance and the record.
func TestKilledDispatchers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			m, cuts := newMemory(), map[string]int{}
			rng := newRand()
			for range seed * 7 {
				rng.Uint32()
			}
			var mu sync.Mutex
			alive := true
			m.fail = func(op string, after bool) error {
				mu.Lock()
				defer mu.Unlock()
				if !alive { // a dead process writes nothing
					return ErrUnavailable
				}
				if after && rng.IntN(10) == 0 {
					return ErrUnknownOutcome
				}
				return nil
			}
			r := &receiver{answer: func(task.Message, int) error {
				if rng.IntN(3) == 0 {
					return errDown
				}
				return nil
			}}
			const n = 30
			for i := range n {
				m.put(raised(fmt.Sprint(i)))
			}
			for range 10 {
				k := &killer{receiver: r, kill: func(m task.Message) bool {
					mu.Lock()
					defer mu.Unlock()
					if alive && rng.IntN(12) == 0 {
						alive = false // after the acceptance, before the record
						cuts[m.ID]++
					}
					return alive
				}}
				// One at a time, so that a kill cuts one message.
				d := newDispatcher(m, k, &reports{}, Limits{Concurrency: 1, Backoff: time.Second, MaxBackoff: 4 * time.Second})
				if err := d.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				killed, kill := context.WithCancel(t.Context())
				kill()
				_ = d.Stop(killed) // a kill has no error to look at
				mu.Lock()
				alive = true
				mu.Unlock()
			}
			last := newDispatcher(m, r, &reports{}, Limits{Backoff: time.Second, MaxBackoff: 4 * time.Second})
			startDispatcher(t, last)
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			copies := map[string]int{}
			for _, msg := range r.received() {
				copies[msg.ID]++
			}
			for i := range n {
				id := fmt.Sprint(i)
				if copies[id] == 0 {
					t.Errorf("seed %d: %s: %s", seed, errLostMessage, id)
				}
				if extra := copies[id] - 1; extra > cuts[id] {
					t.Errorf("seed %d: %s: %s, %d extra, %d kills", seed, errExtraCopy, id, extra, cuts[id])
				}
			}
			if left := m.messages(); len(left) != 0 {
				t.Errorf("seed %d: %d messages are left", seed, len(left))
			}
		})
	}
}

type killer struct {
	*receiver
	kill func(task.Message) bool
}

func (k *killer) Send(ctx context.Context, m task.Message) error {
	if err := k.receiver.Send(ctx, m); err != nil {
		return err
	}
	if !k.kill(m) {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func TestSendErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	var se *SendError
	if err := Permanent("x: %w", cause); !errors.As(err, &se) || !se.Permanent || !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if err := Temporary(time.Second, "x: %w", cause); !errors.As(err, &se) || se.Permanent || se.After != time.Second {
		t.Errorf("%v", err)
	}
}

// TestReadingRests: an outbox that takes long to read, being full, is not read
// for most of the time, however often something changes in it.
func TestReadingRests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		slow := &slowReading{memory: m}
		startDispatcher(t, NewDispatcher(DispatcherConfig{Outbox: slow, Sender: &receiver{}, Reporter: &reports{}, Now: time.Now, Rand: newRand()}))
		const n = 600
		for i := range n {
			m.put(raised(fmt.Sprint(i)))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if left := len(m.messages()); left > 0 {
			t.Errorf("%d are left", left)
		}
		if got := slow.read.Load(); got < 10 || got > 25 { // a second for each reading, four to rest
			t.Errorf("it was read %d times in two minutes", got)
		}
	})
}

// slowReading takes a second to read.
type slowReading struct {
	*memory
	read atomic.Int32
}

func (s *slowReading) Pending(ctx context.Context, limit int) ([]Pending, <-chan struct{}, error) {
	s.read.Add(1)
	time.Sleep(time.Second)
	return s.memory.Pending(ctx, limit)
}
