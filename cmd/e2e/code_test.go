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

// The example of a host with code of its own, built as its reader would: in a
// module of its own, which requires this one. Its task fires, survives kill -9,
// and what fails is told.
func TestCodeOfOnesOwn(t *testing.T) {
	t.Parallel()
	program := stranger(t, "docs/examples/code")
	h := sampleHost(t)
	h.program, h.args = program, append(h.args, "--socket", h.socket())
	h.start()
	into := filepath.Join(h.dir, "stock.txt")
	h.must("task", "create", "count", "--code", "stocktaking", "--property", "into="+into, "--interval", "1s")
	has := func() bool {
		text, err := os.ReadFile(into)
		return err == nil && strings.Contains(string(text), "BELL-01") && strings.Contains(string(text), "bytes of products")
	}
	eventually(t, patience, "the report is written", has)
	h.kill()
	if err := os.Remove(into); err != nil {
		t.Fatal(err)
	}
	h.start()
	eventually(t, patience, "the report is written again", has)

	h.must("task", "create", "lost", "--code", "stocktaking", "--interval", "1h", "--start", "+1h")
	out, _, code := h.belfry("task", "run", "lost", "--wait")
	if code == 0 || !strings.Contains(out, "the property into is missing") {
		t.Errorf("a run without its property: exit %d\n%s", code, out)
	}
	if _, stderr, code := h.belfry("task", "create", "x", "--code", "stocktakin", "--interval", "1h"); code != 2 || !strings.Contains(stderr, "stocktaking") {
		t.Errorf("code that is not there: exit %d, %s", code, stderr)
	}
	h.stop()
}

// stranger builds a folder of the repository as a module of its own, which
// requires the repository as it is here, and gives the program.
func stranger(t *testing.T, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, folder))); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/seed42aab489/belfry"
	mod = bytes.Replace(mod, []byte("module "+module), []byte("module example.org/host"), 1)
	mod = append(mod, "\nrequire "+module+" v0.0.0\nreplace "+module+" => "+root+"\n"...)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o600); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-mod=mod", "-o", filepath.Join(dir, "host"), ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return filepath.Join(dir, "host")
}
