package host

import (
	"bufio"
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// corpus gives the folder of descriptors that others wrote.
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

// samplesDB makes the samples' database on SQLite, from the corpus's SQL, which
// is H2's, and gives its path.
func samplesDB(tb testing.TB, wso2 string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "samples.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(OFF)")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	own := strings.NewReplacer("INTEGER NOT NULL AUTO_INCREMENT", "INTEGER NOT NULL", "PRIMARY KEY (accountId),", "PRIMARY KEY (accountId)",
		"CREATE INDEX orders", "CREATE INDEX IF NOT EXISTS orders")
	tx, err := db.Begin()
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range []string{"CreateTables", "Customers", "Employees", "Offices", "Products", "ProductLines", "Orders"} {
		text, err := os.ReadFile(filepath.Join(wso2, "sql", name+".sql"))
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := tx.Exec(own.Replace(string(text))); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// samples is a host that serves descriptors of the corpus on a fresh database.
func samples(t *testing.T, names ...string) *fixture {
	t.Helper()
	wso2 := corpus(t)
	set := source.NewSet(source.Options{Mappings: []source.Mapping{{Match: "*", URL: "sqlite:" + samplesDB(t, wso2)}}})
	engine, err := query.New(query.Options{Sources: set})
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(o *Options) { o.Opener = OpenWith(engine) })
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(wso2, "descriptors", name+".dbs"))
		if err != nil {
			t.Fatal(err)
		}
		f.write(name+".dbs", string(text))
	}
	f.start()
	return f
}

// TestSamples plays the requests in testdata/<Service>.http, or <Service>-….http,
// lines that begin with ">", and compares the answers with those that stand below
// each.
func TestSamples(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/*.http")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".http")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, _, _ := strings.Cut(name, "-")
			f := samples(t, service)
			want, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, request := range requests(string(want)) {
				got.WriteString(request.text)
				got.WriteString(play(f.Handler(), request.Request))
			}
			switch {
			case *update:
				if err := os.WriteFile(script, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			case got.String() != string(want):
				t.Errorf("%s: answers differ (-update rewrites them):\n%s", script, got.String())
			}
		})
	}
}

type scripted struct {
	*http.Request
	text string // as it stands in the script, comments before it included
}

// requests reads a script: "> METHOD target", "> Name: value" lines, and "> "
// with anything else for the body.
func requests(script string) []scripted {
	var all []scripted
	var text, head, body strings.Builder
	end := func() {
		if head.Len() == 0 {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head.String() + "\r\n")))
		if err != nil {
			panic("script: " + err.Error())
		}
		made := httptest.NewRequest(r.Method, r.RequestURI, strings.NewReader(body.String()))
		made.Header = r.Header
		all = append(all, scripted{made, text.String()})
		text.Reset()
		head.Reset()
		body.Reset()
	}
	for line := range strings.Lines(script) {
		said, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "> ")
		switch {
		case strings.HasPrefix(line, "#"):
			end()
			text.WriteString(line)
			continue
		case !ok:
			end()
			continue
		case head.Len() == 0:
			head.WriteString(said + " HTTP/1.1\r\nHost: host\r\n")
		case body.Len() == 0 && strings.Contains(said, ": ") && !strings.ContainsAny(said[:1], "{<"):
			head.WriteString(said + "\r\n")
		default:
			body.WriteString(said + "\n")
		}
		text.WriteString(line)
	}
	end()
	return all
}

// play gives an answer as a script has it.
func play(h http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var b strings.Builder
	b.WriteString(strings.TrimSpace(fmt.Sprintf("< %d %s %s", w.Code, http.StatusText(w.Code), w.Header().Get("Content-Type"))) + "\n")
	if allow := w.Header().Get("Allow"); allow != "" {
		b.WriteString("< Allow: " + allow + "\n")
	}
	if body := strings.TrimSuffix(w.Body.String(), "\n"); body != "" && r.Method != http.MethodHead { // a server sends none to HEAD
		b.WriteString(body + "\n")
	}
	return b.String() + "\n"
}

// TestCorpusIsDeployed: every descriptor of the corpus is deployed, and what of
// it is not served is said.
func TestCorpusIsDeployed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "descriptors", "*.dbs"))
	if err != nil || len(files) < 25 {
		t.Fatalf("%d descriptors: %v", len(files), err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".dbs"))
	}
	f := samples(t, names...)
	for _, v := range f.Services() {
		if v.State != Active || v.Error != "" {
			t.Errorf("%s: %s %s", v.File, v.State, v.Error)
		}
	}
	if len(f.Services()) != len(names) {
		t.Errorf("%d services of %d descriptors", len(f.Services()), len(names))
	}
	w := get(f.Handler(), "GET", "/services/CassandraSample/listAlbums")
	if w.Code != http.StatusNotImplemented && w.Code != http.StatusNotFound {
		t.Errorf("Cassandra: %d %s", w.Code, w.Body)
	}
}
