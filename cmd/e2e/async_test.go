//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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

// The fates of a call that the rogue agent was sent, by the last digit of the
// second at which it was scheduled and its task.
const (
	replyOnce = iota
	replyException
	replyTwice
	replyContradict
	replyForged
	replyLost
	replyLate
	fates
)

// maxWait is how many seconds an agent's work takes at most: long enough for hosts
// to die meanwhile.
const maxWait = 12

// rogue is an agent that does everything that one must not.
type rogue struct {
	t      *testing.T
	server *httptest.Server
	work   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	seen     map[string]int
	fate     map[string]int
	by       map[string]time.Time // the last deadline: a call that is made again has a later one
	told     map[string]int       // what a host first answered to a reply that was no forgery
	statuses map[string]int       // "<fate> <status>" of replies
}

func newRogue(t *testing.T) *rogue {
	t.Helper()
	r := &rogue{t: t, seen: map[string]int{}, fate: map[string]int{}, by: map[string]time.Time{}, told: map[string]int{}, statuses: map[string]int{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() { r.server.Close(); r.work.Wait() })
	return r
}

func (r *rogue) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	id := request.Header.Get("Belfry-Correlation-Id")
	by, err := time.Parse(time.RFC3339, request.Header.Get("Belfry-Reply-By"))
	if err != nil || id == "" {
		r.t.Errorf("call %q by %q", id, request.Header.Get("Belfry-Reply-By"))
	}
	r.mu.Lock()
	r.seen[id]++
	r.by[id] = by
	wait := time.Duration(len(r.fate)%maxWait) * time.Second
	n, again := r.fate[id]
	if !again {
		n = len(r.fate) % fates
		r.fate[id] = n
	}
	first := r.seen[id] == 1
	r.mu.Unlock()
	if first {
		token, to := request.Header.Get("Belfry-Reply-Token"), strings.Split(request.Header.Get("Belfry-Reply-To"), ", ")
		r.work.Go(func() { r.play(n, id, token, to, wait) }) // ends soon after the deadline
	}
	w.WriteHeader(http.StatusAccepted)
}

// played waits until so many runs were called and replied to, the late replies
// included.
func (r *rogue) played(runs int) {
	r.t.Helper()
	eventually(r.t, patience, "every run was called", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.fate) == runs
	})
	r.work.Wait()
}

// play replies as fate has it.
func (r *rogue) play(fate int, id, token string, to []string, wait time.Duration) {
	good := fmt.Sprintf(`{"value": %q}`, "of "+id)
	switch fate {
	case replyLost:
		return
	case replyLate:
		for wait = r.late(id); wait > 0; wait = r.late(id) {
			during(r.t, wait)
		}
	}
	during(r.t, wait)
	if fate == replyForged {
		r.reply(fate, to, "AAAA"+token[4:], `{"exception": "forged"}`)
	}
	if fate == replyException {
		good = `{"exception": "no space"}`
	}
	status := r.reply(fate, to, token, good)
	r.mu.Lock()
	r.told[id] = status
	r.mu.Unlock()
	switch fate {
	case replyTwice:
		r.reply(fate, to, token, good)
		r.reply(fate, to, token, good)
	case replyContradict:
		r.reply(fate, to, token, `{"exception": "or not"}`)
	}
}

// late is how long it takes until a reply comes too late for certain.
func (r *rogue) late(id string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.t.Context().Err() != nil {
		return 0
	}
	return time.Until(r.by[id]) + 3*time.Second
}

// reply tries until a host answers with more than "later", and gives that.
func (r *rogue) reply(fate int, to []string, token, body string) int {
	for try, began := 0, time.Now(); time.Since(began) < patience && r.t.Context().Err() == nil; try++ {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, to[try%len(to)], strings.NewReader(body))
		if err != nil {
			r.t.Error(err)
			return 0
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			status := response.StatusCode
			_ = response.Body.Close()
			if status < 500 {
				r.mu.Lock()
				r.statuses[fmt.Sprint(fate, " ", status)]++
				r.mu.Unlock()
				return status
			}
		}
		during(r.t, 200*time.Millisecond)
	}
	r.t.Errorf("nobody took the reply at %v", to)
	return 0
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

func (r *rogue) judge(last map[string]asyncRun) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.fate) != len(last) {
		r.t.Errorf("%d runs called, %d are known", len(r.fate), len(last))
	}
	wrong := 0
	contradict, calls := 0, 0
	for id, fate := range r.fate {
		if fate == replyContradict && r.told[id] != http.StatusGone {
			contradict++
			calls += r.seen[id]
		}
	}
	// A run that was called again because its host died may contradict itself again.
	if n := r.statuses[fmt.Sprint(replyContradict, " 409")]; n < contradict || n > calls {
		r.t.Errorf("%d were told that they contradict themselves, want %d to %d", n, contradict, calls)
	}
	for id, run := range last {
		outcome, value := "OK", "of "+id
		switch r.fate[id] {
		case replyException:
			outcome, value = "FAILED", "no space"
		case replyLost, replyLate:
			outcome, value = "TIMED_OUT", ""
		}
		if r.told[id] == http.StatusGone { // what a slow machine took too long for
			outcome, value = "TIMED_OUT", ""
		}
		if run.Outcome != outcome || run.Value != value {
			if wrong++; wrong < 10 {
				r.t.Errorf("fate %d, called %d times, told %d: %+v", r.fate[id], r.seen[id], r.told[id], run)
			}
		}
	}
	again := 0
	for _, n := range r.seen {
		if n > 1 {
			again++
		}
	}
	statuses, _ := json.Marshal(r.statuses)
	r.t.Logf("%d runs, %d of them called more than once; replies by fate and status: %s", len(last), again, statuses)
	for _, want := range []string{
		fmt.Sprint(replyOnce, " 202"), fmt.Sprint(replyException, " 202"), fmt.Sprint(replyContradict, " 409"),
		fmt.Sprint(replyForged, " 401"), fmt.Sprint(replyLate, " 410"),
	} {
		if r.statuses[want] == 0 {
			r.t.Errorf("no reply was answered %s", want)
		}
	}
}
