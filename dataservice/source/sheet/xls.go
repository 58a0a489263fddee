package sheet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/richardlehane/mscfb"
)

// XLS is a workbook in BIFF8, read whole. Source: MS-XLS.
type XLS struct {
	stream  []byte
	names   []string
	offsets []uint32 // of the sheets' first records
	texts   []string // shared by all cells (SST)
	dates   map[uint16]dateKind
	since   time.Time // what a date counts days from
	size    int       // bytes of text read so far
}

// dateKind tells which parts of a date a format shows.
type dateKind uint8

const (
	noDate dateKind = iota
	dayDate
	clockDate
	fullDate
)

// Record types.
const (
	recFormula  = 0x0006
	recEOF      = 0x000A
	recDateMode = 0x0022
	recFilePass = 0x002F
	recContinue = 0x003C
	recSheet    = 0x0085
	recMulRK    = 0x00BD
	recMulBlank = 0x00BE
	recXF       = 0x00E0
	recSST      = 0x00FC
	recLabelSST = 0x00FD
	recNumber   = 0x0203
	recLabel    = 0x0204
	recBoolErr  = 0x0205
	recString   = 0x0207
	recRK       = 0x027E
	recFormat   = 0x041E
	recBOF      = 0x0809
)

var errCut = errors.New("the .xls workbook is cut or damaged")

// ParseXLS reads the workbook, but for its sheets' rows.
func ParseXLS(data []byte) (_ *XLS, err error) {
	defer func() { // the container's reader is not ours
		if p := recover(); p != nil {
			err = errCut
		}
	}()
	doc, err := mscfb.New(bytes.NewReader(data))
	if err != nil {
		return nil, errCut
	}
	for range 10_000 {
		entry, err := doc.Next()
		if err != nil {
			break
		}
		if entry.Name != "Workbook" {
			continue
		}
		// A stream is never larger than its file.
		stream, err := io.ReadAll(io.LimitReader(entry, int64(len(data))))
		if err != nil {
			return nil, errCut
		}
		x := &XLS{stream: stream, dates: map[uint16]dateKind{}, since: time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)}
		return x, x.globals()
	}
	return nil, errors.New("it is no .xls workbook of Excel 97 or later")
}

// record gives the one at an offset, with those that continue it; next is where the
// one after it begins.
func (x *XLS) record(at int) (kind uint16, parts [][]byte, next int, err error) {
	for first := true; ; first = false {
		if at+4 > len(x.stream) {
			if first {
				return 0, nil, 0, errCut
			}
			return kind, parts, at, nil
		}
		k, n := binary.LittleEndian.Uint16(x.stream[at:]), int(binary.LittleEndian.Uint16(x.stream[at+2:]))
		if !first && k != recContinue {
			return kind, parts, at, nil
		}
		if at+4+n > len(x.stream) {
			return 0, nil, 0, errCut
		}
		if first {
			kind = k
		}
		parts = append(parts, x.stream[at+4:at+4+n])
		at += 4 + n
	}
}

// globals reads what all sheets share.
func (x *XLS) globals() error {
	var formats []uint16 // of each XF
	custom := map[uint16]string{}
	for at, first := 0, true; ; first = false {
		kind, parts, next, err := x.record(at)
		if err != nil {
			return err
		}
		b := parts[0]
		switch {
		case first && (kind != recBOF || len(b) < 4 || binary.LittleEndian.Uint16(b) != 0x0600):
			return errors.New("it is no .xls workbook of Excel 97 or later")
		case kind == recFilePass:
			return errors.New("the .xls workbook is encrypted")
		case kind == recDateMode && len(b) >= 2 && b[0] == 1:
			x.since = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		case kind == recSheet:
			if err := x.sheetEntry(b); err != nil {
				return err
			}
		case kind == recFormat && len(b) >= 5:
			r := &reader{parts: [][]byte{b[2:]}}
			if text, err := r.text(int(r.u16()), x); err == nil {
				custom[binary.LittleEndian.Uint16(b)] = text
			}
		case kind == recXF && len(b) >= 4:
			formats = append(formats, binary.LittleEndian.Uint16(b[2:]))
		case kind == recSST:
			if err := x.shared(parts); err != nil {
				return err
			}
		case kind == recEOF:
			for i, f := range formats {
				if d := dateOf(f, custom[f]); d != noDate && i <= math.MaxUint16 {
					x.dates[uint16(i)] = d
				}
			}
			return nil
		}
		at = next
	}
}

func (x *XLS) sheetEntry(b []byte) error {
	if len(b) < 8 {
		return errCut
	}
	if b[5] != 0 {
		return nil // a chart or a macro
	}
	r := &reader{parts: [][]byte{b[7:]}}
	name, err := r.text(int(b[6]), x)
	if err != nil {
		return err
	}
	x.names, x.offsets = append(x.names, name), append(x.offsets, binary.LittleEndian.Uint32(b))
	return nil
}

// shared reads the shared texts.
func (x *XLS) shared(parts [][]byte) error {
	r := &reader{parts: parts}
	r.u32()
	count := r.u32()
	for range count {
		text, err := r.text(int(r.u16()), x)
		if err != nil {
			return err
		}
		x.texts = append(x.texts, text)
	}
	return r.err
}

// Sheet gives the rows of a sheet; an empty name means the first.
func (x *XLS) Sheet(name string) (Reader, error) {
	at, err := find(x.names, name)
	if err != nil {
		return nil, err
	}
	if uint64(x.offsets[at]) > uint64(len(x.stream)) {
		return nil, errCut
	}
	s := &xlsSheet{book: x, at: int(x.offsets[at]), rows: map[int]map[int]string{}}
	return s, s.read()
}

// number writes one as the format General does.
func (x *XLS) number(f float64, xf uint16) string {
	if d := x.dates[xf]; d != noDate && f >= 0 && f < 2_958_466 { // the year 10000
		at := x.since.Add(time.Duration(math.Round(f*86_400)) * time.Second)
		switch d {
		case dayDate:
			return at.Format(time.DateOnly)
		case clockDate:
			return at.Format(time.TimeOnly)
		default:
			return at.Format(time.DateTime)
		}
	}
	if a := math.Abs(f); a >= 1e21 || a > 0 && a < 1e-9 {
		return strconv.FormatFloat(f, 'E', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// dateOf tells what a number format shows: the built-in ones by their numbers,
// others by their letters.
func dateOf(id uint16, format string) dateKind {
	switch {
	case id >= 14 && id <= 17:
		return dayDate
	case id >= 18 && id <= 21, id >= 45 && id <= 47:
		return clockDate
	case id == 22:
		return fullDate
	case format == "":
		return noDate
	}
	day, clock, quoted := false, false, false
	for i := 0; i < len(format); i++ {
		switch c := format[i] | 0x20; {
		case format[i] == '"':
			quoted = !quoted
		case quoted:
		case format[i] == '\\' || format[i] == '_' || format[i] == '*':
			i++
		case format[i] == '[':
			for i < len(format) && format[i] != ']' {
				i++
			}
		case format[i] == ';':
			i = len(format)
		case c == 'y' || c == 'd':
			day = true
		case c == 'h' || c == 's':
			clock = true
		}
	}
	switch {
	case day && clock:
		return fullDate
	case day:
		return dayDate
	case clock:
		return clockDate
	}
	return noDate
}

// take counts bytes of text.
func (x *XLS) take(n int) error {
	if x.size += n; x.size > maxText {
		return fmt.Errorf("the .xls workbook holds more than %d bytes of text", maxText)
	}
	return nil
}
