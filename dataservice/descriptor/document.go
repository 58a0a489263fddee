package descriptor

import (
	"bytes"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
)

// document is the text of a file in UTF-8 and where its lines begin.
type document struct {
	data  []byte
	lines []int
	// The place asked for last, since most are asked for in order, and lines may
	// be long.
	offset int
	last   dataservice.Position
}

var declaration = regexp.MustCompile(`^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// newDocument decodes a file. Positions count characters, not bytes.
func newDocument(data []byte) (*document, error) {
	start := dataservice.Position{Line: 1, Column: 1}
	if len(data) > MaxBytes {
		return nil, &syntaxError{start, fmt.Sprintf("the file is larger than %d bytes", MaxBytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &syntaxError{start, "the file is empty"}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, &syntaxError{start, "the file is in UTF-16; save it as UTF-8"}
	}
	if m := declaration.FindSubmatch(data); m != nil {
		switch encoding := string(m[1]); strings.ToLower(encoding) {
		case "utf-8", "utf8", "us-ascii", "ascii":
		case "iso-8859-1", "latin1":
			data = fromLatin1(data)
		default:
			return nil, &syntaxError{start, fmt.Sprintf("encoding %q is not supported; save the file as UTF-8", encoding)}
		}
	}
	d := &document{data: data, lines: []int{0}}
	for i, c := range data {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, &syntaxError{d.pos(i), "not UTF-8; save the file as UTF-8"}
	}
	return d, nil
}

func (d *document) pos(offset int) dataservice.Position {
	offset = min(max(offset, 0), len(d.data))
	line := sort.Search(len(d.lines), func(i int) bool { return d.lines[i] > offset })
	from, column := d.lines[line-1], 1
	if d.last.Line == line && d.offset <= offset {
		from, column = d.offset, d.last.Column
	}
	d.offset, d.last = offset, dataservice.Position{Line: line, Column: column + utf8.RuneCount(d.data[from:offset])}
	return d.last
}

func fromLatin1(data []byte) []byte {
	var b bytes.Buffer
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.Bytes()
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
