// Package output writes what a command found: as a table for people, as
// tab-separated lines for pipes, as JSON or YAML for programs, as bare names
// for shells. It decides nothing about what is shown.
package output

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
	"go.yaml.in/yaml/v3"
)

// Formats that -o takes.
const (
	Table = "table"
	Wide  = "wide"
	JSON  = "json"
	YAML  = "yaml"
	Name  = "name"
)

// Formats lists what -o takes, for help, completion and errors.
func Formats() []string { return []string{Table, Wide, JSON, YAML, Name} }

// ErrFormat tells that -o was given something that it does not take.
var ErrFormat = errors.New("unknown output format")

// Printer writes results. The zero value writes tab-separated lines in UTC.
type Printer struct {
	Format string
	// Terminal: aligned columns, a header, relative times. Otherwise tabs, no
	// header, RFC 3339.
	Terminal bool
	// Headers forces a header where there is none.
	Headers bool
	Now     time.Time
	Out     io.Writer
}

// Check refuses a format that is not one.
func (p Printer) Check() error {
	if p.Format == "" || slices.Contains(Formats(), p.Format) {
		return nil
	}
	return fmt.Errorf("%w %q: -o takes %s", ErrFormat, p.Format, strings.Join(Formats(), ", "))
}

// Column heads a column of a table.
type Column struct {
	Name string
	Wide bool // shown by -o wide alone, and in pipes
}

// Cell is a value in a table: what people read, and what programs do.
type Cell struct{ Human, Plain string }

// Text is a cell that reads the same to all. Empty text shows as "-".
func Text(s string) Cell { return Cell{orDash(s), s} }

// Listing is a result with its table. Data is what JSON and YAML show.
type Listing struct {
	Data    any
	Columns []Column
	Rows    [][]Cell
	Names   []string // what -o name prints
	Empty   string   // what a person reads when there is nothing
}

// List writes a listing.
func (p Printer) List(l Listing) error {
	switch p.Format {
	case JSON, YAML:
		return p.Value(l.Data)
	case Name:
		return p.lines(l.Names)
	}
	if len(l.Rows) == 0 && p.Terminal {
		return p.lines([]string{l.Empty})
	}
	columns, rows := p.visible(l)
	if p.Terminal {
		return p.aligned(columns, rows)
	}
	if p.Headers {
		rows = append([][]string{columns}, rows...)
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(strings.Join(row, "\t") + "\n")
	}
	_, err := io.WriteString(p.Out, b.String())
	return err
}

// Value writes v as JSON or, if that was asked for, YAML.
func (p Printer) Value(v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	if p.Format == YAML {
		if text, err = toYAML(text); err != nil {
			return fmt.Errorf("write result: %w", err)
		}
	} else {
		text = append(text, '\n')
	}
	_, err = p.Out.Write(text)
	return err
}

// Structured tells whether the result is for a program, as JSON or YAML.
func (p Printer) Structured() bool { return p.Format == JSON || p.Format == YAML }

// Sheet writes one thing as lines of "name  value"; sections are lines without a value.
func (p Printer) Sheet(data any, name string, pairs [][2]string) error {
	switch p.Format {
	case JSON, YAML:
		return p.Value(data)
	case Name:
		return p.lines([]string{name})
	}
	width := 0
	for _, pair := range pairs {
		width = max(width, len(pair[0]))
	}
	lines := make([]string, 0, len(pairs))
	for _, pair := range pairs {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%-*s  %s", width, pair[0], clean(pair[1])), " "))
	}
	return p.lines(lines)
}

// Time is a cell for an instant: "in 22s", "3m12s ago"; nil is a dash.
func (p Printer) Time(t *time.Time) Cell {
	if t == nil || t.IsZero() {
		return Cell{"-", ""}
	}
	return Cell{Relative(t.Sub(p.Now)), t.UTC().Format(time.RFC3339)}
}

// Relative writes a distance in time: "in 22s" ahead, "3m12s ago" behind.
func Relative(d time.Duration) string {
	ago := d < 0
	if ago {
		d = -d
	}
	var s string
	switch {
	case d < time.Minute:
		s = fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		s = fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		s = fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		s = fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
	}
	if ago {
		return s + " ago"
	}
	return "in " + s
}

func (p Printer) visible(l Listing) (columns []string, rows [][]string) {
	for _, c := range l.Columns {
		if p.shows(c) {
			columns = append(columns, c.Name)
		}
	}
	for _, cells := range l.Rows {
		var row []string
		for i, cell := range cells {
			if !p.shows(l.Columns[i]) {
				continue
			}
			if p.Terminal {
				row = append(row, clean(cell.Human))
			} else {
				row = append(row, clean(cell.Plain))
			}
		}
		rows = append(rows, row)
	}
	return columns, rows
}

func (p Printer) shows(c Column) bool { return !c.Wide || p.Format == Wide || !p.Terminal }

func (p Printer) aligned(columns []string, rows [][]string) error {
	table := tablewriter.NewTable(
		p.Out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: "  ", Overwrite: true}),
		tablewriter.WithTrimSpace(tw.Off),
	)
	table.Header(columns)
	if err := table.Bulk(rows); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return table.Render()
}

func (p Printer) lines(lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(p.Out, strings.Join(lines, "\n")+"\n")
	return err
}

// clean takes control characters out of what comes from the cluster, so that
// nothing there can write to the terminal or break a line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// toYAML rewrites JSON, keeping the order of its fields.
func toYAML(text []byte) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	block(&node)
	return yaml.Marshal(&node)
}

func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && n.Style == yaml.DoubleQuotedStyle && n.Tag == "!!str" {
		n.Style = 0
	}
	if len(n.Content) == 0 && (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) {
		n.Style = yaml.FlowStyle
	}
	for _, c := range n.Content {
		block(c)
	}
}
