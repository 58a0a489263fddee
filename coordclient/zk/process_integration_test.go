//go:build integration

package zk_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	library "github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// The test binary runs itself as a member that can be killed and frozen; this
// variable says where it joins: "root time-out address address ...".
const childEnv = "BELFRY_ZK_TEST_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		os.Exit(runChild(strings.Fields(spec)))
	}
	os.Exit(m.Run())
}

// runChild joins and says "<id>"; then for each line of its input commits one
// entry of that key, bound to its membership, and says how that went.
func runChild(spec []string) int {
	ctx := context.Background()
	timeout, err := time.ParseDuration(spec[1])
	var m *zk.Member
	if err == nil {
		m, err = joined(ctx, zk.Options{Servers: spec[2:], Root: spec[0], Node: "child", SessionTimeout: timeout})
	}
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println(m.ID())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		err := m.Commit(ctx, coordclient.CheckMember(m.ID()), coordclient.Create(lines.Text(), nil))
		state, _ := m.State()
		fmt.Println(state, err)
	}
	return 0
}

type child struct {
	id  coordclient.MemberID
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func startChild(t *testing.T, root string, timeout time.Duration, servers []string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(exe)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+root+" "+timeout.String()+" "+strings.Join(servers, " "))
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	c.out = bufio.NewScanner(out)
	c.id = coordclient.MemberID(c.line(t))
	if c.id.Node() != "child" {
		t.Fatalf("the child said %q", c.id)
	}
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the child has ended: %v", c.out.Err())
	}
	return c.out.Text()
}

func (c *child) commit(t *testing.T, key string) string {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, key); err != nil {
		t.Fatal(err)
	}
	return c.line(t)
}

// works lets the child commit until it does so and is healthy: on a busy machine
// that may take more than one.
func (c *child) works(t *testing.T, key string) {
	t.Helper()
	for n := range 100 {
		switch said := c.commit(t, fmt.Sprintf("%s/%d", key, n)); {
		case said == "healthy <nil>":
			return
		case strings.HasPrefix(said, "lost"):
			t.Fatalf("the child says %s", said)
		}
	}
	t.Fatal("the child does not become healthy")
}

// A member frozen for longer than its session is fenced: what it does first
// when it wakes fails, and it knows that it is lost.
func TestIntegrationFrozenMemberIsFenced(t *testing.T) {
	t.Parallel()
	for name, servers := range map[string]zktest.Ensemble{"one": zktest.StartEnsemble(t, 1), "three": zktest.StartEnsemble(t, 3)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := zk.Options{Servers: servers.Addresses(), Root: newRoot(), Node: "witness"}
			witness := join(t, o)
			for round := range 3 {
				c := startChild(t, o.Root, 3*short, servers.Addresses())
				c.works(t, fmt.Sprintf("/awake/%d", round))
				if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				leaves(t, witness, c.id)
				if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprintf("/zombie/%d", round)
				if said := c.commit(t, key); !strings.HasPrefix(said, "lost ") || strings.HasSuffix(said, "<nil>") {
					t.Errorf("after the freeze: %s", said)
				}
				if isThere(t, witness, key) {
					t.Error("a frozen member committed after its session")
				}
			}
		})
	}
}

// Frozen for a quarter of its session it goes on, but not before it has proved that
// it may: what it wrote last was acknowledged a quarter before that at most, and it
// gives up by itself at two thirds.
func TestIntegrationShortFreezeKeepsTheSession(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 1)
	root := newRoot()
	c := startChild(t, root, tight, servers.Addresses())
	c.works(t, "/before")
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(tight / 4)
	if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.works(t, "/after")
}

// A killed member is out of the group within the time-out, a tick and a second.
func TestIntegrationKilledMemberExpires(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 3)
	o := zk.Options{Servers: servers.Addresses(), Root: newRoot(), Node: "witness"}
	witness := join(t, o)
	for range 3 {
		c := startChild(t, o.Root, 3*short, servers.Addresses())
		if in, _ := inGroupSynced(t, witness, c.id); !in {
			t.Fatalf("%s is not in the group", c.id)
		}
		begun := time.Now()
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		leaves(t, witness, c.id)
		took := time.Since(begun)
		t.Logf("out after %s", took.Round(time.Millisecond))
		if most := 3*short + zktest.TickTime + time.Minute; took > most { // of which a minute for a busy machine
			t.Errorf("out after %s, want %s at most", took, most)
		}
	}
	conn := stranger(t, servers[0].Address)
	for _, dir := range []string{"/calls", "/pieces"} {
		if names := childrenOf(t, conn, o.Root+dir); len(names) < 4 { // more, if somebody had to join again
			t.Errorf("%s has %v before it is swept", dir, names)
		}
	}
	if err := witness.SweepNow(t.Context()); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{"/calls", "/pieces"} {
		if names := childrenOf(t, conn, o.Root+dir); len(names) != 1 || names[0] != string(witness.ID()) {
			t.Errorf("%s has %v after it was swept", dir, names)
		}
	}
}

func childrenOf(t *testing.T, conn *library.Conn, path string) []string {
	t.Helper()
	if _, err := conn.Sync(path); err != nil {
		t.Fatal(err)
	}
	names, _, err := conn.Children(path)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func inGroupSynced(t *testing.T, m *zk.Member, id coordclient.MemberID) (bool, <-chan struct{}) {
	t.Helper()
	if err := m.Sync(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	return inGroup(t, m, id)
}
