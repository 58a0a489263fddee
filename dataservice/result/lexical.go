package result

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is a family of XSD types that are written alike.
type Kind uint8

// The families. Everything else is Text.
const (
	Text Kind = iota
	Integer
	Real
	Boolean
	Date
	DateTime
	TimeOfDay
	Binary
)

// Family gives the family of an xsdType without prefix.
func Family(xsdType string) Kind {
	switch xsdType {
	case "", "string":
		return Text
	case "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger",
		"nonPositiveInteger", "negativeInteger", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte":
		return Integer
	case "double", "float", "decimal":
		return Real
	case "boolean":
		return Boolean
	case "date":
		return Date
	case "dateTime":
		return DateTime
	case "time":
		return TimeOfDay
	case "base64Binary", "hexBinary":
		return Binary
	}
	return Text
}

// Column is a value as the driver gave it, with the upper-case name of the type
// that the database says its column has; empty if it does not say.
type Column struct {
	Value any
	Type  string
}

// Lexical gives the value in the lexical form of an xsdType. The column's own
// type decides first, as in the original:
//
//   - A floating-point column is written as Java writes a double, which XSD
//     understands: 48.81, 1500.0, 1.0E10. As an integer type a whole number has no
//     fraction. Decimals keep the digits that the database gives.
//   - A date is 2006-01-02+00:00, a timestamp 2006-01-02T15:04:05.000+00:00 and a
//     time 15:04:05.000+00:00: the original writes them so on a server whose zone
//     is UTC. Columns without a zone are in UTC, as its dss.timezone is by default.
//     Of a fraction there are at least three digits, and more if the value has them.
//   - Binary columns are base64, or hexadecimal for hexBinary.
//   - 0 and 1 are false and true as boolean.
//
// Source: WSO2 SQLQuery.getDataEntryFromRS; Axis2 ConverterUtil.convertToString,
// Time.toString.
func Lexical(c Column, xsdType string) Value {
	v := lexical(c, xsdType)
	v.Text = zoned(v.Text, c.Type)
	return v
}

// Plain gives the value as text that can be a parameter of a query: dates and
// times are without the zone that Lexical adds.
func Plain(c Column) Value { return lexical(c, "") }

func lexical(c Column, xsdType string) Value {
	v := Value{Valid: true, Type: xsdType}
	switch x := c.Value.(type) {
	case nil:
		v.Valid = false
	case string:
		v.Text = formText(x, c.Type, xsdType)
	case int64:
		v.Text = formInteger(x, xsdType)
	case float64:
		v.Text = formReal(x, 64, xsdType)
	case float32:
		v.Text = formReal(float64(x), 32, xsdType)
	case bool:
		v.Text = strconv.FormatBool(x)
		if Family(xsdType) == Integer {
			v.Text = map[bool]string{false: "0", true: "1"}[x]
		}
	case []byte:
		v.Text = formBytes(x, c.Type, xsdType)
	case time.Time:
		v.Text = formTime(x, c.Type, xsdType)
	case uint64:
		v.Text = strconv.FormatUint(x, 10)
	default:
		v.Text = fmt.Sprint(x)
	}
	return v
}

func formInteger(n int64, xsdType string) string {
	if xsdType == "boolean" && (n == 0 || n == 1) {
		return strconv.FormatBool(n == 1)
	}
	return strconv.FormatInt(n, 10)
}

// maxExact is the greatest float below which all whole numbers are exact.
const maxExact = 1 << 53

func formReal(f float64, bits int, xsdType string) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "INF"
	case math.IsInf(f, -1):
		return "-INF"
	}
	if Family(xsdType) == Integer && f == math.Trunc(f) && math.Abs(f) <= maxExact {
		return strconv.FormatInt(int64(f), 10)
	}
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, bits)
	mantissa, exponent, _ := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return s
	}
	return mantissa + "E" + strconv.Itoa(n)
}

// text is a value that the driver gave as a string or as bytes of a text type.
func formText(s, columnType, xsdType string) string {
	switch columnType {
	case "DATETIME", "TIMESTAMP", "TIMESTAMPTZ":
		// 2006-01-02 15:04:05 is the database's form, T stands in XSD's.
		if len(s) > 10 && s[10] == ' ' {
			return s[:10] + "T" + s[11:]
		}
	case "BOOL", "BOOLEAN", "BIT", "TINYINT":
		if xsdType == "boolean" && (s == "0" || s == "1") {
			return strconv.FormatBool(s == "1")
		}
	case "FLOAT", "DOUBLE", "REAL":
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return formReal(f, 64, xsdType)
		}
	}
	return s
}

func formBytes(b []byte, columnType, xsdType string) string {
	switch {
	case xsdType == "hexBinary":
		return strings.ToUpper(hex.EncodeToString(b))
	case columnType == "UNIQUEIDENTIFIER" && len(b) == 16: // SQL Server
		return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
	case columnType == "BIT" && len(b) <= 8:
		return formBit(b, xsdType)
	case binaryColumn(columnType) || xsdType == "base64Binary" || !utf8.Valid(b):
		return base64.StdEncoding.EncodeToString(b)
	}
	return formText(string(b), columnType, xsdType)
}

// bit is a BIT(n) as MySQL gives it: big-endian bytes.
func formBit(b []byte, xsdType string) string {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	if n <= 1 && (xsdType == "boolean" || len(b) == 1 && xsdType == "") {
		return strconv.FormatBool(n == 1)
	}
	return strconv.FormatUint(n, 10)
}

func binaryColumn(t string) bool {
	switch t {
	case "BLOB", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY", "VARBINARY", "BYTEA", "GEOMETRY":
		return true
	}
	return false
}

func formTime(t time.Time, columnType, xsdType string) string {
	day := t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0
	family := Family(xsdType)
	switch columnType {
	case "TIMESTAMPTZ":
		family, t = DateTime, t.UTC()
	case "TIMESTAMP", "DATETIME":
		family = DateTime
	case "TIME", "TIMETZ":
		family = TimeOfDay
	case "DATE":
		family = DateTime
		if day {
			family = Date
		}
	}
	switch family {
	case Date:
		return t.Format(time.DateOnly)
	case TimeOfDay:
		return t.Format("15:04:05.999999999")
	}
	const layout = "2006-01-02T15:04:05.999999999"
	if _, offset := t.Zone(); columnType == "TIMESTAMPTZ" || offset != 0 {
		return t.Format(layout + "Z07:00")
	}
	return t.Format(layout)
}

// zoned adds to the plain form of a date or a time the milliseconds and the zone
// that the original writes.
func zoned(text, columnType string) string {
	switch columnType {
	case "DATE", "TIME", "TIMETZ", "TIMESTAMP", "DATETIME", "TIMESTAMPTZ":
	default:
		return text
	}
	const utc = "+00:00"
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text + utc
	}
	plain, zone := strings.TrimSuffix(text, "Z"), utc
	if n := len(plain) - len(utc); n > len("15:04:05") && (plain[n] == '+' || plain[n] == '-') {
		plain, zone = plain[:n], plain[n:]
	}
	for _, layout := range []string{"2006-01-02T15:04:05", time.TimeOnly} {
		if _, err := time.Parse(layout, plain); err == nil {
			if fraction := len(plain) - len(layout); fraction == 0 {
				plain += ".000"
			} else if fraction < len(".000") {
				plain += "000"[fraction-1:]
			}
			return plain + zone
		}
	}
	return text
}
