package socket_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/local"
	"github.com/seed42aab489/belfry/coordclient/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tempSocket gives a path short enough for a socket.
func tempSocket(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "belfry") //nolint:usetesting // a test's own is named after the test, and too long
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve serves a port until the test ends or stop is called.
func serve(tb testing.TB, path string, port socket.Port) (stop func()) {
	tb.Helper()
	ln, err := socket.Listen(path)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- socket.Serve(ctx, ln, port, socket.ServeOptions{}) }() // ends with ctx
	stopped := false
	stop = func() {
		tb.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-served; err != nil {
			tb.Errorf("serve: %v", err)
		}
	}
	tb.Cleanup(stop)
	return stop
}

func dial(tb testing.TB, path string) *socket.Client {
	tb.Helper()
	c, err := socket.Dial(tb.Context(), path, socket.DialOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestContract(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		cluster := coordtest.NewCluster(nil)
		host := cluster.Join("host", nil)
		t.Cleanup(func() { _ = host.Close() })
		path := tempSocket(t)
		serve(t, path, host)
		client := dial(t, path)
		return coordtest.System{
			Port:      client,
			Host:      host,
			Companion: true,
			Join: func(t *testing.T, node string) coordtest.Joined {
				t.Helper()
				m := cluster.Join(node, nil)
				t.Cleanup(func() { _ = m.Close() })
				return m
			},
			Expire: func(_ *testing.T, m coordtest.Joined) { m.(*coordtest.Member).Expire() },
			Close:  func(*testing.T) { _ = client.Close() },
		}
	})
}

// TestContractOverLocal is what a companion of a host that stands alone has.
func TestContractOverLocal(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		return overLocal(t, filepath.Join(t.TempDir(), "store.db"))
	})
}

func overLocal(t *testing.T, file string) coordtest.System {
	t.Helper()
	host, err := local.Open(t.Context(), local.Options{Path: file, Node: "host"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	path := tempSocket(t)
	stop := serve(t, path, host)
	client := dial(t, path)
	return coordtest.System{
		Port:      client,
		Host:      host,
		Companion: true,
		Close:     func(*testing.T) { _ = client.Close() },
		Reopen: func(t *testing.T) coordtest.System {
			t.Helper()
			stop()
			_ = client.Close()
			if err := host.Close(); err != nil {
				t.Fatal(err)
			}
			return overLocal(t, file)
		},
	}
}

// BenchmarkGet: one entry after another, as a command that lists tasks reads.
func BenchmarkGet(b *testing.B) {
	host := coordtest.NewMemory()
	defer host.Close()
	path := tempSocket(b)
	serve(b, path, host)
	c := dial(b, path)
	const keys = 10_000
	for i := 0; i < keys; i += 500 {
		var ops []coordclient.Op
		for j := range 500 {
			ops = append(ops, coordclient.Create(fmt.Sprintf("/tasks/%d", i+j), make([]byte, 400)))
		}
		if err := c.Commit(b.Context(), ops...); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	for i := range b.N {
		if _, _, err := c.Get(b.Context(), fmt.Sprintf("/tasks/%d", i%keys)); err != nil {
			b.Fatal(err)
		}
	}
}
