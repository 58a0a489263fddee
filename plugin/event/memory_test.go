package event

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// memory is the store, durable as long as the test lives. fail, if set, is asked
// before (after=false) and after each commit whether it goes wrong.
type memory struct {
	mu      sync.Mutex
	states  map[Ref]stored
	outbox  map[string]Pending
	ever    map[string]int // how often each message was put there
	changed chan struct{}
	fail    func(op string, after bool) error
	sizes   int // the largest commit
}

type stored struct {
	data    []byte
	version int64
}

func newMemory() *memory {
	return &memory{states: map[Ref]stored{}, outbox: map[string]Pending{}, ever: map[string]int{}, changed: make(chan struct{})}
}

func (m *memory) fault(op string, after bool) error {
	if m.fail == nil {
		return nil
	}
	return m.fail(op, after)
}

func (m *memory) Get(_ context.Context, ref Ref) ([]byte, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("get", false); err != nil {
		return nil, 0, err
	}
	c, ok := m.states[ref]
	if !ok {
		return nil, -1, nil
	}
	return slices.Clone(c.data), c.version, nil
}

func (m *memory) Accept(_ context.Context, ref Ref, version int64, data []byte, messages []task.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("accept", false); err != nil {
		return err
	}
	c, ok := m.states[ref]
	if !ok {
		c.version = -1
	}
	if c.version != version {
		return ErrConflict
	}
	encoded, err := json.Marshal(messages)
	if err != nil {
		return err
	}
	m.sizes = max(m.sizes, len(encoded)+len(data))
	m.states[ref] = stored{slices.Clone(data), version + 1}
	for _, msg := range messages {
		if _, have := m.outbox[msg.ID]; !have {
			m.outbox[msg.ID] = Pending{Message: msg, Key: msg.ID}
			m.ever[msg.ID]++
		}
	}
	m.notify()
	return m.fault("accept", true)
}

func (m *memory) notify() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) put(msgs ...task.Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, msg := range msgs {
		m.outbox[msg.ID] = Pending{Message: msg, Key: msg.ID}
	}
	m.notify()
}

func (m *memory) Pending(_ context.Context, limit int) ([]Pending, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("pending", false); err != nil {
		return nil, nil, err
	}
	var all []Pending
	for _, p := range m.outbox {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Pending) int {
		if a.Dead != b.Dead {
			if a.Dead {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Next.Compare(b.Next), cmp.Compare(a.ID, b.ID))
	})
	return all[:min(limit, len(all))], m.changed, nil
}

func (m *memory) Update(_ context.Context, p Pending) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("update", false); err != nil {
		return err
	}
	if have, ok := m.outbox[p.Key]; !ok || have.Version != p.Version {
		return ErrConflict
	}
	p.Version++
	m.outbox[p.Key] = p
	m.notify()
	return m.fault("update", true)
}

func (m *memory) Done(_ context.Context, p Pending) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fault("done", false); err != nil {
		return err
	}
	delete(m.outbox, p.Key)
	m.notify()
	return m.fault("done", true)
}

func (m *memory) messages() []task.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []task.Message
	for _, p := range m.outbox {
		all = append(all, p.Message)
	}
	slices.SortFunc(all, func(a, b task.Message) int {
		return cmp.Or(a.Raised.Compare(b.Raised), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (m *memory) pending(id string) (Pending, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.outbox[id]
	return p, ok
}

// reports collects what is reported.
type reports struct {
	mu  sync.Mutex
	all []Report
}

func (r *reports) Report(e Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

func (r *reports) codes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.all {
		all = append(all, e.Code)
	}
	return all
}

// receiver accepts what answer allows, and counts.
type receiver struct {
	mu     sync.Mutex
	got    []task.Message
	tries  int
	answer func(m task.Message, try int) error
	at     []time.Time
}

func (r *receiver) Check(to string) error {
	if !slices.ContainsFunc([]string{"mailto:", "http:", "https:"}, func(s string) bool { return len(to) > len(s) && to[:len(s)] == s }) {
		return fmt.Errorf("scheme of %q is not supported", to)
	}
	return nil
}

func (r *receiver) Send(_ context.Context, m task.Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	r.at = append(r.at, time.Now())
	if r.answer != nil {
		if err := r.answer(m, r.tries); err != nil {
			return err
		}
	}
	r.got = append(r.got, m)
	return nil
}

func (r *receiver) received() []task.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

var errDown = errors.New("connection refused")

// start is the time of a test's first event.
var start = time.Date(2026, 11, 23, 5, 30, 0, 0, time.UTC)

func newTriggers(t *testing.T, m *memory) *Triggers {
	t.Helper()
	return New(Config{States: m, Sender: &receiver{}, Reporter: &reports{}, Now: time.Now})
}

func deploy(t *testing.T, tr *Triggers, service string, specs ...TriggerSpec) {
	t.Helper()
	if err := tr.Deploy(service, specs); err != nil {
		t.Fatal(err)
	}
}
