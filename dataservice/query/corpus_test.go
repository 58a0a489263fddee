package query_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
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

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: run the test with -update to write it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew):\n got %s\nwant %s", file, got, want)
	}
}

// TestCorpusOpens opens every descriptor of the corpus, its SQL sources sent to
// SQLite, and says of each what is not supported.
func TestCorpusOpens(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(corpus(t), "wso2/descriptors/*.dbs"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d descriptors, %v", len(files), err)
	}
	path := sampleDB(t)
	set := source.NewSet(source.Options{Files: source.Files{Folder: t.TempDir()}, Mappings: []source.Mapping{{Match: "jdbc:*", URL: "sqlite:" + path}}})
	engine, err := query.New(query.Options{Sources: set})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".dbs")
		rt, err := engine.Open(t.Context(), load(t, name), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		fmt.Fprintf(&b, "%s\n", name)
		for _, u := range rt.Unsupported() {
			fmt.Fprintf(&b, "  %s %s: %s\n", u.Position, u.What, u.Why)
		}
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	}
	golden(t, "corpus-unsupported.txt", b.String())
}

// TestCorpusAnswers holds answers of the samples, in both forms.
func TestCorpusAnswers(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + sampleDB(t)
	for _, c := range []struct {
		service, name string
		v             dataservice.Values
	}{
		{"NestedQuerySample", "listOffices", nil},
		{"NestedQuerySample", "customerName", one("customerNumber", "103")},
		{"NestedQuerySample", "customerName", one("customerNumber", "1")},
		{"JSONSample", "GET offices", nil},
		{"JSONSample", "GET boston_customers", nil},
		{"JSONSample", "GET employee/{employeeNumber}", one("employeeNumber", "1002")},
		{"RDBMSSample", "customersInBoston", nil},
		{"RDBMSSample", "employeesByNumber", one("employeeNumber", "1002")},
		{"RDBMSSample", "customerAddress", one("lastName", "King", "firstName", "Jean")},
		{"RDBMSSample", "thousandFive", nil},
		{"RDBMSSample", "setSalaryForEmployees", dataservice.Values{"salary": {"5"}, "employeeNumbers": {"1002", "1056", "1076"}}},
		{"RDBMSSample", "addEmployee", one("employeeNumber", "7", "lastName", "Ringer", "firstName", "Bell", "email", "b@belfry.dev")},
		{"RDBMSSample", "employeesByNumber", one("employeeNumber", "7")},
		{"ResourcesSample", "GET product/{productCode}", one("productCode", "S10_1678")},
		{"EventingSample", "getProductByCode", one("productCode", "S10_1678")},
		{"H2SimpleJsonTest", "GET getCountries", nil},
		{"NullTest_DataService", "insert_operation", dataservice.Values{"PersonID": {"1"}, "LastName": {}, "City": {}, "Weight": {"61.5"}}},
		{"NullTest_DataService", "select_all_operation", nil},
	} {
		r := newRig(t, c.service, url, nil, nil)
		name := strings.NewReplacer("/", "", "{", "", "}", "", " ", "_").Replace(c.name)
		for _, p := range []string{"customerNumber", "employeeNumber"} {
			if v := c.v[p]; len(v) == 1 {
				name += "-" + v[0]
			}
		}
		if c.service == "RDBMSSample" && c.name == "addEmployee" || c.service == "NullTest_DataService" && c.name == "insert_operation" {
			got, err := r.xml(c.name, c.v)
			if err != nil {
				t.Fatalf("%s %s: %v", c.service, c.name, err)
			}
			golden(t, "answers/"+c.service+"."+name+".xml", got)
			continue
		}
		got, err := r.xml(c.name, c.v)
		if err != nil {
			t.Errorf("%s %s: %v (%v)", c.service, c.name, err, errors.Unwrap(err))
			continue
		}
		golden(t, "answers/"+c.service+"."+name+".xml", got)
		if got, err = r.json(c.name, c.v); err != nil {
			t.Errorf("%s %s: %v (%v)", c.service, c.name, err, errors.Unwrap(err))
		}
		golden(t, "answers/"+c.service+"."+name+".json", got)
	}
}

// TestCorpusRefuses holds what the samples' validators refuse.
func TestCorpusRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, "RDBMSSample", "sqlite:"+sampleDB(t), nil, nil)
	good := func() dataservice.Values {
		return one("employeeNumber", "8", "lastName", "Ringer", "firstName", "Bell", "email", "b@belfry.dev", "salary", "1")
	}
	for _, c := range []struct {
		name, value string
		code        dataservice.FaultCode
		message     string
	}{
		{"lastName", "ab", dataservice.ValidationError, "The value length must be between 3 and 20\nField Name: lastName"},
		{"lastName", strings.Repeat("x", 21), dataservice.ValidationError, "The value length must be between 3 and 20\nField Name: lastName"},
		{"email", "nobody", dataservice.ValidationError, "} is expected\nField Name: email"},
		{"email", "a@b.com and more", dataservice.ValidationError, "} is expected\nField Name: email"},
		{"employeeNumber", "8x", dataservice.IncompatibleParameters, "parameter employeeNumber: not a value of type INTEGER: malformed"},
		{"employeeNumber", "3000000000", dataservice.IncompatibleParameters, "parameter employeeNumber: not a value of type INTEGER: out of range"},
		{"employeeNumber", "", dataservice.IncompatibleParameters, "parameter employeeNumber: not a value of type INTEGER: malformed"},
		{"firstName", "\x00missing", dataservice.IncompatibleParameters, "parameter firstName is missing"},
	} {
		v := good()
		v[c.name] = []string{c.value}
		if c.value == "\x00missing" {
			delete(v, c.name)
		}
		_, err := r.xml("addEmployee", v)
		f := wantFault(t, err, dataservice.FaultInput)
		if f.Code != c.code || !strings.HasSuffix(f.Message, c.message) || f.Query != "addEmployeeQuery" || f.Request != "addEmployee" || f.Service != "RDBMSSample" {
			t.Errorf("%s=%q: %+v", c.name, c.value, f)
		}
	}
	// An array given for a scalar, and a check of the table itself.
	v := good()
	v["lastName"] = []string{"one", "two"}
	_, err := r.xml("addEmployee", v)
	wantFault(t, err, dataservice.FaultInput)
	_, err = r.xml("setEmployeeSalary", one("employeeNumber", "1002", "salary", "-1"))
	if f := wantFault(t, err, dataservice.FaultInternal); !strings.Contains(f.Message, "a constraint is violated") {
		t.Error(f)
	}
	got, err := r.xml("addEmployee", good())
	if err != nil || got != `<REQUEST_STATUS xmlns="http://ws.wso2.org/dataservice">SUCCESSFUL</REQUEST_STATUS>` {
		t.Errorf("%s, %v", got, err)
	}
}
