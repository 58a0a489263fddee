package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"
)

// Class is what a caller can do about an error.
type Class uint8

// The classes.
const (
	Other       Class = iota
	Unreachable       // no connection was to be had: nothing happened
	Lost              // the connection broke: what was sent may have happened
	Timeout           // it took too long, and was cancelled
	Locked            // another transaction holds what this one needs
	Conflict          // deadlock or serialization failure: rolled back, may be tried again
	Duplicate         // a unique key exists already
	Constraint        // another constraint
	Data              // a value does not fit
	Syntax            // the statement is wrong, or names what is not there
	NoTable           // the table is not there
	Denied            // the user may not do this
	ReadOnly          // it writes in a transaction that only reads
	Raised            // the database's own code refused
)

// Business tells whether the error is the answer of the database to this
// statement with these values, which is the same when asked again.
func (c Class) Business() bool {
	switch c {
	case Duplicate, Constraint, Data, Syntax, NoTable, Denied, Raised:
		return true
	}
	return false
}

// mysqlError is how the MySQL driver's errors begin; it has no method that
// gives the number.
var mysqlError = regexp.MustCompile(`Error (\d{4,5})(?: \(([0-9A-Z]{5})\))?: `)

// Classify sorts an error of a driver. It knows them by their methods and texts,
// not by their types, which are the drivers' own.
func Classify(err error) Class {
	var state interface{ SQLState() string }
	var numbered interface{ SQLErrorNumber() int32 } // SQL Server
	var coded interface{ Code() int }
	var dial *net.OpError
	switch {
	case err == nil:
		return Other
	case errors.Is(err, errOpen), errors.Is(err, ErrClosed):
		return Unreachable
	case errors.As(err, &state):
		return sqlState(state.SQLState())
	case errors.As(err, &numbered):
		return sqlserverNumber(numbered.SQLErrorNumber())
	case errors.Is(err, context.DeadlineExceeded):
		if errors.As(err, &dial) && dial.Op == "dial" {
			return Unreachable
		}
		return Timeout
	case errors.Is(err, context.Canceled):
		return Timeout
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone):
		return Lost
	case errors.As(err, &dial):
		if dial.Op == "dial" {
			return Unreachable
		}
		return Lost
	case errors.As(err, &coded):
		return sqliteCode(coded.Code(), err.Error())
	}
	text := err.Error()
	if m := mysqlError.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return mysqlNumber(n, m[2])
	}
	switch {
	case strings.Contains(text, "failed to connect to"):
		return Unreachable
	case strings.Contains(text, "invalid connection"), strings.Contains(text, "unexpected EOF"),
		strings.Contains(text, "conn closed"), strings.Contains(text, "bad connection"):
		return Lost
	case strings.Contains(text, "unable to encode"), strings.Contains(text, "cannot find encode plan"),
		strings.Contains(text, "failed to encode"):
		return Data
	}
	return Other
}

// sqlState sorts the codes of the SQL standard and PostgreSQL's own.
func sqlState(s string) Class {
	switch s {
	case "23505":
		return Duplicate
	case "57014", "25P03", "25P04":
		return Timeout
	case "55P03":
		return Locked
	case "40001", "40P01":
		return Conflict
	case "42P01":
		return NoTable
	case "42501":
		return Denied
	case "25006":
		return ReadOnly
	case "57P03", "53300":
		return Unreachable
	}
	if len(s) < 2 {
		return Other
	}
	switch s[:2] {
	case "08", "57":
		return Lost
	case "28", "3D":
		return Unreachable
	case "22":
		return Data
	case "23", "44":
		return Constraint
	case "42":
		return Syntax
	case "P0", "45":
		return Raised
	}
	return Other
}

func mysqlNumber(n int, state string) Class {
	switch n {
	case 1062, 1586:
		return Duplicate
	case 1205, 3572:
		return Locked
	case 1213:
		return Conflict
	case 1146:
		return NoTable
	case 1142, 1143, 1370, 1227:
		return Denied
	case 1792:
		return ReadOnly
	case 1053, 1927:
		return Lost
	case 1317, 1969, 3024, 1028:
		return Timeout
	case 1040, 1044, 1045, 1049, 1129, 1130, 1203, 1226:
		return Unreachable
	case 1048, 1216, 1217, 1451, 1452, 3819, 4025, 1364:
		return Constraint
	case 1064, 1054, 1051, 1305, 1318, 1136, 1149:
		return Syntax
	case 1264, 1265, 1366, 1406, 1292, 1365, 1411, 1690:
		return Data
	case 1644:
		return Raised
	}
	return sqlState(state)
}

// sqliteCode sorts SQLite's result codes; the low byte is the primary one.
func sqliteCode(code int, text string) Class {
	switch code {
	case 1555, 2067, 2579:
		return Duplicate
	}
	switch code & 0xff {
	case 5, 6:
		return Locked
	case 8:
		return ReadOnly
	case 9:
		return Timeout
	case 14, 23, 26:
		return Unreachable
	case 19:
		return Constraint
	case 18, 20, 25:
		return Data
	case 1:
		if strings.Contains(text, "no such table") {
			return NoTable
		}
		return Syntax
	}
	return Other
}
