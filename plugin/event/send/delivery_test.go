package send

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// outbox is one that outlives its dispatchers.
type outbox struct {
	mu      sync.Mutex
	all     map[string]event.Pending
	changed chan struct{}
	updated chan struct{} // gets a value with each recorded attempt
	done    chan string   // gets the id of each message that is done
}

func newOutbox(messages ...task.Message) *outbox {
	o := &outbox{
		all: map[string]event.Pending{}, changed: make(chan struct{}),
		updated: make(chan struct{}, 1000), done: make(chan string, 1000),
	}
	for _, m := range messages {
		o.all[m.ID] = event.Pending{Message: m, Key: m.ID}
	}
	return o
}

func (o *outbox) Pending(_ context.Context, limit int) ([]event.Pending, <-chan struct{}, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []event.Pending
	for _, p := range o.all {
		if len(list) < limit {
			list = append(list, p)
		}
	}
	return list, o.changed, nil
}

func (o *outbox) Update(_ context.Context, p event.Pending) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[p.Key] = p
	o.notify()
	o.updated <- struct{}{}
	return nil
}

func (o *outbox) Done(_ context.Context, p event.Pending) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, p.Key)
	o.notify()
	o.done <- p.ID
	return nil
}

func (o *outbox) notify() {
	close(o.changed)
	o.changed = make(chan struct{})
}

type discard struct{}

func (discard) Report(event.Report) {}

func dispatcher(t *testing.T, o *outbox, s event.Sender) *event.Dispatcher {
	t.Helper()
	d := event.NewDispatcher(event.DispatcherConfig{
		Outbox: o, Sender: s, Reporter: discard{}, Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)),
		Limits: event.Limits{Backoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, MaxAge: 1 << 62},
	})
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, d) })
	return d
}

func stop(t *testing.T, d *event.Dispatcher) {
	t.Helper()
	if err := d.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestServerDownThenUp: nothing is lost, and there is exactly one copy.
func TestServerDownThenUp(t *testing.T) {
	t.Parallel()
	first := newMailServer(t, TLSNone, "", nil)
	first.stop()
	second := message(func(m *task.Message) { m.ID = "second" })
	o := newOutbox(message(nil), second)
	dispatcher(t, o, sender(t, first, nil))
	for range 6 {
		<-o.updated
	}
	up := newMailServer(t, TLSNone, first.addr, nil)
	<-o.done
	<-o.done
	got := up.mails()
	if len(got) != 2 {
		t.Fatalf("%d mails, want one of each of two messages", len(got))
	}
	a, b := parse(t, got[0].data).header.Get("Message-Id"), parse(t, got[1].data).header.Get("Message-Id")
	if a == b {
		t.Errorf("both have Message-ID %s", a)
	}
}

// TestTemporaryRefusal: 451 twice, then it is taken once.
func TestTemporaryRefusal(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, TLSNone, "", nil)
	n := 0
	s.rcpt = func(string) error {
		if n++; n <= 2 {
			return errTemporary
		}
		return nil
	}
	o := newOutbox(message(nil))
	dispatcher(t, o, sender(t, s, nil))
	<-o.done
	if got := s.mails(); len(got) != 1 || len(o.updated) != 2 {
		t.Errorf("%d mails, %d attempts in vain", len(got), len(o.updated))
	}
}

// TestRefusedForGood: 550 is not tried again, and the message stays to be seen.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, TLSNone, "", nil)
	s.rcpt = func(string) error { return errRefused }
	o := newOutbox(message(nil))
	d := dispatcher(t, o, sender(t, s, nil))
	<-o.updated
	stop(t, d)
	o.mu.Lock()
	defer o.mu.Unlock()
	if p := o.all[message(nil).ID]; !p.Dead || p.Attempts != 1 || len(s.mails()) != 0 {
		t.Errorf("%+v", p)
	}
}

// TestKilledBetweenAcceptanceAndRecord: the second copy has the same Message-ID.
func TestKilledBetweenAcceptanceAndRecord(t *testing.T) {
	t.Parallel()
	s := newMailServer(t, TLSNone, "", nil)
	accepted, release := make(chan struct{}, 2), make(chan struct{})
	s.after = func() { accepted <- struct{}{}; <-release }
	o := newOutbox(message(nil))
	first := dispatcher(t, o, sender(t, s, nil))
	<-accepted
	now, cancel := context.WithCancel(t.Context())
	cancel()
	if first.Stop(now) == nil { // before the server's answer
		t.Error("the attempt was not cut short")
	}
	close(release)
	dispatcher(t, o, sender(t, s, nil))
	<-o.done
	got := s.mails()
	if len(got) != 2 {
		t.Fatalf("%d mails", len(got))
	}
	a, b := parse(t, got[0].data).header.Get("Message-Id"), parse(t, got[1].data).header.Get("Message-Id")
	if a != b || a == "" {
		t.Errorf("Message-IDs %q and %q", a, b)
	}
}
