package output

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// table writes rows as they come.
func (p Printer) table(columns []Column, empty string, rows Each[[]Cell]) error {
	var head []string
	var shown []Column
	for _, c := range columns {
		if p.shows(c) {
			head, shown = append(head, c.Name), append(shown, c)
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
		return p.buffered(func(w *bufio.Writer) error { return p.aligned(w, shown, head, empty, texts) })
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

// gap is between two columns, textLeast how far a column of texts is narrowed.
const (
	gap       = 2
	textLeast = 12
)

// fit narrows columns of texts until the table fits into a terminal, the widest
// first. What names things keeps its width: a table whose names need more is wider
// than the terminal.
func (p Printer) fit(widths []int, shown []Column) {
	if p.Width == 0 || p.Format == Wide {
		return
	}
	total := gap * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > p.Width; total-- {
		widest := -1
		for i, c := range shown {
			if c.Text && widths[i] > max(textLeast, width(c.Name)) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// width counts cells of the terminal: nearly all texts are of ASCII, which has one for
// each byte.
func width(text string) int {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return ansi.StringWidth(text)
		}
	}
	return len(text)
}

// aligned writes a table for a terminal: it goes over the rows twice, first to
// learn how wide they are.
func (p Printer) aligned(w *bufio.Writer, shown []Column, head []string, empty string, rows Each[[]string]) error {
	widths, count := make([]int, len(head)), 0
	measure := func(row []string) {
		for i, text := range row {
			widths[i] = max(widths[i], width(text))
		}
	}
	measure(head)
	if err := rows(func(row []string) error { measure(row); count++; return nil }); err != nil {
		return err
	}
	if count == 0 {
		return line(w, empty)
	}
	p.fit(widths, shown)
	perColumn := tw.NewMapper[int, int]()
	for i, width := range widths {
		perColumn.Set(i, width+gap)
	}
	table := tablewriter.NewTable(
		&trimmed{w: w},
		tablewriter.WithStreaming(tw.StreamConfig{Enable: true}),
		tablewriter.WithWidths(tw.CellWidth{PerColumn: perColumn}),
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:   tw.BorderNone,
			Settings:  tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
			Streaming: true,
		})),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAlignment(tw.AlignLeft),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: strings.Repeat(" ", gap), Overwrite: true}),
		tablewriter.WithTrimSpace(tw.Off),
	)
	if err := table.Start(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	table.Header(head)
	err := rows(func(row []string) error {
		for i, text := range row {
			if width(text) > widths[i] {
				row[i] = ansi.Truncate(text, widths[i], "…")
			}
		}
		return table.Append(row)
	})
	if err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return table.Close()
}

// trimmed leaves out the spaces with which lines end, which would break those that
// fill the terminal.
type trimmed struct {
	w      *bufio.Writer
	spaces int // that something may follow yet
}

func (t *trimmed) Write(text []byte) (int, error) {
	for _, b := range text {
		if b == ' ' {
			t.spaces++
			continue
		}
		if b != '\n' {
			_, _ = t.w.WriteString(strings.Repeat(" ", t.spaces)) // what goes wrong, flushing tells
		}
		t.spaces = 0
		_ = t.w.WriteByte(b)
	}
	return len(text), nil
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
