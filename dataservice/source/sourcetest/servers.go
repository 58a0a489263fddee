package sourcetest

import (
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// StartPostgres starts a PostgreSQL server. The importing test must import a
// driver named pgx.
func StartPostgres(tb testing.TB) *Server {
	tb.Helper()
	initdb := find(tb, "initdb", "/usr/lib/postgresql/*/bin/initdb")
	postgres := find(tb, "postgres", "/usr/lib/postgresql/*/bin/postgres")
	who := account(tb)
	dir := folder(tb, who)
	data := filepath.Join(dir, "data")
	run(tb, as(who, dir, initdb, "-D", data, "-U", "belfry", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"))
	port := strconv.Itoa(freePort(tb))
	s := &Server{
		URL:    "postgres://belfry:secret@127.0.0.1:" + port + "/postgres",
		Driver: "pgx",
		DSN:    "postgres://belfry:secret@127.0.0.1:" + port + "/postgres?sslmode=disable",
	}
	s.command = func() *exec.Cmd {
		return as(who, dir, postgres, "-D", data, "-k", dir, "-h", "127.0.0.1", "-p", port,
			"-c", "fsync=off", "-c", "max_connections=100", "-c", "log_min_messages=fatal")
	}
	s.probe = s.ping
	s.start(tb)
	return s
}

// StartMariaDB starts a MariaDB server. The importing test must import a driver
// named mysql.
func StartMariaDB(tb testing.TB) *Server {
	tb.Helper()
	install := find(tb, "mariadb-install-db", "/usr/bin/mariadb-install-db")
	mariadbd := find(tb, "mariadbd", "/usr/sbin/mariadbd")
	who := account(tb)
	dir := folder(tb, who)
	data := filepath.Join(dir, "data")
	// Two installations that share a folder of temporary tables can take each
	// other's.
	temporary := "--tmpdir=" + dir
	run(tb, as(who, dir, install, "--no-defaults", "--datadir="+data, temporary, "--auth-root-authentication-method=normal", "--skip-test-db"))
	port := strconv.Itoa(freePort(tb))
	s := &Server{
		URL:    "mysql://root@127.0.0.1:" + port + "/belfry",
		Driver: "mysql",
		DSN:    "root@tcp(127.0.0.1:" + port + ")/belfry",
	}
	s.command = func() *exec.Cmd {
		return as(who, dir, mariadbd, "--no-defaults", "--datadir="+data, temporary, "--socket="+filepath.Join(dir, "s"), "--port="+port,
			"--bind-address=127.0.0.1", "--lower-case-table-names=1", "--pid-file="+filepath.Join(dir, "pid"), "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2")
	}
	s.probe = func() error {
		db, err := sql.Open("mysql", "root@tcp(127.0.0.1:"+port+")/")
		if err != nil {
			return err
		}
		defer db.Close()
		_, err = db.Exec("CREATE DATABASE IF NOT EXISTS belfry CHARACTER SET utf8mb4")
		return err
	}
	s.start(tb)
	return s
}

// OpenSQLite gives a fresh SQLite file as a Server; nothing runs.
func OpenSQLite(tb testing.TB) *Server {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "test.db")
	return &Server{URL: "sqlite:" + path, Driver: "sqlite", DSN: "file:" + path + "?_pragma=busy_timeout(5000)"}
}

// Database gives the same server with a fresh database of that name; for SQLite a
// fresh file.
func (s *Server) Database(tb testing.TB, name string) *Server {
	tb.Helper()
	if s.Driver == "sqlite" {
		return OpenSQLite(tb)
	}
	create := "CREATE DATABASE " + name
	if s.Driver == "mysql" {
		create += " CHARACTER SET utf8mb4"
	}
	if _, err := s.Open(tb).Exec(create); err != nil {
		tb.Fatal(err)
	}
	c := *s
	old := map[string]string{"pgx": "/postgres", "mysql": "/belfry"}[s.Driver]
	c.URL = strings.Replace(s.URL, old, "/"+name, 1)
	c.DSN = strings.Replace(s.DSN, old, "/"+name, 1)
	return &c
}

// Open gives a pool for a test's own statements, closed with the test.
func (s *Server) Open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open(s.Driver, s.DSN)
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

func (s *Server) ping() error {
	db, err := sql.Open(s.Driver, s.DSN)
	if err != nil {
		return fmt.Errorf("driver %s: %w", s.Driver, err)
	}
	defer db.Close()
	return db.Ping()
}
