//go:build !race

package cli

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// What a command may hold, beside what it was told of at once: so much, and so much
// a task that it lists. docs/benchmarks.md has what this comes to in a process.
const (
	held        = 24 << 20
	heldPerTask = 256
)

// However many tasks there are, a command holds a few buckets of them, and what a
// list needs to come in order. This test is not parallel: the heap is its own. It is
// left out with the race detector, which is not what is measured, and slow.
func TestMemory(t *testing.T) { //nolint:paralleltest // as said
	const tasks = 20_000
	cluster := coordtest.NewCluster(nil)
	multitude(t, cluster, tasks)
	path := filepath.Join(t.TempDir(), "s")
	listener, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- socket.Serve(ctx, listener, cluster.Dial(), socket.ServeOptions{}) }() // ends with ctx
	defer func() { cancel(); <-served }()
	defer debug.SetGCPercent(debug.SetGCPercent(30)) // the heap is what is held, and a third more
	for _, c := range []struct {
		line  string
		lists bool
		lines int
	}{
		{"status", false, 25},
		{"task list", true, tasks},
		{"task list -o jsonl", true, tasks},
		{"task list --state failed -o name", false, 0},
		{"export -o jsonl", true, tasks},
	} {
		var out counter
		var errs bytes.Buffer
		e := &env.Env{In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Version: "test", Getenv: func(string) string { return "" }}
		root := New(e)
		root.SetArgs(append([]string{"--connect", "unix://" + path}, strings.Fields(c.line)...))
		var failure error
		used := peak(func() { failure = root.ExecuteContext(t.Context()) })
		limit := int64(held)
		if c.lists {
			limit += tasks * heldPerTask
		}
		t.Logf("%-36s %3d MiB of %d, %d lines", c.line, used>>20, limit>>20, out.lines)
		if failure != nil || out.lines < c.lines {
			t.Errorf("belfry %s: %v, %d lines, want %d\n%s", c.line, failure, out.lines, c.lines, errs.String())
		}
		if used > limit {
			t.Errorf("belfry %s held %d MiB; it may hold %d with %d tasks", c.line, used>>20, limit>>20, tasks)
		}
	}
	administrator := cluster.Dial()
	c := control.New(control.Deps{KV: administrator, Members: administrator, Caller: administrator})
	var page []contract.TaskView
	used := peak(func() { page, _, err = c.TaskPage(t.Context(), control.TaskFilter{}, task.Key{}, 1000) })
	if t.Logf("a page of 1000 of them: %d MiB of %d", used>>20, held>>20); err != nil || len(page) != 1000 || used > held {
		t.Errorf("a page of %d, %v, held %d MiB", len(page), err, used>>20)
	}
}

// counter counts lines and forgets them.
type counter struct{ lines int }

func (c *counter) Write(p []byte) (int, error) {
	c.lines += bytes.Count(p, []byte("\n"))
	return len(p), nil
}

// peak is by how much the heap grew while f ran, at its highest.
func peak(f func()) int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64()) //nolint:gosec // bytes of a heap
	}
	runtime.GC()
	before := heap()
	highest, done, told := before, make(chan struct{}), make(chan struct{})
	go func() { // ends with f
		defer close(told)
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-done:
				return
			case <-look.C:
				highest = max(highest, heap())
			}
		}
	}()
	f()
	close(done)
	<-told
	return highest - before
}

// multitude makes a group with tasks that a leader has measured, without their
// records: nobody reads these, since the rolls tell.
func multitude(t *testing.T, cluster *coordtest.Cluster, tasks int) {
	t.Helper()
	member := cluster.Join("n1", nil)
	owner := store.New(member, store.Options{}).Owner(member.ID(), member)
	c, err := owner.Init(t.Context(), store.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	lead, err := owner.TakeLead(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().UTC().Truncate(time.Millisecond)
	rolls, ops := make([]store.Roll, c.Buckets), make([][]coordclient.Op, c.Buckets)
	for i := range tasks {
		key := task.Key{Name: fmt.Sprintf("task-%06d", i)}.Normal()
		b := store.Home(key, c.Buckets)
		rolls[b].Definitions = append(rolls[b].Definitions, task.Info{
			Key: key, UID: fmt.Sprintf("%d-%032d", b, i), Revision: 1, Service: "Stock", Operation: "getLowStock",
			Trigger: task.TriggerInfo{Interval: task.Duration(time.Hour), Count: -1}, From: began, Delivery: task.AtLeastOnce,
			Description: "counts what is left of article " + fmt.Sprint(i), Edit: &task.Edit{ID: fmt.Sprintf("%032d", i), By: "ann@office", At: began},
		})
		ops[b] = append(ops[b], coordclient.Create(fmt.Sprintf("/tasks/%d/%s~%s~%s", b, key.Tenant, key.Type, key.Name), nil))
	}
	for b := range rolls {
		if err := member.Commit(t.Context(), ops[b]...); err != nil {
			t.Fatal(err)
		}
		holder, _, err := owner.Holder(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if err := owner.PutSurvey(t.Context(), lead, b, store.Survey{Edit: holder.Edit, Data: []byte("{}")}, rolls[b]); err != nil {
			t.Fatal(err)
		}
	}
}
