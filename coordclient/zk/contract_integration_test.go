//go:build integration

package zk_test

import (
	"encoding/binary"
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
	contract(t, zktest.StartEnsemble(t, 1), false)
}

func TestIntegrationContractOnThreeServers(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 3), false)
}

// The companion's reads and the member's writes are only in order where both
// speak to one server, or sync.
func TestIntegrationContractOfCompanion(t *testing.T) {
	t.Parallel()
	contract(t, zktest.StartEnsemble(t, 1), true)
}

var roots atomic.Int64

// newRoot is a root that no other test has.
func newRoot() string { return fmt.Sprintf("/test%d", roots.Add(1)) }

func contract(t *testing.T, servers zktest.Ensemble, companion bool) {
	t.Helper()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		return system(t, servers, newRoot(), companion)
	})
}

func system(t *testing.T, servers zktest.Ensemble, root string, companion bool) coordtest.System {
	t.Helper()
	o := zk.Options{Servers: servers.Addresses(), Root: root, SessionTimeout: 10 * time.Second, Node: "first"}
	host := join(t, o)
	s := coordtest.System{
		Port: host, Host: host,
		Join: func(t *testing.T, node string) coordtest.Joined {
			t.Helper()
			o := o
			o.Node = node
			return join(t, o)
		},
		Expire: func(t *testing.T, m coordtest.Joined) {
			t.Helper()
			expire(t, servers[0].Address, m.(*zk.Member))
		},
		Close: func(*testing.T) { _ = host.Close() },
		Reopen: func(t *testing.T) coordtest.System {
			t.Helper()
			_ = host.Close()
			return system(t, servers, root, companion)
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

func join(t testing.TB, o zk.Options) *zk.Member {
	t.Helper()
	m, err := zk.Join(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// expire ends a member's session from another connection, as a server does that
// has not heard of it for its time-out.
func expire(t *testing.T, address string, m *zk.Member) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	session, password := m.Credentials()
	hello := binary.BigEndian.AppendUint32(nil, 0)
	hello = binary.BigEndian.AppendUint64(hello, 0)
	hello = binary.BigEndian.AppendUint32(hello, 10_000)
	hello = binary.BigEndian.AppendUint64(hello, uint64(session))
	hello = binary.BigEndian.AppendUint32(hello, uint32(len(password)))
	exchange(t, conn, append(hello, password...))
	bye := binary.BigEndian.AppendUint32(nil, 8)
	bye = binary.BigEndian.AppendUint32(bye, 1)
	const closeSession = -11
	bye = binary.BigEndian.AppendUint32(bye, uint32(0x1_0000_0000+closeSession))
	if _, err := conn.Write(bye); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil { // until the server has done it
		t.Fatal(err)
	}
}

func exchange(t *testing.T, conn net.Conn, packet []byte) {
	t.Helper()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)); err != nil {
		t.Fatal(err)
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(length[:]))); err != nil {
		t.Fatal(err)
	}
}

var (
	_ coordtest.Joined = (*zk.Member)(nil)
	_ coordtest.Port   = (*zk.Client)(nil)
	_ coordclient.KV   = (*zk.Client)(nil)
)
