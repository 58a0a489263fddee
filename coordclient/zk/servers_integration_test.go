//go:build integration

package zk_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// A server that takes connections and answers nothing holds the library for
// 10 x 2/3 of the time-out; it must not cost the session. A leader takes longer:
// its followers notice after syncLimit, and then elect another.
func TestIntegrationFrozenServerDoesNotCostTheSession(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 3)
	servers.Whole(t)
	for mode, timeout := range map[string]time.Duration{"follower": tight, "leader": calm} {
		o := zk.Options{Servers: servers.Addresses(), Root: newRoot(), Node: "n", SessionTimeout: timeout}
		m := connectedTo(t, o, servers, mode)
		frozen := servers.At(m.Server())
		begun := time.Now()
		frozen.Freeze(t)
		commitAgain(t, m, "/again")
		t.Logf("%s frozen: committed again after %s of %s", mode, time.Since(begun).Round(time.Millisecond), timeout)
		becomes(t, m, coordclient.Healthy)
		frozen.Thaw(t)
		_ = m.Close()
		servers.Whole(t)
	}
}

// connectedTo joins until the session is with a server of that mode.
func connectedTo(t *testing.T, o zk.Options, servers zktest.Ensemble, mode string) *zk.Member {
	t.Helper()
	for range 50 {
		m := join(t, o)
		if is, err := servers.At(m.Server()).Mode(); err == nil && is == mode {
			becomes(t, m, coordclient.Healthy)
			return m
		}
		_ = m.Close()
	}
	t.Fatalf("no session with a %s", mode)
	return nil
}

// commitAgain creates a key, in the same session, as soon as that is possible.
func commitAgain(t *testing.T, m *zk.Member, key string) {
	t.Helper()
	for {
		err := m.Commit(t.Context(), coordclient.CheckMember(m.ID()), coordclient.Create(key, nil))
		if err == nil || errors.Is(err, coordclient.ErrExists) {
			return
		}
		select {
		case <-m.Done():
			t.Fatalf("lost: %v (the last commit: %v)", m.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// The time-out that counts is the one that the server grants.
func TestIntegrationGrantedTimeout(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t, zktest.Config("maxSessionTimeout=5000"))
	for asked, want := range map[time.Duration]time.Duration{
		zktest.MinSessionTimeout - 1: zktest.MinSessionTimeout, 3 * time.Second: 3 * time.Second, time.Hour: 5 * time.Second,
	} {
		m := join(t, zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n", SessionTimeout: asked})
		if got := m.SessionTimeout(); got != want {
			t.Errorf("asked for %s, got %s, want %s", asked, got, want)
		}
	}
}

// A list comes in one answer: one that is too long is refused before it is
// asked for, and costs no connection.
func TestIntegrationLongLists(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	m := join(t, zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n", SessionTimeout: calm})
	becomes(t, m, coordclient.Healthy)
	_, changed := m.State()
	const step, limit = 1000, 100_000
	for n := 0; n <= limit; n += step {
		if n == limit {
			if names, err := m.List(t.Context(), "/long"); err != nil || len(names) != limit {
				t.Errorf("a list of %d names: %d, %v", limit, len(names), err)
			}
		}
		ops := make([]coordclient.Op, step)
		for i := range ops {
			ops[i] = coordclient.Create(fmt.Sprintf("/long/name-of-a-task-in-a-bucket-that-is-full-%08d", n+i), nil)
		}
		if err := m.Commit(t.Context(), ops...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.List(t.Context(), "/long"); !errors.Is(err, coordclient.ErrTooLarge) || !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("a list above the limit: %v, want ErrTooLarge", err)
	}
	if names, err := m.List(t.Context(), "/"); err != nil || len(names) != 1 {
		t.Errorf("its parent lists %v, %v", names, err)
	}
	select {
	case <-changed:
		t.Errorf("it cost the connection: %v", m.Err())
	default:
	}
}

// A slow line is not a dead one.
func TestIntegrationSlowLineKeepsTheSession(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	m := join(t, zk.Options{Servers: []string{proxy.Address}, Root: newRoot(), Node: "n", SessionTimeout: calm})
	becomes(t, m, coordclient.Healthy)
	if err := m.Commit(t.Context(), coordclient.Create("/slow/first", nil)); err != nil {
		t.Fatal(err)
	}
	_, changed := m.State()
	proxy.Delay(short / 8) // in each direction
	for n := range 6 {
		if err := m.Commit(t.Context(), coordclient.Create(fmt.Sprintf("/slow/%d", n), nil)); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-changed:
		t.Errorf("a slow line cost the connection: %v", m.Err())
	default:
	}
}

// A server that gives what does not add up is left for another one, within the
// session, and not taken again while others do.
func TestIntegrationLeavesAServer(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 3)
	servers.Whole(t)
	m := join(t, zk.Options{Servers: servers.Addresses(), Root: newRoot(), Node: "n", SessionTimeout: calm})
	for range 4 {
		becomes(t, m, coordclient.Healthy)
		from := m.Server()
		m.Leave("a test")
		deadline := time.Now().Add(patience)
		for m.Server() == from || !healthyNow(m) {
			if time.Now().After(deadline) {
				t.Fatalf("still at %s", from)
			}
			<-time.After(10 * time.Millisecond)
		}
	}
	if err := m.Commit(t.Context(), coordclient.CheckMember(m.ID()), coordclient.Create("/x", nil)); err != nil {
		t.Errorf("the session did not last: %v", err)
	}
}

func healthyNow(m *zk.Member) bool {
	state, _ := m.State()
	return state == coordclient.Healthy
}

// A companion whose only server stands still and says nothing is told so before half
// of its session is over, and goes on with the same session when it is back.
func TestIntegrationFrozenServerIsNoticed(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	root := newRoot()
	host, err := joined(t.Context(), zk.Options{Servers: []string{server.Address}, Root: root, Node: "n", SessionTimeout: calm})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Close() }()
	client, err := zk.Dial(t.Context(), zk.Options{Servers: []string{server.Address}, Root: root, SessionTimeout: calm})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	becomes(t, client, coordclient.Healthy)
	frozen := time.Now()
	server.Freeze(t)
	becomes(t, client, coordclient.Suspended)
	noticed := time.Since(frozen)
	t.Logf("noticed after %s of %s", noticed.Round(time.Millisecond), calm)
	server.Thaw(t)
	if noticed > calm/2+calm/8 {
		t.Errorf("noticed after %s of %s", noticed, calm)
	}
	becomes(t, client, coordclient.Healthy)
}
