package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// config is a source on an SQLite file.
func config(path string, pairs ...string) *dataservice.Source {
	c := &dataservice.Source{ID: "default", Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:sqlite:" + path}}
	for i := 0; i < len(pairs); i += 2 {
		c.Properties[pairs[i]] = pairs[i+1]
	}
	return c
}

func open(tb testing.TB, s *source.Set, c *dataservice.Source) *source.DB {
	tb.Helper()
	db, err := s.Open("S", c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

// fill makes a table with a row.
func fill(tb testing.TB, db *source.DB) {
	tb.Helper()
	tx, err := db.Begin(tb.Context(), source.TxOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	defer tx.Rollback()
	for _, s := range []string{"create table t (a integer primary key)", "insert into t values (1)"} {
		if _, err := tx.Exec(tb.Context(), s); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}

// TestSetShares opens one pool for a file, however its path is written, makes its
// folder when it is first used, and closes it with the last user.
func TestSetShares(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := source.NewSet(source.Options{Dir: dir})
	first := open(t, s, config("new/folder/a b.db"))
	second, err := s.Open("S2", config("new/../new/folder/a b.db"))
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Error("one file, two pools")
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made before it was needed: %v", err)
	}
	fill(t, first)
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.Ping(t.Context()); err != nil {
		t.Errorf("it was closed under its other user: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new/folder/a b.db")); err != nil {
		t.Error(err)
	}
}

func TestReadersDoNotWrite(t *testing.T) {
	t.Parallel()
	db := open(t, source.NewSet(source.Options{Dir: t.TempDir()}), config("a.db"))
	fill(t, db)
	rows, err := db.Query(t.Context(), "insert into t values (2) returning a")
	if err == nil {
		t.Fatal("a reader wrote", rows.Close())
	}
	if source.Classify(err) != source.ReadOnly {
		t.Errorf("got %v", err)
	}
}

// TestExhausted waits no longer than maxWait for a connection, and gets one as
// soon as it is given back.
func TestExhausted(t *testing.T) {
	t.Parallel()
	db := open(t, source.NewSet(source.Options{Dir: t.TempDir()}), config("a.db", "maxActive", "1", "maxWait", "20"))
	fill(t, db)
	rows, err := db.Query(t.Context(), "select a from t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Query(t.Context(), "select a from t"); !errors.Is(err, source.ErrExhausted) {
		t.Errorf("got %v", err)
	}
	// The writer has a connection of its own.
	tx, err := db.Begin(t.Context(), source.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Begin(t.Context(), source.TxOptions{}); !errors.Is(err, source.ErrExhausted) {
		t.Errorf("got %v", err)
	}
	tx.Rollback()
	for range 2 {
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	db, err := source.NewSet(source.Options{}).Open("S", config(filepath.Join(t.TempDir(), "a.db")))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Query(t.Context(), "select 1"); !errors.Is(err, source.ErrClosed) || source.Classify(err) != source.Unreachable {
		t.Errorf("got %v", err)
	}
}

// TestClassify sorts real errors of SQLite; those of the servers are in the tests
// of package query.
func TestClassify(t *testing.T) {
	t.Parallel()
	db := open(t, source.NewSet(source.Options{Dir: t.TempDir()}), config("a.db"))
	fill(t, db)
	for text, want := range map[string]source.Class{
		"insert into t values (1)":          source.Duplicate,
		"insert into t values ('x')":        source.Data,
		"insert into nowhere values (1)":    source.NoTable,
		"insert into t (b) values (1)":      source.Syntax,
		"insert in t":                       source.Syntax,
		"create table t2 (a check (a > 1))": source.Other,
	} {
		tx, err := db.Begin(t.Context(), source.TxOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(t.Context(), text)
		tx.Rollback()
		if got := source.Classify(err); got != want {
			t.Errorf("%s: %v is of class %d, want %d", text, err, got, want)
		}
		if want.Business() != (want != source.Other) {
			t.Errorf("class %d: business %v", want, want.Business())
		}
	}
	if source.Classify(t.Context().Err()) != source.Other || source.Classify(errors.New("x")) != source.Other {
		t.Error("an unknown error has a class")
	}
}
