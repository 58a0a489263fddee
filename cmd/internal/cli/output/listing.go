package output

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Column heads a column of a table.
type Column struct {
	Name string
	Wide bool // shown by -o wide alone, and in pipes
}

// Cell is a value in a table: what people read, and what programs do.
type Cell struct{ Human, Plain string }

// Text is a cell that reads the same to all. Empty text shows as "-".
func Text(s string) Cell {
	if s == "" {
		return Cell{"-", ""}
	}
	return Cell{s, s}
}

// Field is a column with what it shows of an item.
type Field[T any] struct {
	Name string
	Wide bool
	Of   func(p Printer, item T) Cell
}

// Says is a column of texts.
func Says[T any](name string, of func(T) string) Field[T] {
	return Field[T]{Name: name, Of: func(_ Printer, item T) Cell { return Text(of(item)) }}
}

// Adds is a column of texts that -o wide and pipes show.
func Adds[T any](name string, of func(T) string) Field[T] {
	f := Says(name, of)
	f.Wide = true
	return f
}

// When is a column of instants.
func When[T any](name string, of func(T) *time.Time) Field[T] {
	return Field[T]{Name: name, Of: func(p Printer, item T) Cell { return p.Time(of(item)) }}
}

// Frame is how items of one kind are listed.
type Frame[T any] struct {
	Fields []Field[T]
	Name   func(T) string // what -o name prints of an item
	Empty  string         // what a person reads when there is nothing
}

// List makes the listing of items.
func (f Frame[T]) List(p Printer, items []T) Listing {
	l := Listing{Data: items, Empty: f.Empty}
	if items == nil {
		l.Data = []T{}
	}
	for _, field := range f.Fields {
		l.Columns = append(l.Columns, Column{field.Name, field.Wide})
	}
	if p.Structured() {
		return l // only the data is written
	}
	for _, item := range items {
		if f.Name != nil {
			l.Names = append(l.Names, f.Name(item))
		}
		row := make([]Cell, len(f.Fields))
		for i, field := range f.Fields {
			row[i] = field.Of(p, item)
		}
		l.Rows = append(l.Rows, row)
	}
	return l
}

// Print writes items.
func (f Frame[T]) Print(p Printer, items []T) error { return p.List(f.List(p, items)) }

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
	switch {
	case p.Structured():
		return p.Value(l.Data)
	case p.Format == Name:
		return p.lines(l.Names)
	}
	columns, rows := p.visible(l)
	switch {
	case p.Format == CSV:
		w := csv.NewWriter(p.Out)
		return w.WriteAll(append([][]string{columns}, rows...))
	case p.Format == Markdown:
		return p.markdown(columns, rows)
	case len(l.Rows) == 0 && p.Terminal:
		return p.lines([]string{l.Empty})
	case p.Terminal:
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

// people tells whether the table is for people: everything else gets full values.
func (p Printer) people() bool {
	return p.Format == Markdown || p.Terminal && p.Format != CSV
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
			if p.people() {
				row = append(row, Clean(cell.Human))
			} else {
				row = append(row, Clean(cell.Plain))
			}
		}
		rows = append(rows, row)
	}
	return columns, rows
}

func (p Printer) shows(c Column) bool { return !c.Wide || p.Format == Wide || !p.people() }

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

// markdown writes a table as GitHub does.
func (p Printer) markdown(columns []string, rows [][]string) error {
	cell := strings.NewReplacer("|", "\\|", "<", "&lt;", "`", "\\`")
	line := func(cells []string) string {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = cell.Replace(c)
		}
		return "| " + strings.Join(escaped, " | ") + " |"
	}
	rule := make([]string, len(columns))
	for i := range rule {
		rule[i] = "---"
	}
	lines := []string{line(columns), line(rule)}
	for _, row := range rows {
		lines = append(lines, line(row))
	}
	return p.lines(lines)
}
