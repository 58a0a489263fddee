package output

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// table writes rows as they come.
func (p Printer) table(columns []Column, empty string, rows Each[[]Cell]) error {
	var head []string
	for _, c := range columns {
		if p.shows(c) {
			head = append(head, c.Name)
		}
	}
	texts := func(f func([]string) error) error {
		return rows(func(cells []Cell) error { return f(p.texts(columns, cells)) })
	}
	switch {
	case p.Format == CSV:
		return p.buffered(func(w *bufio.Writer) error {
			lines := csv.NewWriter(w)
			if err := lines.Write(head); err != nil {
				return err
			}
			if err := texts(lines.Write); err != nil {
				return err
			}
			lines.Flush()
			return lines.Error()
		})
	case p.Format == Markdown:
		return p.buffered(func(w *bufio.Writer) error { return markdown(w, head, texts) })
	case p.Terminal:
		return p.buffered(func(w *bufio.Writer) error { return aligned(w, head, empty, texts) })
	}
	return p.buffered(func(w *bufio.Writer) error {
		tabbed := func(cells []string) error { return line(w, strings.Join(cells, "\t")) }
		if p.Headers {
			if err := tabbed(head); err != nil {
				return err
			}
		}
		return texts(tabbed)
	})
}

// people tells whether the table is for people: everything else gets full values.
func (p Printer) people() bool {
	return p.Format == Markdown || p.Terminal && p.Format != CSV
}

func (p Printer) shows(c Column) bool { return !c.Wide || p.Format == Wide || !p.people() }

// texts are the cells that are shown.
func (p Printer) texts(columns []Column, cells []Cell) []string {
	row := make([]string, 0, len(cells))
	for i, cell := range cells {
		switch {
		case !p.shows(columns[i]):
		case p.people():
			row = append(row, Clean(cell.Human))
		default:
			row = append(row, Clean(cell.Plain))
		}
	}
	return row
}

// aligned writes a table for a terminal: it goes over the rows twice, first to
// learn how wide they are.
func aligned(w *bufio.Writer, head []string, empty string, rows Each[[]string]) error {
	const gap = 2
	widths, count := tw.NewMapper[int, int](), 0
	measure := func(row []string) {
		for i, text := range row {
			widths.Set(i, max(widths.Get(i), twwidth.Width(text)+gap))
		}
	}
	measure(head)
	if err := rows(func(row []string) error { measure(row); count++; return nil }); err != nil {
		return err
	}
	if count == 0 {
		return line(w, empty)
	}
	table := tablewriter.NewTable(
		w,
		tablewriter.WithStreaming(tw.StreamConfig{Enable: true}),
		tablewriter.WithWidths(tw.CellWidth{PerColumn: widths}),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:   tw.BorderNone,
			Settings:  tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
			Streaming: true,
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: "  ", Overwrite: true}),
		tablewriter.WithTrimSpace(tw.Off),
	)
	if err := table.Start(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	table.Header(head)
	if err := rows(func(row []string) error { return table.Append(row) }); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return table.Close()
}

// markdown writes a table as GitHub does.
func markdown(w *bufio.Writer, head []string, rows Each[[]string]) error {
	cell := strings.NewReplacer("|", "\\|", "<", "&lt;", "`", "\\`")
	write := func(cells []string) error {
		escaped := make([]string, len(cells))
		for i, c := range cells {
			escaped[i] = cell.Replace(c)
		}
		return line(w, "| "+strings.Join(escaped, " | ")+" |")
	}
	if err := write(head); err != nil {
		return err
	}
	if err := line(w, "|"+strings.Repeat(" --- |", len(head))); err != nil {
		return err
	}
	return rows(write)
}

// buffered writes in large pieces.
func (p Printer) buffered(write func(w *bufio.Writer) error) error {
	w := bufio.NewWriterSize(p.Out, 64<<10)
	if err := write(w); err != nil {
		_ = w.Flush() // what came before stands; err says why there is no more
		return err
	}
	return w.Flush()
}

func line(w *bufio.Writer, text string) error {
	_, err := w.WriteString(text + "\n")
	return err
}
