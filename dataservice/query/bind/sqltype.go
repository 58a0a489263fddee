package bind

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice/source"
)

// sqlType is how values of a sqlType are read and handed to a driver.
type sqlType struct {
	// cast is PostgreSQL's name of the type, as JDBC would tell it; empty: the
	// database infers it.
	cast string
	// why it is not supported; empty: it is.
	refused string
	read    func(s string, d source.Dialect) (any, error)
}

// Errors of values.
var (
	errRange  = errors.New("out of range")
	errFormat = errors.New("malformed")
)

// sqlTypes maps the original's names (WSO2: DBConstants.DataTypes).
var sqlTypes = func() map[string]sqlType {
	m := map[string]sqlType{}
	add := func(t sqlType, names ...string) {
		for _, n := range names {
			m[n] = t
		}
	}
	add(sqlType{read: readString}, "", "STRING", "CHAR", "VARCHAR", "LONGVARCHAR", "NCHAR", "NVARCHAR", "LONGNVARCHAR",
		"CLOB", "NCLOB", "TEXT", "QUERY_STRING", "ASCII", "SQLXML", "JSON", "ENUM", "OTHER", "ROWID")
	add(sqlType{cast: "int2", read: readInt(8)}, "TINYINT")
	add(sqlType{cast: "int2", read: readInt(16)}, "SMALLINT")
	add(sqlType{cast: "int4", read: readInt(32)}, "INTEGER", "INT")
	add(sqlType{cast: "int8", read: readInt(64)}, "BIGINT", "LONG", "COUNTER")
	add(sqlType{cast: "numeric", read: readVarint}, "VARINT")
	add(sqlType{cast: "float4", read: readFloat(32)}, "REAL")
	add(sqlType{cast: "float8", read: readFloat(64)}, "DOUBLE", "FLOAT")
	add(sqlType{cast: "numeric", read: readDecimal}, "NUMERIC", "DECIMAL")
	add(sqlType{cast: "boolean", read: readBit}, "BIT", "BOOLEAN")
	add(sqlType{read: readDate}, "DATE")
	add(sqlType{read: readTime}, "TIME")
	add(sqlType{read: readTimestamp}, "TIMESTAMP", "DATETIME")
	add(sqlType{cast: "bytea", read: readBinary}, "BINARY", "VARBINARY", "LONGVARBINARY", "BLOB")
	add(sqlType{read: readUUID}, "UUID", "TIMEUUID")
	add(sqlType{read: readInet}, "INETADDRESS", "INET")
	add(sqlType{refused: "parameters of this type are not supported"}, "ORACLE_REF_CURSOR", "STRUCT", "ARRAY", "REF", "DATALINK")
	return m
}()

func readString(s string, d source.Dialect) (any, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("not UTF-8")
	}
	if d == source.Postgres && strings.IndexByte(s, 0) >= 0 {
		return nil, errors.New("holds a NUL character")
	}
	return s, nil
}

// readInt reads XSD's integer: digits with an optional sign.
func readInt(bits int) func(string, source.Dialect) (any, error) {
	return func(s string, _ source.Dialect) (any, error) {
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
		if err != nil {
			if errors.Is(err, strconv.ErrRange) {
				return nil, errRange
			}
			return nil, errFormat
		}
		return n, nil
	}
}

func readFloat(bits int) func(string, source.Dialect) (any, error) {
	return func(s string, _ source.Dialect) (any, error) {
		s = strings.TrimSpace(s)
		if !decimalText(s, true) {
			return nil, errFormat
		}
		f, err := strconv.ParseFloat(s, bits)
		if err != nil {
			return nil, errRange
		}
		return f, nil
	}
}

// readDecimal keeps every digit, but for SQLite, which has no decimals.
func readDecimal(s string, d source.Dialect) (any, error) {
	s = strings.TrimSpace(s)
	if !decimalText(s, true) {
		return nil, errFormat
	}
	if d != source.SQLite {
		return s, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, errRange
	}
	return f, nil
}

func readVarint(s string, d source.Dialect) (any, error) {
	s = strings.TrimSpace(s)
	if _, ok := new(big.Int).SetString(s, 10); !ok || strings.Contains(s, "_") {
		return nil, errFormat
	}
	return readDecimal(s, d)
}

// decimalText tells whether s is digits with a sign, a point and, if allowed, an
// exponent.
func decimalText(s string, exponent bool) bool {
	s = strings.TrimLeft(s, "+-")
	digits, point := 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && !point:
			point = true
		case (c == 'e' || c == 'E') && exponent && digits > 0:
			_, err := strconv.Atoi(s[i+1:])
			return err == nil
		default:
			return false
		}
	}
	return digits > 0
}

func readBit(s string, _ source.Dialect) (any, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return nil, errFormat
}

// parseAny tries layouts in turn and tells whether the value names a zone.
func parseAny(s string, layouts ...string) (t time.Time, zoned bool, err error) {
	for _, l := range layouts {
		if t, err = time.Parse(l, s); err == nil {
			return t, strings.HasSuffix(l, "Z07:00"), nil
		}
	}
	return t, false, errFormat
}

// readDate takes an empty value for null, as the original does of dates alone
// (WSO2: SQLQuery.setDateValue).
func readDate(s string, d source.Dialect) (any, error) {
	if s == "" {
		return nil, nil
	}
	t, _, err := parseAny(strings.TrimSpace(s), time.DateOnly, "2006-01-02Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00")
	if err != nil {
		return nil, fmt.Errorf("%w: want YYYY-MM-DD", errFormat)
	}
	if d == source.SQLServer { // whose reading of a text depends on the session
		return t.UTC().Truncate(24 * time.Hour), nil
	}
	return t.Format(time.DateOnly), nil
}

func readTime(s string, d source.Dialect) (any, error) {
	t, zoned, err := parseAny(strings.TrimSpace(s), "15:04:05", "15:04:05Z07:00", "15:04")
	if err != nil {
		return nil, fmt.Errorf("%w: want hh:mm:ss", errFormat)
	}
	if zoned {
		t = t.UTC()
	}
	if d == source.SQLServer { // which has no more digits
		return t.Format("15:04:05.9999999"), nil
	}
	return t.Format("15:04:05.999999999"), nil
}

// readTimestamp gives the database's form. A value with a zone is turned to UTC,
// and PostgreSQL is told so; one without stays as it is.
func readTimestamp(s string, d source.Dialect) (any, error) {
	t, zoned, err := parseAny(strings.TrimSpace(s), "2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00",
		time.DateTime, "2006-01-02 15:04:05Z07:00", time.DateOnly)
	if err != nil {
		return nil, fmt.Errorf("%w: want YYYY-MM-DDThh:mm:ss", errFormat)
	}
	if d == source.SQLServer {
		return t.UTC(), nil
	}
	text := t.UTC().Format("2006-01-02 15:04:05.999999")
	if zoned && d == source.Postgres {
		text += "+00"
	}
	return text, nil
}

func readBinary(s string, _ source.Dialect) (any, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil, fmt.Errorf("%w: want base64", errFormat)
	}
	return b, nil
}

func readUUID(s string, _ source.Dialect) (any, error) {
	s = strings.TrimSpace(s)
	if len(s) != 36 {
		return nil, errFormat
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return nil, errFormat
		}
	}
	return s, nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func readInet(s string, _ source.Dialect) (any, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		return nil, errFormat
	}
	return a.String(), nil
}
