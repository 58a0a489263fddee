//go:build integration

package query_test

import (
	"errors"
	"html"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	suite(t, sourcetest.StartPostgres(t))
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	suite(t, sourcetest.StartMariaDB(t))
}

// TestServerDies kills the database server inside a firing's transaction.
func TestServerDies(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) *sourcetest.Server{
		"postgres": sourcetest.StartPostgres, "mariadb": sourcetest.StartMariaDB,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			p := newPlace(t, server)
			b, inside, thaw := frozen()
			defer thaw()
			r := p.rig("EventingSample", b, nil)
			req := r.fireReq("updateProductQuantity", "f", time.Now(), one("productCode", "S10_1678", "quantityInStock", "5"))
			failed := make(chan error, 1)
			go func() { // ends when it is thawed
				_, err := r.rt.Run(t.Context(), req, drop{})
				failed <- err
			}()
			<-inside
			server.Kill(t)
			thaw()
			var f *dataservice.Fault
			if err := <-failed; !errors.As(err, &f) || errors.Is(err, query.ErrRecorded) {
				t.Errorf("the firing whose database died: %v", err)
			}
			_, err := r.rt.Run(t.Context(), req, drop{})
			wantFault(t, err, dataservice.FaultUnreachable)
			server.Restart(t)
			o, err := r.rt.Run(t.Context(), req, drop{})
			if err != nil || o.Replayed {
				t.Fatalf("%+v, %v (%v)", o, err, errors.Unwrap(err))
			}
			p.db = server.Open(t) // the old pool's connections are dead
			if got := p.number("SELECT quantityInStock FROM Products WHERE productCode='S10_1678'"); got != 5 {
				t.Errorf("quantity %v, want 5", got)
			}
		})
	}
}

// TestServerTypes holds the lexical forms of types that only servers have.
func TestServerTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start func(testing.TB) *sourcetest.Server
		cols  [][3]string // expression, xsdType, text
	}{
		"postgres": {sourcetest.StartPostgres, [][3]string{
			{"1.50::numeric", "decimal", "1.50"},
			{"12345678901234567890.123456789::numeric", "decimal", "12345678901234567890.123456789"},
			{"timestamptz '2024-02-29 13:14:15.25+02'", "dateTime", "2024-02-29T11:14:15.250+00:00"},
			{"timestamp '2024-02-29 13:14:15'", "string", "2024-02-29T13:14:15.000+00:00"},
			{"date '2024-02-29'", "string", "2024-02-29+00:00"},
			{"time '13:14:15'", "time", "13:14:15.000+00:00"},
			{"true", "boolean", "true"},
			{`'\x00ff'::bytea`, "base64Binary", "AP8="},
			{"'c56a4180-65aa-42ec-a945-5fd21dec0538'::uuid", "string", "c56a4180-65aa-42ec-a945-5fd21dec0538"},
			{`'{"a": 1}'::json`, "string", `{"a": 1}`},
			{"interval '1 day'", "string", "1 day"},
			{"'infinity'::float8", "double", "INF"},
			{"1e21::float8", "double", "1.0E21"},
			{"'a'::char(3)", "string", "a  "},
			{"inet '10.0.0.1'", "string", "10.0.0.1"},
		}},
		"mariadb": {sourcetest.StartMariaDB, [][3]string{
			{"cast(1.50 as decimal(10,2))", "decimal", "1.50"},
			{"cast('2024-02-29 13:14:15' as datetime)", "dateTime", "2024-02-29T13:14:15.000+00:00"},
			{"cast('2024-02-29' as date)", "string", "2024-02-29+00:00"},
			{"cast('13:14:15' as time)", "time", "13:14:15.000+00:00"},
			{"true", "boolean", "true"},
			{"x'00ff'", "base64Binary", "AP8="},
			{"cast(18446744073709551615 as unsigned)", "integer", "18446744073709551615"},
			{"1e21", "double", "1.0E21"},
			{"'ü漢'", "string", "ü漢"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.start(t)
			for _, col := range c.cols {
				svc := parse(t, `<query id="q"><sql>select `+html.EscapeString(col[0])+` as v</sql><result element="R"><element name="v" column="v" xsdType="`+col[1]+`"/></result></query><operation name="o"><call-query href="q"/></operation>`)
				r := rigOf(t, svc, server.URL, nil, nil)
				got, err := r.xml("o", nil)
				if want := `<R xmlns="urn:t"><v>` + col[2] + `</v></R>`; err != nil || got != want {
					t.Errorf("%s as %s: %v (%v)\n got %s\nwant %s", col[0], col[1], err, errors.Unwrap(err), got, want)
				}
			}
		})
	}
}

// TestConnectionFails holds what a service says whose database is not there, or
// does not let it in: without credentials, and without waiting long.
func TestConnectionFails(t *testing.T) {
	t.Parallel()
	pg, maria := sourcetest.StartPostgres(t), sourcetest.StartMariaDB(t)
	if _, err := maria.Open(t).Exec("CREATE USER ringer@'%' IDENTIFIED BY 'right'"); err != nil {
		t.Fatal(err)
	}
	port := func(url string) string {
		return url[strings.LastIndexByte(url, ':')+1 : strings.LastIndexByte(url, '/')]
	}
	for name, url := range map[string]string{
		"postgres, no such database": "postgres://ringer:hunter2@127.0.0.1:" + port(pg.URL) + "/nowhere",
		"postgres, nobody there":     "postgres://ringer:hunter2@127.0.0.1:1/nowhere",
		"mariadb, wrong password":    "mysql://ringer:hunter2@127.0.0.1:" + port(maria.URL) + "/belfry",
		"mariadb, nobody there":      "jdbc:mysql://127.0.0.1:1/belfry?user=ringer&password=hunter2",
		"mariadb, no such database":  "mysql://root:@127.0.0.1:" + port(maria.URL) + "/nowhere",
	} {
		r := newRig(t, "ScheduleTaskTest", url, nil, nil)
		for op, f := range map[string]func() error{
			"read":  func() error { _, err := r.xml("employeesByNumber", one("employeeNumber", "1")); return err },
			"write": func() error { _, err := r.xml("incrementEmployeeSalary", nil); return err },
			"firing": func() error {
				_, err := r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "f", time.Now(), nil), drop{})
				return err
			},
		} {
			err := f()
			fault := wantFault(t, err, dataservice.FaultUnreachable)
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "hunter2") {
					t.Errorf("%s, %s: the error tells the password: %v", name, op, e)
				}
			}
			if fault.Code != dataservice.ConnectionUnavailable || strings.Contains(fault.Message, "ringer") {
				t.Errorf("%s, %s: %v", name, op, fault)
			}
		}
		failed := r.rt.Ping(t.Context())
		if err := failed["MySqlDataSource"]; err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: ping says %v", name, failed)
		}
	}
	if failed := newRig(t, "ScheduleTaskTest", pg.URL, nil, nil).rt.Ping(t.Context()); len(failed) != 0 {
		t.Errorf("ping: %v", failed)
	}
}

// TestRights gives a user just what the documentation asks for.
func TestRights(t *testing.T) {
	t.Parallel()
	pg := sourcetest.StartPostgres(t)
	p := newPlace(t, pg)
	p.exec("CREATE USER ringer PASSWORD 'x'")
	p.exec("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	p.exec("GRANT SELECT, UPDATE ON Employees TO ringer")
	r := newRig(t, "ScheduleTaskTest", strings.Replace(pg.URL, "belfry:secret", "ringer:x", 1), nil, nil)
	fire := func() (query.Outcome, error) {
		return r.rt.Run(t.Context(), r.fireReq("incrementEmployeeSalary", "f", time.Now(), nil), drop{})
	}
	_, err := fire()
	f := wantFault(t, err, dataservice.FaultInternal)
	if !f.Final || !strings.Contains(f.Message, "the inbox belfry_inbox could not be created: create it as the documentation shows") {
		t.Errorf("%+v", f)
	}
	text, err := os.ReadFile("inbox/testdata/postgresql.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range splitSQL(string(text))[:2] {
		p.exec(strings.ReplaceAll(s, "app.", ""))
	}
	p.exec("GRANT SELECT, INSERT, UPDATE, DELETE ON belfry_inbox TO ringer")
	for i := range 2 {
		if o, err := fire(); err != nil || o.Replayed != (i == 1) {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if err := r.engine.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if got := p.salaries(); got != start+2*10000 {
		t.Errorf("salaries %v", got)
	}
}
