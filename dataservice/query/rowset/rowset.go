// Package rowset gives rows to the mapping of a result, wherever they come from,
// and reads what is odd in their values.
package rowset

import (
	"strings"

	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Source gives rows one by one. The values are good until the next one.
type Source interface {
	// Columns gives their names and the database's types, of which there may be
	// fewer. AnyName tells that the only column answers to every name.
	Columns() (names, types []string, anyName bool)
	Next() ([]any, error) // nil: no more
	Close() error
}

// SQL are rows as they come from the database.
type SQL struct {
	rows         *source.Rows
	names, types []string
	vals, ptrs   []any
}

// Open takes rows as they come.
func Open(rows *source.Rows) (*SQL, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	s := &SQL{rows: rows, names: names, types: make([]string, len(names)), vals: make([]any, len(names)), ptrs: make([]any, len(names))}
	for i := range names {
		s.ptrs[i] = &s.vals[i]
		t := strings.ToUpper(types[i].DatabaseTypeName())
		t, _, _ = strings.Cut(t, "(")
		s.types[i] = strings.TrimPrefix(t, "UNSIGNED ")
		if common := sqlserver[t]; common != "" {
			s.types[i] = common
		}
	}
	return s, nil
}

// sqlserver maps its names of types to those that package result knows.
var sqlserver = map[string]string{"DATETIME2": "DATETIME", "SMALLDATETIME": "DATETIME", "DATETIMEOFFSET": "TIMESTAMPTZ", "IMAGE": "BLOB"}

// Columns meets Source.
func (s *SQL) Columns() ([]string, []string, bool) { return s.names, s.types, false }

// Next meets Source.
func (s *SQL) Next() ([]any, error) {
	if !s.rows.Next() {
		return nil, s.rows.Err()
	}
	return s.vals, s.rows.Scan(s.ptrs...)
}

// Close meets Source.
func (s *SQL) Close() error { return s.rows.Close() }

// Fixed are rows at hand.
type Fixed struct {
	Names, Types []string
	Rows         [][]any
	AnyName      bool // the only column answers to every name
}

// Columns meets Source.
func (f *Fixed) Columns() ([]string, []string, bool) { return f.Names, f.Types, f.AnyName }

// Next meets Source.
func (f *Fixed) Next() ([]any, error) {
	if len(f.Rows) == 0 {
		return nil, nil
	}
	row := f.Rows[0]
	f.Rows = f.Rows[1:]
	return row, nil
}

// Close meets Source.
func (f *Fixed) Close() error { return nil }

// Rename gives the first columns other names.
func (s *SQL) Rename(names []string) { copy(s.names, names) }

// SplitArray reads PostgreSQL's text of a one-dimensional array. Other text is
// one value.
func SplitArray(s string) []result.Value {
	if len(s) < 2 || s[0] != '{' || s[len(s)-1] != '}' {
		return []result.Value{{Valid: true, Text: s}}
	}
	s = s[1 : len(s)-1]
	var list []result.Value
	var b strings.Builder
	quoted, within := false, false
	end := func() {
		text := b.String()
		list = append(list, result.Value{Valid: quoted || text != "NULL", Text: text})
		b.Reset()
		quoted = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '"':
			within, quoted = !within, true
		case c == ',' && !within:
			end()
		default:
			b.WriteByte(c)
		}
	}
	if s != "" {
		end()
	}
	return list
}

// EscapeControls writes ? for each character that XML 1.0 cannot carry, as
// escapeNonPrintableChar asks (WSO2: StaticOutputElement.NON_PRINTABLE_CHARS).
func EscapeControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, s)
}
