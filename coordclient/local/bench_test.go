package local_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/local"
)

func openBench(b *testing.B) *local.Local {
	b.Helper()
	l, err := local.Open(b.Context(), local.Options{Path: filepath.Join(b.TempDir(), "store.db"), Node: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := l.Close(); err != nil {
			b.Error(err)
		}
	})
	return l
}

// BenchmarkCommit: commits as a bucket's owner makes them, each answered when
// it is on disk.
func BenchmarkCommit(b *testing.B) {
	for _, entries := range []int{1, 20} {
		for _, committers := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("entries=%d/committers=%d", entries, committers), func(b *testing.B) {
				l := openBench(b)
				value := make([]byte, 200)
				var next atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range committers {
					fence := fmt.Sprintf("/buckets/%d", c)
					if err := l.Commit(b.Context(), coordclient.Create(fence, nil)); err != nil {
						b.Fatal(err)
					}
					wg.Go(func() { // ends when b.N commits were begun
						for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
							ops := []coordclient.Op{coordclient.CheckMember(l.ID()), coordclient.Check(fence, 0)}
							for i := range entries {
								ops = append(ops, coordclient.Create(fmt.Sprintf("%s/log/%d-%d", fence, n, i), value))
							}
							if err := l.Commit(b.Context(), ops...); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				seconds := b.Elapsed().Seconds()
				b.ReportMetric(float64(b.N)/seconds, "commits/s")
				b.ReportMetric(float64(b.N*entries)/seconds, "entries/s")
			})
		}
	}
}

// BenchmarkRead: every entry of a store of 100,000, one after another, as a
// host does when it starts; and what they cost in memory.
func BenchmarkRead(b *testing.B) {
	const n = 100_000
	path := filepath.Join(b.TempDir(), "store.db")
	fill(b, path, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	l, err := local.Open(b.Context(), local.Options{Path: path, Node: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	b.ResetTimer()
	for range b.N {
		readAll(b, l, n)
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "heap-B/entry")
}

func fill(b *testing.B, path string, n int) {
	b.Helper()
	l, err := local.Open(b.Context(), local.Options{Path: path, Node: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 400)
	for i := 0; i < n; i += 1000 {
		ops := make([]coordclient.Op, 1000)
		for j := range ops {
			ops[j] = coordclient.Create(fmt.Sprintf("/tasks/%d/default,DATA_SERVICE_TASK,task-%06d", (i+j)%256, i+j), value)
		}
		if err := l.Commit(b.Context(), ops...); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}

func readAll(b *testing.B, l *local.Local, n int) {
	b.Helper()
	buckets, err := l.List(b.Context(), "/tasks")
	if err != nil {
		b.Fatal(err)
	}
	read := 0
	for _, bucket := range buckets {
		names, err := l.List(b.Context(), "/tasks/"+bucket)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range names {
			if _, _, err := l.Get(b.Context(), "/tasks/"+bucket+"/"+name); err != nil {
				b.Fatal(err)
			}
			read++
		}
	}
	if read != n {
		b.Fatalf("read %d entries, want %d", read, n)
	}
}
