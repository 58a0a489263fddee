package screen

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
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
