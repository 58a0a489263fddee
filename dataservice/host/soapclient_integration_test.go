//go:build integration

package host

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedClients: the clients that gowsdl generates from our WSDLs, and from
// the original's, call us and understand what we answer.
func TestGeneratedClients(t *testing.T) {
	t.Parallel()
	services := map[string]string{"rdbms": "RDBMSSample", "nested": "NestedQuerySample"}
	want, err := os.ReadFile("testdata/soapclient/answers.txt")
	if err != nil && !*update {
		t.Fatal(err)
	}
	for _, whose := range []string{"ours", "theirs"} {
		t.Run(whose, func(t *testing.T) {
			t.Parallel()
			wso2 := corpus(t)
			f := samples(t, "RDBMSSample", "NestedQuerySample")
			server := httptest.NewServer(f.Handler())
			defer server.Close()
			dir := t.TempDir()
			for pkg, service := range services {
				file := filepath.Join(wso2, "wsdl", service+".wsdl")
				if whose == "ours" {
					file = filepath.Join(dir, service+".wsdl")
					download(t, server.URL+Prefix+service+"?wsdl", file)
				}
				run(t, ".", "go", "tool", "gowsdl", "-d", dir, "-p", pkg, "-o", pkg+".go", file)
			}
			program(t, dir)
			got := run(t, dir, "go", "run", "-mod=mod", ".", server.URL+Prefix)
			if *update && whose == "theirs" {
				if err := os.WriteFile("testdata/soapclient/answers.txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("answers differ (-update rewrites them):\n%s", got)
			}
		})
	}
}

// program makes a module of the generated clients and what calls them, with the
// requirements of this one.
func program(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile("testdata/soapclient/main.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\n")
	for name, data := range map[string]string{"main.go": string(text), "go.mod": "module client\n" + requires, "go.sum": string(sum)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func download(t *testing.T, url, file string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a program in a folder and gives its output.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	var complaint strings.Builder
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Stderr = dir, &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, &complaint))
	}
	return string(out)
}
