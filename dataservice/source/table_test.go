package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source"
)

func csvSource(at string, more ...string) *dataservice.Source {
	p := map[string]string{"csv_datasource": at, "csv_hasheader": "true"}
	for i := 0; i+1 < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return &dataservice.Source{ID: "default", Kind: dataservice.SourceCSV, Properties: p}
}

// read gives the rows of a table as text, or the fault.
func read(ctx context.Context, t *testing.T, files source.Files, cfg *dataservice.Source) (string, *dataservice.Fault) {
	t.Helper()
	table, err := source.NewSet(source.Options{Files: files}).OpenTable(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table.Rows(ctx, nil)
	var b strings.Builder
	for err == nil {
		var row []any
		if row, err = rows.Next(); row == nil {
			err = errors.Join(err, rows.Close())
			break
		}
		fmt.Fprint(&b, row...)
		b.WriteByte('\n')
	}
	var f *dataservice.Fault
	if err != nil && !errors.As(err, &f) {
		t.Fatalf("%v is no fault", err)
	}
	return b.String(), f
}

func TestTableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inside := filepath.Join(dir, "data")
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("data/a.csv", "id;name\n1;x\n2;y\n")
	write("data/large.csv", "id\n"+strings.Repeat("1\n", 1000))
	write("data/registry/config/of/b.csv", "id;name\n1;x\n")
	write("data/registry/governance/c.csv", "id;name\n2;y\n")
	outside := write("secret.csv", "id\n7\n")
	if err := os.Symlink(outside, filepath.Join(inside, "link.csv")); err != nil {
		t.Fatal(err)
	}
	semicolon := []string{"csv_columnseperator", ";"}
	for name, c := range map[string]struct {
		files source.Files
		cfg   *dataservice.Source
		want  string
		kind  dataservice.FaultKind // where want is empty
	}{
		"anywhere":           {source.Files{Folder: "/"}, csvSource(good, semicolon...), "1x\n2y\n", 0},
		"within, relative":   {source.Files{Folder: inside}, csvSource("a.csv", semicolon...), "1x\n2y\n", 0},
		"within, dotted":     {source.Files{Folder: inside}, csvSource("./a.csv", semicolon...), "1x\n2y\n", 0},
		"within, absolute":   {source.Files{Folder: inside}, csvSource(good, semicolon...), "1x\n2y\n", 0},
		"some rows":          {source.Files{Folder: dir}, csvSource(good, append(semicolon, "csv_startingrow", "3", "csv_headerrow", "1", "csv_maxrowcount", "-1")...), "2y\n", 0},
		"of the registry":    {source.Files{Folder: inside}, csvSource("conf:/of/b.csv", semicolon...), "1x\n", 0},
		"governance":         {source.Files{Folder: inside}, csvSource("gov:c.csv", semicolon...), "2y\n", 0},
		"outside, by a link": {source.Files{Folder: inside}, csvSource("link.csv"), "", dataservice.FaultUnreachable},
		"absent":             {source.Files{Folder: dir}, csvSource(filepath.Join(dir, "none.csv")), "", dataservice.FaultUnreachable},
		"a folder":           {source.Files{Folder: dir}, csvSource(inside), "", dataservice.FaultUnreachable},
		"a device":           {source.Files{Folder: "/dev"}, csvSource("/dev/zero"), "", dataservice.FaultUnreachable},
		"too large":          {source.Files{Folder: inside, Size: 100}, csvSource("large.csv"), "", dataservice.FaultLimit},
	} {
		got, f := read(t.Context(), t, c.files, c.cfg)
		if c.want != "" && (got != c.want || f != nil) {
			t.Errorf("%s: %q %v", name, got, f)
		}
		if c.want == "" && (f == nil || f.Kind != c.kind || strings.Contains(f.Message, dir)) {
			t.Errorf("%s: %q %+v", name, got, f)
		}
	}
}

// What lies elsewhere is refused at deployment, and so is any file where there is no
// folder of them.
func TestTableElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ folder, path, want string }{
		{dir, "/etc/passwd", "/etc/passwd is not within files.folder"},
		{dir, filepath.Dir(dir), "is not within files.folder"},
		{dir, dir + "-2/a.csv", "is not within files.folder"},
		{dir, "../a.csv", "is not within files.folder"},
		{dir, "a/../../a.csv", "is not within files.folder"},
		{dir, "Other.dbs", "Other.dbs is a descriptor"},
		{"", "a.csv", "this host reads no files (files.folder)"},
		{"", "/etc/passwd", "this host reads no files (files.folder)"},
	} {
		_, err := source.NewSet(source.Options{Files: source.Files{Folder: c.folder}}).OpenTable(csvSource(c.path))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s in %q: %v, want %s", c.path, c.folder, err, c.want)
		}
	}
}

func TestTableRemote(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/a.csv", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "id\n1\n") })
	mux.HandleFunc("/endless.csv", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := fmt.Fprint(w, "id\n1\n"); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/silent.csv", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewServer(mux)
	defer s.Close()
	files := source.Files{Client: s.Client(), Size: 10_000}
	if got, f := read(t.Context(), t, files, csvSource(s.URL+"/a.csv?token=hidden")); got != "1\n" || f != nil {
		t.Errorf("%q %v", got, f)
	}
	if _, f := read(t.Context(), t, files, csvSource(s.URL+"/endless.csv")); f == nil || f.Kind != dataservice.FaultLimit {
		t.Errorf("endless: %v", f)
	}
	for _, path := range []string{"/none.csv?token=hidden", "/silent.csv?token=hidden"} {
		ctx, cancel := context.WithCancel(t.Context())
		if strings.HasPrefix(path, "/silent") {
			cancel()
		}
		_, f := read(ctx, t, files, csvSource(s.URL+path))
		cancel()
		if f == nil || f.Kind != dataservice.FaultUnreachable || strings.Contains(fmt.Sprint(f, f.Err), "hidden") {
			t.Errorf("%s: %v %v", path, f, f.Err)
		}
	}
}

func TestTableRefused(t *testing.T) {
	t.Parallel()
	set := source.NewSet(source.Options{})
	for at, want := range map[string]string{
		"ftp://example.org/a.csv":      "neither a path",
		"https://":                     "neither a path",
		"https://u:p@example.org/":     "user or a password",
		"https://example.org/a.csv":    "no remote files",
		"file:///etc/passwd":           "neither a path",
		"http://example.org:x/%zz.csv": "neither a path",
	} {
		if _, err := set.OpenTable(csvSource(at)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", at, err, want)
		}
	}
	for _, c := range [][]string{{"csv_startingrow", "two"}, {"csv_columnseperator", "ab"}} {
		if _, err := set.OpenTable(csvSource("a.csv", c...)); err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%q: %v", c, err)
		}
	}
}
