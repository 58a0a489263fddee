package sheet

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// CSV reads comma-separated rows as they come: RFC 4180, with a quote within a
// field taken as it is, and any separator of one character; zero: a comma. Blank
// lines are no rows.
func CSV(in io.ReadCloser, separator rune) (Reader, error) {
	if separator == 0 {
		separator = ','
	}
	if separator == '"' || separator == '\r' || separator == '\n' || !utf8.ValidRune(separator) {
		return nil, fmt.Errorf("%q cannot part the columns", separator)
	}
	buffered := bufio.NewReader(in)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte{0xEF, 0xBB, 0xBF}) {
		_, _ = buffered.Discard(3) // they are there
	}
	r := csv.NewReader(buffered)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = separator, true, -1, true
	return &csvReader{in, r}, nil
}

type csvReader struct {
	in io.Closer
	*csv.Reader
}

func (c *csvReader) Next() ([]string, error) {
	row, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if len(row) > MaxColumns {
		return nil, fmt.Errorf("a row has more than %d columns", MaxColumns)
	}
	return row, err
}

func (c *csvReader) Close() error { return c.in.Close() }
