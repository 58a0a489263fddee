package source

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	me := credentials{user: "me", password: "p@ss/w:rd"}
	for _, c := range []struct {
		in      string
		c       credentials
		dsn     string // or the path, for SQLite
		display string
		notices int
		err     string
	}{
		{in: "jdbc:postgresql://h:5433/d", c: me, dsn: "postgres://me:p%40ss%2Fw%3Ard@h:5433/d?connect_timeout=10", display: "postgresql://h:5433/d"},
		{in: "jdbc:postgresql://h/d?ssl=true&currentSchema=s&foo=1&prepareThreshold=0", dsn: "postgres://h/d?connect_timeout=10&search_path=s&sslmode=require", notices: 1},
		{in: "postgres://u:p@h/d", c: me, dsn: "postgres://u:p@h/d?connect_timeout=10", display: "postgresql://h/d"},
		{in: "postgresql://u@h/d?sslmode=disable&connectTimeout=3", c: me, dsn: "postgres://u:@h/d?connect_timeout=3&sslmode=disable"},
		{in: "jdbc:postgresql://h/d?user=x&password=y", c: me, dsn: "postgres://x:y@h/d?connect_timeout=10"},
		{
			in: "jdbc:mysql://h:3307/d?useSSL=true&autoReconnect=true&connectTimeout=2500", c: me,
			dsn: "me:p@ss/w:rd@tcp(h:3307)/d?charset=utf8mb4&clientFoundRows=true&timeout=2.5s&tls=preferred", display: "mysql://h:3307/d",
		},
		{in: "jdbc:mariadb://h/d", dsn: "@tcp(h:3306)/d?charset=utf8mb4&clientFoundRows=true&timeout=10s"},
		{in: "mysql://u:p@h/d?socket=/run/m.sock", dsn: "u:p@unix(/run/m.sock)/d?charset=utf8mb4&clientFoundRows=true&timeout=10s"},
		{in: "jdbc:mysql://h/d?allowMultiQueries=true&zeroDateTimeBehavior=convertToNull", dsn: "@tcp(h:3306)/d?charset=utf8mb4&clientFoundRows=true&timeout=10s", notices: 2},
		{in: "jdbc:mysql://[::1]:3306/d", dsn: "@tcp([::1]:3306)/d?charset=utf8mb4&clientFoundRows=true&timeout=10s"},
		{in: "sqlite:var/a.db", c: me, dsn: "var/a.db", display: "sqlite:var/a.db"},
		{in: "jdbc:sqlite:/x/y.db", dsn: "/x/y.db"},
		{in: "sqlite::memory:", dsn: ""},
		{in: "jdbc:h2:file:./x", err: "--map-datasource"},
		{in: "jdbc:oracle:thin:@h:1521:x", err: "not supported"},
		{in: "jdbc:mysql:host", err: "want //host"},
		{in: "plain", err: "not understood"},
		{in: "jdbc:postgresql://u:secret@h:port/%zz", err: "not understood"},
	} {
		a, err := parseAddress(c.in, c.c)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v, want %q", c.in, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		got := a.dsn
		if a.dialect == SQLite {
			got = a.path
		}
		if got != c.dsn {
			t.Errorf("%s:\n got %s\nwant %s", c.in, got, c.dsn)
		}
		if len(a.notices) != c.notices {
			t.Errorf("%s: notices %q", c.in, a.notices)
		}
		if c.display != "" && a.display != c.display {
			t.Errorf("%s: shown as %s", c.in, a.display)
		}
	}
}

// TestLocate decides where a source is and whose credentials apply.
func TestLocate(t *testing.T) {
	t.Parallel()
	h2 := map[string]string{"url": "jdbc:h2:file:x", "username": "sa", "password": "pw"}
	pg := map[string]string{"url": "jdbc:postgresql://old/d", "username": "sa", "password": "pw"}
	for _, c := range []struct {
		name  string
		rules []Mapping
		kind  dataservice.SourceKind
		props map[string]string
		dsn   string
		err   string
	}{
		{"no mapping", nil, "RDBMS", pg, "postgres://sa:pw@old/d?connect_timeout=10", ""},
		{"by url", []Mapping{{"jdbc:h2:*", "postgres://h/d"}}, "RDBMS", h2, "postgres://h/d?connect_timeout=10", ""},
		{"by url, same kind", []Mapping{{"jdbc:postgresql:*", "postgres://h/d"}}, "RDBMS", pg, "postgres://sa:pw@h/d?connect_timeout=10", ""},
		{"by url, own credentials", []Mapping{{"*", "postgres://u:v@h/d"}}, "RDBMS", pg, "postgres://u:v@h/d?connect_timeout=10", ""},
		{"by id", []Mapping{{"default", "postgres://h/d"}}, "RDBMS", h2, "postgres://h/d?connect_timeout=10", ""},
		{"by service and id", []Mapping{{"other/default", "sqlite:x"}, {"Svc/default", "postgres://h/d"}}, "RDBMS", h2, "postgres://h/d?connect_timeout=10", ""},
		{"Carbon, mapped", []Mapping{{"Svc/*", "postgres://h/d"}}, "CARBON_DATASOURCE", map[string]string{"carbon_datasource_name": "X"}, "postgres://h/d?connect_timeout=10", ""},
		{"Carbon, by its name", []Mapping{{"X", "postgres://h/d"}}, "CARBON_DATASOURCE", map[string]string{"carbon_datasource_name": "X"}, "postgres://h/d?connect_timeout=10", ""},
		{"Carbon", nil, "CARBON_DATASOURCE", map[string]string{"carbon_datasource_name": "X"}, "", "--map-datasource 'X=URL'"},
		{"JNDI, by its name", []Mapping{{"jdbc/x", "postgres://h/d"}}, "JNDI", map[string]string{"jndi_resource_name": "jdbc/x"}, "postgres://h/d?connect_timeout=10", ""},
		{"secrets", nil, "RDBMS", map[string]string{"url": "jdbc:postgresql://h/d", "username": "sa", "password": "$file{db}"}, "postgres://sa:of%20db@h/d?connect_timeout=10", ""},
		{"a secret of a mapping", []Mapping{{"default", "postgres://u:$env{PW}@h/d"}}, "RDBMS", h2, "postgres://u:p%40%2F%3Aw%20+@h/d?connect_timeout=10", ""},
		{"a secret in a parameter", []Mapping{{"default", "postgres://h/d?user=u&password=$env{PW}"}}, "RDBMS", h2, "postgres://u:p%40%2F%3Aw%20+@h/d?connect_timeout=10", ""},
		{"all of it a secret", nil, "RDBMS", map[string]string{"url": "$env{URL}", "username": "$file{db}"}, "postgres://of%20db:@h/d?connect_timeout=10", ""},
		{"no such secret", nil, "RDBMS", map[string]string{"url": "jdbc:postgresql://h/d", "password": "$file{none}"}, "", "$file{none}: this host has no such secret"},
		{"H2", nil, "RDBMS", h2, "", "--map-datasource 'jdbc:h2:*=sqlite:var/samples.db'"},
		{"CSV", nil, "CSV", map[string]string{"csv_datasource": "x"}, "", "CSV are not supported"},
		{"XA", nil, "RDBMS", map[string]string{"dataSourceClassName": "x"}, "", "dataSourceClassName"},
		{"nothing", nil, "RDBMS", nil, "", "no url"},
	} {
		s := NewSet(Options{Mappings: c.rules, Secrets: func(text string, encode func(string) string) (string, error) {
			if strings.Contains(text, "none") {
				return "", errors.New("$file{none}: this host has no such secret")
			}
			return strings.NewReplacer("$file{db}", encode("of db"), "$env{PW}", encode("p@/:w +"), "$env{URL}", encode("jdbc:postgresql://h/d")).Replace(text), nil
		}})
		a, err := s.locate("Svc", &dataservice.Source{ID: "default", Kind: c.kind, Properties: c.props})
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", c.name, err, c.err)
		case c.err == "" && (err != nil || a.dsn != c.dsn):
			t.Errorf("%s: %+v, %v, want %s", c.name, a, err, c.dsn)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s, err := settings(map[string]string{
		"maxActive": "7", "maxIdle": "3", "maxWait": "1500", "queryTimeout": "9", "validationQuery": "select 2",
		"defaultTransactionIsolation": "TRANSACTION_SERIALIZABLE", "maxRows": "5", "minIdle": "x", "testOnBorrow": "true",
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.MaxOpen != 7 || s.MaxIdle != 3 || s.MaxWait.Milliseconds() != 1500 || s.QueryTimeout.Seconds() != 9 ||
		s.ValidateQuery != "select 2" || s.Isolation.String() != "Serializable" || s.MaxRows != 5 {
		t.Errorf("%+v", s)
	}
	if s, err := settings(map[string]string{"maxActive": "100000", "maxWait": "-1"}); err != nil || s.MaxOpen != mostOpen || s.MaxWait != defaultWait || s.MaxIdle != s.MaxOpen {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := settings(nil); err != nil || s.MaxOpen != defaultOpen || s.MaxWait != defaultWait {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range []map[string]string{{"maxActive": "ten"}, {"maxWait": "5s"}, {"defaultTransactionIsolation": "LOOSE"}} {
		if _, err := settings(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

// Without secrets, what refers to one is refused, and not taken for a password.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	_, err := NewSet(Options{}).locate("Svc", &dataservice.Source{ID: "default", Kind: "RDBMS", Properties: map[string]string{
		"url": "jdbc:postgresql://h/d", "password": "$file{db}",
	}})
	if err == nil || !strings.Contains(err.Error(), "refers to a secret") {
		t.Errorf("%v", err)
	}
}
