package coordtest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContractOfMemory(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		c := coordtest.NewCluster(nil)
		host := c.Join("first", nil)
		t.Cleanup(func() { _ = host.Close() })
		return system(c, host, host)
	})
}

func TestContractOfMemoryCompanion(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		c := coordtest.NewCluster(nil)
		host := c.Join("first", nil)
		t.Cleanup(func() { _ = host.Close() })
		client := c.Dial()
		s := system(c, client, host)
		s.Companion = true
		s.Close = func(*testing.T) { _ = client.Close() }
		return s
	})
}

func TestContractOfFaulty(t *testing.T) {
	t.Parallel()
	coordtest.Exercise(t, func(t *testing.T) coordtest.System {
		t.Helper()
		c := coordtest.NewCluster(nil)
		host := c.Join("first", nil)
		t.Cleanup(func() { _ = host.Close() })
		faulty := coordtest.NewFaulty(host)
		s := system(c, faulty, host)
		s.Host = faulty
		return s
	})
}

func system(c *coordtest.Cluster, port coordtest.Port, host *coordtest.Member) coordtest.System {
	return coordtest.System{
		Port: port,
		Host: host,
		Join: func(t *testing.T, node string) coordtest.Joined {
			t.Helper()
			m := c.Join(node, nil)
			t.Cleanup(func() { _ = m.Close() })
			return m
		},
		Expire: func(_ *testing.T, m coordtest.Joined) { m.(*coordtest.Member).Expire() },
		Close:  func(*testing.T) { _ = host.Close() },
	}
}

var _ coordclient.KV = (*coordtest.Faulty)(nil)
