//go:build integration

package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Each way to name the servers leads to the same cluster, whatever there is of
// hosts; and a stopped server is told from one that refuses.
func TestIntegrationCompanionOverZooKeeper(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	member, err := zk.Join(t.Context(), zk.Options{Servers: []string{server.Address}, SessionTimeout: time.Minute, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	owner := store.New(member, store.Options{}).Owner(member.ID(), member)
	if _, err := owner.Init(t.Context(), store.Settings{Buckets: 8}); err != nil {
		t.Fatal(err)
	}
	if err := owner.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	service := contract.ServiceView{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
		{Service: "Stock", Name: "getLowStock", Schedulable: true},
	}}
	if err := control.Publish(t.Context(), owner, []contract.ServiceView{service}); err != nil {
		t.Fatal(err)
	}
	address := "zk://" + server.Address
	g := &group{T: t, socket: "/no/such/socket", config: t.TempDir()}
	g.says(0, address+"/belfry", "status", "--connect", address)
	g.says(0, "n1\tjoining", "node", "list", "--connect", address)
	if err := member.Close(); err != nil {
		t.Fatal(err)
	}
	g.says(0, "no host is up", "status", "--connect", address+"/belfry")
	g.says(0, "created", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h", "--connect", address)
	g.says(5, "exists already", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "2h", "--connect", address)
	g.says(5, "", "task", "set", "x", "--retry", "1", "--if-revision", "9", "--connect", address)

	config := filepath.Join(t.TempDir(), "coordination-client-config.xml")
	host, port, err := net.SplitHostPort(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`<CoordinationClientConfiguration enabled="true"><Servers><Server host=%q port=%q/></Servers></CoordinationClientConfiguration>`, host, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g.says(0, "x\tunplaced", "task", "list", "--coordination", config)
	g.says(0, "", "context", "add", "test", "--coordination", config)
	g.says(0, "every:1h0m0s", "task", "show", "x", "--context", "test")
	for range 2 { // the first try made nothing
		g.says(6, "there is no cluster at "+address+"/other", "status", "--connect", address+"/other")
	}

	server.Freeze(t)
	g.says(6, server.Address+"  accepts connections, but gives no session", "status", "--context", "test", "--timeout", "2s")
	server.Thaw(t)
	server.Kill(t)
	g.says(6, server.Address+"  connection refused", "status", "--context", "test")
}

// What hosts have closed to others opens to an administrator with their
// password, who names it in the environment or in a context.
func TestIntegrationCompanionWithPassword(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	member, err := zk.Join(t.Context(), zk.Options{
		Servers: []string{server.Address}, SessionTimeout: time.Minute, Node: "n1", Root: "/closed",
		Digest: zk.Digest{User: "ops", Password: "bell tower"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = member.Close() })
	if _, err := store.New(member, store.Options{}).Init(t.Context(), store.Settings{Buckets: 8}); err != nil {
		t.Fatal(err)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("bell tower\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := "zk://" + server.Address + "/closed"
	g := &group{T: t, config: t.TempDir()}
	g.says(4, "without the right credentials", "node", "list", "--connect", address)
	g.says(0, "password", "context", "add", "closed", "--connect", address, "--user", "ops", "--password-file", password, "-o", "json")
	g.says(0, "n1\thealthy", "node", "list", "--context", "closed")
	g.variables = map[string]string{"BELFRY_ZOOKEEPER_USER": "ops", "BELFRY_ZOOKEEPER_PASSWORD_FILE": password, "BELFRY_ZOOKEEPER_ROOT": "/closed"}
	g.says(0, "n1\thealthy", "node", "list", "--connect", "zk://"+server.Address)
	g.variables["BELFRY_ZOOKEEPER_PASSWORD_FILE"] = ""
	g.variables["BELFRY_ZOOKEEPER_PASSWORD"] = "wrong"
	g.says(4, "without the right credentials", "node", "list", "--connect", "zk://"+server.Address)
}
