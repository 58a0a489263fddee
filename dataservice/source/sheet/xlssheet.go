package sheet

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
)

// xlsSheet is a sheet whose cells are gathered by row, since nothing in the format
// makes them come in order.
type xlsSheet struct {
	book *XLS
	at   int
	rows map[int]map[int]string
	last int // row, from 0; -1: none
	next int
	size int // cells set
}

// read gathers the cells, up to the end of the sheet.
func (s *xlsSheet) read() error {
	s.last = -1
	formula := [2]int{-1, -1} // the cell whose text comes in the next record
	at, depth := s.at, 0
	for {
		kind, parts, next, err := s.book.record(at)
		if err != nil {
			return err
		}
		r := &reader{parts: parts}
		switch kind {
		case recBOF:
			depth++ // a chart within the sheet has its own
		case recEOF:
			if depth--; depth <= 0 {
				return nil
			}
		case recString:
			if formula[0] >= 0 {
				text, err := r.text(int(r.u16()), s.book)
				if err != nil {
					return err
				}
				s.set(formula[0], formula[1], text)
			}
			formula[0] = -1
		case recFormula, recLabelSST, recNumber, recLabel, recBoolErr, recRK, recMulRK:
			if depth == 1 {
				if formula, err = s.cells(kind, r); err != nil {
					return err
				}
			}
		}
		at = next
	}
}

// cells reads one record of cells. For a formula whose value is text, it gives the
// cell.
func (s *xlsSheet) cells(kind uint16, r *reader) (formula [2]int, err error) {
	formula[0] = -1
	row, column, xf := int(r.u16()), int(r.u16()), uint16(0)
	if kind != recMulRK {
		xf = r.u16()
	}
	switch kind {
	case recLabelSST:
		if i := r.u32(); r.err == nil && int64(i) < int64(len(s.book.texts)) {
			s.set(row, column, s.book.texts[i])
		}
	case recLabel:
		text, err := r.text(int(r.u16()), s.book)
		if err != nil {
			return formula, err
		}
		s.set(row, column, text)
	case recNumber:
		s.set(row, column, s.book.number(math.Float64frombits(r.u64()), xf))
	case recRK:
		s.set(row, column, s.book.number(rk(r.u32()), xf))
	case recMulRK:
		for ; r.err == nil && r.left() >= 8; column++ { // the last two bytes are the last column
			xf := r.u16()
			s.set(row, column, s.book.number(rk(r.u32()), xf))
		}
	case recBoolErr:
		if value, isError := r.u8(), r.u8(); isError == 0 {
			s.set(row, column, strconv.FormatBool(value != 0))
		}
	case recFormula:
		formula = s.formula(row, column, xf, r.u64())
	}
	if s.size > maxCells {
		return formula, fmt.Errorf("the sheet has more than %d cells", maxCells)
	}
	return formula, r.err
}

// formula sets the value that a formula had; text comes in a record of its own.
func (s *xlsSheet) formula(row, column int, xf uint16, value uint64) [2]int {
	if value>>48 != 0xFFFF {
		s.set(row, column, s.book.number(math.Float64frombits(value), xf))
		return [2]int{-1, -1}
	}
	switch value & 0xFF {
	case 0:
		return [2]int{row, column}
	case 1:
		s.set(row, column, strconv.FormatBool(value>>16&0xFF != 0))
	}
	return [2]int{-1, -1}
}

// rk is a number in four bytes.
func rk(v uint32) float64 {
	var f float64
	if v&2 != 0 {
		f = float64(int32(v) >> 2)
	} else {
		f = math.Float64frombits(uint64(v&^3) << 32)
	}
	if v&1 != 0 {
		f /= 100
	}
	return f
}

func (s *xlsSheet) set(row, column int, text string) {
	if s.rows[row] == nil {
		s.rows[row] = map[int]string{}
	}
	s.rows[row][column] = text
	s.size++
	s.last = max(s.last, row)
}

// Next meets Reader. Rows without a cell within the sheet are rows.
func (s *xlsSheet) Next() ([]string, error) {
	if s.next > s.last {
		return nil, nil
	}
	cells := s.rows[s.next]
	delete(s.rows, s.next)
	s.next++
	width := 0
	for column := range cells {
		width = max(width, column+1)
	}
	row := make([]string, width) // at most 65,536: the number of a column has two bytes
	for column, text := range cells {
		row[column] = text
	}
	return row, nil
}

func (s *xlsSheet) Close() error { return nil }

// reader reads a record whose continuations may cut a text, each of which then
// begins with a byte that tells the width of its characters. After an error it
// gives zeros.
type reader struct {
	parts [][]byte
	at    int // in the first part
	err   error
}

func (r *reader) left() int {
	n := -r.at
	for _, p := range r.parts {
		n += len(p)
	}
	return n
}

func (r *reader) bytes(n int) []byte {
	out := make([]byte, 0, min(n, 16))
	for len(out) < n && r.err == nil {
		switch {
		case len(r.parts) == 0:
			r.err = errCut
		case r.at >= len(r.parts[0]):
			r.parts, r.at = r.parts[1:], 0
		default:
			k := min(n-len(out), len(r.parts[0])-r.at)
			out = append(out, r.parts[0][r.at:r.at+k]...)
			r.at += k
		}
	}
	if r.err != nil {
		return make([]byte, min(n, 8))
	}
	return out
}

func (r *reader) u8() uint8   { return r.bytes(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.bytes(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.bytes(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.bytes(8)) }

// text reads a text of n characters with its flags, formatting and phonetics
// skipped (XLUnicodeRichExtendedString, and its simpler kin).
func (r *reader) text(n int, x *XLS) (string, error) {
	flags := r.u8()
	runs, extra := 0, uint32(0)
	if flags&8 != 0 {
		runs = int(r.u16())
	}
	if flags&4 != 0 {
		extra = r.u32()
	}
	wide := flags&1 != 0
	if err := x.take(2 * n); err != nil {
		return "", err
	}
	var units []uint16
	for len(units) < n && r.err == nil {
		if len(r.parts) > 0 && r.at >= len(r.parts[0]) {
			if r.parts, r.at = r.parts[1:], 0; len(r.parts) == 0 {
				r.err = errCut
				break
			}
			wide = r.u8()&1 != 0
		}
		if wide {
			units = append(units, r.u16())
		} else {
			units = append(units, uint16(r.u8()))
		}
	}
	r.skip(4*runs + int(extra))
	return string(utf16.Decode(units)), r.err
}

func (r *reader) skip(n int) {
	for n > 0 && r.err == nil {
		if len(r.parts) == 0 {
			r.err = errCut
			return
		}
		k := min(n, len(r.parts[0])-r.at)
		r.at, n = r.at+k, n-k
		if n > 0 {
			r.parts, r.at = r.parts[1:], 0
		}
	}
}
