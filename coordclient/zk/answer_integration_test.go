//go:build integration

package zk_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// eventually looks until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

// A request that cannot be understood is removed, not read for ever.
func TestIntegrationMalformedCallsAreRemoved(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n"}
	m := join(t, o)
	conn := stranger(t, server.Address)
	calls := o.Root + "/calls/" + string(m.ID())
	for name, text := range map[string]string{"empty": "", "prose": "hello", "pieces": `{"verb":"v","reply":true,"pieces":-1}` + "\n"} {
		if _, err := conn.Create(calls+"/"+name, []byte(text), 0, library.WorldACL(library.PermAll)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the directory of calls is empty", func() bool { return len(childrenOf(t, conn, calls)) == 0 })
}

// The answer to the first piece of a large reply is lost with the connection: the
// caller gets the whole reply all the same.
func TestIntegrationLargeReplyOutlivesALostAnswer(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "caller"}
	caller := join(t, o)
	o.Servers, o.Node = []string{proxy.Address}, "callee"
	callee := join(t, o)
	becomes(t, callee, coordclient.Healthy)
	conn := stranger(t, server.Address)
	want := bytes.Repeat([]byte{'x'}, 3*pieceSize)
	callee.Handle("large", func(context.Context, []byte) ([]byte, error) {
		proxy.Hold(zktest.Replies)
		return want, nil
	})
	go func() { // ends when the first piece is there
		pieces := o.Root + "/pieces/" + string(callee.ID())
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
			if names, _, err := conn.Children(pieces); err == nil && len(names) > 0 {
				break
			}
		}
		proxy.Pass()
		proxy.Drop()
	}()
	if got, err := caller.SendReceive(t.Context(), callee.ID(), "large", nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}

// A reply whose answer was lost is left again: what it left first is kept.
func TestIntegrationReplyTwiceIsOnce(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "callee"}
	callee := join(t, o)
	o.Servers, o.Node = []string{proxy.Address}, "caller"
	caller := join(t, o)
	becomes(t, caller, coordclient.Healthy)
	conn := stranger(t, server.Address)
	want := bytes.Repeat([]byte{'x'}, 2*pieceSize)
	callee.Handle("large", func(context.Context, []byte) ([]byte, error) {
		proxy.Hold(zktest.Replies) // the caller does not look meanwhile
		defer proxy.Pass()
		for _, name := range childrenOf(t, conn, o.Root+"/calls/"+string(callee.ID())) {
			callee.Reply(t.Context(), name, want)
			callee.Reply(t.Context(), name, want)
		}
		return want, nil
	})
	if got, err := caller.SendReceive(t.Context(), callee.ID(), "large", nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
}
