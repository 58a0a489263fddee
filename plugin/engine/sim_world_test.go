package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// world is one simulated history: a store that outlives processes, a target
// that counts effects, and the processes that come and go.
type world struct {
	t        *testing.T
	seed     uint64
	cluster  *coordtest.Cluster
	admin    *store.Store
	compiler trigger.Compiler
	rules    bucket.Rules
	buckets  int
	moves    bool // tasks change their locations
	alone    bool // one process at a time, known to be gone before the next
	noFence  bool // planted: the bucket's version is not checked
	// planted: the version of the calendars is not checked
	noCalendars bool
	ghosts      bool // planted: folded log entries are not deleted
	deaf        bool // planted: replies are acknowledged, and not stored
	life        context.Context
	agents      sync.WaitGroup // that will reply
	plant       engine.Planted
	log         func(*store.Owner) engine.Log // planted: another log; nil: the store's

	mu      sync.Mutex // guards what follows
	rand    *rand.Rand
	calm    bool // no more faults
	history []firecheck.Event
	faults  []error // that show without a judge
	inbox   map[task.FireID]bool
	hash    string
	present bool // the target is deployed
	procs   int
	ids     int
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), inbox: make(map[task.FireID]bool),
		hash: "h0", present: true, cluster: coordtest.NewCluster(nil),
	}
	w.buckets = 1 + w.rand.IntN(2)
	w.alone = w.rand.IntN(3) > 0
	w.moves = seed%2 == 0
	w.rules = bucket.Rules{Misfire: time.Minute, CatchUp: 100}
	if w.rand.IntN(2) == 0 {
		w.rules = bucket.Rules{Misfire: 5 * time.Second, CatchUp: 4, Queue: 6, Window: 40 * time.Second}
	}
	return w
}

func (w *world) open(ctx context.Context) {
	w.life = ctx
	w.admin = store.New(&wire{w: w, KV: w.cluster.Dial()}, store.Options{NewID: w.newID, Now: time.Now})
	if _, err := w.admin.Init(ctx, store.Settings{Buckets: w.buckets}); err != nil {
		w.t.Fatal(err)
	}
	if w.moves {
		w.spread(ctx)
	}
}

func (w *world) newID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return "id" + strconv.Itoa(w.ids)
}

// chance is true so many times in a thousand, while there are faults.
func (w *world) chance(perMille int) bool {
	return !w.calm && w.rand.IntN(1000) < perMille
}

// some is a random time up to limit.
func (w *world) some(limit time.Duration) time.Duration {
	return time.Duration(w.rand.Int64N(int64(limit)))
}

func (w *world) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

// complain notes what must not happen. It needs w.mu.
func (w *world) complain(err error) { w.faults = append(w.faults, err) }

func (w *world) write(e firecheck.Event) {
	e.At = time.Now()
	w.history = append(w.history, e)
}

// record writes down what a commit that was applied means.
func (w *world) record(proc int, ops []coordclient.Op) {
	events, err := firecheck.Commit(time.Now(), proc, ops)
	if err != nil {
		w.complain(err)
	}
	w.history = append(w.history, events...)
	for _, op := range ops {
		if part := strings.Split(strings.TrimPrefix(op.Key, "/"), "/"); part[0] == "calendars" && len(part) == 2 {
			w.recordCalendar(proc, op, part[1])
		}
	}
}

// wire is a session's store with faults before and after each commit. Of the
// administrator it has none.
type wire struct {
	coordclient.KV
	w *world
	p *process
}

// Commit commits, or crashes before or after it, or loses question or answer.
func (k *wire) Commit(ctx context.Context, ops ...coordclient.Op) error {
	w := k.w
	w.mu.Lock()
	if k.p == nil {
		defer w.mu.Unlock()
		return k.apply(ctx, ops)
	}
	delay, late := time.Duration(0), time.Duration(0)
	if w.chance(300) {
		delay = w.some(50 * time.Millisecond)
	}
	if w.chance(8) {
		delay = w.some(3 * time.Second) // longer than W
	}
	if w.chance(8) {
		late = w.some(2*time.Second) + 1
	}
	w.mu.Unlock()
	if delay > 0 {
		time.Sleep(delay)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case k.p.dead, k.p.crash("before a commit"):
		return fmt.Errorf("dead: %w", coordclient.ErrUnavailable)
	case w.chance(10):
		return fmt.Errorf("not sent: %w", coordclient.ErrUnavailable)
	case w.chance(10):
		return fmt.Errorf("question lost: %w", coordclient.ErrUnknownOutcome)
	case late > 0:
		go func() { // ends after late
			time.Sleep(late)
			w.mu.Lock()
			defer w.mu.Unlock()
			_ = k.apply(context.WithoutCancel(ctx), ops)
		}()
		return fmt.Errorf("question delayed: %w", coordclient.ErrUnknownOutcome)
	}
	err := k.apply(ctx, ops)
	if k.p.crash("after a commit") || w.chance(15) {
		return fmt.Errorf("answer lost: %w", coordclient.ErrUnknownOutcome)
	}
	return err
}

func (k *wire) apply(ctx context.Context, ops []coordclient.Op) error {
	var changed []coordclient.Op
	for _, op := range ops {
		switch {
		case k.w.noFence && op.Kind == coordclient.OpCheck && strings.HasPrefix(op.Key, "/buckets/"):
			op = coordclient.Check("/cluster", 0)
		case k.w.noCalendars && op.Kind == coordclient.OpCheck && op.Key == "/calendars":
			op = coordclient.Check("/cluster", 0)
		case k.w.ghosts && op.Kind == coordclient.OpDelete && strings.Contains(op.Key, "/log/"):
			op = coordclient.Check("/cluster", 0)
		case k.w.deaf && op.Kind == coordclient.OpCreate && strings.Contains(op.Key, "/reply%3A"):
			op = coordclient.Check("/cluster", 0)
		}
		changed = append(changed, op)
	}
	proc := 0
	if k.p != nil {
		proc = k.p.n
	}
	err := k.KV.Commit(ctx, changed...)
	if err == nil {
		k.w.record(proc, ops)
	}
	return err
}
