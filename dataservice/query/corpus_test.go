package query_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

// corpus gives the folder of real inputs.
func corpus(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = "../../../shared/corpus"
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("SKIPPED, and what it shows is not shown: the corpus is not at %s (set BELFRY_CORPUS): %v", dir, err)
	}
	return dir
}

// load parses a descriptor of the corpus.
func load(tb testing.TB, name string) *dataservice.Service {
	tb.Helper()
	file := filepath.Join(corpus(tb), "wso2/descriptors", name+".dbs")
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

// sampleSQL gives the statements that make the samples' database, in H2's dialect
// translated to that of the database.
func sampleSQL(tb testing.TB, translate func(string) string) []string {
	tb.Helper()
	dir := filepath.Join(corpus(tb), "wso2/sql")
	var all []string
	files := []string{"CreateTables", "Customers", "Employees", "Offices", "Products", "ProductLines", "Orders", "Payments", "OrderDetails", "Doctors"}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f+".sql"))
		if err != nil {
			tb.Fatal(err)
		}
		for _, s := range splitSQL(string(data)) {
			all = append(all, translate(s))
		}
	}
	all = append(all, translate("CREATE TABLE PersonNullTest(PersonID INTEGER, LastName VARCHAR(50), City INTEGER, Weight DOUBLE)"))
	return all
}

// splitSQL splits at semicolons outside literals.
func splitSQL(text string) []string {
	var out []string
	start, quoted := 0, false
	for i := range len(text) {
		switch {
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == ';' && !quoted:
			if s := strings.TrimSpace(text[start:i]); s != "" {
				out = append(out, s)
			}
			start = i + 1
		}
	}
	return out
}

// sqliteSQL turns H2's DDL into SQLite's.
var sqliteSQL = strings.NewReplacer(
	"INTEGER NOT NULL AUTO_INCREMENT", "INTEGER NOT NULL",
	"PRIMARY KEY (accountId),", "PRIMARY KEY (accountId)",
	"CREATE INDEX orders", "CREATE INDEX IF NOT EXISTS orders",
	"CREATE VIEW ", "CREATE VIEW IF NOT EXISTS ",
).Replace
