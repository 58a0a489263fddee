package control

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/plugin/store"
)

// BenchmarkTasks lists 10,000 tasks as the companion does: from the embedded
// store, over the socket.
func BenchmarkTasks(b *testing.B) {
	const tasks = 10_000
	dir := b.TempDir()
	l, err := local.Open(b.Context(), local.Options{Path: filepath.Join(dir, "state.db"), Node: "n1"})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	s := store.New(l, store.Options{})
	if _, err := s.Init(b.Context(), store.Settings{}); err != nil {
		b.Fatal(err)
	}
	fill(b, s, tasks)
	listener, err := socket.Listen(filepath.Join(dir, "s"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = socket.Serve(ctx, listener, l, socket.ServeOptions{}) }) // ends with ctx
	defer serving.Wait()
	defer cancel()
	client, err := socket.Dial(b.Context(), filepath.Join(dir, "s"), socket.DialOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	c := New(Deps{KV: client, Members: client, Caller: client})
	for b.Loop() {
		list, err := c.Tasks(b.Context(), TaskFilter{})
		if err != nil || len(list) != tasks {
			b.Fatalf("%d tasks, %v", len(list), err)
		}
	}
	b.ReportMetric(tasks, "tasks/op")
}

// fill creates tasks, many at once so that they share syncs.
func fill(b *testing.B, s *store.Store, tasks int) {
	b.Helper()
	const together = 64
	var all sync.WaitGroup
	for i := range together {
		all.Go(func() {
			for n := i; n < tasks; n += together {
				if _, err := s.Create(b.Context(), minutely(fmt.Sprintf("task-%05d", n))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
