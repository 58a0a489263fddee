package query_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// typed are the sqlTypes with a value that each takes, one that it does not, and
// the column that keeps it.
var typed = []struct{ sqlType, good, bad, want, xsd, sqlite, postgres, mysql string }{
	{"STRING", "a 'quoted' ü 漢", "", "", "string", "TEXT", "text", "TEXT"},
	{"INTEGER", "-2147483648", "2147483648", "", "integer", "INTEGER", "integer", "INTEGER"},
	{"TINYINT", "127", "128", "", "integer", "INTEGER", "smallint", "TINYINT"},
	{"SMALLINT", "-32768", "1.5", "", "integer", "INTEGER", "smallint", "SMALLINT"},
	{"BIGINT", "9223372036854775807", "9223372036854775808", "", "integer", "INTEGER", "bigint", "BIGINT"},
	{"REAL", "1.5", "x", "", "float", "REAL", "real", "FLOAT"},
	{"DOUBLE", "1500", "NaN", "1500.0", "double", "DOUBLE", "double precision", "DOUBLE"},
	{"NUMERIC", "1234567.89", "1_0", "", "decimal", "NUMERIC", "numeric(20,2)", "DECIMAL(20,2)"},
	{"BIT", "true", "yes", "", "boolean", "BOOLEAN", "boolean", "BOOLEAN"},
	{"DATE", "2024-02-29", "2023-02-29", "2024-02-29+00:00", "date", "DATE", "date", "DATE"},
	{"TIME", "13:14:15", "25:00:00", "13:14:15.000+00:00", "time", "TIME", "time", "TIME"},
	{"TIMESTAMP", "2024-02-29T13:14:15", "2024-02-29 13", "2024-02-29T13:14:15.000+00:00", "dateTime", "TIMESTAMP", "timestamp", "DATETIME"},
	{"TIMESTAMP", "2024-02-29T13:14:15.5+02:00", "later", "2024-02-29T11:14:15.500+00:00", "dateTime", "TIMESTAMP", "timestamp", "DATETIME(1)"},
	{"BINARY", "AAH/", "*", "", "base64Binary", "BLOB", "bytea", "BLOB"},
	{"UUID", "c56a4180-65aa-42ec-a945-5fd21dec0538", "c56a4180", "", "string", "TEXT", "uuid", "CHAR(36)"},
	{"INETADDRESS", "2001:db8::1", "host", "", "string", "TEXT", "text", "VARCHAR(50)"},
	{"CLOB", strings.Repeat("long ", 1000), "", "", "string", "TEXT", "text", "LONGTEXT"},
	{"VARINT", "12345", "0x1", "", "integer", "INTEGER", "numeric", "DECIMAL(20)"},
}

// typeService inserts and reads one value of a sqlType.
func typeService(i int) *dataservice.Service {
	c := typed[i]
	table := fmt.Sprintf("typed%d", i)
	s := &dataservice.Service{Name: "Types", Namespace: "urn:types", Active: true}
	s.Sources = []*dataservice.Source{{ID: "default", Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:h2:mem"}}}
	v := &dataservice.Param{Name: "v", SQLType: c.sqlType}
	s.Queries = []*dataservice.Query{
		{
			ID: "put", Source: "default", SQL: map[string]string{"": "insert into " + table + " (k, v) values (:k, :v)"},
			Params: []*dataservice.Param{{Name: "k", SQLType: "INTEGER"}, v},
		},
		{
			ID: "get", Source: "default", SQL: map[string]string{"": "select v from " + table + " where k = ?"},
			Params: []*dataservice.Param{{Name: "k", SQLType: "INTEGER"}},
			Result: &dataservice.Result{Element: "r", Namespace: "urn:types", Fields: []*dataservice.Field{{Name: "v", Column: "V", Type: c.xsd}}},
		},
	}
	for _, q := range s.Queries {
		call := dataservice.CallQuery{Query: q.ID}
		for _, p := range q.Params {
			call.Params = append(call.Params, dataservice.WithParam{Name: p.Name, QueryParam: p.Name})
		}
		s.Operations = append(s.Operations, &dataservice.Operation{Name: q.ID, Call: call})
	}
	return s
}

func testTypes(p *place) {
	t := p.T
	for i, c := range typed {
		column := map[string]string{"sqlite": c.sqlite, "pgx": c.postgres, "mysql": c.mysql}[p.server.Driver]
		p.exec(fmt.Sprintf("CREATE TABLE typed%d (k INTEGER PRIMARY KEY, v %s NULL)", i, column))
		r := rigOf(t, typeService(i), p.server.URL, nil, nil)
		if _, err := r.xml("put", one("k", "1", "v", c.good)); err != nil {
			t.Errorf("%s: %v (%v)", c.sqlType, err, errors.Unwrap(err))
			continue
		}
		want := c.want
		if want == "" {
			want = c.good
		}
		got, err := r.xml("get", one("k", "1"))
		if err != nil {
			t.Errorf("%s: %v (%v)", c.sqlType, err, errors.Unwrap(err))
		}
		if want = `<r xmlns="urn:types"><v>` + want + `</v></r>`; got != want {
			t.Errorf("%s in %s: got %s, want %s", c.sqlType, column, got, want)
		}
		if c.bad != "" {
			_, err = r.xml("put", one("k", "2", "v", c.bad))
			if f := wantFault(t, err, dataservice.FaultInput); f.Code != dataservice.IncompatibleParameters || !strings.Contains(f.Message, "parameter v") {
				t.Errorf("%s: %v", c.sqlType, f)
			}
		}
		if _, err := r.xml("put", dataservice.Values{"k": {"3"}, "v": {}}); err != nil {
			t.Errorf("%s: null: %v (%v)", c.sqlType, err, errors.Unwrap(err))
		}
		if got, err := r.json("get", one("k", "3")); err != nil || got != `{"r":{"v":null}}` {
			t.Errorf("%s: null: %s, %v", c.sqlType, got, err)
		}
	}
}

// hostile are values that would change a statement they were pasted into.
func hostile() []string {
	list := []string{
		`'`, `''`, `"`, "`", `\`, `\'`, `';--`, `'; DROP TABLE typed0; --`, `1; DROP TABLE typed0`, `1 OR 1=1`, `' OR '1'='1`,
		`" OR ""="`, `') OR ('1'='1`, `1) OR (1=1`, `1 UNION SELECT 1`, `' UNION SELECT null,null--`, `:v`, `?`, `$1`, `??`, `$$`, `$tag$`,
		`/*`, `*/`, `--`, `#`, "\x00", "\x1a", "\u2019", "ʼ", "％27", `%27`, `0x27`, `CHAR(39)`, `\x27`, `{fn now()}`, `@@version`, `${v}`, `#{v}`,
		`1e1`, `0b1`, `1;SELECT pg_sleep(1)`, `'||(SELECT 1)||'`, `1 AND SLEEP(1)`, "a\nb", "a\rb", "\\\n'", `\u0027`, "\xbf'", "\xbf\x27",
	}
	base := list
	for _, prefix := range []string{"1", "x'", "2024-01-01", "1' ", "true ", "AA=="} {
		for _, s := range base {
			list = append(list, prefix+s)
		}
	}
	return list
}

// testInjection gives every hostile value to every type: it is refused or kept as
// it is, and nothing else happens.
func testInjection(p *place) {
	t := p.T
	values := hostile()
	p.exec("CREATE TABLE typed0 (k INTEGER, v " + map[string]string{"sqlite": "TEXT", "pgx": "text", "mysql": "LONGTEXT CHARACTER SET utf8mb4"}[p.server.Driver] + ")")
	r := rigOf(t, typeService(0), p.server.URL, nil, nil)
	kept := 0
	for i, s := range values {
		_, err := r.xml("put", one("k", fmt.Sprint(i), "v", s))
		if err != nil {
			// What the database's text cannot hold at all (NUL, not UTF-8) may be refused.
			if strings.ToValidUTF8(s, "") == s && !strings.Contains(s, "\x00") {
				t.Errorf("%q: %v (%v)", s, err, errors.Unwrap(err))
			}
			continue
		}
		kept++
		text, err := r.json("get", one("k", fmt.Sprint(i)))
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		var got struct{ R struct{ V string } }
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if got.R.V != strings.ToValidUTF8(s, "\uFFFD") && got.R.V != base64.StdEncoding.EncodeToString([]byte(s)) {
			t.Errorf("%q came back as %q", s, got.R.V)
		}
		// In place of a number it is refused before the database sees it.
		if _, err := r.xml("get", one("k", s)); err == nil {
			t.Errorf("%q was taken as an integer", s)
		} else {
			wantFault(t, err, dataservice.FaultInput)
		}
	}
	if got := p.number("SELECT count(*) FROM typed0"); int(got) != kept {
		t.Errorf("%v rows, want %d", got, kept)
	}
	for i, c := range typed {
		if i == 0 || c.xsd == "string" {
			continue
		}
		p.exec(fmt.Sprintf("CREATE TABLE typed%d (k INTEGER, v %s)", i, map[string]string{"sqlite": c.sqlite, "pgx": c.postgres, "mysql": c.mysql}[p.server.Driver]))
		r := rigOf(t, typeService(i), p.server.URL, nil, nil)
		for _, s := range values {
			_, err := r.xml("put", one("k", "1", "v", s))
			switch {
			case err != nil:
				wantFault(t, err, dataservice.FaultInput)
			case strings.ContainsAny(s, `'";$?:\`+"`"): // 1e1 is a number, 0x27 is base64
				t.Errorf("%s took %q", c.sqlType, s)
			}
		}
	}
}
