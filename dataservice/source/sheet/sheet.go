// Package sheet reads rows of text from comma-separated files and from Excel
// workbooks, .xlsx and .xls. It takes readers and bytes, opens nothing, and is
// bounded: what a file claims to hold is never allocated before it is there.
//
// Cells are text. A number of a workbook is written as a spreadsheet with the
// format General shows it, a date of an .xls as 2006-01-02 or 2006-01-02 15:04:05,
// of an .xlsx by its own format; a formula has the value that it had when the file
// was saved.
//
// The .xls reader is Belfry's own, of the format BIFF8 (Excel 97 to 2003) in an
// OLE2 container: what there is in Go under a permissive licence is not maintained,
// and panics on files that are cut. Older formats and encrypted files are refused.
package sheet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of a workbook.
const (
	MaxColumns = 16_384    // as in Excel
	maxText    = 64 << 20  // bytes of all texts of an .xls
	maxCells   = 2_000_000 // of an .xls
)

// Reader gives the rows of a sheet. A row is good until the next one.
type Reader interface {
	// Next gives a row, whose end may be missing; nil: there is no more.
	Next() ([]string, error)
	Close() error
}

// Range says which rows of a sheet are data (WSO2: CSVConfig, ExcelQuery). Rows are
// counted from 1; the zero value is the whole sheet, without a header.
type Range struct {
	// HasHeader: the row Header names the columns. Header zero: the first.
	HasHeader bool
	Header    int
	// Start is the first row of data. Zero: the one after the header, or the first.
	Start int
	// Max is the most rows of data; more are left out. Negative or, if not set with
	// Limited, zero: all.
	Max     int
	Limited bool
}

// Rows are those of a range, with columns that have names.
type Rows struct {
	from  Reader
	names []string
	width int
	skip  int // rows before the data that are still to be read
	left  int // negative: no bound
	held  [][]string
	row   []any
}

// Select reads the header, if there is one, and gives the rows of the range.
// Columns without a name in a header, or without a header, are called by their
// number, from 1.
func Select(from Reader, r Range) (*Rows, error) {
	rows := &Rows{from: from, left: -1}
	if r.Limited && r.Max >= 0 {
		rows.left = r.Max
	}
	header := max(r.Header, 1)
	start := r.Start
	if start < 1 {
		start = 1
		if r.HasHeader {
			start = header + 1
		}
	}
	if !r.HasHeader {
		rows.skip = start - 1
		return rows, rows.peek()
	}
	// Data may stand above their header.
	for n := 1; n <= header; n++ {
		cells, err := from.Next()
		if err != nil {
			return nil, err
		}
		if cells == nil {
			return nil, fmt.Errorf("the sheet has %d rows, its header is said to be row %d", n-1, header)
		}
		if n == header {
			rows.name(cells)
		}
		if n >= start {
			if len(rows.held) >= maxHeld {
				return nil, fmt.Errorf("more than %d rows of data stand above the header", maxHeld)
			}
			rows.held = append(rows.held, append([]string{}, cells...))
		}
	}
	rows.skip = max(start-header-1, 0)
	return rows, nil
}

// maxHeld is the most rows that are kept because they stand before their header.
const maxHeld = 1000

func (r *Rows) name(cells []string) {
	r.names = make([]string, len(cells))
	for i, c := range cells {
		if r.names[i] = strings.TrimSpace(c); r.names[i] == "" {
			r.names[i] = strconv.Itoa(i + 1)
		}
	}
	r.width = len(cells)
}

// peek finds out how many columns there are, by the first row of data.
func (r *Rows) peek() error {
	for ; r.skip > 0; r.skip-- {
		if cells, err := r.from.Next(); err != nil || cells == nil {
			return err
		}
	}
	cells, err := r.from.Next()
	if err != nil || cells == nil {
		return err
	}
	r.width = len(cells)
	for i := range cells {
		r.names = append(r.names, strconv.Itoa(i+1))
	}
	r.held = append(r.held, append([]string{}, cells...))
	return nil
}

// Columns gives the names of the columns; types there are none.
func (r *Rows) Columns() (names, types []string, anyName bool) { return r.names, nil, false }

// Next gives a row, as wide as there are columns: a cell that is missing is nil,
// one beyond the columns is left out. Nil: there is no more.
func (r *Rows) Next() ([]any, error) {
	if r.left == 0 {
		return nil, nil
	}
	for {
		cells, err := r.next()
		if err != nil || cells == nil {
			return nil, err
		}
		if r.skip > 0 {
			r.skip--
			continue
		}
		if r.left > 0 {
			r.left--
		}
		if r.row == nil {
			r.row = make([]any, r.width)
		}
		for i := range r.row {
			r.row[i] = nil
			if i < len(cells) {
				r.row[i] = strings.ToValidUTF8(cells[i], "\uFFFD")
			}
		}
		return r.row, nil
	}
}

func (r *Rows) next() ([]string, error) {
	if len(r.held) > 0 {
		cells := r.held[0]
		r.held = r.held[1:]
		return cells, nil
	}
	return r.from.Next()
}

// Close ends the reading.
func (r *Rows) Close() error { return r.from.Close() }

// ErrNoSheet says that a workbook has no sheet of the name asked for.
var ErrNoSheet = errors.New("the workbook has no such sheet")

// find picks a sheet by its name, in any case; an empty name means the first.
func find(names []string, name string) (int, error) {
	for i, n := range names {
		if name == "" || n == name {
			return i, nil
		}
	}
	for i, n := range names {
		if strings.EqualFold(n, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%w: %q; it has %s", ErrNoSheet, name, strings.Join(names, ", "))
}
