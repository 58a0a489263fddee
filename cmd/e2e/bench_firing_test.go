//go:build e2e && bench

package e2e

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Firings of tasks that do nothing, claimed and settled by three hosts, when there
// are always some due; and how many bare multis of the same size, each with one
// log entry, the same servers do for a client that does nothing else.
func TestBenchClusterFirings(t *testing.T) {
	const tasks, lasts = 4096, 15 * time.Second
	for _, workers := range []int{256, 1024, 16_384} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			machine(t)
			r := newRig(t, "512m", workers, nil)
			r.create(t, 0, tasks, func(int) task.TriggerInfo {
				return task.TriggerInfo{Interval: task.Duration(20 * time.Millisecond), Count: -1}
			})
			during(t, 5*time.Second)
			begun, before, spent := time.Now(), r.hs.sum(), processor(t, r.servers()...)
			during(t, lasts)
			d, took := r.hs.sum().minus(before), time.Since(begun).Seconds()
			servers := processor(t, r.servers()...) - spent
			firings, batches := d[firstClaims]/took, d["belfry_batches_total"]/took
			size := r.entrySize(t)
			r.hs.stop()
			bare, cost := r.bare(t, size, lasts)
			t.Logf("%.0f firings/s, %.0f settled/s, in %.0f batches/s of %.0f claims and %d B, %.0f ms each; bare multis of that size: %.0f/s, ratio %.2f",
				firings, d[`belfry_runs_total{outcome="ok"}`]/took, batches, firings/batches, size,
				d["belfry_commit_seconds_sum"]/d["belfry_commit_seconds_count"]*1000, bare, batches/bare)
			hosts := d["process_cpu_seconds_total"]
			t.Logf("processor time: %.1f µs a firing in hosts, %.1f in servers: %.0f firings/s would fill two; a batch %.2f ms, a bare multi %.2f ms: ratio %.2f",
				hosts/d[firstClaims]*1e6, servers/d[firstClaims]*1e6, 2*d[firstClaims]/(hosts+servers),
				(hosts+servers)/d["belfry_batches_total"]*1000, cost*1000, cost/((hosts+servers)/d["belfry_batches_total"]))
			machine(t)
		})
	}
}

// entrySize is the mean size of the log entries that are there.
func (r *rig) entrySize(t *testing.T) int {
	t.Helper()
	size, n := 0, 0
	for b := range 256 {
		snap, err := r.store.Snapshot(t.Context(), b)
		if err != nil {
			continue // it is folded faster than it is read: the others will do
		}
		for _, e := range snap.Loaded.Log {
			size, n = size+len(e.Data), n+1
		}
	}
	return size / max(n, 1)
}

// bare does multis as the owners of 256 buckets do, three connections for all of
// them, and gives how many a second, and the processor time of one: a check of two
// nodes and an entry, and once in 200 the removal of all of them.
func (r *rig) bare(t *testing.T, size int, lasts time.Duration) (perSecond, cost float64) {
	t.Helper()
	const buckets, connections, fold = 256, 3, 200
	acl := library.WorldACL(library.PermAll)
	var conns []*library.Conn
	for range connections {
		conn, _, err := library.Connect(r.zk.Addresses(), 30*time.Second, library.WithLogger(mute{}))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	root := fmt.Sprintf("/bare-%d", time.Now().UnixNano())
	create := func(path string) {
		if _, err := conns[0].Create(path, nil, 0, acl); err != nil {
			t.Fatal(err)
		}
	}
	create(root)
	for b := range buckets {
		create(fmt.Sprintf("%s/%d", root, b))
	}
	var made atomic.Int64
	value := []byte(strings.Repeat("x", size))
	all := append(r.servers(), os.Getpid())
	begun, spent := time.Now(), processor(t, all...)
	var running sync.WaitGroup
	for b := range buckets {
		running.Go(func() { // ends with lasts
			conn, path := conns[b%connections], fmt.Sprintf("%s/%d", root, b)
			for n := 0; time.Since(begun) < lasts; n++ {
				ops := []any{
					&library.CheckVersionRequest{Path: root, Version: -1}, &library.CheckVersionRequest{Path: path},
					&library.CreateRequest{Path: fmt.Sprintf("%s/%d", path, n), Data: value, Acl: acl},
				}
				if n%(fold+1) == fold {
					ops = ops[:2]
					for i := n - fold; i < n; i++ {
						ops = append(ops, &library.DeleteRequest{Path: fmt.Sprintf("%s/%d", path, i), Version: -1})
					}
				}
				if _, err := conn.Multi(ops...); err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
			}
		})
	}
	running.Wait()
	n := float64(made.Load())
	return n / time.Since(begun).Seconds(), (processor(t, all...) - spent) / n
}

// mute drops what the library logs.
type mute struct{}

func (mute) Printf(string, ...any) {}

// How late tasks of every second start, when so many of them are spread over it.
func TestBenchClusterLateness(t *testing.T) {
	for _, tasks := range []int{1000, 5000} {
		t.Run(fmt.Sprint(tasks), func(t *testing.T) {
			machine(t)
			r := newRig(t, "512m", 16_384, nil)
			start := time.Now().Add(time.Duration(tasks/500+10) * time.Second).Truncate(time.Second)
			r.create(t, 0, tasks, func(i int) task.TriggerInfo {
				return task.TriggerInfo{
					Interval: task.Duration(time.Second), Count: -1,
					Start: start.Add(time.Duration(i) * time.Second / time.Duration(tasks)).Truncate(time.Millisecond),
				}
			})
			if time.Now().After(start) {
				t.Fatal("it took too long to create the tasks")
			}
			during(t, time.Until(start)+3*time.Second)
			for range 3 {
				begun, before := time.Now(), r.hs.sum()
				during(t, 20*time.Second)
				d, took := r.hs.sum().minus(before), time.Since(begun).Seconds()
				t.Logf("%.0f firings/s: half at most %.0f ms late, 99 %% at most %.0f ms, mean %.1f ms; %.0f commits/s of %.1f ms", d[firstClaims]/took,
					d.lateness(0.5)*1000, d.lateness(0.99)*1000, d["belfry_lateness_seconds_sum"]/d["belfry_lateness_seconds_count"]*1000,
					d["belfry_commit_seconds_count"]/took, d["belfry_commit_seconds_sum"]/d["belfry_commit_seconds_count"]*1000)
				machine(t)
			}
		})
	}
}
