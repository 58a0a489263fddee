package conf_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/host/auth"
	"github.com/seed42aab489/belfry/plugin/timer"
)

var samples = filepath.Join("..", "..", "..", "configs")

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Every file of configs/ is read by what reads it in the host.
func TestEverySampleParses(t *testing.T) {
	t.Parallel()
	readers := map[string]func(t *testing.T, name string) error{
		"belfryd.yaml": func(_ *testing.T, name string) error { return conf.Check(filepath.Join(samples, name)) },
		"tasks-config.xml": func(t *testing.T, name string) error {
			t.Helper()
			return conf.Check(filepath.Join(samples, name))
		},
		"coordination-client-config.xml": func(t *testing.T, name string) error {
			t.Helper()
			c, err := coordclient.LoadConfig(filepath.Join(samples, name))
			if c.Enabled {
				t.Error("the sample is enabled")
			}
			return err
		},
		"zoo.cfg": func(t *testing.T, name string) error {
			t.Helper()
			return assignments(read(t, name), `^[A-Za-z0-9.]+=\S+$`)
		},
		"belfryd.service": func(t *testing.T, name string) error {
			t.Helper()
			return assignments(read(t, name), `^(\[[A-Z][a-z]+\]|[A-Za-z]+=.*)$`)
		},
		"users.sample": func(t *testing.T, name string) error {
			t.Helper()
			return auth.Check(read(t, name))
		},
		"handlers.yaml": func(t *testing.T, name string) error {
			t.Helper()
			c, err := timer.Parse(name, read(t, name))
			if len(c.Handlers) == 0 || len(c.Timers) == 0 {
				t.Error("the sample shows no handler or no timer")
			}
			return err
		},
		"services/*.dbs":   parseDescriptor,
		"samples/*.sql":    runScript,
		"samples/*.dbs":    parseDescriptor,
		"services/*/*.dbs": parseDescriptor,
		"prometheus/*":     func(*testing.T, string) error { return nil }, // by Prometheus itself, in cmd/e2e
		"grafana/*":        func(*testing.T, string) error { return nil }, // likewise
		"import/*":         func(*testing.T, string) error { return nil }, // read by the tests of cli/importer
	}
	err := filepath.WalkDir(samples, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(samples, path)
		if err != nil {
			return err
		}
		for pattern, parse := range readers {
			if ok, _ := filepath.Match(pattern, filepath.ToSlash(name)); ok {
				if err := parse(t, name); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				return nil
			}
		}
		t.Errorf("%s: nothing reads it in this test", name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// assignments checks that every line but comments has the form.
func assignments(data []byte, form string) error {
	line := regexp.MustCompile(form)
	for i, text := range strings.Split(string(data), "\n") {
		if text != "" && text[0] != '#' && !line.MatchString(text) {
			return fmt.Errorf("line %d: %q", i+1, text)
		}
	}
	return nil
}

func parseDescriptor(t *testing.T, name string) error {
	t.Helper()
	s, err := descriptor.Parse(name, read(t, name))
	if err == nil && len(s.Unsupported) > 0 {
		err = fmt.Errorf("a sample asks for what is not supported: %+v", s.Unsupported)
	}
	return err
}

// runScript runs a script twice, since it may be run again at any time.
func runScript(t *testing.T, name string) error {
	t.Helper()
	db := open(t)
	for range 2 {
		if _, err := db.ExecContext(t.Context(), string(read(t, name))); err != nil {
			return err
		}
	}
	return nil
}

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// The sample service fits the sample database, its operations without input can
// be scheduled, and a few sales bring the stock below the threshold.
func TestStockSample(t *testing.T) {
	t.Parallel()
	s, err := descriptor.Parse("Stock.dbs", read(t, "services/Stock.dbs"))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t)
	if _, err := db.ExecContext(t.Context(), string(read(t, "samples/stock.sql"))); err != nil {
		t.Fatal(err)
	}
	low := func() (n int) {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), s.Query("getLowStockQuery").SQL[""])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			n++
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := low(); n != 0 {
		t.Errorf("%d products are low in the beginning", n)
	}
	for range 3 {
		if _, err := db.ExecContext(t.Context(), s.Query("sellOneQuery").SQL[""]); err != nil {
			t.Fatal(err)
		}
	}
	if n := low(); n != 1 {
		t.Errorf("%d products are low after three sales", n)
	}
	for _, q := range s.Queries {
		if q.Result != nil {
			checkColumns(t, db, q)
		}
	}
	for _, name := range strings.Fields("getProducts getProductQuantity getLowStock sellOne") {
		if reason, ok := s.Schedulable(name); !ok {
			t.Error(reason)
		}
	}
	if reason, ok := s.Schedulable("updateProductQuantity"); ok || reason == "" {
		t.Error("an operation with input can be scheduled")
	}
	if trigger := s.Trigger("low_stock"); !trigger.Edge || s.Query("getLowStockQuery").OutputTrigger != trigger.ID {
		t.Errorf("the sample's trigger is %+v", trigger)
	}
}

// checkColumns runs a query and compares its columns with its result.
func checkColumns(t *testing.T, db *sql.DB, q *dataservice.Query) {
	t.Helper()
	args := make([]any, len(q.Params))
	for i, p := range q.Params {
		args[i] = sql.Named(p.Name, "1")
	}
	rows, err := db.QueryContext(t.Context(), q.SQL[""], args...)
	if err != nil {
		t.Errorf("%s: %v", q.ID, err)
		return
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range q.Result.Fields {
		if i >= len(columns) || columns[i] != f.Column {
			t.Errorf("%s: element %s takes column %s of %q", q.ID, f.Name, f.Column, columns)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}
