//go:build integration

package zk_test

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// Session time-outs of these tests.
const (
	short = 2 * time.Second  // where sessions end, and how soon is not the matter
	tight = 12 * time.Second // where it is: a third of it is for a busy machine
	calm  = 30 * time.Second // where none is to end
)

// patience is how long a test waits for what must come.
const patience = 5 * time.Minute

func closes(t testing.TB, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("%s: not within %s", what, patience)
	}
}

// becomes waits for a state.
func becomes(t testing.TB, s coordclient.Session, want coordclient.State) {
	t.Helper()
	for {
		state, changed := s.State()
		if state == want {
			return
		}
		closes(t, changed, fmt.Sprintf("from %s to %s", state, want))
	}
}

// isThere asks another session whether a key is there.
func isThere(t testing.TB, kv coordclient.KV, key string) bool {
	t.Helper()
	if err := kv.Sync(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	_, _, err := kv.Get(t.Context(), key)
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func inGroup(t testing.TB, m coordclient.Members, id coordclient.MemberID) (bool, <-chan struct{}) {
	t.Helper()
	list, changed, err := m.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range list {
		if is.ID == id {
			return true, changed
		}
	}
	return false, changed
}

// leaves waits until a member is seen to have left.
func leaves(t testing.TB, m coordclient.Members, id coordclient.MemberID) {
	t.Helper()
	for {
		in, changed := inGroup(t, m, id)
		if !in {
			return
		}
		closes(t, changed, "the group without "+string(id))
	}
}

// The defect itself: what waits in the library's queue while its session
// expires is done in the next session.
func TestIntegrationLibraryRunsQueuedWritesInTheNextSession(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	_, port, _ := net.SplitHostPort(proxy.Address)
	conn, _, err := library.Connect([]string{proxy.Address, "localhost:" + port}, short, library.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := conn.Create("/before", nil, library.FlagEphemeral, library.WorldACL(library.PermAll)); err != nil {
		t.Fatal(err)
	}
	first := conn.SessionID()
	proxy.Cut()
	inFirst := make(chan bool, 1)
	go func() { // ends when a request is answered
		for n := 0; ; n++ {
			began := conn.SessionID()
			// Between its rounds the library drops what is queued: then once more.
			if _, err := conn.Create(fmt.Sprintf("/late%d", n), nil, 0, library.WorldACL(library.PermAll)); err == nil {
				inFirst <- began == first
				return
			}
		}
	}()
	for deadline := time.Now().Add(patience); server.Metrics(t)["zk_global_sessions"] != "0"; {
		if time.Now().After(deadline) {
			t.Fatal("the session does not expire")
		}
	}
	proxy.Pass()
	if !<-inFirst || conn.SessionID() == first {
		t.Error("the library has lost this defect: what contains it may go")
	}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// Ours: whatever was under way when the session ended is never done.
func TestIntegrationQueuedWritesDieWithTheirSession(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "witness"}
	witness := join(t, o)
	o.Servers, o.Node, o.SessionTimeout = []string{proxy.Address}, "cut", tight
	m := join(t, o)
	becomes(t, m, coordclient.Healthy)
	const writes = 300
	ops := func(n int) []coordclient.Op {
		return []coordclient.Op{coordclient.Create(fmt.Sprintf("/late/%d", n), nil)}
	}
	if err := m.Commit(t.Context(), coordclient.Create("/late/first", nil)); err != nil {
		t.Fatal(err)
	}
	proxy.Hold(zktest.Requests) // they leave the member, and reach nobody
	errs := make(chan error, writes)
	var begun sync.WaitGroup
	for n := range writes {
		begun.Go(func() { errs <- m.Commit(t.Context(), ops(n)...) }) // ends with the session
	}
	closes(t, m.Done(), "lost by its own clock")
	if in, _ := inGroup(t, witness, m.ID()); !in {
		t.Error("the servers had expired it before it gave up by itself")
	}
	begun.Wait()
	leaves(t, witness, m.ID())
	proxy.Pass() // now what was held arrives
	for range writes {
		if err := <-errs; !errors.Is(err, coordclient.ErrUnknownOutcome) && !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("commit: %v", err)
		}
	}
	again := join(t, o) // and the same process is back, as somebody else
	if again.ID() == m.ID() {
		t.Errorf("joined again as %s", m.ID())
	}
	if err := again.Commit(t.Context(), coordclient.CheckMember(again.ID()), coordclient.Create("/late/again", nil)); err != nil {
		t.Fatal(err)
	}
	if names, err := again.List(t.Context(), "/late"); err != nil || strings.Join(names, " ") != "again first" {
		t.Errorf("/late has %v, %v; want again and first alone", names, err)
	}
}

// The check of the member is at the store: a request that names a former
// incarnation fails, whoever sends it.
func TestIntegrationFormerIncarnationIsRefused(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n"}
	former := join(t, o)
	_ = former.Close()
	m := join(t, o)
	err := m.Commit(t.Context(), coordclient.CheckMember(former.ID()), coordclient.Create("/x", nil))
	if !errors.Is(err, coordclient.ErrNotMember) {
		t.Errorf("the former incarnation's commit: %v", err)
	}
	conn, _, err := library.Connect([]string{server.Address}, calm, library.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = conn.Multi(&library.CheckVersionRequest{Path: o.Root + "/members/" + string(former.ID()), Version: -1},
		&library.CreateRequest{Path: o.Root + "/late", Acl: library.WorldACL(library.PermAll)})
	if !errors.Is(err, library.ErrNoNode) {
		t.Errorf("its late write, as it was on the wire: %v, want no node", err)
	}
}

// The server commits, and the answer is lost: that is unknown, not unavailable.
func TestIntegrationLostReplyIsUnknown(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "witness"}
	witness := join(t, o)
	o.Servers, o.Node = []string{proxy.Address}, "cut"
	m := join(t, o)
	becomes(t, m, coordclient.Healthy)
	op := coordclient.Create("/done", []byte("by me"))
	if err := m.Commit(t.Context(), coordclient.Create("/sibling", nil)); err != nil {
		t.Fatal(err)
	}
	proxy.Hold(zktest.Replies)
	got := make(chan error, 1)
	go func() { got <- m.Commit(t.Context(), op) }() // ends with the connection
	for deadline := time.Now().Add(patience); !isThere(t, witness, "/done"); {
		if time.Now().After(deadline) {
			t.Fatal("the commit did not reach the server")
		}
	}
	proxy.Drop()
	if err := <-got; !errors.Is(err, coordclient.ErrUnknownOutcome) || errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("commit: %v, want ErrUnknownOutcome alone", err)
	}
	if state, _ := m.State(); state == coordclient.Healthy {
		t.Error("healthy without a connection")
	}
	if err := m.Commit(t.Context(), op); !errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) {
		t.Errorf("commit without a connection: %v, want ErrUnavailable alone", err)
	}
	proxy.Pass()
	proxy.Drop()
	becomes(t, m, coordclient.Healthy)
	if err := m.Commit(t.Context(), op); !errors.Is(err, coordclient.ErrExists) {
		t.Errorf("the same commit again, in the same session: %v, want ErrExists", err)
	}
}

// Watches survive the connection, and what changed meanwhile is told.
func TestIntegrationWatchesOutliveTheConnection(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "witness"}
	witness := join(t, o)
	o.Servers, o.Node = []string{proxy.Address}, "cut"
	m := join(t, o)
	const keys = 500
	var ops, sets []coordclient.Op
	for i := range keys {
		key := fmt.Sprintf("/w/%d", i)
		ops, sets = append(ops, coordclient.Create(key, nil)), append(sets, coordclient.Set(key, nil, 0))
	}
	if err := m.Commit(t.Context(), ops...); err != nil {
		t.Fatal(err)
	}
	var channels []<-chan struct{}
	for _, op := range ops {
		for range 20 { // reading often sets no more watches
			_, c, err := m.Get(t.Context(), op.Key)
			if err != nil {
				t.Fatal(err)
			}
			channels = append(channels, c)
		}
	}
	if n, err := strconv.Atoi(server.Metrics(t)["zk_watch_count"]); err != nil || n > keys+20 {
		t.Errorf("%d watches at the server, %v; want about %d", n, err, keys)
	}
	proxy.Cut()
	if err := witness.Commit(t.Context(), sets...); err != nil { // 500 events at once
		t.Fatal(err)
	}
	proxy.Pass()
	for i, c := range channels {
		closes(t, c, fmt.Sprintf("watch %d", i))
	}
}

// What is too large for a request is refused before it costs the connection,
// which ZooKeeper closes over it.
func TestIntegrationTooLargeKeepsTheConnection(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	m := join(t, zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n"})
	becomes(t, m, coordclient.Healthy)
	_, changed := m.State()
	var ops []coordclient.Op
	for i := range 512 { // each character takes twelve bytes in a path
		ops = append(ops, coordclient.Create(fmt.Sprintf("/%d%s", i, strings.Repeat("\U0001F514", 240)), nil))
	}
	if err := m.Commit(t.Context(), ops...); !errors.Is(err, coordclient.ErrTooLarge) {
		t.Errorf("a commit that is too large on the wire: %v, want ErrTooLarge", err)
	}
	if err := m.Commit(t.Context(), ops[:250]...); err != nil {
		t.Errorf("a commit of large keys: %v", err)
	}
	names, err := m.List(t.Context(), "/")
	if err != nil || len(names) != 250 || !strings.HasSuffix(names[0], "\U0001F514") {
		t.Errorf("%d names, %v", len(names), err)
	}
	for range 3 { // as large as anything can be
		value := make([]byte, coordclient.MaxValue-2)
		key := coordclient.Create("/k", value)
		if err := m.Commit(t.Context(), key); err != nil {
			t.Error(err)
		}
		if err := m.Commit(t.Context(), coordclient.Delete("/k", 0)); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-changed:
		t.Error("it cost the connection")
	default:
	}
}

// There is no chroot: roots are apart all the same.
func TestIntegrationRootsAreApart(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	a := join(t, zk.Options{Servers: []string{server.Address}, Root: "/one/deep", Node: "n"})
	b := join(t, zk.Options{Servers: []string{server.Address}, Root: "/one", Node: "n"})
	for _, m := range []*zk.Member{a, b} {
		if err := m.Commit(t.Context(), coordclient.Create("/deep/keys/x", []byte(m.ID()))); err != nil {
			t.Fatal(err)
		}
		e, _, err := m.Get(t.Context(), "/deep/keys/x")
		if err != nil || string(e.Value) != string(m.ID()) {
			t.Errorf("%s reads %s, %v", m.ID(), e.Value, err)
		}
		if list, _, err := m.Members(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("members %v, %v", list, err)
		}
	}
}
