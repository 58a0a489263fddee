package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestReceiptsMakeRequestsHappenOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		ctx := t.Context()
		if _, err := s.Receipt(ctx, "r1"); !errors.Is(err, coordclient.ErrNotFound) {
			t.Fatalf("a receipt before the request: %v", err)
		}
		made, err := s.CreateOnce(ctx, named("x"), Receipt{ID: "r1", Digest: "d"})
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Receipt(ctx, "r1")
		if err != nil || r.UID != made.UID || r.Task != made.Key || r.Digest != "d" || r.At.IsZero() {
			t.Fatalf("receipt %+v, %v", r, err)
		}
		// The name is free again, and yet the request is not carried out again.
		if err := s.Delete(ctx, made.Key, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateOnce(ctx, named("y"), Receipt{ID: "r1", Digest: "d"}); !errors.Is(err, ErrCarriedOut) {
			t.Fatalf("carried out again: %v", err)
		}
		if _, err := s.Get(ctx, task.Key{Name: "y"}); !errors.Is(err, coordclient.ErrNotFound) {
			t.Fatalf("y is there: %v", err)
		}
		// An existing name is that, and leaves no receipt.
		if _, err := s.Create(ctx, named("z")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateOnce(ctx, named("z"), Receipt{ID: "r2"}); !errors.Is(err, coordclient.ErrExists) {
			t.Fatalf("existing task: %v", err)
		}
		if _, err := s.Receipt(ctx, "r2"); !errors.Is(err, coordclient.ErrNotFound) {
			t.Fatalf("a receipt for what was refused: %v", err)
		}
		if _, err := s.CreateOnce(ctx, named("w"), Receipt{}); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Fatalf("an empty id: %v", err)
		}
	})
}

// Many at once, and one of them wins.
func TestOneOfManyAsks(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		made, err := s.Create(t.Context(), named("x"))
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var fired []task.FireID
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				r, err := s.AskOnce(t.Context(), task.Request{Kind: task.RequestRun, Task: made.Key}, Receipt{ID: "run"})
				switch {
				case err == nil:
					mu.Lock()
					fired = append(fired, task.ManualID(r.UID, r.ID))
					mu.Unlock()
				case !errors.Is(err, ErrCarriedOut):
					t.Error(err)
				}
			})
		}
		all.Wait()
		requests, err := s.Requests(t.Context(), Home(made.Key, 4))
		if err != nil || len(requests) != 1 || len(fired) != 1 {
			t.Fatalf("%d requests, %d fired, %v", len(requests), len(fired), err)
		}
		if r, err := s.Receipt(t.Context(), "run"); err != nil || r.FireID != fired[0] {
			t.Fatalf("receipt %+v, %v; fired %v", r, err, fired)
		}
	})
}

// A lost answer does not make it "carried out before": it was this request.
func TestLostAnswerOfARequestWithAReceipt(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done": {LoseReply: true}, "not done": {Drop: true, LoseReply: true}, "late": {Late: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := losing(t, fault, 1, func(s *Store) error {
					_, err := s.CreateOnce(t.Context(), named("x"), Receipt{ID: "r"})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Receipt(t.Context(), "r"); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestReceiptsAreSweptWhenTheyAreOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, coordtest.NewMemory(), Options{})
		create := func(n int) {
			if _, err := s.CreateOnce(t.Context(), named(fmt.Sprintf("t%d", n)), Receipt{ID: fmt.Sprintf("r%d", n)}); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 30 {
			create(n)
		}
		time.Sleep(time.Hour)
		create(30)
		sweep := func(before time.Time) (swept int) {
			for shard := range ReceiptShards {
				n, err := s.SweepReceipts(context.WithoutCancel(t.Context()), shard, before)
				if err != nil {
					t.Fatal(err)
				}
				swept += n
			}
			return swept
		}
		if n := sweep(time.Now().Add(-time.Minute)); n != 30 {
			t.Errorf("swept %d, want 30", n)
		}
		if _, err := s.Receipt(t.Context(), "r30"); err != nil {
			t.Errorf("the young one: %v", err)
		}
		if _, err := s.Receipt(t.Context(), "r3"); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("an old one: %v", err)
		}
	})
}
