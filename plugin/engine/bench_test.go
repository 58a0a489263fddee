package engine_test

import (
	"container/heap"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// definition is a task as stores give it.
func definition(i int, when task.TriggerInfo) task.Info {
	return task.Info{
		Key: task.Key{Tenant: task.DefaultTenant, Type: task.DefaultType, Name: "task-" + strconv.Itoa(i)},
		UID: fmt.Sprintf("3f0c9d7e-5a64-4d2f-9b1f-%012d", i), Revision: 1, From: time.Now(),
		Service: "Stock", Operation: "count", Trigger: when, Delivery: task.AtLeastOnce,
	}
}

// BenchmarkIdleTask tells how much memory an idle task takes in its bucket
// beside the strings of its definition, and what it takes in the reference.
func BenchmarkIdleTask(b *testing.B) {
	const tasks, buckets = 100_000, 256
	var compiler trigger.Compiler
	definitions := make([]task.Info, tasks)
	for i := range definitions {
		definitions[i] = definition(i, task.TriggerInfo{Cron: "0 0/5 * * * ?", TZ: "Europe/London"})
	}
	for b.Loop() {
		states := make([]*bucket.State, buckets)
		before := inUse()
		for n := range states {
			l := bucket.Loaded{Page: bucket.Blob{Version: -1}, Runs: bucket.Blob{Version: -1}}
			for i := n; i < tasks; i += buckets {
				l.Definitions = append(l.Definitions, definitions[i])
			}
			var err error
			if states[n], err = bucket.Replay(l, bucket.Triggers(&compiler), bucket.Rules{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(inUse()-before)/tasks, "B/task")
		before = inUse()
		bare := make(bareHeap, tasks)
		for i := range bare {
			bare[i] = &bareTask{run: func(time.Time) {}}
		}
		b.ReportMetric(float64(inUse()-before)/tasks, "B/bare-task")
		runtime.KeepAlive(states)
		runtime.KeepAlive(bare)
	}
	runtime.KeepAlive(definitions)
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// stopwatch is an Invoker that does nothing but note how late it was called.
type stopwatch struct {
	calls atomic.Int64
	late  []time.Duration // the first so many
}

func (s *stopwatch) Invoke(_ context.Context, call task.Call) task.Result {
	s.note(time.Since(call.Scheduled))
	return task.Result{Outcome: task.OK}
}

func (s *stopwatch) note(late time.Duration) {
	if n := s.calls.Add(1); int(n) <= len(s.late) {
		s.late[n-1] = late
	}
}

// percentile of what was noted, in milliseconds.
func (s *stopwatch) percentile(p int) float64 {
	late := slices.Clone(s.late[:min(int(s.calls.Load()), len(s.late))])
	if len(late) == 0 {
		return 0
	}
	slices.Sort(late)
	return float64(late[(len(late)-1)*p/100]) / float64(time.Millisecond)
}

// Target implements engine.Targets: everything is deployed.
func (s *stopwatch) Target(task.Info) (task.Target, bool) { return task.Target{Hash: "1"}, true }

// rig is an engine on the embedded store, synced to disk.
type rig struct {
	engine *engine.Engine
	store  *store.Store
	watch  *stopwatch
	behind atomic.Int64 // how far the store's clock is behind, in nanoseconds
}

func newRig(b *testing.B, buckets int) *rig {
	b.Helper()
	r := &rig{watch: &stopwatch{late: make([]time.Duration, 1<<20)}}
	now := func() time.Time { return time.Now().Add(-time.Duration(r.behind.Load())) }
	kv, err := local.Open(b.Context(), local.Options{Path: filepath.Join(b.TempDir(), "bench.db"), Node: "bench", Now: now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := kv.Close(); err != nil {
			b.Error(err)
		}
	})
	r.store = store.New(kv, store.Options{})
	if _, err := r.store.Init(b.Context(), store.Settings{Buckets: buckets}); err != nil {
		b.Fatal(err)
	}
	var compiler trigger.Compiler
	owner := r.store.Owner(kv.ID(), kv)
	r.engine, err = engine.New(engine.Options{
		Log: owner, Watcher: owner, Invoker: r.watch, Targets: r.watch, Compile: bucket.Triggers(&compiler),
		Workers: 16_384, PreviousOwnerDead: true, Node: "bench", Rules: bucket.Rules{Misfire: time.Hour},
	})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func (r *rig) create(b *testing.B, tasks int, when func(i int) task.TriggerInfo) {
	b.Helper()
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			for i := n; i < tasks; i += 64 {
				if _, err := r.store.Create(b.Context(), definition(i, when(i))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (r *rig) start(b *testing.B, buckets int) {
	b.Helper()
	if err := r.engine.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	for n := range buckets {
		if err := r.engine.Acquire(b.Context(), n); err != nil {
			b.Fatal(err)
		}
	}
}

func (r *rig) stop(b *testing.B) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.engine.Stop(ctx); err != nil {
		b.Error(err)
	}
}

// BenchmarkFirings tells how many firings of tasks that do nothing are claimed
// and settled durably in a second, when there are always some due.
func BenchmarkFirings(b *testing.B) {
	const buckets, tasks, firings = 64, 512, 200_000
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, buckets)
		r.behind.Store(int64(10 * time.Minute))
		start := time.Now().Add(-9 * time.Minute)
		r.create(b, tasks, func(int) task.TriggerInfo {
			return task.TriggerInfo{Interval: task.Duration(100 * time.Millisecond), Count: firings/tasks - 1, Start: start}
		})
		r.behind.Store(0)
		b.StartTimer()
		begun := time.Now()
		r.start(b, buckets)
		for r.watch.calls.Load() < firings/tasks*tasks {
			time.Sleep(time.Millisecond)
		}
		r.stop(b)
		b.ReportMetric(float64(r.watch.calls.Load())/time.Since(begun).Seconds(), "firings/s")
		b.ReportMetric(bareThroughput(firings), "bare-firings/s")
	}
}

// BenchmarkLateness tells how late 10,000 tasks of every second start, spread
// over the second and all at once, against a heap and goroutines that keep
// nothing.
func BenchmarkLateness(b *testing.B) {
	for _, c := range []struct {
		name   string
		spread time.Duration
	}{{"spread", time.Second}, {"at once", time.Millisecond}} {
		b.Run(c.name, func(b *testing.B) {
			const buckets, tasks, length = 64, 10_000, 5 * time.Second
			for b.Loop() {
				r := newRig(b, buckets)
				start := time.Now().Add(20 * time.Second).Truncate(time.Second)
				when := func(i int) time.Time {
					return start.Add(c.spread * time.Duration(i) / tasks).Truncate(time.Millisecond)
				}
				r.create(b, tasks, func(i int) task.TriggerInfo {
					return task.TriggerInfo{Interval: task.Duration(time.Second), Count: -1, Start: when(i)}
				})
				r.start(b, buckets)
				if time.Now().After(start) {
					b.Fatal("it took too long to create the tasks")
				}
				time.Sleep(time.Until(start.Add(length)))
				r.stop(b)
				b.ReportMetric(float64(r.watch.calls.Load())/length.Seconds(), "firings/s")
				b.ReportMetric(r.watch.percentile(50), "p50-ms")
				b.ReportMetric(r.watch.percentile(99), "p99-ms")
				bare := bareLateness(tasks, c.spread, length)
				b.ReportMetric(bare.percentile(50), "bare-p50-ms")
				b.ReportMetric(bare.percentile(99), "bare-p99-ms")
			}
		})
	}
}

// The reference: a heap and a goroutine for each firing, in memory.

type bareTask struct {
	next time.Time
	run  func(scheduled time.Time)
}

type bareHeap []*bareTask

func (h *bareHeap) Len() int           { return len(*h) }
func (h *bareHeap) Less(i, j int) bool { return (*h)[i].next.Before((*h)[j].next) }
func (h *bareHeap) Swap(i, j int)      { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }
func (h *bareHeap) Push(x any)         { *h = append(*h, x.(*bareTask)) }
func (h *bareHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// fire runs the heap's tasks, each at its interval, until stop.
func (h *bareHeap) fire(interval time.Duration, stop func(next time.Time) bool) {
	var running sync.WaitGroup
	defer running.Wait()
	for heap.Init(h); !stop((*h)[0].next); heap.Fix(h, 0) {
		t := (*h)[0]
		if wait := time.Until(t.next); wait > 0 {
			time.Sleep(wait)
		}
		scheduled := t.next
		running.Go(func() { t.run(scheduled) })
		t.next = t.next.Add(interval)
	}
}

func bareThroughput(firings int) float64 {
	var calls atomic.Int64
	h := make(bareHeap, 512)
	for i := range h {
		h[i] = &bareTask{next: time.Now().Add(-time.Hour), run: func(time.Time) { calls.Add(1) }}
	}
	begun, n := time.Now(), 0
	h.fire(time.Millisecond, func(time.Time) bool { n++; return n > firings })
	return float64(calls.Load()) / time.Since(begun).Seconds()
}

func bareLateness(tasks int, spread, length time.Duration) *stopwatch {
	s := &stopwatch{late: make([]time.Duration, 1<<20)}
	start := time.Now().Add(time.Second).Truncate(time.Second)
	h := make(bareHeap, tasks)
	for i := range h {
		h[i] = &bareTask{
			next: start.Add(spread * time.Duration(i) / time.Duration(tasks)),
			run:  func(scheduled time.Time) { s.note(time.Since(scheduled)) },
		}
	}
	h.fire(time.Second, func(next time.Time) bool { return next.After(start.Add(length)) })
	return s
}
