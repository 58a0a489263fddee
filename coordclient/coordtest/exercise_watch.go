//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

var watchTests = []contract{
	{"a set closes the channel", testWatchSet},
	{"a delete closes the channel", testWatchDelete},
	{"a change between two reads is never missed", testWatchChase},
	{"many watchers of one key all hear", testWatchMany},
	{"a failed commit leaves the entry to be read again", testWatchFailed},
}

// patience is how long a test waits for what must come; on a busy machine too.
const patience = 2 * time.Minute

// closes fails the test unless the channel closes.
func closes(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		t.Fatalf("%s: the channel did not close", what)
	}
}

func watch(t *testing.T, kv coordclient.KV, key string) <-chan struct{} {
	t.Helper()
	_, c, err := kv.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return c
}

func testWatchSet(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/w", nil))
	c := watch(t, s.Port, "/w")
	again := watch(t, s.Port, "/w")
	commit(t, s.Host, coordclient.Set("/w", []byte("x"), 0))
	closes(t, c, "set")
	closes(t, again, "set, second read")
	check(t, s.Port, "/w", "x", 1)
}

func testWatchDelete(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/w/x", nil))
	c := watch(t, s.Port, "/w/x")
	commit(t, s.Host, coordclient.Delete("/w/x", 0))
	closes(t, c, "delete")
	checkGone(t, s.Port, "/w/x")
	commit(t, s.Host, coordclient.Create("/w/x", nil))
	c = watch(t, s.Port, "/w/x")
	commit(t, s.Host, coordclient.Delete("/w/x", 0), coordclient.Create("/w/x", []byte("new")))
	closes(t, c, "delete and create in one commit")
	check(t, s.Port, "/w/x", "new", 0)
}

// testWatchChase follows an entry by its channel alone: were a change after the
// read and before the watch lost, it would hang.
func testWatchChase(t *testing.T, s System) {
	const last = 300
	commit(t, s.Port, coordclient.Create("/c", nil))
	failed := make(chan error, 1)
	ctx := t.Context()
	go func() { // ends with its last commit
		for v := range int64(last) {
			if err := s.Host.Commit(ctx, coordclient.Set("/c", nil, v)); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	for seen := int64(-1); seen < last; {
		e, c, err := s.Port.Get(ctx, "/c")
		if err != nil {
			t.Fatal(err)
		}
		if e.Version < seen {
			t.Fatalf("version %d after %d", e.Version, seen)
		}
		if seen = e.Version; seen < last {
			closes(t, c, fmt.Sprintf("after version %d", seen))
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
}

func testWatchMany(t *testing.T, s System) {
	const keys = 200
	var ops, sets []coordclient.Op
	for i := range keys {
		key := fmt.Sprintf("/wm/%d", i)
		ops = append(ops, coordclient.Create(key, nil))
		sets = append(sets, coordclient.Set(key, []byte(strings.Repeat("v", i)), 0))
	}
	commit(t, s.Port, ops...)
	channels := make([]<-chan struct{}, keys)
	for i, op := range ops {
		channels[i] = watch(t, s.Port, op.Key)
	}
	commit(t, s.Host, sets...)
	for i, c := range channels {
		closes(t, c, ops[i].Key)
	}
}

func testWatchFailed(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/w", []byte("same")))
	watch(t, s.Port, "/w")
	err := s.Port.Commit(t.Context(), coordclient.Set("/w", []byte("other"), 0), coordclient.Check("/none", 0))
	if !errors.Is(err, coordclient.ErrNotFound) {
		t.Fatalf("commit: %v, want ErrNotFound", err)
	}
	check(t, s.Port, "/w", "same", 0)
}
