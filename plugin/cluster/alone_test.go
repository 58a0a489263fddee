package cluster_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// A host that is alone is a group of one, on the embedded store: the same code,
// and no waiting worth speaking of.
func TestAloneOnTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	for _, start := range []string{"first", "second"} {
		began := time.Now()
		took := aloneUntilSettled(t, path, 256)
		t.Logf("the %s start owned 256 buckets after %s, and had stopped after %s", start, took, time.Since(began))
		// A generous bound, since tests share the machine: what is measured is logged.
		if took > 10*time.Second {
			t.Errorf("the %s start took %s", start, took)
		}
	}
}

func aloneUntilSettled(tb testing.TB, path string, buckets int) time.Duration {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := local.Open(ctx, local.Options{Path: path, Node: "alone"})
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	s := store.New(l, store.Options{})
	if _, err := s.Init(ctx, store.Settings{Buckets: buckets}); err != nil {
		tb.Fatal(err)
	}
	owner := s.Owner(l.ID(), l)
	var compile trigger.Compiler
	var c *cluster.Cluster
	e, err := engine.New(engine.Options{
		Log: owner, Watcher: owner, Invoker: nobody{}, Targets: nobody{}, Compile: bucket.Triggers(&compile),
		Left: func(b int, err error) { c.Left(b, err) },
	})
	if err != nil {
		tb.Fatal(err)
	}
	if c, err = cluster.New(cluster.Deps{Port: l, Store: owner, Owner: e}); err != nil {
		tb.Fatal(err)
	}
	if err := e.Start(ctx); err != nil {
		tb.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		tb.Fatal(err)
	}
	if err := c.Wait(ctx); err != nil {
		tb.Fatal(err)
	}
	took := time.Since(began)
	if n := len(e.Owned()); n != buckets {
		tb.Fatalf("%d buckets are owned", n)
	}
	if err := c.Stop(ctx); err != nil {
		tb.Error(err)
	}
	if err := e.Stop(ctx); err != nil {
		tb.Error(err)
	}
	return took
}

// nobody is a target that is never called.
type nobody struct{}

func (nobody) Target(task.Info) (task.Target, bool) { return task.Target{}, true }

func (nobody) Invoke(context.Context, task.Call) task.Result { return task.Result{Outcome: task.OK} }

func BenchmarkAlone(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		took := aloneUntilSettled(b, filepath.Join(b.TempDir(), fmt.Sprint(i)), 256)
		b.ReportMetric(float64(took.Milliseconds()), "ms-owned")
	}
}
