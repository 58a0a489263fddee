package output

import (
	"bytes"
	"fmt"
	"strings"

	"k8s.io/client-go/util/jsonpath"
)

// columns are those of -o custom-columns=NAME:PATH,NAME:PATH.
type columns []struct {
	Column
	path *jsonpath.JSONPath
}

// columns reads them; nil: another format was asked for.
func (p Printer) columns() (columns, error) {
	kind, text, _ := strings.Cut(p.Format, "=")
	if kind != Columns {
		return nil, nil
	}
	var all columns
	for part := range strings.SplitSeq(text, ",") {
		name, expression, ok := strings.Cut(part, ":")
		if !ok || name == "" || expression == "" {
			return nil, fmt.Errorf("-o %s: %q: write NAME:PATH,NAME:PATH, such as NAME:.name,FIRED:.fired", Columns, part)
		}
		path, err := parsePath(expression)
		if err != nil {
			return nil, fmt.Errorf("-o %s: %s: %w", Columns, name, err)
		}
		all = append(all, struct {
			Column
			path *jsonpath.JSONPath
		}{Column{Name: name}, path})
	}
	return all, nil
}

// write writes a row for each item; an item that is a list stands for its own.
func (c columns) write(p Printer, items Each[any]) error {
	heads := make([]Column, len(c))
	for i := range c {
		heads[i] = c[i].Column
	}
	return p.table(heads, "Nothing.", func(row func([]Cell) error) error {
		return items(func(item any) error {
			data, err := generic(item)
			if err != nil {
				return err
			}
			list, ok := data.([]any)
			if !ok {
				list = []any{data}
			}
			for _, one := range list {
				cells, err := c.cells(one)
				if err != nil {
					return err
				}
				if err := row(cells); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// cells are what the paths find in an item; nothing is an empty cell.
func (c columns) cells(item any) ([]Cell, error) {
	cells := make([]Cell, len(c))
	for i := range c {
		var text bytes.Buffer
		if err := c[i].path.Execute(&text, item); err != nil {
			return nil, fmt.Errorf("-o %s: %s: %w", Columns, c[i].Name, err)
		}
		cells[i] = Text(strings.TrimSpace(text.String()))
	}
	return cells, nil
}
