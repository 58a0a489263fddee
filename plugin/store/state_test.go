package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestTriggersAndTheirMessages(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := opened(t, p, Options{})
		data, version, err := s.TriggerState(ctx, "Stock", "low/stock")
		if err != nil || data != nil || version != -1 {
			t.Fatalf("%q, %d, %v", data, version, err)
		}
		c := TriggerCommit{Service: "Stock", Trigger: "low/stock", Version: -1, State: []byte("on"), Messages: []task.Message{message("m1"), message("m2")}}
		_, rung, _ := s.Outbox(ctx, nil)
		if err := s.Accept(ctx, c); err != nil {
			t.Fatal(err)
		}
		<-rung
		if err := s.Accept(ctx, c); !errors.Is(err, coordclient.ErrConflict) {
			t.Fatalf("again: %v", err)
		}
		c.Version, c.Messages = 0, append(c.Messages, message("m3"))
		if err := s.Accept(ctx, c); err != nil {
			t.Fatal(err)
		}
		big := TriggerCommit{Service: "Stock", Trigger: "new", Version: -1, State: make([]byte, coordclient.MaxValue+1)}
		if err := s.Accept(ctx, big); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Fatalf("too large: %v", err)
		}
		if data, version, err = s.TriggerState(ctx, "Stock", "low/stock"); err != nil || string(data) != "on" || version != 1 {
			t.Fatalf("%q, %d, %v", data, version, err)
		}
		box, _, err := s.Outbox(ctx, nil)
		if err != nil || len(box) != 3 {
			t.Fatalf("%+v, %v", box, err)
		}
		m := box[0]
		m.Attempts = 2
		if err := s.UpdateMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
		if err := s.UpdateMessage(ctx, m); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("at a version that is past: %v", err)
		}
		for range 2 {
			if err := s.RemoveMessage(ctx, m); err != nil {
				t.Error(err)
			}
		}
		if err := s.UpdateMessage(ctx, m); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("one that is gone: %v", err)
		}
		if err := s.RemoveMessage(ctx, Message{Key: "/cluster"}); err == nil {
			t.Error("removed the cluster")
		}
		if n, dead, err := s.Backlog(ctx); err != nil || n != 2 || dead != 0 {
			t.Errorf("%d wait, %v", n, err)
		}
		if box, _, err = s.Outbox(ctx, nil); err != nil || len(box) != 2 {
			t.Fatalf("%+v, %v", box, err)
		}
		box[0].Dead = true
		if err := s.UpdateMessage(ctx, box[0]); err != nil {
			t.Fatal(err)
		}
		if n, dead, err := s.Backlog(ctx); err != nil || n != 1 || dead != 1 {
			t.Errorf("one was given up: %d wait, %d dead, %v", n, dead, err)
		}
	})
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	g := newGroup()
	a, onA := g.host(t, "a")
	_, onB := g.host(t, "b/1")
	ctx := t.Context()
	want := map[string][]byte{"Stock": []byte("1"), "Käse/Laden": []byte("2")}
	if err := onA.Publish(ctx, want); err != nil {
		t.Fatal(err)
	}
	if err := onB.Publish(ctx, map[string][]byte{"Stock": []byte("9")}); err != nil {
		t.Fatal(err)
	}
	before := a.Calls(coordtest.OpCommit)
	if err := onA.Publish(ctx, want); err != nil || a.Calls(coordtest.OpCommit) != before {
		t.Errorf("the same again: %d commits, %v", a.Calls(coordtest.OpCommit)-before, err)
	}
	check := func(want ...string) {
		t.Helper()
		all, err := onB.Catalogue(ctx)
		var got []string
		for _, s := range all {
			got = append(got, fmt.Sprintf("%s %s %s", s.Node, s.Name, s.Data))
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	check("a Käse/Laden 2", "a Stock 1", "b/1 Stock 9")
	big := make(map[string][]byte)
	for i := range 40 {
		big[fmt.Sprintf("S%d", i)] = make([]byte, 100<<10)
	}
	if err := onA.Publish(ctx, big); err != nil {
		t.Fatal(err)
	}
	all, err := onA.Catalogue(ctx)
	if err != nil || len(all) != len(slices.Collect(maps.Keys(big)))+1 {
		t.Errorf("%d services, %v", len(all), err)
	}
	if err := onA.Publish(ctx, nil); err != nil {
		t.Fatal(err)
	}
	check("b/1 Stock 9")
	a.Joined.(*coordtest.Member).Expire()
	if err := onA.Publish(ctx, want); !errors.Is(err, bucket.ErrFenced) && !errors.Is(err, bucket.ErrUnavailable) {
		t.Errorf("by one who is gone: %v", err)
	}
}

func TestEventsAreARing(t *testing.T) {
	t.Parallel()
	s := opened(t, coordtest.NewMemory(), Options{})
	ctx := t.Context()
	start := time.UnixMilli(1_700_000_000_000).UTC()
	for i := range MaxEvents + 10 {
		e := Event{Time: start.Add(time.Duration(i) * time.Second), Level: "warn", Code: "X", Text: fmt.Sprint(i)}
		if err := s.Append(ctx, []string{"a", "b"}[i%2], e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Append(ctx, "a", Event{Time: start, Text: strings.Repeat("é", MaxEventText)}); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(ctx, 3)
	if err != nil || len(events) != 3 || events[2].Text != "209" || events[2].Node != "b" || events[1].Node != "a" {
		t.Fatalf("%+v, %v", events, err)
	}
	var many []Event
	for i := range 2 * MaxEvents {
		many = append(many, Event{Time: start, Text: fmt.Sprint(i)})
	}
	if err := s.Append(ctx, "a", many...); err != nil {
		t.Fatal(err)
	}
	if events, err = s.Events(ctx, 0); err != nil || len(events) != MaxEvents+105 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// A reader that meets a fold between page and log must read again.
func TestASnapshotIsWhole(t *testing.T) {
	t.Parallel()
	m, o := newGroup().host(t, "a")
	ctx := t.Context()
	f := acquired(t, o, 0)
	if err := o.Commit(ctx, f, bucket.Write{Seq: 1, Batch: []byte("b1")}); err != nil {
		t.Fatal(err)
	}
	folded := false
	m.Plan(func(c coordtest.Call) coordtest.Fault {
		if c.Op == coordtest.OpList && !folded {
			folded = true
			if err := o.kv.(*coordtest.Faulty).Joined.Commit(ctx,
				coordclient.Create("/buckets/0/page/0", []byte("p1")), coordclient.Delete("/buckets/0/log/000000000001", 0),
			); err != nil {
				t.Error(err)
			}
		}
		return coordtest.Fault{}
	})
	snap, err := o.Snapshot(ctx, 0)
	if err != nil || !folded || string(snap.Loaded.Page.Data) != "p1" || len(snap.Loaded.Log) != 0 || snap.Node.Epoch != 1 {
		t.Errorf("%+v, %v", snap, err)
	}
}

// A bucket whose node cannot be read is one bucket less, not all.
func TestACorruptNodeHarmsItselfAlone(t *testing.T) {
	t.Parallel()
	var r reports
	m := coordtest.NewMemory()
	s := opened(t, m, Options{Corrupt: r.add})
	if err := m.Commit(t.Context(), coordclient.Set("/buckets/2", []byte("{}"), 0)); err != nil {
		t.Fatal(err)
	}
	found := make(chan Snapshot, 4)
	if err := s.Snapshots(t.Context(), nil, func(snap Snapshot) error { found <- snap; return nil }); err != nil {
		t.Fatal(err)
	}
	corrupt := 0
	for range 4 {
		if snap := <-found; snap.Corrupt != nil {
			corrupt++
		}
	}
	if corrupt != 1 || !slices.Equal(r.keys, []string{"/buckets/2"}) {
		t.Errorf("%d corrupt, reported %q", corrupt, r.keys)
	}
}

func TestEachStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	err := parallel.Each(t.Context(), 1000, func(_ context.Context, i int) error {
		if i == 40 {
			return boom
		}
		return nil
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if err := parallel.Each(t.Context(), 0, nil); err != nil {
		t.Error(err)
	}
}
