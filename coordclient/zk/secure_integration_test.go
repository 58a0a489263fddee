//go:build integration

package zk_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// busy makes one of everything that is ever created.
func busy(t *testing.T, o zk.Options) *zk.Member {
	t.Helper()
	m := join(t, o)
	becomes(t, m, coordclient.Healthy)
	if err := m.Commit(t.Context(), coordclient.Create("/a/b/c", []byte("secret"))); err != nil {
		t.Fatal(err)
	}
	if err := m.Publish(t.Context(), []byte("secret")); err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	held := make(chan struct{}, 2)
	wait := func(ctx context.Context, _ []byte) ([]byte, error) {
		held <- struct{}{}
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return nil, nil
	}
	m.Handle("wait", wait)
	large := make([]byte, 2*pieceSize)
	go func() { _, _ = m.SendReceive(t.Context(), m.ID(), "wait", large) }() // these end with the session
	go func() {
		_ = m.Lead(t.Context(), "role", func(ctx context.Context, _ coordclient.Term) error {
			_, err := wait(ctx, nil)
			return err
		})
	}()
	<-held
	<-held
	return m
}

// walk counts the znodes below a path that a connection can see, itself
// included, and those that it can read.
func walk(t *testing.T, conn *library.Conn, path string) (seen, readable int) {
	t.Helper()
	_, _, err := conn.Get(path)
	if err == nil {
		readable++
	} else if !errors.Is(err, library.ErrNoAuth) {
		t.Errorf("get %s: %v", path, err)
	}
	seen++
	names, _, err := conn.Children(path)
	if err != nil && !errors.Is(err, library.ErrNoAuth) {
		t.Errorf("children of %s: %v", path, err)
	}
	for _, name := range names {
		s, r := walk(t, conn, path+"/"+name)
		seen, readable = seen+s, readable+r
	}
	return seen, readable
}

func stranger(t *testing.T, address string) *library.Conn {
	t.Helper()
	conn, _, err := library.Connect([]string{address}, 10*time.Second, library.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func TestIntegrationDigest(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "n", Digest: zk.Digest{User: "belfry", Password: "s3cret"}}
	busy(t, o)
	conn := stranger(t, server.Address)
	if seen, readable := walk(t, conn, o.Root); seen != 1 || readable != 0 {
		t.Errorf("a stranger sees %d nodes and reads %d", seen, readable)
	}
	if err := conn.AddAuth("digest", []byte("belfry:s3cret")); err != nil {
		t.Fatal(err)
	}
	seen, readable := walk(t, conn, o.Root)
	if seen < 20 || readable != seen {
		t.Errorf("the owner sees %d nodes and reads %d", seen, readable)
	}
	everywhere(t, conn, o.Root, library.DigestACL(library.PermAll, "belfry", "s3cret"))

	wrong := o
	wrong.Digest.Password = "wrong"
	if _, err := zk.Dial(t.Context(), wrong); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("dial with a wrong password: %v, want ErrUnavailable", err)
	}
	wrong.Digest = zk.Digest{}
	if _, err := zk.Dial(t.Context(), wrong); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("dial without a password: %v, want ErrUnavailable", err)
	}
	c, err := zk.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if e, err := c.Read(t.Context(), "/a/b/c"); err != nil || string(e.Value) != "secret" {
		t.Errorf("the companion reads %s, %v", e.Value, err)
	}
}

// everywhere checks the ACL of every node.
func everywhere(t *testing.T, conn *library.Conn, path string, want []library.ACL) {
	t.Helper()
	got, _, err := conn.GetACL(path)
	if err != nil || len(got) != 1 || got[0] != want[0] {
		t.Errorf("ACL of %s: %v, %v; want %v", path, got, err, want)
	}
	names, _, err := conn.Children(path)
	if err != nil {
		t.Error(err)
	}
	for _, name := range names {
		everywhere(t, conn, path+"/"+name, want)
	}
}

// Credentials that protect nothing are an error, not a comfort.
func TestIntegrationReadableRootIsRefused(t *testing.T) {
	t.Parallel()
	secret := zk.Digest{User: "belfry", Password: "s3cret"}
	t.Run("made before", func(t *testing.T) {
		t.Parallel()
		server := zktest.StartServer(t)
		o := zk.Options{Servers: []string{server.Address}, Node: "n"}
		_ = join(t, o).Close()
		o.Digest = secret
		if _, err := joined(t.Context(), o); !errors.Is(err, zk.ErrReadable) {
			t.Errorf("join: %v, want ErrReadable", err)
		}
	})
	t.Run("skipACL", func(t *testing.T) {
		t.Parallel()
		server := zktest.StartServer(t, zktest.Flag("-Dzookeeper.skipACL=yes"))
		o := zk.Options{Servers: []string{server.Address}, Node: "n", Digest: secret}
		if _, err := joined(t.Context(), o); !errors.Is(err, zk.ErrReadable) {
			t.Errorf("join: %v, want ErrReadable", err)
		}
	})
}

// The digest is given again on each connection of the session.
func TestIntegrationDigestOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxy := zktest.NewProxy(t, server.Address)
	o := zk.Options{Servers: []string{proxy.Address}, Root: newRoot(), Node: "n", Digest: zk.Digest{User: "u", Password: "p"}}
	m := join(t, o)
	becomes(t, m, coordclient.Healthy)
	for range 5 {
		_, changed := m.State()
		proxy.Drop()
		closes(t, changed, "the end of the connection")
		commitAgain(t, m, "/again")
		if err := m.Commit(t.Context(), coordclient.Delete("/again", 0)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIntegrationTLS(t *testing.T) {
	t.Parallel()
	for _, need := range []string{"none", "need"} {
		t.Run(need, func(t *testing.T) {
			t.Parallel()
			authority := zktest.NewAuthority(t)
			option, address := zktest.Secure(t, authority, need)
			server := zktest.StartServer(t, option)
			o := zk.Options{Servers: []string{address}, Root: newRoot(), Node: "n", TLS: &tls.Config{RootCAs: authority.Pool}}
			if need == "need" {
				if _, err := zk.Dial(t.Context(), zk.Options{Servers: o.Servers, TLS: o.TLS, SessionTimeout: short}); !errors.Is(err, coordclient.ErrUnavailable) {
					t.Errorf("without a certificate: %v, want ErrUnavailable", err)
				}
				cert, _ := authority.Issue(t, "host")
				o.TLS.Certificates = []tls.Certificate{cert}
				o.ACL = []zk.Identity{{Scheme: "x509", ID: "CN=host"}}
			} else {
				o.Digest = zk.Digest{User: "u", Password: "p"}
			}
			busy(t, o)
			if seen, readable := walk(t, stranger(t, server.Address), o.Root); seen != 1 || readable != 0 {
				t.Errorf("a stranger sees %d nodes and reads %d", seen, readable)
			}
			other := zktest.NewAuthority(t)
			o.TLS = &tls.Config{RootCAs: other.Pool}
			o.SessionTimeout = short
			if _, err := zk.Dial(t.Context(), o); !errors.Is(err, coordclient.ErrUnavailable) {
				t.Errorf("a server whose authority is unknown: %v, want ErrUnavailable", err)
			}
			o.TLS = nil
			if _, err := zk.Dial(t.Context(), o); !errors.Is(err, coordclient.ErrUnavailable) {
				t.Errorf("in the clear to a port for TLS: %v, want ErrUnavailable", err)
			}
		})
	}
}
