package sheet

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

func csvOf(t *testing.T, text string, separator rune) Reader {
	t.Helper()
	r, err := CSV(io.NopCloser(strings.NewReader(text)), separator)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// all writes the columns and the rows, a line each; a missing cell is "-".
func all(r *Rows) (string, error) {
	var b strings.Builder
	first := true
	for {
		row, err := r.Next()
		if first {
			names, _, _ := r.Columns()
			b.WriteString(strings.Join(names, "|"))
			first = false
		}
		if err != nil || row == nil {
			return b.String(), err
		}
		b.WriteByte('\n')
		for i, cell := range row {
			if i > 0 {
				b.WriteByte('|')
			}
			if cell == nil {
				cell = "-"
			}
			fmt.Fprint(&b, cell)
		}
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	const text = "\xEF\xBB\xBFID,Name\nS1,\"a, \"\"b\"\"\"\nS2,c\n\nS3,d,extra\nS4\n"
	whole := "S1|a, \"b\"\nS2|c\nS3|d\nS4|-"
	for name, c := range map[string]struct {
		text string
		sep  rune
		r    Range
		want string
	}{
		"header":            {text, 0, Range{HasHeader: true}, "ID|Name\n" + whole},
		"as in the sample":  {text, ',', Range{HasHeader: true, Header: 1, Start: 2, Max: -1, Limited: true}, "ID|Name\n" + whole},
		"from the header":   {text, 0, Range{HasHeader: true, Header: 1, Start: 1}, "ID|Name\nID|Name\n" + whole},
		"some rows":         {text, 0, Range{HasHeader: true, Start: 3, Max: 2, Limited: true}, "ID|Name\nS2|c\nS3|d"},
		"no row":            {text, 0, Range{HasHeader: true, Limited: true}, "ID|Name"},
		"no header":         {text, 0, Range{Start: 2}, "1|2\n" + whole},
		"beyond the end":    {text, 0, Range{Start: 20}, ""},
		"header further on": {"x\nID;Name\n1;2\n", ';', Range{HasHeader: true, Header: 2}, "ID|Name\n1|2"},
		"data above":        {"1;2\n3;4\nID;Name\n5;6\n", ';', Range{HasHeader: true, Header: 3, Start: 2}, "ID|Name\n3|4\nID|Name\n5|6"},
		"tab":               {"a\tb\n1\t2\n", '\t', Range{HasHeader: true}, "a|b\n1|2"},
		"nameless column":   {"a,,c\n1,2,3\n", 0, Range{HasHeader: true}, "a|2|c\n1|2|3"},
		"not UTF-8":         {"a\n\xff\n", 0, Range{HasHeader: true}, "a\n\uFFFD"},
		"a quote within":    {"a\n5\" pipe\n", 0, Range{HasHeader: true}, "a\n5\" pipe"},
		"CRLF":              {"a,b\r\n1,2\r\n", 0, Range{HasHeader: true}, "a|b\n1|2"},
		"empty":             {"", 0, Range{}, ""},
	} {
		rows, err := Select(csvOf(t, c.text, c.sep), c.r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := all(rows)
		if err = errors.Join(err, rows.Close()); got != c.want || err != nil {
			t.Errorf("%s: %q %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := Select(csvOf(t, "a\n", 0), Range{HasHeader: true, Header: 3}); err == nil || !strings.Contains(err.Error(), "its header is said to be row 3") {
		t.Errorf("%v", err)
	}
	if _, err := CSV(io.NopCloser(strings.NewReader("")), '"'); err == nil {
		t.Error("a quote parts columns")
	}
	wide := csvOf(t, strings.Repeat(",", MaxColumns), 0)
	if _, err := wide.Next(); err == nil {
		t.Error("a row without bound")
	}
}

func corpus(t *testing.T, path string) []byte {
	t.Helper()
	root := cmp.Or(os.Getenv("BELFRY_CORPUS"), filepath.Join("..", "..", "..", "..", "shared", "corpus"))
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Skipf("SKIPPED, the corpus is not there: %v", err)
	}
	return data
}

func TestXLSOfTheCorpus(t *testing.T) {
	t.Parallel()
	data := corpus(t, "wso2/data/Products.xls")
	from, err := Workbook(data, "Sheet1", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Select(from, Range{HasHeader: true, Header: 1, Start: 2, Max: 3, Limited: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := all(rows)
	const want = "ID|Model|Classification\nS10_1678|1969 Harley Davidson Ultimate Chopper|Motorcycles\n" +
		"S10_1949|1952 Alpine Renault 1300|Classic Cars\nS10_2016|1996 Moto Guzzi 1100i|Motorcycles"
	if got != want || err != nil {
		t.Errorf("%s %v", got, err)
	}
	if _, err := Workbook(data, "Sheet9", 1<<20); !errors.Is(err, ErrNoSheet) || !strings.Contains(err.Error(), "Sheet1, Sheet2, Sheet3") {
		t.Errorf("%v", err)
	}
	for n := range data { // cut anywhere, or with a byte changed, it is an error or rows, never a panic
		if n%97 != 0 {
			continue
		}
		drain(data[:n])
		other := bytes.Clone(data)
		other[n] ^= 0xFF
		drain(other)
	}
}

// drain reads all of what may be a workbook.
func drain(data []byte) {
	from, err := Workbook(data, "", 1<<20)
	for err == nil {
		var row []string
		if row, err = from.Next(); row == nil {
			return
		}
	}
}

func xlsxOf(t *testing.T, fill func(f *excelize.File) error) []byte {
	t.Helper()
	f := excelize.NewFile()
	var b bytes.Buffer
	if err := errors.Join(fill(f), f.Write(&b), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	data := xlsxOf(t, func(f *excelize.File) error {
		_, err := f.NewSheet("Stock")
		for cell, v := range map[string]any{"A1": "ID", "B1": "Price", "C1": "Since", "A2": "S1", "B2": 12.5, "C2": time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), "B4": true, "A4": 10} {
			err = errors.Join(err, f.SetCellValue("Stock", cell, v))
		}
		return err
	})
	from, err := Workbook(data, "stock", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Select(from, Range{HasHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := all(rows)
	if err = errors.Join(err, rows.Close()); err != nil || got != "ID|Price|Since\nS1|12.5|11-23-26\n-|-|-\n10|TRUE|-" {
		t.Errorf("%s %v", got, err)
	}
	if _, err := Workbook(data, "None", 1<<20); !errors.Is(err, ErrNoSheet) {
		t.Errorf("%v", err)
	}
}

// A small file that unpacks to much is refused.
func TestZipBomb(t *testing.T) {
	t.Parallel()
	data := xlsxOf(t, func(f *excelize.File) error {
		var err error
		for row := range 300 {
			err = errors.Join(err, f.SetCellValue("Sheet1", fmt.Sprintf("A%d", row+1), fmt.Sprintf("%d%s", row, strings.Repeat("x", 30_000))))
		}
		return err
	})
	if len(data) > 200_000 {
		t.Fatalf("the bomb has %d bytes", len(data))
	}
	if _, err := Workbook(data, "", 1<<20); err == nil {
		t.Error("9 MB come out of it")
	}
}

func TestNoWorkbook(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "neither",
		"a,b\n":                    "neither",
		string(zipMark) + "x":      "cannot be read",
		string(oleMark) + "x":      "cut or damaged",
		"\x09\x08\x10\x00\x00\x06": "neither",
	} {
		if _, err := Workbook([]byte(text), "", 1<<20); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	x := &XLS{since: time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC), dates: map[uint16]dateKind{1: dayDate, 2: fullDate, 3: clockDate}}
	for _, c := range []struct {
		f    float64
		xf   uint16
		want string
	}{
		{0, 0, "0"},
		{10, 0, "10"},
		{-2.5, 0, "-2.5"},
		{95.7, 0, "95.7"},
		{1e20, 0, "100000000000000000000"},
		{1e22, 0, "1E+22"},
		{46349, 1, "2026-11-23"},
		{46349.5, 2, "2026-11-23 12:00:00"},
		{0.75, 3, "18:00:00"},
		{-1, 1, "-1"},
	} {
		if got := x.number(c.f, c.xf); got != c.want {
			t.Errorf("%v: %s, want %s", c.f, got, c.want)
		}
	}
	for v, want := range map[uint32]float64{10<<2 | 2: 10, 1050<<2 | 3: 10.5, 0x3FF00000: 1} {
		if got := rk(v); got != want {
			t.Errorf("%x: %v, want %v", v, got, want)
		}
	}
	for format, want := range map[string]dateKind{
		"": noDate, "General": noDate, "0.00": noDate, "yyyy-mm-dd": dayDate, "h:mm": clockDate, "d/m/yy h:mm": fullDate,
		`"day" 0`: noDate, `0\d`: noDate, "[Red]0": noDate, "#,##0 ;[Red]d": noDate,
	} {
		if got := dateOf(164, format); got != want {
			t.Errorf("%s: %d, want %d", format, got, want)
		}
	}
}

func FuzzWorkbook(f *testing.F) {
	if data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "corpus", "wso2", "data", "Products.xls")); err == nil {
		f.Add(data)
	}
	f.Add(append([]byte{}, oleMark...))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if bytes.HasPrefix(data, oleMark) && len(data) < 1<<20 {
			drain(data)
		}
	})
}
