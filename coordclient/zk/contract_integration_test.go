//go:build integration

package zk_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

func TestIntegrationContractOnOneServer(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 1), false, zk.Digest{})
}

func TestIntegrationContractWithDigest(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 1), false, zk.Digest{User: "belfry", Password: "s3cret"})
}

func TestIntegrationContractOnThreeServers(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 3), false, zk.Digest{})
}

// The companion's reads and the member's writes are only in order where both
// speak to one server, or sync.
func TestIntegrationContractOfCompanion(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 1), true, zk.Digest{})
}

var roots atomic.Int64

// newRoot is a root that no other test has.
func newRoot() string { return fmt.Sprintf("/test%d", roots.Add(1)) }

func contract(t *testing.T, servers zktest.Ensemble, companion bool, digest zk.Digest) {
	t.Helper()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		return system(t, servers, newRoot(), companion, digest)
	})
}

func system(t *testing.T, servers zktest.Ensemble, root string, companion bool, digest zk.Digest) coordtest.System {
	t.Helper()
	o := zk.Options{Servers: servers.Addresses(), Root: root, SessionTimeout: calm, Node: "first", Digest: digest}
	host := join(t, o)
	s := coordtest.System{
		Port: host, Host: host,
		Join: func(t *testing.T, node string) coordtest.Joined {
			t.Helper()
			o := o
			o.Node = node
			return expirable(t, o, servers[0])
		},
		Expire: func(t *testing.T, m coordtest.Joined) {
			t.Helper()
			m.(*guest).expire(t)
		},
		Close: func(*testing.T) { _ = host.Close() },
		Reopen: func(t *testing.T) coordtest.System {
			t.Helper()
			_ = host.Close()
			return system(t, servers, root, companion, digest)
		},
	}
	if companion {
		client, err := zk.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		s.Port, s.Companion, s.Reopen = client, true, nil
		s.Close = func(*testing.T) { _ = client.Close() }
	}
	return s
}

// joined tries again, as a host does, where a busy server does not grant a session
// within the session's time-out.
func joined(ctx context.Context, o zk.Options) (*zk.Member, error) {
	m, err := zk.Join(ctx, o)
	for by := time.Now().Add(patience); errors.Is(err, coordclient.ErrUnavailable) && time.Now().Before(by); {
		m, err = zk.Join(ctx, o)
	}
	return m, err
}

// join joins for the time of the test. Where the session's time-out is not the
// matter it is long: a busy machine ends no session.
func join(t testing.TB, o zk.Options) *zk.Member {
	t.Helper()
	o.SessionTimeout = cmp.Or(o.SessionTimeout, calm)
	m, err := joined(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// guest is a member whose session can be ended from elsewhere, as a server does
// that has not heard of it for its time-out.
type guest struct {
	*zk.Member
	proxy  *zktest.Proxy
	server *zktest.Server
}

func expirable(t *testing.T, o zk.Options, server *zktest.Server) *guest {
	t.Helper()
	proxy := zktest.NewProxy(t, server.Address)
	o.Servers = []string{proxy.Address}
	return &guest{join(t, o), proxy, server}
}

// expire keeps the member away meanwhile: it would take its session back.
func (g *guest) expire(t *testing.T) {
	t.Helper()
	g.proxy.Cut()
	hijack(t, g.server.Address, g.Member)
	g.proxy.Pass()
	closes(t, g.Done(), "the session's end")
}

// hijack takes a session over and closes it.
func hijack(t *testing.T, address string, m *zk.Member) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	session, password := m.Credentials()
	hello := make([]byte, 0, 64)
	hello = binary.BigEndian.AppendUint32(hello, 44)     // length
	hello = binary.BigEndian.AppendUint32(hello, 0)      // version
	hello = binary.BigEndian.AppendUint64(hello, 0)      // last zxid
	hello = binary.BigEndian.AppendUint32(hello, 10_000) // time-out
	hello = binary.BigEndian.AppendUint64(hello, uint64(session))
	hello = binary.BigEndian.AppendUint32(hello, uint32(len(password)))
	hello = append(hello, password...)
	const closeSession = -11
	bye := binary.BigEndian.AppendUint32(hello, 8)
	bye = binary.BigEndian.AppendUint32(bye, 1)
	bye = binary.BigEndian.AppendUint32(bye, uint32(0x1_0000_0000+closeSession))
	if _, err := conn.Write(bye); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil { // until the server has done it
		t.Fatal(err)
	}
}

var (
	_ coordtest.Joined = (*zk.Member)(nil)
	_ coordtest.Port   = (*zk.Client)(nil)
	_ coordclient.KV   = (*zk.Client)(nil)
)
