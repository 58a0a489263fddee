package tasks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
)

// reach is a range of lines that grows and shrinks with the cursor: those between
// where it began and the cursor are marked, beside what was marked before. The zero
// value is none.
type reach struct {
	on     bool
	from   task.Key
	before map[task.Key]bool
}

// turnReach begins a range at the cursor, or ends the one that there is, of which
// the marks stay.
func (t List) turnReach(rows []*follow.Row) List {
	if t.reach.on {
		t.reach = reach{}
		return t
	}
	t.reach = reach{on: true, from: t.chosen, before: t.marked}
	return t.reached(rows)
}

// reached marks what lies between the beginning of a range and the cursor. A range
// whose beginning is not shown any more is over.
func (t List) reached(rows []*follow.Row) List {
	if !t.reach.on {
		return t
	}
	from := slices.IndexFunc(rows, func(r *follow.Row) bool { return r.Key == t.reach.from })
	if from < 0 {
		t.reach = reach{}
		return t
	}
	marked := maps.Clone(t.reach.before)
	if marked == nil {
		marked = make(map[task.Key]bool)
	}
	for _, r := range rows[min(from, t.cursor.At) : max(from, t.cursor.At)+1] {
		marked[r.Key] = true
	}
	return t.mark(marked)
}

// dropReach takes a range back.
func (t List) dropReach() List {
	t = t.mark(t.reach.before)
	t.reach = reach{}
	return t
}

// markedText says how many lines are marked, and what ends a range.
func (t List) markedText(s *screen.Scene) string {
	text := fmt.Sprintf("%s %d marked", s.Theme.Glyphs.Mark, len(t.marked))
	if t.reach.on {
		text += ", V ends the range"
	}
	return text
}
