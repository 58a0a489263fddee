//go:build integration

package zk_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// Not parallel: nothing else runs, so that what is left is ours.
func TestIntegrationSessionsLeaveNothingInTheProcess(t *testing.T) { //nolint:paralleltest // it counts what the process has
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{proxy.Address}, Root: newRoot(), Node: "n", SessionTimeout: 2 * short}
	ignore := goleak.IgnoreCurrent()
	before := sockets(t)
	for round := range 6 {
		m, err := joined(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		becomes(t, m, coordclient.Healthy)
		if _, _, err := m.Members(t.Context()); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 { // expired, while requests are under way
			proxy.Hold(zktest.Replies)
			go func() { _ = m.Commit(context.Background(), coordclient.Create("/x", nil)) }() // ends with the session
			closes(t, m.Done(), "lost")
			proxy.Drop()
			proxy.Pass()
		}
		_ = m.Close()
		_ = m.Close()
	}
	proxy.Drop()
	if err := goleak.Find(ignore, goleak.IgnoreAnyFunction("github.com/seed42aab489/belfry/coordclient/zk/zktest.(*Proxy).pump")); err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(patience); sockets(t) > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d sockets, there were %d", sockets(t), before)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func sockets(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("NOT TESTED for leaks of sockets: %v", err)
	}
	n := 0
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// What calls, broadcasts and candidacies need at the servers is gone after them.
func TestIntegrationCallsLeaveNothingAtTheServers(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n"}
	m := join(t, o)
	m.Handle("echo", func(_ context.Context, request []byte) ([]byte, error) { return request, nil })
	m.Handle("hang", func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return make([]byte, 2*pieceSize), nil
	})
	for _, size := range []int{0, 100, pieceSize, 3*pieceSize + 1} {
		if _, err := m.SendReceive(t.Context(), m.ID(), "echo", make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if err := m.Broadcast(t.Context(), "echo", make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, _ = m.SendReceive(ctx, m.ID(), "hang", make([]byte, size))
		cancel()
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		_ = m.Lead(ctx, "role", func(context.Context, coordclient.Term) error { return nil })
		cancel()
	}
	conn := stranger(t, server.Address)
	dirs := []string{"/replies", "/calls/" + string(m.ID()), "/pieces/" + string(m.ID()), "/candidates/role"}
	var left string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		left = ""
		for _, dir := range dirs {
			for _, name := range childrenOf(t, conn, o.Root+dir) {
				left += " " + dir + "/" + name
			}
		}
		if left == "" {
			return
		}
	}
	t.Errorf("left behind:%s", left)
}

// A leader that is cut off stops before it is lost, and leads again in a later
// term when it is back.
func TestIntegrationLeaderStopsWhenItIsCutOff(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	m := join(t, zk.Options{Servers: []string{proxy.Address}, Root: newRoot(), Node: "n"})
	terms := make(chan coordclient.Term)
	stopped := make(chan coordclient.State, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { // ends with ctx
		done <- m.Lead(ctx, "r", func(led context.Context, term coordclient.Term) error {
			terms <- term
			<-led.Done()
			state, _ := m.State()
			stopped <- state
			return led.Err()
		})
	}()
	last := coordclient.Term(0)
	for round := range 3 {
		term := <-terms
		if term <= last {
			t.Errorf("term %d after %d", term, last)
		}
		last = term
		if err := m.Commit(t.Context(), coordclient.Check("/election/r", int64(term)-1)); err != nil {
			t.Errorf("the term does not fence: %v", err)
		}
		if round == 2 {
			break
		}
		proxy.Cut()
		if state := <-stopped; state != coordclient.Suspended {
			t.Errorf("it stopped when %s", state)
		}
		proxy.Pass()
	}
	cancel()
	<-stopped
	if err := <-done; err == nil {
		t.Error("lead without an error")
	}
}

// A member knows how far its clock is off.
func TestIntegrationSkew(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	for _, off := range []time.Duration{0, -time.Hour, time.Hour} {
		t.Run(fmt.Sprint(off), func(t *testing.T) {
			t.Parallel()
			m := join(t, zk.Options{
				Servers: []string{server.Address}, Root: newRoot(), Node: "n", SessionTimeout: tight,
				Now: func() time.Time { return time.Now().Add(off) },
			})
			for {
				if ahead, within, ok := m.Skew(); ok {
					if diff := (ahead - off).Abs(); diff > within+10*time.Millisecond {
						t.Errorf("ahead by %s ± %s, want %s", ahead, within, off)
					}
					return
				}
				<-time.After(10 * time.Millisecond)
			}
		})
	}
}

// The removal of a broadcast, which its receiver sees too, does not call it off.
func TestIntegrationEveryBroadcastIsHeard(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	m := join(t, zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n"})
	const messages = 200
	heard := make(chan struct{}, messages)
	m.Handle("news", func(context.Context, []byte) ([]byte, error) {
		heard <- struct{}{}
		return nil, nil
	})
	for range messages {
		if err := m.Broadcast(t.Context(), "news", nil); err != nil {
			t.Fatal(err)
		}
	}
	for n := range messages {
		select {
		case <-heard:
		case <-time.After(patience):
			t.Fatalf("%d of %d were heard", n, messages)
		}
	}
}
