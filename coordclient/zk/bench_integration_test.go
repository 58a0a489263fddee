//go:build integration

package zk_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// BenchmarkIntegrationCommit: commits as a bucket's owner makes them (its
// member, its fence and one entry of 200 bytes), and beside them the bare multis
// of the library, on servers that sync to disk.
func BenchmarkIntegrationCommit(b *testing.B) {
	for _, servers := range []int{1, 3} {
		ensemble := zktest.StartEnsemble(b, servers)
		for _, committers := range []int{1, 64, 256} {
			b.Run(fmt.Sprintf("servers=%d/committers=%d", servers, committers), func(b *testing.B) {
				m, err := joined(b.Context(), zk.Options{Servers: ensemble.Addresses(), Root: newRoot(), Node: "bench", SessionTimeout: 30 * time.Second})
				if err != nil {
					b.Fatal(err)
				}
				defer m.Close()
				bench(b, committers, func(fence string) error {
					return m.Commit(b.Context(), coordclient.Create(fence, nil), coordclient.Create(fence+"/log/first", nil))
				}, func(fence string, n int64, value []byte) error {
					return m.Commit(b.Context(), coordclient.CheckMember(m.ID()), coordclient.Check(fence, 0),
						coordclient.Create(fmt.Sprintf("%s/log/%d", fence, n), value))
				})
			})
			b.Run(fmt.Sprintf("servers=%d/committers=%d/bare", servers, committers), func(b *testing.B) {
				conn, _, err := library.Connect(ensemble.Addresses(), 30*time.Second, library.WithLogger(quiet{}))
				if err != nil {
					b.Fatal(err)
				}
				defer conn.Close()
				acl, root := library.WorldACL(library.PermAll), newRoot()
				if _, err := conn.Create(root, nil, 0, acl); err != nil {
					b.Fatal(err)
				}
				bench(b, committers, func(fence string) error {
					_, err := conn.Create(root+"/"+fence[1:], nil, 0, acl)
					return err
				}, func(fence string, n int64, value []byte) error {
					path := root + "/" + fence[1:]
					_, err := conn.Multi(&library.CheckVersionRequest{Path: root, Version: -1}, &library.CheckVersionRequest{Path: path},
						&library.CreateRequest{Path: fmt.Sprintf("%s/%d", path, n), Data: value, Acl: acl})
					return err
				})
			})
		}
	}
}

// bench runs b.N commits from so many goroutines, each with a fence of its own.
func bench(b *testing.B, committers int, prepare func(fence string) error, commit func(fence string, n int64, value []byte) error) {
	b.Helper()
	value := make([]byte, 200)
	for c := range committers {
		if err := prepare(fmt.Sprintf("/b%d", c)); err != nil {
			b.Fatal(err)
		}
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for c := range committers {
		wg.Go(func() { // ends when b.N commits were begun
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := commit(fmt.Sprintf("/b%d", c), n, value); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
