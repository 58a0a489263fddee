//go:build e2e

package e2e

import (
	"database/sql"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// database is a fresh one of a real server.
type database struct {
	name   string
	url    string
	db     *sql.DB
	server *sourcetest.Server
}

// databases gives one of each kind that is supported, SQLite first.
func databases(t *testing.T) []database {
	t.Helper()
	return []database{
		open(t, "sqlite", sourcetest.OpenSQLite(t)),
		open(t, "postgres", sourcetest.StartPostgres(t)),
		open(t, "mariadb", sourcetest.StartMariaDB(t)),
	}
}

func open(t *testing.T, name string, s *sourcetest.Server) database {
	t.Helper()
	return database{name, s.URL, s.Open(t), s}
}

// another gives a further fresh database of the same server, by a name of its own.
func (d database) another(t *testing.T, name string) database {
	t.Helper()
	return open(t, d.name, d.server.Database(t, name))
}
