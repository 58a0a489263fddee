//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What breaks a host on purpose is in the build for it, and in no other: neither
// its words nor its functions, but for those that pass through what they get.
func TestOrdinaryBuildCannotBreak(t *testing.T) {
	t.Parallel()
	words := []string{"BELFRY_FAULT", "THIS BUILD BREAKS ON PURPOSE", "fault point reached", "before-"}
	for _, c := range []struct {
		program string
		breaks  bool
	}{{filepath.Join(bin, "belfryd"), false}, {breakable(), true}} {
		text, err := os.ReadFile(c.program)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) != c.breaks {
				t.Errorf("%s: that %q is in it must be %t", filepath.Base(c.program), word, c.breaks)
			}
		}
		symbols, err := exec.CommandContext(t.Context(), "go", "tool", "nm", c.program).Output()
		if err != nil {
			t.Fatal(err)
		}
		functions := 0
		for line := range strings.Lines(string(symbols)) {
			_, name, _ := strings.Cut(strings.TrimSpace(line), "belfry/plugin/fault.")
			if !strings.Contains(line, " T ") || name == "" || strings.HasPrefix(strings.Trim(name, "(*"), "Plan") {
				continue // those of Plan give back what they are given
			}
			functions++
			if !c.breaks {
				t.Errorf("%s has %s", filepath.Base(c.program), name)
			}
		}
		if c.breaks && functions == 0 {
			t.Errorf("%s has no function of package fault: the test would prove nothing", filepath.Base(c.program))
		}
	}
}
