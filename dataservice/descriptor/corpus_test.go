package descriptor_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// corpus is the folder of descriptors that others wrote.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: the corpus of real descriptors is not here (%v); set BELFRY_CORPUS to its folder", err)
	}
	return filepath.Join(dir, "wso2", "descriptors")
}

// TestCorpusParses reads every descriptor of the corpus.
func TestCorpusParses(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "*.dbs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no descriptors in the corpus: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := descriptor.Parse(filepath.Base(file), data)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if s.Name == "" || len(s.Sources) == 0 || s.Hash == "" {
			t.Errorf("%s: an incomplete service: name %q, %d sources", file, s.Name, len(s.Sources))
		}
		for _, u := range s.Unsupported {
			if u.Line == 0 || u.What == "" || u.Why == "" {
				t.Errorf("%s: an incomplete notice %+v", file, u)
			}
			if os.Getenv("SHOW") != "" {
				t.Logf("%s:%s: %s: %s", filepath.Base(file), u.Position, u.What, u.Why)
			}
		}
	}
}
