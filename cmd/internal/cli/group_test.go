package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// group is hosts that share a store in memory, and the socket of one of them.
type group struct {
	*testing.T
	kv     *coordtest.Cluster
	socket string
	config string
	// variables of the environment, beside the usual.
	variables map[string]string
	// typed is what a person at a terminal types; nil: nobody is there.
	typed *string
}

func newGroup(t *testing.T, o cluster.Options, nodes ...string) *group {
	t.Helper()
	g := &group{T: t, kv: coordtest.NewCluster(nil), socket: filepath.Join(t.TempDir(), "s"), config: t.TempDir()}
	for _, node := range nodes {
		g.boot(node, o)
	}
	listener, err := socket.Listen(g.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- socket.Serve(ctx, listener, g.kv.Dial(), socket.ServeOptions{}) }() // ends with ctx
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return g
}

// works is a host whose operations all succeed.
type works struct{ s coordclient.Session }

func (works) Invoke(_ context.Context, call task.Call) task.Result {
	return task.Result{Outcome: task.OK, Output: task.Head([]byte("<low>\x1b[2J7</low>\n"), call.Keep)}
}

func (works) Target(task.Info) (task.Target, bool) { return task.Target{Hash: "h"}, true }

func (w works) State() (bool, <-chan struct{}) {
	state, changed := w.s.State()
	return state == coordclient.Healthy, changed
}

func (g *group) boot(node string, o cluster.Options) {
	g.Helper()
	value, err := json.Marshal(contract.NodeInfo{Version: "1", Address: node + ":8280", Cluster: "zk://z:2181/belfry"})
	if err != nil {
		g.Fatal(err)
	}
	member := g.kv.Join(node, value)
	owner := store.New(member, store.Options{}).Owner(member.ID(), member)
	if _, err := owner.Init(g.Context(), store.Settings{Buckets: 8}); err != nil {
		g.Fatal(err)
	}
	service := contract.ServiceView{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
		{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.AtLeastOnce},
	}}
	if err := control.Publish(g.Context(), owner, []contract.ServiceView{service}); err != nil {
		g.Fatal(err)
	}
	var compiler trigger.Compiler
	var c *cluster.Cluster
	host := works{member}
	e, err := engine.New(engine.Options{
		Log: owner, Watcher: owner, Invoker: host, Targets: host, Session: host, Compile: bucket.Triggers(&compiler),
		Node: node, Output: 1024, SessionTimeout: 4 * time.Second, Left: func(b int, err error) { c.Left(b, err) },
	})
	if err != nil {
		g.Fatal(err)
	}
	if c, err = cluster.New(cluster.Deps{Port: member, Store: owner, Owner: e, Deployed: control.Callable, Options: o}); err != nil {
		g.Fatal(err)
	}
	call.ServeRehearsals(member, rehearses{c, node})
	if err := e.Start(g.Context()); err != nil {
		g.Fatal(err)
	}
	if err := c.Start(g.Context()); err != nil {
		g.Fatal(err)
	}
	g.Cleanup(func() {
		member.Expire()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.Stop(over) // nothing of it is to be waited for
		_ = e.Stop(over) // nor of this
	})
}

// rehearses answers as a host's plugin does, all on the one node that is left.
type rehearses struct {
	c    *cluster.Cluster
	node string
}

func (r rehearses) Rehearse(without []string) call.Rehearsal {
	in, plan, leads := r.c.Rehearse(without)
	answer := call.Rehearsal{Leads: leads, SessionMS: 4000}
	for _, m := range in.Members {
		answer.Nodes = append(answer.Nodes, m.Node)
	}
	for _, a := range plan.Assignments {
		answer.Buckets = append(answer.Buckets, slices.IndexFunc(in.Members, func(m place.Member) bool { return m.ID == a.Member }))
	}
	return answer
}

// belfry runs a command line, and gives what it wrote and its exit code.
func (g *group) belfry(args ...string) (out, errs string, code int) {
	g.Helper()
	var stdout, stderr bytes.Buffer
	var in string
	if g.typed != nil {
		in = *g.typed
	}
	e := &env.Env{In: strings.NewReader(in), Person: func() bool { return g.typed != nil }, Out: &stdout, Err: &stderr, Now: time.Now, Version: "dev", Getenv: func(name string) string {
		if value, ok := g.variables[name]; ok {
			return value
		}
		return map[string]string{env.ConnectVariable: "unix://" + g.socket, "XDG_CONFIG_HOME": g.config}[name]
	}}
	root := New(e)
	root.SetArgs(args)
	if err := root.ExecuteContext(g.Context()); err != nil {
		code = report(e, err)
	}
	return stdout.String(), stderr.String(), code
}

// types has a person answer the next command lines so.
func (g *group) types(answer string) *group {
	at := *g
	at.typed = &answer
	return &at
}

// says runs a command line that ends with a code and says something, wherever.
func (g *group) says(code int, text string, args ...string) string {
	g.Helper()
	out, errs, is := g.belfry(args...)
	if is != code || !strings.Contains(out+errs, text) {
		g.Fatalf("belfry %s: exit %d, want %d and %q\n%s%s", strings.Join(args, " "), is, code, text, out, errs)
	}
	return out
}

// lacks runs a command line that waits for what does not come: it ends with exit
// code 7, and says what is missing if it had the time to look, which on a busy
// machine is more than on another.
func (g *group) lacks(text string, args ...string) {
	g.Helper()
	for timeout := 400 * time.Millisecond; ; timeout *= 4 {
		out, errs, is := g.belfry(append(args, "--timeout", timeout.String())...)
		switch {
		case is == 7 && strings.Contains(errs, text):
			return
		case is != 7 || timeout > 20*time.Second:
			g.Fatalf("belfry %s: exit %d within %s, want 7 and %q\n%s%s", strings.Join(args, " "), is, timeout, text, out, errs)
		}
	}
}

func TestGroupCommands(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "a", "b")
	g.says(0, "met: nodes=2, placed", "cluster", "wait", "--for", "nodes=2,placed", "--timeout", "30s")
	g.says(0, `"met": true`, "cluster", "wait", "--for", "leader", "-o", "json")
	g.lacks("2 of 3 nodes", "cluster", "wait", "--for", "nodes=3")
	g.says(2, "nodes=3", "cluster", "wait", "--for", "nodes=many")
	g.says(2, "say what", "cluster", "wait")
	g.says(0, "0 without a place", "cluster", "show")
	g.says(0, "nothing waits", "cluster", "activate")
	g.says(0, "term ", "leader", "show")
	g.says(0, "LEADER", "status")
	g.says(0, "task/x created", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	g.says(0, "a\thealthy", "node", "list")
	g.says(3, "did you mean a, b?", "node", "show", "c")
	g.says(0, "node/a is drained", "node", "drain", "a", "--reason", "kernel")
	g.says(0, "a\tdrained", "node", "list")
	g.says(2, "--yes", "node", "drain", "b")
	g.says(0, "Stock", "task", "list", "--node", "b", "-o", "wide")
	if out := g.says(0, "", "task", "list", "--node", "a"); out != "" {
		t.Errorf("a drained node has %s", out)
	}
	g.says(0, "b\t8\t8\t1\t", "placement", "show")
	g.says(0, "may own tasks again", "node", "undrain", "a")
	g.says(0, "was not drained", "node", "undrain", "a")
	g.says(0, "is being drained", "node", "drain", "a", "--no-wait", "-o", "json")
}

// What programs read keeps its names; lists are arrays.
func TestGroupJSON(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{Servers: 3}, "a", "b")
	g.says(0, "", "cluster", "wait", "--for", "nodes=2,leader", "--timeout", "30s")
	for line, fields := range map[string]string{
		"node list":                "name member joined version address state reason running leader buckets_placed buckets_owned tasks clock_skew_ms drain",
		"node show a":              "name state reason",
		"leader show":              "node member term present",
		"cluster show":             "cluster uuid nodes waiting leader barrier buckets buckets_settled buckets_moving buckets_unplaced",
		"placement show":           "term waiting buckets members unplaced",
		"placement show --buckets": "bucket node owner reason tasks",
		"status":                   "cluster waiting leader nodes",
		"context list":             "",
		"context show":             "current connect origin file",
	} {
		out := g.says(0, "", append(strings.Fields(line), "-o", "json")...)
		object := make(map[string]any)
		if strings.HasPrefix(out, "[") {
			var list []map[string]any
			if err := json.Unmarshal([]byte(out), &list); err != nil {
				t.Fatal(err)
			}
			if len(list) > 0 {
				object = list[0]
			}
		} else if err := json.Unmarshal([]byte(out), &object); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		for _, field := range strings.Fields(fields) {
			if _, ok := object[field]; !ok {
				t.Errorf("belfry %s has no field %s: %s", line, field, out)
			}
		}
	}
	g.says(0, "waiting for servers: 2 of 3", "status")
	g.says(0, "closed, 2 of 3 servers", "cluster", "show")
	g.says(0, "with 2 of 3 servers", "cluster", "activate")
	g.says(0, "", "cluster", "wait", "--for", "placed", "--timeout", "30s")
}

func TestContextCommands(t *testing.T) {
	t.Parallel()
	g := &group{T: t, socket: "var/s", config: t.TempDir()}
	g.says(2, "an address", "context", "add", "prod")
	g.says(2, "no user and no password", "context", "add", "prod", "--connect", "zk://u:p@a")
	g.says(0, "zk://a:1,b:2181/belfry", "context", "add", "prod", "--connect", "zk://a:1,b")
	g.says(0, "", "context", "add", "prod", "--connect", "zk://a:1,b")
	g.says(5, "exists already", "context", "add", "prod", "--connect", "zk://c")
	g.says(0, "", "context", "add", "prod", "--connect", "zk://c", "--replace")
	g.says(0, "sample", "context", "add", "sample", "--connect", "unix://var/s")
	g.says(0, `"connect": "unix:///`, "context", "show", "sample", "-o", "json")
	g.says(3, "there are: prod, sample", "context", "use", "nobody")
	g.says(0, "prod is the current one", "context", "use", "prod")
	g.says(0, "*\tprod\tzk://c:2181/belfry", "context", "list")
	g.says(0, env.ConnectVariable, "context", "show")
	g.says(0, "", "context", "remove", "prod")
	g.says(3, "no context prod", "context", "remove", "prod")
	if out := g.says(0, "", "context", "list", "-o", "name"); out != "sample\n" {
		t.Errorf("left: %q", out)
	}
}
