//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The README's first minute, as a stranger lives it: a checkout, `make run`, and
// then, within a minute of the first log line, every command it shows; products
// over HTTP, a task of their own that fires, its runs, and the mail.
func TestFirstMinute(t *testing.T) {
	t.Parallel()
	h := &host{t: t, dir: checkout(t)}
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			t.Logf("log of the host:\n%s", h.logged())
		}
	})
	readme, err := os.ReadFile(filepath.Join(h.dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\nmake run\n") {
		t.Fatal("the README does not begin with make run")
	}
	cmd := exec.Command("make", "run")
	// A group of its own, so that a kill reaches the host below make.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "BELFRY_LISTEN=127.0.0.1:0", "BELFRY_LOG_FORMAT=json")
	h.launch(cmd)
	began := time.Now()
	pulse := feel(t)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // it may have ended

	shows := map[string]string{
		"Stock/products":    `"productCode":"BELL-01"`,
		"operation list":    "getLowStock",
		"task create":       "created",
		"task run my-first": "OK",
		"run list":          "my-first",
		"PUT":               "SUCCESSFUL",
		"var/mail":          ".eml",
		"belfry status":     "my-first",
		"belfry events":     "MESSAGE_SENT",
	}
	for _, command := range shown(string(readme)) {
		if strings.Contains(command, "belfry events") {
			// What happened is gathered for a moment before it is written.
			eventually(t, patience, "the mail is among the events", func() bool { return strings.Contains(h.shell(command), "MESSAGE_SENT") })
		}
		out := h.shell(command)
		for part, want := range shows {
			if strings.Contains(command, part) {
				delete(shows, part)
				if !strings.Contains(out, want) {
					t.Errorf("%s\nshows no %q:\n%s", command, want, out)
				}
			}
		}
	}
	if len(shows) > 0 {
		t.Errorf("the README's first minute does not show %v", shows)
	}
	eventually(t, patience, "the task of their own has fired by itself", func() bool {
		out := h.shell("belfry run list --task my-first -o name")
		return len(strings.Fields(out)) >= 3
	})
	if took, most := time.Since(began), time.Duration(float64(time.Minute)*crowd(t))+steps*pulse.worst(began); took > most {
		t.Errorf("it took %s, more than a minute; on this machine, as it is, %s", took, most)
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-h.done
	h.cmd = nil
	for line := range strings.Lines(h.logged()) {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the first minute is warned of something: %s", line)
		}
	}
}

// checkout copies what is tracked, as a clone would have it.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("bash", "-ec", `git ls-files -z | xargs -0 cp --parents -t "$0"`, dir)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}
