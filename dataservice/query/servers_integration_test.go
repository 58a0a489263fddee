//go:build integration

package query_test

import (
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

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
