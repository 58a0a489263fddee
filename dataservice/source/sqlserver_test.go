package source

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"github.com/seed42aab489/belfry/dataservice"
)

// What an address says is what the driver understands.
func TestSQLServerAddress(t *testing.T) {
	t.Parallel()
	me := credentials{user: "me", password: "p@s;s/w:r}d"}
	for _, c := range []struct {
		in, host, instance, database, user, password string
		port                                         uint64
		trusts                                       bool // any certificate
		encryption                                   msdsn.Encryption
		notices                                      int
	}{
		{in: "jdbc:sqlserver://h:1500;databaseName=d", host: "h", port: 1500, database: "d", user: me.user, password: me.password, encryption: msdsn.EncryptionRequired},
		{in: "jdbc:sqlserver://h", host: "h", port: 1433, user: me.user, password: me.password, encryption: msdsn.EncryptionRequired},
		{
			in:   `jdbc:sqlserver://h\SQLEXPRESS;DatabaseName=d;user=sa;password={a;b}}c};encrypt=false;loginTimeout=3;foo=1;selectMethod=cursor`,
			host: "h", instance: "SQLEXPRESS", database: "d", user: "sa", password: "a;b}c", encryption: msdsn.EncryptionOff, notices: 1, trusts: false,
		},
		{in: `jdbc:sqlserver://h\i:1501;database=d`, host: "h", instance: "i", port: 1501, database: "d", user: me.user, password: me.password, encryption: msdsn.EncryptionRequired},
		{in: "jdbc:sqlserver://;serverName=h;portNumber=7;trustServerCertificate=true", host: "h", port: 7, user: me.user, password: me.password, encryption: msdsn.EncryptionRequired, trusts: true},
		{in: "jdbc:jtds:sqlserver://h:9/d;instance=i;ssl=off", host: "h", port: 9, instance: "i", database: "d", user: me.user, password: me.password, encryption: msdsn.EncryptionDisabled},
		{in: "jdbc:microsoft:sqlserver://h;DatabaseName=d x;", host: "h", port: 1433, database: "d x", user: me.user, password: me.password, encryption: msdsn.EncryptionRequired},
		{in: "sqlserver://u:p%40@h:1444/inst?database=d&app+name=x", host: "h", port: 1444, instance: "inst", database: "d", user: "u", password: "p@", encryption: msdsn.EncryptionRequired},
		{in: "jdbc:sqlserver://[::1]:1433;databaseName=d", host: "::1", port: 1433, database: "d", user: me.user, password: me.password, encryption: msdsn.EncryptionRequired},
	} {
		a, err := parseAddress(c.in, me)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		got, err := msdsn.Parse(a.dsn)
		if err != nil {
			t.Errorf("%s: the driver does not take %s: %v", c.in, a.dsn, err)
			continue
		}
		if got.Host != c.host || got.Port != c.port || got.Instance != c.instance || got.Database != c.database || got.User != c.user || got.Password != c.password {
			t.Errorf("%s: %s", c.in, a.dsn)
		}
		if got.Encryption != c.encryption || c.encryption == msdsn.EncryptionRequired && got.TLSConfig.InsecureSkipVerify != c.trusts || !got.Encoding.GuidConversion {
			t.Errorf("%s: %s", c.in, a.dsn)
		}
		if a.dialect != SQLServer || len(a.notices) != c.notices || strings.Contains(a.display, c.password) {
			t.Errorf("%s: %+v", c.in, a)
		}
	}
	for _, in := range []string{"jdbc:sqlserver:h", "jdbc:sqlserver://h;secret", "jdbc:sqlserver://h;password={secret", "sqlserver:secret", "jdbc:sqlserver://sa:secret@h"} {
		if _, err := parseAddress(in, me); err == nil || !strings.Contains(err.Error(), "want jdbc:sqlserver://") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", in, err)
		}
	}
	if got := redactURL("jdbc:sqlserver://h;password=secret"); got != "jdbc:sqlserver://h;…" {
		t.Error(got)
	}
}

// A secret stays within its property, whatever is in it.
func TestSQLServerSecret(t *testing.T) {
	t.Parallel()
	const secret = `a;b}c{d=e;password=x %41`
	s := NewSet(Options{Secrets: func(text string, encode func(string) string) (string, error) {
		return strings.ReplaceAll(text, "$file{db}", encode(secret)), nil
	}})
	a, err := s.locate("S", &dataservice.Source{Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:sqlserver://h;password=$file{db};user=sa"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := msdsn.Parse(a.dsn); err != nil || got.Password != secret || got.User != "sa" {
		t.Errorf("%s: %v", a.dsn, err)
	}
}

// Statements as T-SQL has them.
func TestSQLServerStatements(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, out         string
		writes, returns bool
		err             error
	}{
		{"select [a ]] :b] from t where x = :v /* :x /* :y */ :z */", "select [a ]] :b] from t where x = @p1 /* :x /* :y */ :z */", false, true, nil},
		{"select a from #t where x = ? and y in (?)", "select a from #t where x = @p1 and y in (@p2)", false, true, nil},
		{"insert into t (a) output inserted.id values (:v)", "insert into t (a) output inserted.id values (@p1)", true, true, nil},
		{"update t set a = :v where b = :v", "update t set a = @p1 where b = @p2", true, false, nil},
		{"exec p :v, @out = 1", "exec p @p1, @out = 1", true, false, nil},
		{"select 1; drop table t", "", false, false, ErrMultiple},
		{"select [x from t", "", false, false, ErrUnterminated},
	} {
		st, err := Parse(c.in, SQLServer, func(name string) bool { return name == "v" })
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if err != nil {
			continue
		}
		if got := st.SQL(nil, nil); got != c.out || st.Writes != c.writes || st.Returns != c.returns {
			t.Errorf("%s: %s, writes %t, returns %t", c.in, got, st.Writes, st.Returns)
		}
	}
	st, err := Parse("select a from t where x in (:v)", SQLServer, nil)
	if err != nil || st.SQL([]int{3}, nil) != "select a from t where x in (@p1, @p2, @p3)" {
		t.Errorf("an array: %v", err)
	}
}

func TestSQLServerErrors(t *testing.T) {
	t.Parallel()
	for number, want := range map[int32]Class{
		2627: Duplicate, 547: Constraint, 1205: Conflict, 1222: Locked, 208: NoTable, 229: Denied, 8114: Data, 102: Syntax, 18456: Unreachable, 50001: Raised, 9: Other,
	} {
		if got := Classify(fmt.Errorf("exec: %w", mssql.Error{Number: number, Message: "m"})); got != want {
			t.Errorf("%d: %v, want %v", number, got, want)
		}
	}
}

// The driver is there, and a server that is not is said to be out of reach.
func TestSQLServerOutOfReach(t *testing.T) {
	t.Parallel()
	nobody, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := NewSet(Options{}).Open("S", &dataservice.Source{Kind: dataservice.SourceSQL, Properties: map[string]string{"url": "jdbc:sqlserver://" + at + ";databaseName=d", "username": "sa", "password": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was never connected
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := db.Ping(ctx); Classify(err) != Unreachable || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v is %v", err, Classify(err))
	}
}
