package source

import "strconv"

// Dialect is a family of databases.
type Dialect string

// The dialects. Each is also what a descriptor's <sql dialect="…"> is matched
// with, beside the driver's name.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgresql"
	MySQL    Dialect = "mysql" // and MariaDB
	// SQLServer is untested against a real server.
	SQLServer Dialect = "sqlserver"
)

// driver is the name under which database/sql knows the dialect's driver.
func (d Dialect) driver() string {
	switch d {
	case Postgres:
		return "pgx"
	case MySQL, SQLServer:
		return string(d)
	}
	return "sqlite"
}

// Names are those by which a descriptor may call the dialect (WSO2: the part
// after "jdbc:" of the address).
func (d Dialect) Names() []string {
	switch d {
	case Postgres:
		return []string{"postgresql", "postgres"}
	case MySQL:
		return []string{"mysql", "mariadb"}
	case SQLServer:
		return []string{"sqlserver", "microsoft", "mssql", "jtds"}
	}
	return []string{"sqlite"}
}

// placeholder is the n-th parameter, from 1, with a cast where the database would
// otherwise guess its type.
func (d Dialect) appendPlaceholder(dst []byte, n int, cast string) []byte {
	switch d {
	case Postgres:
	case SQLServer:
		return strconv.AppendInt(append(dst, "@p"...), int64(n), 10)
	default:
		return append(dst, '?')
	}
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(n), 10)
	if cast != "" {
		dst = append(dst, "::"...)
		dst = append(dst, cast...)
	}
	return dst
}

// PlainName tells whether a name of a table or column can stand in a statement
// without quotes.
func PlainName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
