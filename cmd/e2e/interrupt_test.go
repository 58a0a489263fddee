//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Long work that is interrupted says how far it came, and the same command goes
// on with the rest: tasks that are changed by a file, and by a backup restored. (They
// are changed one by one; many are created in one commit.)
func TestInterruptedWorkGoesOn(t *testing.T) {
	t.Parallel()
	const many = 4000
	h := newHost(t, nil)
	h.start()
	var file strings.Builder
	for i := range many {
		fmt.Fprintf(&file, "---\nformat: 1\nname: t%04d\ndo: {http: {url: http://192.0.2.1/}}\ntrigger: {cron: '0 0 3 1 1 ?'}\n", i)
	}
	h.write("many.yaml", file.String())
	h.write("changed.yaml", strings.ReplaceAll(file.String(), "0 0 3 1 1 ?", changedCron))
	h.must("apply", "-f", "many.yaml")
	h.must("backup", "save", "many.backup")
	h.interrupted(many, `stopped after (\d+) of 4000`, "apply", "-f", "changed.yaml")
	h.must("apply", "-f", "changed.yaml")
	h.must("backup", "save", "changed.backup")

	other := newHost(t, nil)
	other.start()
	other.must("backup", "restore", filepath.Join(h.dir, "many.backup"))
	backup := filepath.Join(h.dir, "changed.backup")
	other.interrupted(many, `interrupted after (\d+) of 4000`, "backup", "restore", "--force", "--yes", backup)
	other.must("backup", "restore", "--force", "--yes", backup)
	for _, h := range []*host{h, other} {
		if n := h.changed(); n != many {
			t.Errorf("%d tasks were changed, want %d", n, many)
		}
	}
}

const changedCron = "0 0 4 1 1 ?"

// changed counts the tasks that have the other trigger.
func (h *host) changed() int {
	h.t.Helper()
	return strings.Count(h.must("task", "list", "-o", "json"), `"cron:`+changedCron+`"`)
}

// interrupted runs the companion and interrupts it when the first tasks are changed.
// What it says must be what was done.
func (h *host) interrupted(many int, says string, args ...string) {
	h.t.Helper()
	cmd := exec.Command(filepath.Join(bin, "belfry"), args...)
	cmd.Dir, cmd.Env = h.dir, append(os.Environ(), "BELFRY_CONNECT=unix://"+h.socket())
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	eventually(h.t, 5*time.Minute, "the first tasks are changed", func() bool { return h.changed() > 0 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		h.t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is looked at
	found := regexp.MustCompile(says).FindStringSubmatch(said.String())
	if cmd.ProcessState.ExitCode() != 130 || found == nil {
		h.t.Fatalf("belfry %s, interrupted: exit %d\n%s", strings.Join(args, " "), cmd.ProcessState.ExitCode(), &said)
	}
	const underway = 32 // orders that were sent, and whose answer was not waited for
	n, _ := strconv.Atoi(found[1])
	if there := h.changed(); n == 0 || n >= many || there < n || there > n+underway {
		h.t.Errorf("belfry %s says %q, and %d tasks are changed", strings.Join(args, " "), found[0], there)
	}
}
