package screen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

func itoa(n int) string { return strconv.Itoa(n) }

// sorts are the columns that tasks are sorted by.
var sorts = []string{"NAME", "STATE", "NEXT", "LAST", "NODE"}

// Tasks lists the tasks.
type Tasks struct {
	cursor widget.Cursor
	chosen task.Key // under the cursor, so that it stays there when lines come and go
	filter filter
	sort   int // of sorts
	turned bool
	marked map[task.Key]bool // never changed in place
}

// NewTasks makes the list.
func NewTasks() Tasks { return Tasks{} }

// Title is "Tasks".
func (Tasks) Title() string { return "Tasks" }

// Scopes of its keys.
func (t Tasks) Scopes() []intent.Scope { return t.filter.scopes(intent.Tasks, intent.List) }

// rows are the tasks that are shown, in their order.
func (t Tasks) rows(p *control.Picture) []*control.TaskView {
	terms := t.filter.terms()
	rows := make([]*control.TaskView, 0, len(p.Tasks))
	for i := range p.Tasks {
		v := &p.Tasks[i]
		if len(terms) == 0 || terms.match(
			[2]string{"name", v.Name}, [2]string{"state", string(v.State)}, [2]string{"node", v.Node}, [2]string{"service", v.Service},
			[2]string{"operation", v.Operation}, [2]string{"calls", v.Calls}, [2]string{"reason", v.Reason}, [2]string{"tenant", v.Tenant},
		) {
			rows = append(rows, v)
		}
	}
	if by := comparing(sorts[t.sort]); by != nil {
		slices.SortStableFunc(rows, by)
	}
	if t.turned {
		slices.Reverse(rows)
	}
	return rows
}

// comparing gives the order of a column; nil: as the picture has them, by name.
func comparing(column string) func(a, b *control.TaskView) int {
	switch column {
	case "STATE":
		rank := func(v *control.TaskView) int {
			return slices.Index([]control.State{
				control.Failed, control.Unplaced, control.Unknown, control.Blocked, control.Running, control.Waiting, control.Paused, control.Finished,
			}, v.State)
		}
		return func(a, b *control.TaskView) int { return rank(a) - rank(b) }
	case "NEXT":
		return func(a, b *control.TaskView) int { return later(a.Next).Compare(later(b.Next)) }
	case "LAST":
		return func(a, b *control.TaskView) int { return lastOf(b).Compare(lastOf(a)) }
	case "NODE":
		return func(a, b *control.TaskView) int { return strings.Compare(a.Node, b.Node) }
	}
	return nil
}

func later(t *time.Time) time.Time {
	if t == nil {
		return time.Unix(1<<40, 0)
	}
	return *t
}

func lastOf(v *control.TaskView) time.Time {
	if v.Last == nil {
		return time.Time{}
	}
	return v.Last.Scheduled
}

// settle keeps the cursor on the task that it was on.
func (t Tasks) settle(rows []*control.TaskView, height int) Tasks {
	if at := slices.IndexFunc(rows, func(v *control.TaskView) bool { return keyOf(*v) == t.chosen }); at >= 0 {
		t.cursor.At = at
	}
	t.cursor = t.cursor.Within(len(rows), height)
	return t
}

// listed is how many lines of tasks are seen.
func (t Tasks) listed(s *Scene) int {
	n := s.Height - 5
	if t.filter.typing || t.filter.line.Text() != "" {
		n--
	}
	return max(1, n)
}

// Update answers an intent.
func (t Tasks) Update(s *Scene, in intent.Intent) (Screen, Effect) {
	if f, ok := t.filter.update(in); ok {
		t.filter = f
		return t.settle(t.rows(s.Picture), t.listed(s)), nil
	}
	rows := t.rows(s.Picture)
	height := t.listed(s)
	t = t.settle(rows, height)
	if c, ok := t.cursor.Move(in, len(rows), height); ok {
		t.cursor = c
		return t.choose(rows), nil
	}
	switch in.Action {
	case intent.Click:
		top := s.Height - height - 1
		if row := in.Row - top + t.cursor.Top; in.Row >= top && row < len(rows) {
			again := row == t.cursor.At
			t.cursor.At = row
			t = t.choose(rows)
			if again {
				return t, Show{NewTask(t.chosen)}
			}
		}
		return t, nil
	case intent.Sort:
		t.sort = (t.sort + 1) % len(sorts)
		return t.settle(t.rows(s.Picture), height), nil
	case intent.Reverse:
		t.turned = !t.turned
		return t.settle(t.rows(s.Picture), height), nil
	case intent.New:
		return t, Show{NewServices()}
	case intent.Back:
		return t, Close{}
	}
	if t.cursor.At >= len(rows) {
		return t, nil
	}
	t = t.choose(rows)
	return t.act(s, rows, in)
}

func (t Tasks) choose(rows []*control.TaskView) Tasks {
	if t.cursor.At < len(rows) {
		t.chosen = keyOf(*rows[t.cursor.At])
	}
	return t
}

// act does something to the task under the cursor, or to those that are marked.
func (t Tasks) act(s *Scene, rows []*control.TaskView, in intent.Intent) (Screen, Effect) {
	here := rows[t.cursor.At]
	switch in.Action {
	case intent.Open:
		return t, Show{NewTask(t.chosen)}
	case intent.Copy:
		return t, Copy{here.Name}
	case intent.Mark:
		t = t.toggle(t.chosen)
		t.cursor.At++
		t.cursor = t.cursor.Within(len(rows), t.listed(s))
		return t.choose(rows), nil
	case intent.MarkAll:
		all := make(map[task.Key]bool)
		if len(t.marked) == 0 {
			for _, v := range rows {
				all[keyOf(*v)] = true
			}
		}
		t.marked = all
		return t, nil
	case intent.Edit:
		return t, editing(s, t.chosen)
	case intent.Pause, intent.Run, intent.Delete, intent.Command:
		return t, ordering(s, in.Action, t.targets(s))
	}
	return t, nil
}

// targets are the marked tasks that are still there, or the one under the cursor.
func (t Tasks) targets(s *Scene) []control.TaskView {
	var found []control.TaskView
	for key := range t.marked {
		if v, ok := s.Picture.Task(key); ok {
			found = append(found, v)
		}
	}
	if len(found) == 0 {
		if v, ok := s.Picture.Task(t.chosen); ok {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b control.TaskView) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func (t Tasks) toggle(key task.Key) Tasks {
	marked := make(map[task.Key]bool, len(t.marked)+1)
	for k := range t.marked {
		marked[k] = true
	}
	if marked[key] {
		delete(marked, key)
	} else {
		marked[key] = true
	}
	t.marked = marked
	return t
}

// ordering makes the order that an action means for tasks. Pause resumes when all
// of them are paused.
func ordering(s *Scene, a intent.Action, on []control.TaskView) Effect {
	if len(on) == 0 {
		return nil
	}
	o := order.Order{Verb: order.Run, By: s.By}
	switch a {
	case intent.Pause:
		o.Verb = order.Resume
		for _, v := range on {
			if v.State != control.Paused {
				o.Verb = order.Pause
			}
		}
	case intent.Delete:
		o.Verb = order.Delete
	}
	for _, v := range on {
		if o.Verb != order.Pause || v.State != control.Paused {
			o.Tasks = append(o.Tasks, keyOf(v))
		}
	}
	if a == intent.Command {
		return Explain{o}
	}
	return Place{o}
}

// editing opens the form for a task that is there.
func editing(s *Scene, key task.Key) Effect {
	info, ok := s.Picture.Definition(key)
	if !ok {
		return Say{"the task is not there any more", true}
	}
	return Show{EditForm(s, info)}
}

// Why says why an action does nothing now.
func (t Tasks) Why(s *Scene, a intent.Action) string {
	switch a {
	case intent.Open, intent.Copy, intent.Mark, intent.Edit, intent.Pause, intent.Delete, intent.Command, intent.Run:
		targets := t.settle(t.rows(s.Picture), t.listed(s)).choose(t.rows(s.Picture)).targets(s)
		if len(targets) == 0 {
			return "there is no task"
		}
		if a == intent.Run {
			return whyNoRun(targets)
		}
	}
	return ""
}

// Label is what a key does to the tasks that it would act on.
func (t Tasks) Label(s *Scene, b intent.Binding) string {
	if b.Action == intent.Pause {
		return pausing(t.settle(t.rows(s.Picture), t.listed(s)).choose(t.rows(s.Picture)).targets(s), b)
	}
	return b.Label
}

// pausing tells whether the key pauses or resumes.
func pausing(on []control.TaskView, b intent.Binding) string {
	for _, v := range on {
		if v.State != control.Paused {
			return b.Label
		}
	}
	if len(on) == 0 {
		return b.Label
	}
	return "resume"
}

func whyNoRun(on []control.TaskView) string {
	for _, v := range on {
		if v.State == control.Paused {
			return v.Name + " is paused: resume it first"
		}
	}
	return ""
}

// View draws the list.
func (t Tasks) View(s *Scene) []string {
	rows := t.rows(s.Picture)
	if len(s.Picture.Tasks) == 0 {
		return s.nothing(
			s.role(theme.Title, "No tasks yet."), "",
			"A task calls an operation of a data service on a schedule.",
			"Press "+s.key("n")+" to choose an operation and schedule it.",
			"Press "+s.key("2")+" to see the services, "+s.key("?")+" for all keys.",
		)
	}
	t = t.settle(rows, t.listed(s))
	lines := []string{t.counts(s), t.coming(s, rows), s.rule("")}
	if l := t.filter.view(s, len(rows), len(s.Picture.Tasks)); l != "" {
		lines = append(lines, l)
	}
	if len(rows) == 0 {
		return append(lines, "", "No task has these words. "+s.key("esc")+" shows all.")
	}
	table := widget.Table{
		Columns: t.columns(s), Len: len(rows), Cursor: t.cursor, Idle: t.filter.typing,
		Row:    func(i int) []widget.Cell { return t.row(s, rows[i]) },
		Marked: func(i int) bool { return t.marked[keyOf(*rows[i])] },
	}
	lines = append(lines, table.View(s.Theme, s.Width, t.listed(s)+1)...)
	for len(lines) < s.Height-1 {
		lines = append(lines, "")
	}
	return append(lines, t.note(s, rows))
}

// counts is the line that sums the tasks up.
func (t Tasks) counts(s *Scene) string {
	n := make(map[control.State]int)
	for i := range s.Picture.Tasks {
		n[s.Picture.Tasks[i].State]++
	}
	text := s.role(theme.Title, count(len(s.Picture.Tasks), "task"))
	if len(t.marked) > 0 {
		text += "  " + s.role(theme.Key, fmt.Sprintf("%s %d marked", s.Theme.Glyphs.Mark, len(t.marked)))
	}
	if reading, ok := s.reading(); ok {
		text += "  " + s.role(theme.Busy, reading)
	}
	for _, state := range []control.State{
		control.Failed, control.Unplaced, control.Unknown, control.Blocked, control.Running, control.Waiting, control.Paused, control.Finished,
	} {
		if n[state] == 0 {
			continue
		}
		glyph, role := s.state(state)
		mark, word, _ := strings.Cut(glyph, " ")
		text += "  " + s.role(role, fmt.Sprintf("%s %d %s", mark, n[state], word))
	}
	return s.fit(text)
}

// comingMinutes is how far ahead the line of coming firings looks.
const comingMinutes = 60

// coming draws how many of the tasks fire next in each of the coming minutes.
func (t Tasks) coming(s *Scene, rows []*control.TaskView) string {
	minutes := make([]int, comingMinutes)
	total := 0
	for _, v := range rows {
		if v.Next == nil {
			continue
		}
		if m := int(v.Next.Sub(s.Now) / time.Minute); m < comingMinutes {
			minutes[max(0, m)]++
			total++
		}
	}
	label := "next firings, by minute "
	room := s.Width - widget.Width(label) - 16
	if room < 20 {
		return ""
	}
	shown := min(comingMinutes, room)
	return s.fit(s.role(theme.Faint, label) + widget.Bars(minutes[:shown], s.Theme.Glyphs.Bars) +
		s.role(theme.Faint, fmt.Sprintf(" %d within 1h", total)))
}

func (t Tasks) columns(s *Scene) []widget.Column {
	columns := []widget.Column{
		{Title: "NAME", Width: 16, Grow: 3, Most: 44},
		{Title: "STATE", Width: 10},
		{Title: "SCHEDULE", Width: 18, Grow: 2, Most: 34, Drop: 4},
		{Title: "NEXT", Width: 7, Right: true},
		{Title: "LAST RUNS", Width: 12, Drop: 6},
		{Title: "LAST", Width: 22, Grow: 1, Most: 30, Drop: 2},
		{Title: "NODE", Width: 6, Grow: 1, Most: 16},
		{Title: "OPERATION", Width: 20, Grow: 1, Most: 44, Drop: 8},
	}
	for i, c := range columns {
		if c.Title != sorts[t.sort] {
			continue
		}
		columns[i].Sorted = s.Theme.Glyphs.Up
		if t.turned {
			columns[i].Sorted = s.Theme.Glyphs.Down
		}
	}
	return columns
}

func (t Tasks) row(s *Scene, v *control.TaskView) []widget.Cell {
	state, role := s.state(v.State)
	node := v.Node
	if s.Stale() {
		state = s.Theme.Glyphs.Unknown + state[strings.IndexByte(state, ' '):]
		role = theme.Faint
		if node != "" {
			node += "?"
		}
	}
	last, lastRole := "never", theme.Faint
	if v.Last != nil {
		_, word, r := s.outcome(*v.Last)
		at := v.Last.Scheduled
		if v.Last.Ended != nil {
			at = *v.Last.Ended
		}
		last, lastRole = word+" "+widget.Ago(s.Now.Sub(at)), r
		if r == theme.Good {
			lastRole = theme.Plain
		}
	}
	return []widget.Cell{
		{Text: v.Name},
		{Text: state, Role: role},
		{Text: schedule(v.Trigger), Role: theme.Faint},
		{Text: s.in(v.Next)},
		{Drawn: recent(s, s.Picture.Runs(keyOf(*v)), 12)},
		{Text: last, Role: lastRole},
		{Text: orDash(node)},
		{Text: v.Calls, Role: theme.Faint},
	}
}

// schedule writes a trigger's line for people: "0 30 2 * * ?", "every 1m".
func schedule(line string) string {
	kind, rest, _ := strings.Cut(line, ":")
	switch kind {
	case "cron":
		return rest
	case "every":
		if d, err := time.ParseDuration(rest); err == nil {
			rest = short(d)
		}
		return "every " + rest
	case "at":
		return "at " + rest
	}
	return line
}

// recent draws the last n runs as glyphs, the newest at the right.
func recent(s *Scene, runs []control.RunView, n int) string {
	var b strings.Builder
	for i := min(n, len(runs)) - 1; i >= 0; i-- {
		glyph, _, role := s.outcome(runs[i])
		b.WriteString(s.role(role, glyph))
	}
	if b.Len() == 0 {
		return s.Theme.Glyphs.Dot
	}
	return b.String()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// note says of the task under the cursor what its line does not.
func (t Tasks) note(s *Scene, rows []*control.TaskView) string {
	v := rows[t.cursor.At]
	if v.Reason != "" {
		return s.line(theme.Warn, v.Name+": "+v.Reason)
	}
	text := v.Name
	if v.Description != "" {
		text += ": " + v.Description
	} else {
		text += " calls " + v.Calls + ", " + schedule(v.Trigger)
	}
	if v.Next != nil {
		text += ", next " + v.Next.UTC().Format("Mon 2006-01-02 15:04:05 MST")
	}
	return s.line(theme.Faint, text)
}
