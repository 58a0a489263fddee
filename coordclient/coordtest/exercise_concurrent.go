//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

var concurrentTests = []contract{
	{"concurrent commits are linearizable", testLinearizable},
	{"of many creates of one key one wins", testOneCreates},
	{"sums over two keys are kept by transfers", testTransfers},
}

func testLinearizable(t *testing.T, s System) {
	const clients, calls, keys = 8, 150, 3
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var h History
	for k := range keys {
		key := fmt.Sprintf("/lin/%d", k)
		commit(t, s.Port, coordclient.Create(key, nil))
	}
	var wg sync.WaitGroup
	for c := range clients {
		port := s.Port
		if c%2 == 1 {
			port = s.Host
		}
		rnd := rand.New(rand.NewPCG(seed, uint64(c)))
		wg.Go(func() { // ends with its last call
			for range calls {
				key := fmt.Sprintf("/lin/%d", rnd.IntN(keys))
				version := h.read(t.Context(), t, port, key)
				if rnd.IntN(4) > 0 {
					h.write(t.Context(), t, port, key, version)
				}
			}
		})
	}
	wg.Wait()
	if err := h.Check(); err != nil {
		t.Error(err)
	}
}

func (h *History) read(ctx context.Context, t *testing.T, port Port, key string) int64 {
	begin := time.Now()
	e, _, err := port.Get(ctx, key)
	if err != nil {
		t.Errorf("get %s: %v", key, err)
		return 0
	}
	h.Add(Event{Key: key, Version: e.Version, Begin: begin, End: time.Now()})
	return e.Version
}

func (h *History) write(ctx context.Context, t *testing.T, port Port, key string, version int64) {
	begin := time.Now()
	err := port.Commit(ctx, coordclient.Set(key, nil, version))
	switch {
	case err == nil:
		h.Add(Event{Key: key, Version: version + 1, Begin: begin, End: time.Now(), Write: true})
	case errors.Is(err, coordclient.ErrConflict):
		// Somebody was faster, at the latest before this answer.
		h.Add(Event{Key: key, Version: version + 1, Begin: begin, End: time.Now(), AtLeast: true})
	default:
		t.Errorf("set %s at %d: %v", key, version, err)
	}
}

func testOneCreates(t *testing.T, s System) {
	const rivals, rounds = 16, 20
	for round := range rounds {
		key := fmt.Sprintf("/one/%d", round)
		won := make(chan int, rivals)
		var wg sync.WaitGroup
		for i := range rivals {
			wg.Go(func() { // ends with its commit
				err := s.Port.Commit(t.Context(), coordclient.Create(key, fmt.Append(nil, i)))
				switch {
				case err == nil:
					won <- i
				case !errors.Is(err, coordclient.ErrExists):
					t.Errorf("create %s: %v", key, err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d of %d created %s", len(won), rivals, key)
		}
		check(t, s.Port, key, fmt.Sprint(<-won), 0)
	}
}

// testTransfers moves amounts between two entries: each reader that sees both
// at versions that one commit can check sees the same sum.
func testTransfers(t *testing.T, s System) {
	const workers, moves = 6, 40
	commit(t, s.Port, coordclient.Create("/t/a", []byte("1000")), coordclient.Create("/t/b", []byte("1000")))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { // ends with its last move
			for range moves {
				transfer(t, s.Port, w+1)
			}
		})
	}
	wg.Wait()
	if a, b, _ := both(t, s.Port); a.Version != workers*moves || b.Version != workers*moves {
		t.Errorf("versions %d and %d after %d moves", a.Version, b.Version, workers*moves)
	}
}

func transfer(t *testing.T, port Port, amount int) {
	for {
		a, b, sum := both(t, port)
		var have int
		_, _ = fmt.Sscan(string(a.Value), &have)
		err := port.Commit(t.Context(),
			coordclient.Set("/t/a", fmt.Append(nil, have-amount), a.Version),
			coordclient.Set("/t/b", fmt.Append(nil, 2000-have+amount), b.Version))
		switch {
		case err == nil && sum != 2000:
			t.Errorf("the sum was %d", sum)
			return
		case err == nil:
			return
		case !errors.Is(err, coordclient.ErrConflict):
			t.Errorf("transfer: %v", err)
			return
		}
	}
}

func both(t *testing.T, port Port) (a, b coordclient.Entry, sum int) {
	a, _, err := port.Get(t.Context(), "/t/a")
	if err != nil {
		t.Error(err)
	}
	b, _, err = port.Get(t.Context(), "/t/b")
	if err != nil {
		t.Error(err)
	}
	for _, e := range []coordclient.Entry{a, b} {
		var n int
		_, _ = fmt.Sscan(string(e.Value), &n)
		sum += n
	}
	return a, b, sum
}
