package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Each edit tells who made it and what it changed, at the time of its commit.
func TestEditsAreAudited(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{}).As("ann@desk")
		ctx := t.Context()
		if err := s.Prepare(ctx); err != nil {
			t.Fatal(err)
		}
		info := created(t, s, "x")
		update := func(change func(*task.Info)) task.Info {
			t.Helper()
			info, err := s.Update(ctx, info.Key, 0, func(i *task.Info) error { change(i); return nil })
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		update(func(i *task.Info) { i.Description, i.Retry.Max = "d", 2 })
		update(func(i *task.Info) { i.Paused, i.PauseReason = true, "because" })
		update(func(i *task.Info) { i.Description = "d" }) // changes nothing
		last := update(func(i *task.Info) { i.Paused = false })
		_, asked := s.Ask(ctx, task.Request{Kind: task.RequestRun, Task: info.Key, Reason: "try"})
		if err := errors.Join(asked, s.As("bob").Delete(ctx, info.Key, 0), s.Drain(ctx, "n1", Drain{By: "eve", Reason: "kernel"}), s.Undrain(ctx, "n1"), s.Lift(ctx, "eve")); err != nil {
			t.Fatal(err)
		}
		edits, err := s.Audit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range edits {
			if e.At.IsZero() {
				t.Errorf("%+v has no time", e)
			}
			got = append(got, strings.Join(strings.Fields(fmt.Sprintln(e.Code, e.By, e.Task.Name+e.Object, e.Revision, strings.Join(e.Fields, ","), e.Reason)), " "))
		}
		want := []string{
			"TASK_CREATED ann@desk x 1", "TASK_CHANGED ann@desk x 2 description,retry", "TASK_PAUSED ann@desk x 3 pause_reason,paused because",
			"TASK_RESUMED ann@desk x 4 pause_reason,paused", "RUN_REQUESTED ann@desk x 0 try", "TASK_DELETED bob x 5",
			"NODE_DRAINED eve n1 0 kernel", "NODE_UNDRAINED ann@desk n1 0", "BARRIER_LIFTED eve 0",
		}
		slices.Sort(got) // the group's and the bucket's may have the same time
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if last.Edit.By != "ann@desk" || last.Edit.At.IsZero() {
			t.Errorf("the definition says %q, %s", last.Edit.By, last.Edit.At)
		}
	})
}

// The audit is bounded, and one that cannot be read does not stop edits.
func TestAuditIsBounded(t *testing.T) {
	t.Parallel()
	s := opened(t, coordtest.NewMemory(), Options{})
	info := created(t, s, "x")
	for n := range MaxAudit + 5 {
		if _, err := s.Update(t.Context(), info.Key, 0, func(i *task.Info) error { i.Description = fmt.Sprint(n); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if edits, err := s.Audit(t.Context()); err != nil || len(edits) != MaxAudit || edits[MaxAudit-1].Revision != MaxAudit+6 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
	b := home(t, s, info.Key)
	ring, _, err := s.kv.Get(t.Context(), s.keys.audit(fmt.Sprint(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.kv.Commit(t.Context(), coordclient.Set(ring.Key, []byte("{"), ring.Version)); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), info.Key, 0); err != nil {
		t.Fatal(err)
	}
	if edits, err := s.Audit(t.Context()); err != nil || len(edits) != 1 || edits[0].Code != TaskDeleted {
		t.Errorf("%v, %v", edits, err)
	}
}

// Many edits at once lose no entry.
func TestAuditOfManyAtOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		errs := make(chan error)
		const editors = 10
		for i := range editors {
			go func() { // ends with the answer
				_, err := s.As(fmt.Sprint("editor", i)).Create(t.Context(), named(fmt.Sprint("task", i)))
				errs <- err
			}()
		}
		for range editors {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if edits, err := s.Audit(t.Context()); err != nil || len(edits) != editors {
			t.Errorf("%d edits, %v", len(edits), err)
		}
	})
}

// The definitions before are kept, bounded, and go with the tombstone.
func TestHistory(t *testing.T) {
	t.Parallel()
	c := coordtest.NewCluster(nil)
	host := c.Join("host", nil)
	s := opened(t, host, Options{}).As("ann")
	ctx := t.Context()
	info := created(t, s, "x")
	for n := range MaxHistory + 3 {
		var err error
		if info, err = s.Update(ctx, info.Key, 0, func(i *task.Info) error { i.Description = fmt.Sprint(n); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.History(ctx, info.Key)
	if err != nil || len(all) != MaxHistory+1 {
		t.Fatalf("%d definitions, %v", len(all), err)
	}
	for i, at := range all {
		if want := info.Revision - int64(i); at.Revision != want || at.Description != fmt.Sprint(want-2) || at.Edit.At.IsZero() || at.Edit.By != "ann" {
			t.Errorf("%d: revision %d %q of %s by %s", i, at.Revision, at.Description, at.Edit.At, at.Edit.By)
		}
	}
	if err := s.Delete(ctx, info.Key, 0); err != nil {
		t.Fatal(err)
	}
	owner := s.Owner(host.ID(), host)
	b := home(t, s, info.Key)
	f := acquired(t, owner, b)
	tombstones, err := s.Definitions(ctx, b)
	if err != nil || len(tombstones) != 1 {
		t.Fatalf("%v, %v", tombstones, err)
	}
	if err := owner.Commit(ctx, f, bucket.Write{Seq: 1, Batch: []byte("b"), Drop: tombstones}); err != nil {
		t.Fatal(err)
	}
	if left, err := host.List(ctx, s.keys.of("history", b)); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	created(t, s, "x")
	if all, err := s.History(ctx, info.Key); err != nil || len(all) != 1 {
		t.Errorf("a new task has a past: %v, %v", all, err)
	}
}

// Long definitions push out the earliest.
func TestHistoryIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	s := opened(t, coordtest.NewMemory(), Options{})
	info := created(t, s, "x")
	for n := range 10 {
		text := fmt.Sprint(n) + strings.Repeat("d", 60_000)
		if _, err := s.Update(t.Context(), info.Key, 0, func(i *task.Info) error { i.Description = text; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := s.History(t.Context(), info.Key); err != nil || len(all) != 5 {
		t.Errorf("%d definitions, %v", len(all), err)
	}
}
