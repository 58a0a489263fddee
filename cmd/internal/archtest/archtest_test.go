package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

func TestImportTable(t *testing.T) {
	t.Parallel()
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("go list found %d packages; the test would prove nothing", len(packages))
	}
	for _, p := range packages {
		for _, breach := range breaches(p) {
			t.Error(breach)
		}
	}
}

// The test is tested: a breach of each kind must be found.
func TestBreachesAreFound(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]listed{
		"no row":      {ImportPath: module + "plugin/nosuchroom"},
		"own":         {ImportPath: module + "dataservice", Imports: []string{module + "plugin/task"}},
		"third party": {ImportPath: module + "plugin/task", Imports: []string{"github.com/spf13/viper"}},
	} {
		if len(breaches(p)) != 1 {
			t.Errorf("%s: %v", name, breaches(p))
		}
	}
}

// A row for a package that is gone is a row too many.
func TestNoStaleRow(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, p := range list(t) {
		paths = append(paths, strings.TrimPrefix(p.ImportPath, module))
	}
	for key := range table {
		if !slices.ContainsFunc(paths, func(path string) bool { return matches(key, path) }) {
			t.Errorf("table has a row for %s, which is not there", key)
		}
	}
}

func breaches(p listed) []string {
	path := strings.TrimPrefix(p.ImportPath, module)
	allowed, ok := rowOf(path)
	if !ok {
		return []string{path + " has no row in the import table"}
	}
	var found []string
	for _, imported := range p.Imports {
		own, isOwn := strings.CutPrefix(imported, module)
		switch {
		case isOwn:
			if !slices.ContainsFunc(allowed.own, func(pattern string) bool { return matches(pattern, own) }) {
				found = append(found, path+" may not import "+own)
			}
		case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
			// the standard library
		case !slices.ContainsFunc(allowed.third, func(prefix string) bool { return strings.HasPrefix(imported, prefix) }):
			found = append(found, path+" may not import "+imported)
		}
	}
	return found
}

func rowOf(path string) (row, bool) {
	best, found := "", false
	for key := range table {
		if matches(key, path) && (!found || len(key) > len(best)) {
			best, found = key, true
		}
	}
	return table[best], found
}

func matches(pattern, path string) bool {
	below, all := strings.CutSuffix(pattern, "/...")
	return pattern == path || all && (path == below || strings.HasPrefix(path, below+"/"))
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
