//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The shells complete commands, flags, and the names of what the host has; of a host
// that is away they say nothing.
func TestCompletion(t *testing.T) {
	t.Parallel()
	h := sampleHost(t)
	h.start()
	t.Cleanup(h.stop)
	const library = "/usr/share/bash-completion/bash_completion"
	for shell, c := range map[string]struct{ command, setup string }{
		"bash": {"bash --norc --noprofile", ". " + library + "; . <(belfry completion bash)"},
		"zsh":  {"zsh -f", "autoload -U compinit; compinit -u -D; . <(belfry completion zsh); compdef _belfry belfry"},
		"fish": {"fish --no-config", "belfry completion fish | source"},
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			_, err := exec.LookPath(shell)
			if _, missing := os.Stat(library); err == nil && shell == "bash" {
				err = missing
			}
			if err != nil {
				if os.Getenv("CI") == "true" || os.Getenv("BELFRY_REQUIRE_SERVERS") != "" {
					t.Fatalf("%v, and CI or BELFRY_REQUIRE_SERVERS says that it must be there", err)
				}
				t.Skipf("SKIPPED, NOT PASSED: %v; .ci/deps installs it", err)
			}
			term := openTerminal(t, h.dir, "120", "40", "HOME="+t.TempDir()+" LANG=C.UTF-8 "+c.command)
			term.write(c.setup + "; echo READY-TO-GO" + "\n")
			term.shows("\nREADY-TO-GO")
			for typed, want := range map[string]string{
				"belfry task show watch-s":       "belfry task show watch-stock",
				"belfry placem":                  "belfry placement",
				"belfry node show n":             "belfry node show n1",
				"belfry task list --state pau":   "belfry task list --state paused",
				"belfry run list -o jsonp":       "belfry run list -o jsonpath=",
				"belfry operation try Stock sel": "belfry operation try Stock sellOne",
			} {
				term.write(typed)
				term.keys("tab")
				term.shows(want)
				term.keys("ctrl-u")
			}
			term.write("belfry task show --connect unix:///no/host w")
			term.keys("tab")
			term.write("HERE")
			eventually(t, patience, "what was typed stands as it was", func() bool {
				return strings.Contains(term.frame(), "unix:///no/host wHERE")
			})
			if frame := term.frame(); strings.Contains(frame, "Error") || strings.Contains(frame, "no host answers") {
				t.Errorf("a completion told an error:\n%s", frame)
			}
		})
	}
}
