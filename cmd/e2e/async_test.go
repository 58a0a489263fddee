//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// callsOut lets hosts call on this machine.
const callsOut = "egress:\n  allow: [127.0.0.1/32]\n"

// asyncHost is a host that may call on this machine, and keeps its port when it
// is started again, as hosts do.
func asyncHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t, nil)
	h.callsOut()
	h.keepsPort()
	return h
}

// callsOut lets the host call on this machine.
func (h *host) callsOut() {
	h.t.Helper()
	h.write("conf/belfryd.yaml", callsOut)
	h.args = append(h.args, "--config", filepath.Join(h.dir, "conf", "belfryd.yaml"))
}

// keepsPort lets the host listen at the same port whenever it is started.
func (h *host) keepsPort() {
	h.t.Helper()
	h.args = append(h.args, "--listen", fmt.Sprintf("127.0.0.1:%d", zktest.FreePort(h.t)))
}

// agentProcess is the reference agent.
type agentProcess struct {
	t      *testing.T
	dir    string
	listen string
	cmd    *exec.Cmd
}

// start starts the agent, always at the same port.
func (a *agentProcess) start() {
	a.t.Helper()
	a.cmd = exec.Command(filepath.Join(bin, "agent"), "-listen", a.listen, "-state", a.dir)
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	n, err := stderr.Read(buffer)
	_, address, ok := strings.Cut(string(buffer[:n]), "listen=")
	if err != nil || !ok {
		a.t.Fatalf("the agent says %q, %v", buffer[:n], err)
	}
	a.listen = strings.TrimSpace(address)
	go func() { _, _ = io.Copy(io.Discard, stderr) }() // ends with the process
}

func (a *agentProcess) kill() {
	if a.cmd != nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
		a.cmd = nil
	}
}

func startAgent(t *testing.T) *agentProcess {
	t.Helper()
	a := &agentProcess{t: t, dir: t.TempDir(), listen: fmt.Sprintf("127.0.0.1:%d", zktest.FreePort(t))}
	t.Cleanup(a.kill)
	a.start()
	return a
}

type asyncRun struct {
	FireID  string `json:"fire_id"`
	Task    string `json:"task"`
	Outcome string `json:"outcome"`
	Value   string `json:"value"`
	Error   string `json:"error"`
	Attempt int    `json:"attempt"`
}

// A thousand runs that wait, hosts that die, and replies that come twice, late,
// forged or not at all: each run ends once, in the right state.
func TestThousandWaitingRuns(t *testing.T) {
	t.Parallel()
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		h := asyncHost(t)
		h.start()
		thousand(t, h, func() {
			for range 3 {
				during(t, 3*time.Second)
				h.kill()
				h.start()
			}
		})
		h.stop()
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		hs := newCluster(t, startZooKeeper(t, 3), nil)
		for _, h := range hs {
			h.callsOut()
			h.keepsPort()
		}
		startTogether(hs)
		thousand(t, hs[2], func() {
			for _, h := range hs[:2] {
				during(t, 3*time.Second)
				h.kill()
				during(t, takeOver)
				h.start()
			}
		})
		hs.stop()
	})
}

// startTogether starts hosts that wait for each other.
func startTogether(hs hosts) {
	var all sync.WaitGroup
	for _, h := range hs {
		all.Go(h.start) // ends when it is ready
	}
	all.Wait()
}

// thousand lets tasks fire 1,050 runs that wait, breaks what harm breaks, and
// judges how each ended.
func thousand(t *testing.T, h *host, harm func()) {
	t.Helper()
	const (
		tasks, each = 70, 15
		deadline    = 32 * time.Second
	)
	r := newRogue(t)
	first := time.Now().Add(12 * time.Second).Truncate(time.Second)
	var definitions strings.Builder
	for i := range tasks {
		fmt.Fprintf(&definitions, `---
name: async%d
do: {http: {method: POST, url: "%s/call", body: "{}", expect: ["202"]}}
reply: {deadline: %s}
trigger: {interval: 300ms, count: %d, start: %s}
misfire: fire-all
timeout: 5s
retry: {max: 20, backoff: 200ms}
`, i, r.server.URL, deadline, each-1, first.UTC().Format(time.RFC3339Nano))
	}
	h.write("tasks.yaml", definitions.String())
	h.must("apply", "-f", "tasks.yaml")
	want, all := map[string]int{}, 0
	for i := range tasks {
		name := fmt.Sprint("async", i)
		want[name] = each
		if time.Now().After(first) { // it may have been stored too late for some
			want[name] = len(h.scheduled(name, first, 300*time.Millisecond, each))
		}
		all += want[name]
	}
	during(t, time.Until(first))
	harm()
	r.played(all)
	ends := func() (open int, last map[string]asyncRun) {
		last = map[string]asyncRun{}
		for _, run := range show[[]asyncRun](h, "run", "list", "--limit", "0") {
			if run.Attempt >= last[run.FireID].Attempt {
				last[run.FireID] = run
			}
		}
		for _, run := range last {
			if run.Outcome == "RUNNING" || run.Outcome == "WAITING" {
				open++
			}
		}
		return open, last
	}
	eventually(t, patience, "every run has ended", func() bool {
		open, last := ends()
		return open == 0 && len(last) == all
	})
	_, last := ends()
	r.judge(last)
	for _, v := range show[[]struct {
		Name                     string
		Fired, Failures, Skipped int
	}](h, "task", "list") {
		if v.Fired != want[v.Name] || v.Skipped != 0 {
			t.Errorf("%s fired %d times and skipped %d, want %d and none", v.Name, v.Fired, v.Skipped, want[v.Name])
		}
	}
}
