package sheet

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// The first bytes of a file tell what it is, whatever its name.
var (
	zipMark = []byte("PK\x03\x04")
	oleMark = []byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
)

// Workbook reads a sheet of an Excel workbook, .xlsx or .xls; an empty name means
// the first. What it unpacks to has at most limit bytes.
func Workbook(data []byte, name string, limit int64) (Reader, error) {
	switch {
	case bytes.HasPrefix(data, zipMark):
		return xlsx(data, name, limit)
	case bytes.HasPrefix(data, oleMark):
		book, err := ParseXLS(data)
		if err != nil {
			return nil, err
		}
		return book.Sheet(name)
	}
	return nil, errors.New("it is neither an .xlsx nor an .xls workbook")
}

func xlsx(data []byte, name string, limit int64) (_ Reader, err error) {
	defer func() { // its reader is large, and not ours
		if p := recover(); p != nil {
			err = fmt.Errorf("the .xlsx workbook is damaged: %v", p)
		}
	}()
	// Nothing is unpacked to a temporary file.
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: limit, UnzipXMLSizeLimit: limit})
	if err != nil {
		return nil, fmt.Errorf("the .xlsx workbook cannot be read: %w", err)
	}
	names := book.GetSheetList()
	at, err := find(names, name)
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	rows, err := book.Rows(names[at])
	if err != nil {
		return nil, errors.Join(err, book.Close())
	}
	return &xlsxReader{book: book, rows: rows}, nil
}

type xlsxReader struct {
	book *excelize.File
	rows *excelize.Rows
}

func (x *xlsxReader) Next() (cells []string, err error) {
	defer func() { // as above
		if p := recover(); p != nil {
			cells, err = nil, fmt.Errorf("the .xlsx workbook is damaged: %v", p)
		}
	}()
	if !x.rows.Next() {
		return nil, x.rows.Error()
	}
	if cells, err = x.rows.Columns(); err != nil {
		return nil, err
	}
	if cells == nil {
		cells = []string{} // a row without cells is one
	}
	if len(cells) > MaxColumns {
		return nil, fmt.Errorf("a row has more than %d columns", MaxColumns)
	}
	return cells, nil
}

func (x *xlsxReader) Close() error { return errors.Join(x.rows.Close(), x.book.Close()) }
