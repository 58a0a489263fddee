package wsdl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// corpus gives the folder of descriptors and WSDLs that others wrote.
func corpus(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = "../../../shared/corpus"
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("SKIPPED, and what it shows is not shown: the corpus is not at %s (set BELFRY_CORPUS): %v", dir, err)
	}
	return filepath.Join(dir, "wso2")
}

func load(tb testing.TB, name string) *dataservice.Service {
	tb.Helper()
	file := filepath.Join(corpus(tb), "descriptors", name+".dbs")
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := descriptor.Parse(file, data)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func here(s *dataservice.Service) Address {
	return Address{HTTP: "http://host:9763/services/" + s.Name, HTTPS: "https://host:9443/services/" + s.Name}
}

// TestEquivalent compares what we say of a service with what the original says.
func TestEquivalent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "wsdl", "*.wsdl"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%d WSDLs: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wsdl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, name)
			// The WSDL of RDBMSSample is older than disableLegacyBoxcarringMode, which
			// its descriptor says, and than request_box.
			s.LegacyBoxcarring = s.Boxcarring
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			theirs := facts(read(t, data))
			ours := facts(read(t, WSDL11(s, here(s))))
			if len(theirs) < 30 {
				t.Fatalf("only %d facts", len(theirs))
			}
			for _, d := range differences(ours, theirs) {
				key, _, _ := strings.Cut(d, ":\n")
				newer := strings.Contains(key, dataservice.RequestBox) || strings.Contains(key, boxName.Local)
				if newer && strings.HasSuffix(d, "theirs ") {
					continue
				}
				t.Error(d)
			}
		})
	}
}

// TestDescribesAll: every descriptor of the corpus is described by documents whose
// names all lead somewhere.
func TestDescribesAll(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "descriptors", "*.dbs"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d descriptors: %v", len(files), err)
	}
	for _, file := range files {
		s := load(t, strings.TrimSuffix(filepath.Base(file), ".dbs"))
		s.LegacyBoxcarring = s.Boxcarring
		whole(t, s)
	}
}
