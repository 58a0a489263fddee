//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds what must happen at last. It judges nothing: a machine that is
// busy with other tests may be many times slower than one that is not.
const patience = 5 * time.Minute

// unhurried lets a host that is told to stop hand over however slow the machine is:
// whoever stops it tells apart what was done in order and what was not.
var unhurried = []string{"BELFRY_SHUTDOWN_SOFT_STOP=2m", "BELFRY_SHUTDOWN_HARD_STOP=4m"}

// bin is the folder of the programs under test, built once.
var bin string

// root is the top of the repository.
var root string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		wd, err := os.Getwd()
		if err != nil {
			panic(err)
		}
		root = filepath.Dir(filepath.Dir(wd))
		bin, err = os.MkdirTemp("", "belfry-e2e-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(bin)
		for _, what := range [][]string{
			{"-o", bin, "./cmd/belfryd", "./cmd/belfry", "./docs/examples/agent"},
			{"-tags", "faultinject", "-o", breakable(), "./cmd/belfryd"},
		} {
			build := exec.Command("go", append([]string{"build"}, what...)...)
			build.Dir = root
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

// seeded gives chance, and tells by which seed; BELFRY_E2E_SEED repeats one.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("BELFRY_E2E_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatalf("BELFRY_E2E_SEED=%s: %v", text, err)
		}
	}
	t.Logf("BELFRY_E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// breakable is the belfryd that breaks on purpose; see package fault.
func breakable() string { return filepath.Join(bin, "belfryd-breakable") }

// host is a belfryd of a test, in a folder of its own.
type host struct {
	t    *testing.T
	dir  string
	args []string
	// program is what is started; empty: belfryd.
	program string
	env     []string // beside the test's own, for what is started next
	cmd     *exec.Cmd
	done    chan error

	mu   sync.Mutex
	addr string       // guarded by mu
	log  bytes.Buffer // guarded by mu; all that all its processes wrote
}

// newHost prepares a host whose services are the .dbs files given by name and
// text. It is not started.
func newHost(t *testing.T, services map[string]string, args ...string) *host {
	t.Helper()
	h := &host{t: t, dir: t.TempDir(), args: args}
	for _, folder := range []string{"services", "conf", "data"} {
		if err := os.Mkdir(filepath.Join(h.dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range services {
		h.write(filepath.Join("services", name), text)
	}
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			t.Logf("log of the host:\n%s", h.logged())
		}
	})
	return h
}

func (h *host) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// edit replaces a text in a file, which must have it.
func (h *host) edit(name, from, to string) {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil || !strings.Contains(string(text), from) {
		h.t.Fatalf("%s has no %q: %v", name, from, err)
	}
	h.write(name, strings.Replace(string(text), from, to, 1))
}

func (h *host) socket() string { return filepath.Join(h.dir, "s") }

// start starts belfryd and waits until it says that it is ready.
func (h *host) start() {
	h.t.Helper()
	h.launch(h.command())
}

// command is what starts belfryd.
func (h *host) command() *exec.Cmd {
	args := append([]string{
		"--services", filepath.Join(h.dir, "services"), "--conf", filepath.Join(h.dir, "conf"),
		"--data", filepath.Join(h.dir, "data"), "--socket", h.socket(), "--listen", "127.0.0.1:0",
		"--node", "n1", "--log-format", "json",
	}, h.args...) // a flag that is given twice counts as it was given last
	return exec.Command(cmp.Or(h.program, filepath.Join(bin, "belfryd")), args...)
}

// launch starts a command that becomes belfryd, and waits until it is ready.
func (h *host) launch(cmd *exec.Cmd) {
	h.t.Helper()
	ready := h.spawn(cmd)
	select {
	case <-ready:
	case err := <-h.done:
		h.done <- err
		h.t.Fatalf("belfryd ended before it was ready: %v\n%s", err, h.logged())
	case <-time.After(patience):
		h.t.Fatalf("belfryd is not ready after %s\n%s", patience, h.logged())
	}
}

// spawn starts a command that becomes belfryd. The channel closes when it says
// that it is ready.
func (h *host) spawn(cmd *exec.Cmd) <-chan struct{} {
	h.t.Helper()
	h.cmd = cmd
	h.cmd.Dir = h.dir
	if h.cmd.Env == nil {
		h.cmd.Env = os.Environ()
	}
	h.cmd.Env = append(append(h.cmd.Env, unhurried...), h.env...) // the last one counts
	ready := make(chan struct{})
	stderr, err := h.cmd.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.done = make(chan error, 1)
	read := make(chan struct{})
	go func() { defer close(read); h.follow(stderr, ready) }() // ends with the process
	go func(cmd *exec.Cmd, done chan<- error) { <-read; done <- cmd.Wait() }(h.cmd, h.done)
	return ready
}

func (h *host) follow(stderr io.Reader, ready chan struct{}) {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Msg    string `json:"msg"`
			Listen string `json:"listen"`
		}
		_ = json.Unmarshal(lines.Bytes(), &line)
		h.mu.Lock()
		h.log.Write(append(lines.Bytes(), '\n'))
		if line.Msg == "ready" {
			h.addr = line.Listen
		}
		h.mu.Unlock()
		if line.Msg == "ready" {
			close(ready)
		}
	}
}

func (h *host) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

func (h *host) url(path string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return "http://" + h.addr + path
}

// kill ends the process as kill -9 does. A host that does not run is left alone.
func (h *host) kill() {
	if h.cmd == nil {
		return
	}
	_ = h.cmd.Process.Kill()
	<-h.done
	h.cmd = nil
}

// stop asks the process to end, and fails the test unless it does so cleanly.
func (h *host) stop() {
	h.t.Helper()
	_ = h.cmd.Process.Signal(os.Interrupt)
	select {
	case err := <-h.done:
		if err != nil {
			h.t.Errorf("belfryd did not stop cleanly: %v", err)
		}
	case <-time.After(patience):
		h.t.Errorf("belfryd has not stopped after %s", patience)
		_ = h.cmd.Process.Kill()
		<-h.done
	}
	h.cmd = nil
}

// belfry runs the companion against the host.
func (h *host) belfry(args ...string) (stdout, stderr string, code int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "belfry"), args...)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "BELFRY_CONNECT=unix://"+h.socket(), "XDG_STATE_HOME="+filepath.Join(h.dir, "state"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatalf("belfry %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// How the companion ends when nobody could be asked, and so nothing was done; and
// when part of what was asked was done, and the rest can be asked for again.
const (
	unavailable = 6
	partial     = 8
)

// must runs the companion and fails the test unless it exits with 0. A host that a
// slow machine has kept from its session is asked again.
func (h *host) must(args ...string) string {
	h.t.Helper()
	for began := time.Now(); ; {
		out, errs, code := h.belfry(args...)
		if code == 0 {
			return out
		}
		again := code == unavailable || code == partial && strings.Contains(errs, "unavailable")
		if !again || time.Since(began) > patience {
			h.t.Fatalf("belfry %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
		}
		waitABit()
	}
}

// show reads JSON that the companion prints.
func show[T any](h *host, args ...string) T {
	h.t.Helper()
	var v T
	out := h.must(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		h.t.Fatalf("belfry %s printed no JSON: %v\n%s", strings.Join(args, " "), err, out)
	}
	return v
}

// get asks the host over HTTP.
func (h *host) get(path, accept string) (status int, body string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url(path), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// eventually waits until f holds, and fails the test when it has not within d.
func eventually(t *testing.T, d time.Duration, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(d)
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not after %s: %s", d, what)
		}
	}
}
