//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scenarios of the companion, each against a lone host of its own, through
// its socket.
func TestScripts(t *testing.T) { //nolint:tparallel // a host is enough at a time
	t.Parallel()
	scripts(t, func(t *testing.T) (connect string) {
		h := sampleHost(t)
		h.args = append(h.args, "--socket", h.socket())
		h.start()
		t.Cleanup(h.stop)
		return "unix://" + h.socket()
	})
}

// The same against a cluster of three hosts, in ZooKeeper; and what the guide to
// clusters shows.
func TestScriptsOnACluster(t *testing.T) { //nolint:tparallel // they share the cluster
	t.Parallel()
	servers := startZooKeeper(t, 1)
	file := coordination(t, servers)
	hs := make(hosts, 0, 3)
	for _, node := range []string{"n1", "n2", "n3"} {
		h := sampleHost(t)
		h.args = append(h.args, "--socket", h.socket(), "--node", node, "--coordination", file)
		h.start()
		t.Cleanup(h.stop)
		hs = append(hs, h)
	}
	hs[0].must("cluster", "wait", "--for", "nodes=3,leader,placed", "--timeout", "5m")
	scripts(t, func(*testing.T) string { return "zk://" + servers[0].Address + "/belfry" })
	hs[0].guide(servers[0].Address)
}

// guide runs what the guide to clusters shows, on a machine with a host of theirs.
func (h *host) guide(zooKeeper string) {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(root, clusterGuide))
	if err != nil {
		h.t.Fatal(err)
	}
	const ensemble = "zk1.example.org:2181,zk2.example.org:2181,zk3.example.org:2181"
	commands := shown(string(text))
	if len(commands) < 12 || !strings.Contains(string(text), ensemble) {
		h.t.Fatalf("the guide shows %d commands; the test would prove nothing", len(commands))
	}
	theirs := strings.NewReplacer(ensemble, zooKeeper, "north", "n1", "south", "n2")
	for _, command := range commands {
		h.shell("export BELFRY_CONNECT=unix://" + h.socket() + "; " + theirs.Replace(command))
	}
	eventually(h.t, time.Minute, "nightly is where the guide's rules let it be", func() bool {
		return show[struct{ Node string }](h, "task", "show", "nightly").Node != ""
	})
}

// scripts runs each scenario. Those of a cluster share it, one after another.
func scripts(t *testing.T, connect func(t *testing.T) string) {
	files, err := filepath.Glob(filepath.Join("testdata", "companion", "*.txtar"))
	if err != nil || len(files) < 6 {
		t.Fatalf("only %d scenarios: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			to := connect(t)
			testscript.Run(t, testscript.Params{
				Files: []string{file}, RequireUniqueNames: true,
				Setup: func(e *testscript.Env) error {
					e.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
					e.Setenv("BELFRY_CONNECT", to)
					e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
					e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
					e.Setenv("CONFIGS", filepath.Join(root, "configs"))
					e.Setenv("USER", "tester")
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "until": until},
			})
		})
	}
}

// exits CODE COMMAND... runs a command that ends with this code, and gives its
// stdout and stderr to what follows.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
}

// until TEXT COMMAND... runs a command again and again until it says TEXT.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until TEXT COMMAND...")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		cmd := exec.CommandContext(ctx, filepath.Join(bin, args[1]), args[2:]...)
		cmd.Env = []string{"BELFRY_CONNECT=" + ts.Getenv("BELFRY_CONNECT"), "XDG_CONFIG_HOME=" + ts.Getenv("XDG_CONFIG_HOME")}
		out, _ := cmd.CombinedOutput() // it may fail until it says so
		if strings.Contains(string(out), args[0]) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("it never says %q:\n%s", args[0], out)
		}
	}
}
