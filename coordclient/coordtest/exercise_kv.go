//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

var kvTests = []contract{
	{"an entry begins with version 0 and each set adds one", testVersions},
	{"a value is given back as it was, empty or large", testValues},
	{"a mere parent is not found but lists its children", testParents},
	{"list names direct children sorted", testList},
	{"each operation fails as documented", testFailures},
	{"a failed commit does nothing and names its operation", testAtomic},
	{"operations of one commit see those before them", testOrder},
	{"a deleted entry begins anew", testRecreate},
	{"limits are held", testLimits},
	{"keys that are no paths are refused", testKeys},
	{"modified is the time of the last write", testModified},
	{"an ended context does nothing", testEnded},
	{"what was committed outlives the session", testReopen},
	{"many entries are read back", testMany},
}

// commit fails the test unless all is done.
func commit(t *testing.T, kv coordclient.KV, ops ...coordclient.Op) {
	t.Helper()
	if err := kv.Commit(t.Context(), ops...); err != nil {
		t.Fatalf("commit %v: %v", describe(ops), err)
	}
}

// check fails the test unless key holds the value at the version.
func check(t *testing.T, kv coordclient.KV, key, value string, version int64) {
	t.Helper()
	e, watch, err := kv.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	if e.Key != key || string(e.Value) != value || e.Version != version {
		t.Errorf("get %s = key %s, value %.40q, version %d; want %.40q, version %d", key, e.Key, e.Value, e.Version, value, version)
	}
	if watch == nil {
		t.Errorf("get %s: no channel", key)
	}
}

// checkGone fails the test unless key is not there.
func checkGone(t *testing.T, kv coordclient.KV, key string) {
	t.Helper()
	if e, watch, err := kv.Get(t.Context(), key); !errors.Is(err, coordclient.ErrNotFound) || watch != nil {
		t.Errorf("get %s = %.40q, %v (channel: %t); want ErrNotFound and no channel", key, e.Value, err, watch != nil)
	}
}

// refuse fails the test unless the operation with the index made the commit
// fail with the error.
func refuse(t *testing.T, kv coordclient.KV, index int, want error, ops ...coordclient.Op) {
	t.Helper()
	err := kv.Commit(t.Context(), ops...)
	var ce *coordclient.CommitError
	if !errors.As(err, &ce) || !errors.Is(err, want) {
		t.Errorf("commit %s = %v; want a *CommitError with %q", describe(ops), err, want)
		return
	}
	op := ops[index]
	if ce.Index != index || ce.Op.Kind != op.Kind || ce.Op.Key != op.Key {
		t.Errorf("commit %s failed at %d (%s %s), want %d (%s %s)", describe(ops), ce.Index, ce.Op.Kind, ce.Op.Key, index, op.Kind, op.Key)
	}
}

func describe(ops []coordclient.Op) string {
	var b strings.Builder
	for i, op := range ops {
		if i == 8 {
			fmt.Fprintf(&b, "... (%d)", len(ops))
			break
		}
		fmt.Fprintf(&b, "[%s %.60s v%d] ", op.Kind, op.Key, op.Version)
	}
	return b.String()
}

func testVersions(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/a", []byte("zero")))
	check(t, s.Port, "/a", "zero", 0)
	for v := range int64(5) {
		commit(t, s.Port, coordclient.Set("/a", fmt.Append(nil, v+1), v))
		check(t, s.Port, "/a", fmt.Sprint(v+1), v+1)
	}
	commit(t, s.Port, coordclient.Check("/a", 5))
	check(t, s.Port, "/a", "5", 5)
	commit(t, s.Port)
}

func testValues(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/empty", nil), coordclient.Create("/zeros", make([]byte, 3)))
	check(t, s.Port, "/empty", "", 0)
	check(t, s.Port, "/zeros", "\x00\x00\x00", 0)

	value := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	want := string(value)
	commit(t, s.Port, coordclient.Create("/own", value))
	value[0] = 'X' // what was given stays the caller's
	check(t, s.Port, "/own", want, 0)
	e, _, err := s.Port.Get(t.Context(), "/own")
	if err != nil {
		t.Fatal(err)
	}
	e.Value[0] = 'Y' // what was got is the caller's
	check(t, s.Port, "/own", want, 0)

	large := strings.Repeat("L", coordclient.MaxValue-len("/large"))
	commit(t, s.Port, coordclient.Create("/large", []byte(large)))
	check(t, s.Port, "/large", large, 0)
}

func testParents(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/p/q/r", []byte("leaf")))
	checkGone(t, s.Port, "/p")
	checkGone(t, s.Port, "/p/q")
	checkList(t, s.Port, "/p", "q")
	checkList(t, s.Port, "/", "p")

	commit(t, s.Port, coordclient.Create("/p/q", []byte("now")))
	check(t, s.Port, "/p/q", "now", 0)
	check(t, s.Port, "/p/q/r", "leaf", 0)
	commit(t, s.Port, coordclient.Delete("/p/q/r", 0), coordclient.Delete("/p/q", 0))
	checkList(t, s.Port, "/p")
}

func checkList(t *testing.T, kv coordclient.KV, prefix string, want ...string) {
	t.Helper()
	got, err := kv.List(t.Context(), prefix)
	if err != nil {
		t.Fatalf("list %s: %v", prefix, err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("list %s = %v, want %v", prefix, got, want)
	}
}

func testList(t *testing.T, s System) {
	checkList(t, s.Port, "/none")
	commit(t, s.Port, coordclient.Create("/l/b", nil), coordclient.Create("/l/a", nil),
		coordclient.Create("/l/c/deep", nil), coordclient.Create("/lx", nil), coordclient.Create("/l/ä", nil))
	checkList(t, s.Port, "/l", "a", "b", "c", "ä")
	commit(t, s.Port, coordclient.Delete("/l/b", 0))
	checkList(t, s.Port, "/l", "a", "c", "ä")
	checkList(t, s.Port, "/l/a")
}

func testFailures(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/x", nil))
	refuse(t, s.Port, 0, coordclient.ErrExists, coordclient.Create("/x", nil))
	refuse(t, s.Port, 0, coordclient.ErrNotFound, coordclient.Set("/none", nil, 0))
	refuse(t, s.Port, 0, coordclient.ErrNotFound, coordclient.Delete("/none", 0))
	refuse(t, s.Port, 0, coordclient.ErrNotFound, coordclient.Delete("/none", coordclient.AnyVersion))
	refuse(t, s.Port, 0, coordclient.ErrNotFound, coordclient.Check("/none", 0))
	refuse(t, s.Port, 0, coordclient.ErrConflict, coordclient.Set("/x", nil, 1))
	refuse(t, s.Port, 0, coordclient.ErrConflict, coordclient.Delete("/x", 1))
	refuse(t, s.Port, 0, coordclient.ErrConflict, coordclient.Check("/x", 1))
	// Only a delete can be indifferent to the version.
	refuse(t, s.Port, 0, coordclient.ErrConflict, coordclient.Set("/x", nil, coordclient.AnyVersion))
	refuse(t, s.Port, 0, coordclient.ErrConflict, coordclient.Check("/x", coordclient.AnyVersion))
	check(t, s.Port, "/x", "", 0)
	commit(t, s.Port, coordclient.Delete("/x", coordclient.AnyVersion))
	checkGone(t, s.Port, "/x")
}

func testAtomic(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/keep", []byte("old")), coordclient.Create("/gone", []byte("still")))
	refuse(t, s.Port, 3, coordclient.ErrConflict,
		coordclient.Create("/new", nil),
		coordclient.Set("/keep", []byte("changed"), 0),
		coordclient.Delete("/gone", 0),
		coordclient.Check("/keep", 0), // it has version 1 by now
		coordclient.Create("/later", nil))
	check(t, s.Port, "/keep", "old", 0)
	check(t, s.Port, "/gone", "still", 0)
	checkGone(t, s.Port, "/new")
	checkGone(t, s.Port, "/later")
	checkList(t, s.Port, "/", "gone", "keep")
}

func testOrder(t *testing.T, s System) {
	commit(t, s.Port,
		coordclient.Create("/o", []byte("a")),
		coordclient.Set("/o", []byte("b"), 0),
		coordclient.Check("/o", 1),
		coordclient.Delete("/o", 1),
		coordclient.Create("/o", []byte("c")))
	check(t, s.Port, "/o", "c", 0)
	refuse(t, s.Port, 1, coordclient.ErrNotFound, coordclient.Delete("/o", 0), coordclient.Set("/o", nil, 0))
	check(t, s.Port, "/o", "c", 0)
}

func testRecreate(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/r", []byte("first")))
	commit(t, s.Port, coordclient.Set("/r", []byte("second"), 0))
	commit(t, s.Port, coordclient.Delete("/r", 1))
	checkGone(t, s.Port, "/r")
	commit(t, s.Port, coordclient.Create("/r", []byte("third")))
	check(t, s.Port, "/r", "third", 0)
}

func testLimits(t *testing.T, s System) {
	refuse(t, s.Port, 1, coordclient.ErrTooLarge,
		coordclient.Create("/small", nil), coordclient.Create("/big", make([]byte, coordclient.MaxValue+1)))
	half := make([]byte, coordclient.MaxCommit/2)
	if err := s.Port.Commit(t.Context(), coordclient.Create("/h1", half), coordclient.Create("/h2", half)); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("a commit above MaxCommit: %v, want ErrTooLarge", err)
	}
	ops := make([]coordclient.Op, coordclient.MaxOps)
	for i := range ops {
		ops[i] = coordclient.Create(fmt.Sprintf("/ops/%d", i), nil)
	}
	commit(t, s.Port, ops...)
	if err := s.Port.Commit(t.Context(), slices.Concat(ops, []coordclient.Op{coordclient.Create("/ops/x", nil)})...); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("a commit above MaxOps: %v, want ErrTooLarge", err)
	}
	checkList(t, s.Port, "/", "ops")
	long := "/" + strings.Repeat("k", coordclient.MaxKey-1)
	commit(t, s.Port, coordclient.Create(long, []byte("l")))
	check(t, s.Port, long, "l", 0)
	refuse(t, s.Port, 0, coordclient.ErrTooLarge, coordclient.Create(long+"k", nil))
}

func testKeys(t *testing.T, s System) {
	for _, key := range []string{"", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", "/a\x00b", "/a\nb", "/\xff", "/a\u0085"} {
		refuse(t, s.Port, 0, coordclient.ErrInvalidKey, coordclient.Create(key, nil))
		if _, _, err := s.Port.Get(t.Context(), key); !errors.Is(err, coordclient.ErrInvalidKey) {
			t.Errorf("get %q: %v, want ErrInvalidKey", key, err)
		}
		if _, err := s.Port.List(t.Context(), key); key != "/" && !errors.Is(err, coordclient.ErrInvalidKey) {
			t.Errorf("list %q: %v, want ErrInvalidKey", key, err)
		}
	}
	for i, key := range []string{"/a b", "/ä/日本", "/...", "/a.b", "/%2f", "/?x=1#y"} {
		commit(t, s.Port, coordclient.Create(key, fmt.Append(nil, i)))
		check(t, s.Port, key, fmt.Sprint(i), 0)
	}
}

func testModified(t *testing.T, s System) {
	const slack = 5 * time.Second
	before := time.Now().Add(-slack)
	commit(t, s.Port, coordclient.Create("/m", nil))
	first := modified(t, s.Port, "/m")
	if first.Before(before) || first.After(time.Now().Add(slack)) {
		t.Errorf("modified %s, want about %s", first, time.Now())
	}
	if first.Nanosecond()%int(time.Millisecond) != 0 {
		t.Errorf("modified %s: want whole milliseconds", first)
	}
	commit(t, s.Port, coordclient.Check("/m", 0))
	if again := modified(t, s.Port, "/m"); !again.Equal(first) {
		t.Errorf("a check moved modified from %s to %s", first, again)
	}
	commit(t, s.Port, coordclient.Set("/m", nil, 0))
	if second := modified(t, s.Port, "/m"); second.Before(first) {
		t.Errorf("a set moved modified back from %s to %s", first, second)
	}
}

func modified(t *testing.T, kv coordclient.KV, key string) time.Time {
	t.Helper()
	e, _, err := kv.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return e.Modified
}

func testEnded(t *testing.T, s System) {
	commit(t, s.Port, coordclient.Create("/e", nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, coordclient.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v; want ErrUnavailable and context.Canceled", what, err)
		}
	}
	want("commit", s.Port.Commit(ctx, coordclient.Create("/not", nil)))
	_, _, err := s.Port.Get(ctx, "/e")
	want("get", err)
	_, err = s.Port.List(ctx, "/")
	want("list", err)
	want("sync", s.Port.Sync(ctx, "/e"))
	_, _, err = s.Port.Members(ctx)
	want("members", err)
	checkGone(t, s.Port, "/not")
}

func testReopen(t *testing.T, s System) {
	if s.Reopen == nil {
		t.Skip("this store does not outlive its process")
	}
	commit(t, s.Port, coordclient.Create("/d/a", []byte("a")), coordclient.Create("/d/b", nil), coordclient.Create("/d/c", nil))
	commit(t, s.Port, coordclient.Set("/d/a", []byte("aa"), 0), coordclient.Delete("/d/b", 0))
	was := modified(t, s.Port, "/d/a")
	for range 3 {
		s = s.Reopen(t)
		check(t, s.Port, "/d/a", "aa", 1)
		check(t, s.Port, "/d/c", "", 0)
		checkGone(t, s.Port, "/d/b")
		checkList(t, s.Port, "/d", "a", "c")
		if now := modified(t, s.Port, "/d/a"); !now.Equal(was) {
			t.Errorf("reopening moved modified from %s to %s", was, now)
		}
	}
	commit(t, s.Port, coordclient.Set("/d/a", []byte("aaa"), 1), coordclient.Create("/d/b", []byte("new")))
	s = s.Reopen(t)
	check(t, s.Port, "/d/a", "aaa", 2)
	check(t, s.Port, "/d/b", "new", 0)
}

func testMany(t *testing.T, s System) {
	const n = 3000
	for i := 0; i < n; i += 500 {
		ops := make([]coordclient.Op, 500)
		for j := range ops {
			ops[j] = coordclient.Create(fmt.Sprintf("/many/%05d", i+j), fmt.Append(nil, i+j))
		}
		commit(t, s.Port, ops...)
	}
	if err := s.Port.Sync(t.Context(), "/many"); err != nil {
		t.Fatal(err)
	}
	names, err := s.Port.List(t.Context(), "/many")
	if err != nil || len(names) != n {
		t.Fatalf("list: %d names, %v; want %d", len(names), err, n)
	}
	for i, name := range names {
		check(t, s.Port, "/many/"+name, fmt.Sprint(i), 0)
	}
}
