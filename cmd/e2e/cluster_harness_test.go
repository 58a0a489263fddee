//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// The session of the clusters under test, and what a take-over may need: the
// session, a tick by which ZooKeeper expires it late, and a second.
const (
	session  = 4 * time.Second
	zkTick   = 500 * time.Millisecond
	takeOver = session + zkTick + time.Second
)

// hosts of a cluster that serve the same payrolls.
type hosts []*host

// startZooKeeper starts n servers with the ticks of these tests.
func startZooKeeper(t *testing.T, n int) zktest.Ensemble {
	t.Helper()
	return zktest.StartEnsemble(
		t, n, zktest.Config(fmt.Sprintf("tickTime=%d", zkTick.Milliseconds())), zktest.Config("syncLimit=4"), zktest.Config("initLimit=20"),
		zktest.Config(fmt.Sprintf("minSessionTimeout=%d", session.Milliseconds())),
	)
}

// newCluster prepares n1, n2 and n3, which wait for each other. None is started.
func newCluster(t *testing.T, zk zktest.Ensemble, payrolls []payroll) hosts {
	t.Helper()
	file := coordination(t, zk)
	var hs hosts
	for _, name := range []string{"n1", "n2", "n3"} {
		hs = append(hs, hostOf(t, payrolls, "--node", name, "--coordination", file, "-Dtask.server.count=3"))
	}
	return hs
}

// coordination writes the file by which hosts find the servers.
func coordination(t *testing.T, zk zktest.Ensemble) string {
	t.Helper()
	var servers strings.Builder
	for _, s := range zk {
		name, port, _ := strings.Cut(s.Address, ":")
		fmt.Fprintf(&servers, "<Server host=%q port=%q/>", name, port)
	}
	file := filepath.Join(t.TempDir(), "coordination.xml")
	text := fmt.Sprintf(`<CoordinationClientConfiguration enabled="true"><Servers>%s</Servers><SessionTimeout>%s</SessionTimeout>
</CoordinationClientConfiguration>`, servers.String(), session)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (hs hosts) start() {
	for _, h := range hs {
		h.start()
	}
}

func (hs hosts) stop() {
	for _, h := range hs {
		h.stop()
	}
}

// leader gives the host that took the lead last.
func (hs hosts) leader(t *testing.T) *host {
	t.Helper()
	var leads *host
	last := int64(0)
	for _, h := range hs {
		for text := range strings.Lines(h.logged()) {
			var line struct {
				Msg  string `json:"msg"`
				Term int64  `json:"term"`
			}
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "leading" && line.Term > last {
				leads, last = h, line.Term
			}
		}
	}
	if leads == nil {
		t.Fatal("no host says that it leads")
	}
	return leads
}

// signal gives the process a signal.
func (h *host) signal(signal syscall.Signal) {
	h.t.Helper()
	if err := h.cmd.Process.Signal(signal); err != nil {
		h.t.Fatalf("%s: %v", signal, err)
	}
}

// schedule makes each payroll's task: every second from first to last, both
// included.
func schedule(h *host, payrolls []payroll, first, last time.Time) {
	h.t.Helper()
	for _, p := range payrolls {
		trigger := []string{"--interval", "1s"}
		if strings.HasPrefix(p.service, "cron") {
			trigger = []string{"--cron", "* * * * * ?"}
		}
		h.must(append([]string{
			"task", "create", p.service, "--service", p.service, "--operation", "incrementEmployeeSalary",
			"--misfire", "fire-all", "--retry", "20", "--backoff", "200ms", "--timeout", "20s",
			"--start", first.UTC().Format(time.RFC3339), "--end", last.UTC().Format(time.RFC3339),
		}, trigger...)...)
	}
}

// shortly gives a start that leaves time to create the tasks, where the machine is
// not too slow for that: see scheduled.
func shortly() time.Time { return time.Now().Add(6 * time.Second).Truncate(time.Second) }

// owners tells which node each task is at.
func owners(h *host) map[string]string {
	h.t.Helper()
	at := map[string]string{}
	for _, v := range show[[]struct{ Name, Node string }](h, "task", "list") {
		at[v.Name] = v.Node
	}
	return at
}

// during waits until d has passed, or the end of the test.
func during(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
}
