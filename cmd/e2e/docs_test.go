//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// clusterGuide is the document whose commands are for a cluster:
// TestScriptsOnACluster runs them.
var clusterGuide = filepath.Join("docs", "guides", "clustering.md")

// Every command that a document shows in a sh block is run here, in order, as
// its reader would: beside a host with the sample configuration. Blocks of
// other kinds (text, yaml, xml) are not run.
func TestDocuments(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, document := range append(documents, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		commands := shown(string(text))
		name, _ := filepath.Rel(root, document)
		if len(commands) == 0 || name == clusterGuide {
			continue
		}
		ran += len(commands)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := sampleHost(t)
			h.start()
			for _, command := range commands {
				h.shell(command)
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d commands found in the documents; the test would prove nothing", ran)
	}
}

// shown lists the commands of a document's sh blocks, without those that start
// or test the house (make ..., git ...), which other tests run.
func shown(text string) []string {
	var commands []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		joined := strings.ReplaceAll(block[1], "\\\n", " ")
		for _, line := range strings.Split(joined, "\n") {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "make ") || strings.HasPrefix(line, "git ") {
				continue
			}
			commands = append(commands, line)
		}
	}
	return commands
}

// sampleHost is a host with the configuration that the repository ships, in a
// copy of its own.
func sampleHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t, nil)
	if out, err := exec.Command("cp", "-r", filepath.Join(root, "configs"), h.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h.args = []string{
		"--config", "configs/belfryd.yaml", "--services", "configs/services", "--conf", "configs",
		"--data", "var", "--socket", "var/belfryd.sock", "--sample",
	}
	return h
}

// shell runs a command line where the host runs. The programs are on its path,
// and the sample's address is the host's.
func (h *host) shell(command string) string {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.mu.Lock()
	command = strings.ReplaceAll(command, "127.0.0.1:8280", h.addr)
	h.mu.Unlock()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-ec", command)
	cmd.Dir = h.dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "XDG_CONFIG_HOME="+filepath.Join(h.dir, "config"), "XDG_STATE_HOME="+filepath.Join(h.dir, "state"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		h.t.Errorf("%s\n%v\n%s", command, err, out.String())
	}
	return out.String()
}
