package env

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
)

// DefaultConnect is the socket of the sample configuration.
const DefaultConnect = "unix://var/belfryd.sock"

// DefaultOrigin is the Origin of a target that nobody named.
const DefaultOrigin = "default"

// The environment variables that stand for --connect and --context.
const (
	ConnectVariable = "BELFRY_CONNECT"
	ContextVariable = "BELFRY_CONTEXT"
)

// The schemes of an address.
const (
	unixScheme = "unix://"
	zkScheme   = "zk://"
)

// Target is where the companion connects to: the socket of a host, or the
// ZooKeeper servers of a cluster.
type Target struct {
	Socket  string // the path; empty: ZooKeeper
	Servers []string
	Root    string // the znode; empty: zk.DefaultRoot
	Access  Access
	// ReadOnly and Production are as the context says.
	ReadOnly, Production bool
	// Origin says who named it: "--connect", "context prod", ...
	Origin string
}

// String gives the target as --connect takes it.
func (t Target) String() string {
	if t.Socket != "" {
		return unixScheme + t.Socket
	}
	return zkScheme + strings.Join(t.Servers, ",") + cmp.Or(t.Root, zk.DefaultRoot)
}

// cluster is how a status calls the group; empty: as its hosts do.
func (t Target) cluster() string {
	if t.Socket != "" {
		return ""
	}
	return t.String()
}

// Target says where to connect to: a flag wins over the environment, that over
// the current context, and that over DefaultConnect. What the target does not
// say of root and access, the variables do that hosts take too.
func (e *Env) Target() (Target, error) {
	t, err := e.target()
	if err != nil || t.Socket != "" {
		return t, err
	}
	if t.Access == (Access{}) {
		t.Access, err = e.access()
	}
	if root := strings.TrimSuffix(e.getenv(accessVariables+"ROOT"), "/"); t.Root == "" && root != "" {
		if t.Root = root; coordclient.CheckKey(root) != nil {
			return t, Usage("%sROOT %q is not a path like /belfry", accessVariables, root)
		}
	}
	return t, err
}

func (e *Env) target() (Target, error) {
	given := 0
	for _, flag := range []string{e.Connect, e.Coordination, e.Context} {
		if flag != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return Target{}, Usage("give one of --connect, --coordination and --context")
	case e.Connect != "":
		return ParseTarget(e.Connect, "--connect")
	case e.Coordination != "":
		return LoadTarget(e.Coordination, "--coordination "+e.Coordination)
	case e.Context != "":
		return e.contextTarget(e.Context, "--context")
	}
	if connect := e.getenv(ConnectVariable); connect != "" {
		return ParseTarget(connect, ConnectVariable)
	}
	if name := e.getenv(ContextVariable); name != "" {
		return e.contextTarget(name, ContextVariable)
	}
	contexts, err := e.Contexts()
	if err != nil {
		return Target{}, err
	}
	if contexts.Current != "" {
		return e.contextTarget(contexts.Current, "the current context")
	}
	return ParseTarget(DefaultConnect, DefaultOrigin)
}

// ParseTarget reads unix://PATH or zk://HOST:PORT,HOST:PORT/ROOT. Without a port
// it is ZooKeeper's, without a root zk.DefaultRoot. origin goes before what is
// wrong.
func ParseTarget(connect, origin string) (Target, error) {
	refuse := func(format string, args ...any) (Target, error) {
		return Target{}, Usage("%s %q: %s", origin, connect, fmt.Sprintf(format, args...))
	}
	if path, ok := strings.CutPrefix(connect, unixScheme); ok {
		if path == "" {
			return refuse("write unix://PATH, the path of a host's socket")
		}
		return Target{Socket: path, Origin: origin}, nil
	}
	address, ok := strings.CutPrefix(connect, zkScheme)
	if !ok {
		return refuse("write unix://PATH, the path of a host's socket, or zk://HOST:PORT,HOST:PORT/ROOT, the servers of a cluster")
	}
	hosts, root, _ := strings.Cut(address, "/")
	if strings.Contains(hosts, "@") {
		return Target{}, Usage("%s: an address holds no user and no password", origin)
	}
	t := Target{Origin: origin}
	if root = strings.TrimSuffix(root, "/"); root != "" {
		t.Root = "/" + root
		if err := coordclient.CheckKey(t.Root); err != nil {
			return refuse("root: %v", err)
		}
	}
	for _, host := range strings.Split(hosts, ",") {
		server, err := zkServer(strings.TrimSpace(host))
		if err != nil {
			return refuse("%v", err)
		}
		if !slices.Contains(t.Servers, server) {
			t.Servers = append(t.Servers, server)
		}
	}
	if len(t.Servers) > coordclient.MaxServers {
		return refuse("%d servers: the limit is %d", len(t.Servers), coordclient.MaxServers)
	}
	return t, nil
}

// zkServer completes the address of a server.
func zkServer(server string) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), fmt.Sprint(coordclient.DefaultPort)
	}
	if host == "" || strings.ContainsAny(host, " []") {
		return "", fmt.Errorf("server %q: write HOST, HOST:PORT or [ADDRESS]:PORT", server)
	}
	var n uint16
	if _, err := fmt.Sscanf(port, "%d", &n); err != nil || n == 0 || fmt.Sprint(n) != port {
		return "", fmt.Errorf("server %q: port %q is none", server, port)
	}
	return net.JoinHostPort(host, port), nil
}

// LoadTarget reads the servers of a coordination-client-config.xml, as a host
// does.
func LoadTarget(file, origin string) (Target, error) {
	if _, err := os.Stat(file); err != nil {
		return Target{}, Usage("%s: %v", origin, err)
	}
	config, err := coordclient.LoadConfig(file)
	if err != nil {
		return Target{}, Usage("%v", err)
	}
	if !config.Enabled {
		return Target{}, Usage("%s: coordination is not enabled there, so its host is alone\nname the host's socket with --connect unix://PATH", origin)
	}
	t := Target{Origin: origin}
	for _, s := range config.Servers {
		t.Servers = append(t.Servers, s.String())
	}
	return t, nil
}
