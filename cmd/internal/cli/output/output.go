// Package output writes what a command found: as a table for people, as
// tab-separated lines for pipes, as JSON, YAML, CSV or Markdown for programs and
// papers, as bare names for shells, or as what a query picks from the JSON. It
// decides nothing about what is shown.
package output

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Formats that -o takes. The last three are followed by "=" and an expression.
const (
	Table      = "table"
	Wide       = "wide"
	JSON       = "json"
	JSONL      = "jsonl"
	YAML       = "yaml"
	Name       = "name"
	CSV        = "csv"
	Markdown   = "md"
	JSONPath   = "jsonpath"
	GoTemplate = "go-template"
	Columns    = "custom-columns"
)

// Formats lists what -o takes, for help, completion and errors.
func Formats() []string {
	return []string{Table, Wide, JSON, JSONL, YAML, Name, CSV, Markdown, JSONPath + "=", GoTemplate + "=", Columns + "="}
}

// ErrFormat tells that -o was given something that it does not take.
var ErrFormat = errors.New("unknown output format")

// Printer writes results. The zero value writes tab-separated lines in UTC.
type Printer struct {
	// Format is one of Formats; empty: Table.
	Format string
	// JQ picks from the JSON what is shown. It goes with Table (that is: none),
	// JSON and JSONL.
	JQ string
	// Terminal: aligned columns, a header, relative times. Otherwise tabs, no
	// header, RFC 3339.
	Terminal bool
	// Width of the terminal in columns: texts of a table are cut to fit, except with
	// Wide. Zero: it is not known, and nothing is cut.
	Width int
	// Times is how instants are written, other than in data.
	Times Times
	// SortBy is the column by which lists are ordered, after a - backwards. Empty: as
	// they come.
	SortBy string
	// Headers forces a header where there is none.
	Headers bool
	Now     time.Time
	Out     io.Writer
}

// Check refuses a format that is not one, and a query that cannot be read.
func (p Printer) Check() error {
	if _, err := p.query(); err != nil {
		return err
	}
	if _, err := p.columns(); err != nil {
		return err
	}
	kind, _, has := strings.Cut(p.Format, "=")
	if p.Format == "" || slices.Contains(Formats(), kind+map[bool]string{true: "="}[has]) {
		return nil
	}
	return fmt.Errorf("%w %q: -o takes %s", ErrFormat, p.Format, strings.Join(Formats(), ", "))
}

// Structured tells whether the result is for a program: written as data, or
// picked from it.
func (p Printer) Structured() bool {
	kind, _, _ := strings.Cut(p.Format, "=")
	return p.JQ != "" || slices.Contains([]string{JSON, JSONL, YAML, JSONPath, GoTemplate, Columns}, kind)
}

// Sheet writes one thing as lines of "name  value"; sections are lines without a value.
func (p Printer) Sheet(data any, name string, pairs [][2]string) error {
	switch {
	case p.Structured():
		return p.Value(data)
	case p.Format == Name:
		return p.lines([]string{name})
	case p.Format == CSV, p.Format == Markdown:
		l := Listing{Columns: []Column{{Name: "FIELD"}, {Name: "VALUE"}}}
		for _, pair := range pairs {
			l.Rows = append(l.Rows, []Cell{Text(pair[0]), Text(pair[1])})
		}
		return p.List(l)
	}
	width := 0
	for _, pair := range pairs {
		width = max(width, len(pair[0]))
	}
	lines := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-*s  %s", width, pair[0], Clean(pair[1])), " "))
	}
	return p.lines(lines)
}

func (p Printer) lines(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(p.Out, strings.Join(lines, "\n")+"\n")
	return err
}

// Clean takes control characters out of what comes from the cluster, so that
// nothing there can write to the terminal or break a line.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
