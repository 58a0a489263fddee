package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestInitIsForGood(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := New(p, Options{Root: "/belfry"})
		if _, err := s.Cluster(ctx); !errors.Is(err, ErrNotInitialised) || !errors.Is(err, coordclient.ErrNotFound) {
			t.Fatalf("before: %v", err)
		}
		first, err := s.Init(ctx, Settings{Buckets: 7})
		if err != nil || first.Buckets != 7 || first.UUID == "" {
			t.Fatalf("%+v, %v", first, err)
		}
		again, err := New(p, Options{Root: "/belfry"}).Init(ctx, Settings{Buckets: 9})
		if err != nil || again != first {
			t.Fatalf("again: %+v, %v; want %+v", again, err, first)
		}
		if _, err := New(p, Options{}).Init(ctx, Settings{Buckets: MaxBuckets + 1}); err == nil {
			t.Error("too many buckets passed")
		}
		if c, err := New(p, Options{Root: "/big"}).Init(ctx, Settings{Buckets: MaxBuckets}); err != nil || c.Buckets != MaxBuckets {
			t.Errorf("most buckets: %+v, %v", c, err)
		}
	})
}

func TestANewerClusterIsRefused(t *testing.T) {
	t.Parallel()
	m := coordtest.NewMemory()
	if err := m.Commit(t.Context(), coordclient.Create("/cluster", []byte(`{"format":2,"buckets":4}`))); err != nil {
		t.Fatal(err)
	}
	_, err := New(m, Options{}).Init(t.Context(), Settings{})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Key != "/cluster" || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v", err)
	}
}

func TestDefinitionsLive(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := opened(t, p, Options{})
		before := time.Now().Add(-time.Second)
		info := created(t, s, "nightly")
		if info.Revision != 1 || info.UID == "" || info.Tenant != task.DefaultTenant || info.From.Before(before) {
			t.Fatalf("created %+v", info)
		}
		if _, err := s.Create(ctx, named("nightly")); !errors.Is(err, coordclient.ErrExists) || errors.Is(err, ErrDeleting) {
			t.Fatalf("twice: %v", err)
		}
		changed, err := s.Update(ctx, info.Key, 1, func(i *task.Info) error {
			i.Description, i.UID, i.Revision = "x", "stolen", 99
			return nil
		})
		if err != nil || changed.Revision != 2 || changed.UID != info.UID || !changed.From.Equal(info.From) || changed.Edit.ID == info.Edit.ID {
			t.Fatalf("changed %+v, %v", changed, err)
		}
		if _, err := s.Update(ctx, info.Key, 1, func(i *task.Info) error { i.Description = "y"; return nil }); !errors.Is(err, coordclient.ErrConflict) {
			t.Fatalf("stale revision: %v", err)
		}
		read, err := s.Get(ctx, info.Key)
		if err != nil || !same(read, changed) {
			t.Fatalf("read %+v, %v; want %+v", read, err, changed)
		}
		if err := s.Delete(ctx, info.Key, 1); !errors.Is(err, coordclient.ErrConflict) {
			t.Fatalf("delete stale: %v", err)
		}
		if err := s.Delete(ctx, info.Key, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(ctx, info.Key); !errors.Is(err, coordclient.ErrNotFound) {
			t.Fatalf("deleted: %v", err)
		}
		if _, err := s.Create(ctx, named("nightly")); !errors.Is(err, ErrDeleting) || !errors.Is(err, coordclient.ErrExists) {
			t.Fatalf("over a tombstone: %v", err)
		}
		list, err := s.List(ctx)
		if err != nil || len(list) != 0 {
			t.Fatalf("list %v, %v", list, err)
		}
		all, err := s.Definitions(ctx, home(t, s, info.Key))
		if err != nil || len(all) != 1 || !all[0].Deleted || all[0].DeletedAt.IsZero() {
			t.Fatalf("tombstone %+v, %v", all, err)
		}
	})
}

// From moves with a new trigger and a resumption, and with nothing else.
func TestFromIsTheTimeOfTheCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := opened(t, coordtest.NewCluster(nil).Join("a", nil), Options{})
		info := created(t, s, "x")
		at := time.Now()
		check := func(what string, from, pausedAt time.Time, change func(*task.Info)) {
			t.Helper()
			time.Sleep(time.Hour)
			got, err := s.Update(ctx, info.Key, 0, func(i *task.Info) error { change(i); return nil })
			if err != nil {
				t.Fatal(err)
			}
			stored, err := s.Get(ctx, info.Key)
			if err != nil || !same(got, stored) {
				t.Errorf("%s: answered %+v, stored %+v, %v", what, got, stored, err)
			}
			if from.IsZero() {
				from = time.Now()
			}
			if !got.From.Equal(from) || !got.PausedAt.Equal(pausedAt) {
				t.Errorf("%s: from %v, paused at %v; want %v, %v", what, got.From, got.PausedAt, from, pausedAt)
			}
		}
		check("description", at, time.Time{}, func(i *task.Info) { i.Description = "d" })
		check("an attempt to set it", at, time.Time{}, func(i *task.Info) { i.From = time.Now(); i.Retry.Max = 3 })
		paused := time.Now().Add(time.Hour)
		check("pause", at, paused, func(i *task.Info) { i.Paused, i.PauseReason = true, "why" })
		check("reason", at, paused, func(i *task.Info) { i.PauseReason = "better" })
		check("resume", time.Time{}, time.Time{}, func(i *task.Info) { i.Paused = false })
		check("trigger", time.Time{}, time.Time{}, func(i *task.Info) { i.Trigger.Interval *= 2 })
	})
}

func TestAnEditThatChangesNothingCommitsNothing(t *testing.T) {
	t.Parallel()
	s := opened(t, coordtest.NewMemory(), Options{})
	info := created(t, s, "x")
	again, err := s.Update(t.Context(), info.Key, 0, func(*task.Info) error { return nil })
	if err != nil || again.Revision != 1 {
		t.Errorf("revision %d, %v", again.Revision, err)
	}
	refused := errors.New("no")
	if _, err := s.Update(t.Context(), info.Key, 0, func(*task.Info) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestDefinitionsAreBounded(t *testing.T) {
	t.Parallel()
	s := opened(t, coordtest.NewMemory(), Options{})
	big := named("big")
	big.Description = strings.Repeat("x", MaxDefinition)
	if _, err := s.Create(t.Context(), big); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

// One record that cannot be read must not stop its bucket, nor be overwritten.
func TestACorruptDefinitionHarmsItselfAlone(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		var r reports
		s := opened(t, p, Options{Corrupt: r.add})
		// A tenant of many tasks, so that every bucket has some.
		for i := range 40 {
			created(t, s, fmt.Sprintf("t%d", i))
		}
		victim, err := s.Get(ctx, task.Key{Name: "t7"})
		if err != nil {
			t.Fatal(err)
		}
		b := home(t, s, victim.Key)
		key := s.keys.task(b, victim.Key)
		if err := p.Commit(ctx, coordclient.Set(key, []byte(`{"format":1,"tenant":`), 0)); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(ctx)
		if err != nil || len(list) != 39 {
			t.Fatalf("%d tasks, %v", len(list), err)
		}
		if !slices.Equal(r.keys, []string{key}) {
			t.Errorf("reported %q, want %q", r.keys, key)
		}
		var corrupt *CorruptError
		if _, err := s.Get(ctx, victim.Key); !errors.As(err, &corrupt) || corrupt.Key != key {
			t.Errorf("get: %v", err)
		}
		if _, err := s.Update(ctx, victim.Key, 0, func(*task.Info) error { return nil }); !errors.As(err, &corrupt) {
			t.Errorf("update: %v", err)
		}
		owner := s.Owner(p.ID(), p)
		loaded, err := owner.Load(ctx, acquired(t, owner, b))
		if err != nil || len(loaded.Definitions) == 0 {
			t.Errorf("load: %d definitions, %v", len(loaded.Definitions), err)
		}
	})
}

func FuzzDecodeDefinition(f *testing.F) {
	good, err := encodeDefinition(task.Info{
		Key: task.Key{Tenant: "t", Type: "y", Name: "n"}, UID: "1-a", Revision: 3, Service: "S", Operation: "o",
		Trigger: task.TriggerInfo{Cron: "0 0 * * * ?", TZ: "Europe/Berlin"}, Paused: true,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"format":1,"tenant":"t","type":"y","name":"n","uid":"a:b"}`))
	f.Add([]byte(`{"format":99}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		modified := time.UnixMilli(1_700_000_000_000)
		key := task.Key{Tenant: "t", Type: "y", Name: "n"}
		info, err := decodeDefinition(data, key, 6, modified)
		if err != nil {
			return
		}
		if info.Key != key || info.Revision != 7 || info.UID == "" || info.From.IsZero() {
			t.Fatalf("let through %+v", info)
		}
		again, err := encodeDefinition(info)
		if err != nil {
			return // times and sizes beyond what is written
		}
		back, err := decodeDefinition(again, key, 6, modified)
		if err != nil || !same(back, info) {
			t.Fatalf("%s came back as %+v, %v", again, back, err)
		}
	})
}
