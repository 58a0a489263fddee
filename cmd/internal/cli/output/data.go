package output

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
)

// Value writes v as the data format that was asked for; JSON if none was.
func (p Printer) Value(v any) error {
	switch columns, err := p.columns(); {
	case err != nil:
		return err
	case columns != nil:
		return columns.write(p, Of([]any{v}))
	}
	text, err := p.data(v)
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	_, err = p.Out.Write(text)
	return err
}

func (p Printer) data(v any) ([]byte, error) {
	q, err := p.query()
	switch {
	case err != nil:
		return nil, err
	case q != nil:
		data, err := generic(v)
		if err != nil {
			return nil, err
		}
		return q.pick(data)
	case p.Format == JSONL:
		return jsonLines(v)
	case p.Format == YAML:
		return asYAML(v)
	}
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// asYAML writes v as YAML, with its fields as its JSON has them.
func asYAML(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return ToYAML(text)
}

func jsonLine(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}

// jsonLines writes a list as one line for each of its items, all else as one.
func jsonLines(v any) ([]byte, error) {
	text, err := jsonLine(v)
	if err != nil || text[0] != '[' {
		return text, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(text, &items); err != nil {
		return nil, err
	}
	var lines []byte
	for _, item := range items {
		lines = append(append(lines, item...), '\n')
	}
	return lines, nil
}

// Values writes a list as Value does, but does not hold all of it, unless a query
// wants to see all at once.
func (p Printer) Values(items Each[any]) error {
	q, err := p.query()
	columns, wrong := p.columns()
	switch err = errors.Join(err, wrong); {
	case err != nil:
	case columns != nil:
		err = columns.write(p, items)
	case q != nil && q.item == nil:
		err = p.gathered(q, items)
	default:
		err = p.buffered(func(w *bufio.Writer) error { return p.sequence(q).write(w, items) })
	}
	if err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// gathered shows a query all items at once.
func (p Printer) gathered(q *query, items Each[any]) error {
	all := []any{}
	err := items(func(item any) error {
		data, err := generic(item)
		all = append(all, data)
		return err
	})
	if err != nil {
		return err
	}
	text, err := q.pick(all)
	if err != nil {
		return err
	}
	_, err = p.Out.Write(text)
	return err
}

// sequence is how the items of a list are written one by one.
type sequence struct {
	first, next, end string // before the first item, before the others, after the last
	none             string // instead of all
	item             func(any) ([]byte, error)
}

func (p Printer) sequence(q *query) sequence {
	switch {
	case q != nil:
		return sequence{item: q.item}
	case p.Format == JSONL:
		return sequence{item: jsonLine}
	case p.Format == YAML:
		return sequence{none: "[]\n", item: func(v any) ([]byte, error) { return asYAML([]any{v}) }}
	}
	return sequence{"[\n  ", ",\n  ", "\n]\n", "[]\n", func(v any) ([]byte, error) { return json.MarshalIndent(v, "  ", "  ") }}
}

func (s sequence) write(w *bufio.Writer, items Each[any]) error {
	before, after := s.first, s.none
	err := items(func(v any) error {
		text, err := s.item(v)
		if err != nil && !errors.Is(err, errHalted) {
			return err
		}
		_, _ = w.WriteString(before) // what goes wrong, flushing tells
		_, _ = w.Write(text)
		before, after = s.next, s.end
		return err
	})
	if err != nil && !errors.Is(err, errHalted) {
		return err
	}
	_, err = w.WriteString(after)
	return err
}
