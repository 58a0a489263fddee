package output

import (
	"bufio"
	"time"
)

// Column heads a column of a table.
type Column struct {
	Name string
	Wide bool // shown by -o wide alone, and in pipes
	Text bool // cut where a terminal has no room for all of it
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

// Each gives items to f, one after the other, until f fails. It may be called
// again, and gives the same then.
type Each[T any] func(f func(T) error) error

// Of gives the items of a list.
func Of[T any](items []T) Each[T] {
	return func(f func(T) error) error {
		for _, item := range items {
			if err := f(item); err != nil {
				return err
			}
		}
		return nil
	}
}

// Field is a column with what it shows of an item.
type Field[T any] struct {
	Name string
	Wide bool
	Text bool
	Of   func(p Printer, item T) Cell
}

// Says is a column of texts.
func Says[T any](name string, of func(T) string) Field[T] {
	return Field[T]{Name: name, Of: func(_ Printer, item T) Cell { return Text(of(item)) }}
}

// Tells is a column of texts that may be cut where a terminal has no room for all of
// it: messages, reasons, descriptions, but no names.
func Tells[T any](name string, of func(T) string) Field[T] {
	f := Says(name, of)
	f.Text = true
	return f
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

// Print writes a list of items.
func (f Frame[T]) Print(p Printer, items []T) error { return f.Write(p, Of(items)) }

// Write writes items as they come: however many there are, no more than a few of
// them are held at a time, unless a query wants to see all at once, or --sort-by does.
func (f Frame[T]) Write(p Printer, items Each[T]) error {
	if p.SortBy != "" {
		var err error
		if items, err = f.sorted(p, items); err != nil {
			return err
		}
	}
	switch {
	case p.Structured():
		return p.Values(func(f func(any) error) error { return items(func(item T) error { return f(item) }) })
	case p.Format == Name:
		return p.buffered(func(w *bufio.Writer) error {
			return items(func(item T) error { return line(w, f.Name(item)) })
		})
	}
	columns := make([]Column, len(f.Fields))
	for i, field := range f.Fields {
		columns[i] = Column{field.Name, field.Wide, field.Text}
	}
	return p.table(columns, f.Empty, func(row func([]Cell) error) error {
		return items(func(item T) error {
			cells := make([]Cell, len(f.Fields))
			for i, field := range f.Fields {
				cells[i] = field.Of(p, item)
			}
			return row(cells)
		})
	})
}

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
	return p.table(l.Columns, l.Empty, Of(l.Rows))
}
