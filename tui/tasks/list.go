// Package tasks holds the screens of tasks: the list of all, and one with its runs,
// coming instants and definition.
package tasks

import (
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/findings"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/services"
	"github.com/seed42aab489/belfry/tui/widget"
)

// sorts are the columns that tasks are sorted by.
var sorts = []string{"NAME", "STATE", "NEXT", "LAST", "NODE"}

// List lists the tasks.
type List struct {
	cursor widget.Cursor
	chosen task.Key // under the cursor, so that it stays there when lines come and go
	filter screen.Filter
	sort   int // of sorts
	turned bool
	marked map[task.Key]bool // never changed in place
	reach  reach
	sorted *screen.Memo[listing, []*contract.TaskView]
}

// listing is what the lines that are shown, and their order, depend on.
type listing struct {
	picture *follow.Picture
	words   string
	sort    int
	turned  bool
}

// New makes the list.
func New() List { return List{sorted: new(screen.Memo[listing, []*contract.TaskView])} }

// Title is "Tasks".
func (List) Title() string { return "Tasks" }

// Scopes of its keys.
func (t List) Scopes() []intent.Scope { return t.filter.Scopes(intent.Tasks, intent.List) }

// rows are the tasks that are shown, in their order.
func (t List) rows(p *follow.Picture) []*contract.TaskView {
	return t.sorted.Of(listing{p, t.filter.Words(), t.sort, t.turned}, func() []*contract.TaskView { return t.sift(p) })
}

// sift works rows out.
func (t List) sift(p *follow.Picture) []*contract.TaskView {
	terms := t.filter.Terms()
	rows := make([]*contract.TaskView, 0, len(p.Tasks))
	for i := range p.Tasks {
		v := &p.Tasks[i]
		if len(terms) == 0 || terms.Match(Words(v)...) {
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

// Words are what a task is searched by.
func Words(v *contract.TaskView) [][2]string {
	return [][2]string{
		{"name", v.Name},
		{"state", string(v.State)},
		{"node", v.Node},
		{"service", v.Service},
		{"operation", v.Operation},
		{"calls", v.Calls},
		{"reason", v.Reason},
		{"tenant", v.Tenant},
	}
}

// comparing gives the order of a column; nil: as the picture has them, by name.
func comparing(column string) func(a, b *contract.TaskView) int {
	switch column {
	case "STATE":
		rank := func(v *contract.TaskView) int {
			return slices.Index([]contract.State{
				contract.Failed, contract.Unplaced, contract.Unknown, contract.Blocked, contract.Running, contract.Waiting, contract.Paused, contract.Finished,
			}, v.State)
		}
		return func(a, b *contract.TaskView) int { return rank(a) - rank(b) }
	case "NEXT":
		return func(a, b *contract.TaskView) int { return later(a.Next).Compare(later(b.Next)) }
	case "LAST":
		return func(a, b *contract.TaskView) int { return lastOf(b).Compare(lastOf(a)) }
	case "NODE":
		return func(a, b *contract.TaskView) int { return strings.Compare(a.Node, b.Node) }
	}
	return nil
}

func later(t *time.Time) time.Time {
	if t == nil {
		return time.Unix(1<<40, 0)
	}
	return *t
}

func lastOf(v *contract.TaskView) time.Time {
	if v.Last == nil {
		return time.Time{}
	}
	return v.Last.Scheduled
}

// settle keeps the cursor on the task that it was on.
func (t List) settle(rows []*contract.TaskView, height int) List {
	if at := slices.IndexFunc(rows, func(v *contract.TaskView) bool { return screen.KeyOf(*v) == t.chosen }); at >= 0 {
		t.cursor.At = at
	}
	t.cursor = t.cursor.Within(len(rows), height)
	return t
}

// listed is how many lines of tasks are seen.
func (t List) listed(s *screen.Scene) int {
	n := s.Height - 5
	if t.filter.Shown() {
		n--
	}
	return max(1, n)
}

// Update answers an intent.
func (t List) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if in.Action == intent.Back && t.reach.on {
		return t.dropReach(), nil
	}
	if f, ok := t.filter.Update(in); ok {
		t.filter = f
		return t.settle(t.rows(s.Picture), t.listed(s)), nil
	}
	rows := t.rows(s.Picture)
	height := t.listed(s)
	t = t.settle(rows, height)
	if c, ok := t.cursor.Move(in, len(rows), height); ok {
		t.cursor = c
		return t.choose(rows).reached(rows), nil
	}
	switch in.Action {
	case intent.Click:
		top := s.Height - height - 1
		if row := in.Row - top + t.cursor.Top; in.Row >= top && row < len(rows) {
			again := row == t.cursor.At
			t.cursor.At = row
			t = t.choose(rows).reached(rows)
			if again {
				return t, screen.Show{Screen: NewDetail(t.chosen)}
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
		return t, screen.Show{Screen: services.New()}
	case intent.Back:
		return t, screen.Close{}
	}
	if t.cursor.At >= len(rows) {
		return t, nil
	}
	t = t.choose(rows)
	return t.act(s, rows, in)
}

func (t List) choose(rows []*contract.TaskView) List {
	if t.cursor.At < len(rows) {
		t.chosen = screen.KeyOf(*rows[t.cursor.At])
	}
	return t
}

// act does something to the task under the cursor, or to those that are marked.
func (t List) act(s *screen.Scene, rows []*contract.TaskView, in intent.Intent) (screen.Screen, screen.Effect) {
	here := rows[t.cursor.At]
	if in.Action == intent.MarkRange {
		return t.turnReach(rows), nil
	}
	t.reach = reach{} // whatever else is done, its marks stay as they are
	switch in.Action {
	case intent.Open:
		return t, screen.Show{Screen: NewDetail(t.chosen)}
	case intent.Copy:
		return t, screen.Copy{Text: here.Name}
	case intent.Mark:
		t = t.toggle(t.chosen)
		t.cursor.At++
		t.cursor = t.cursor.Within(len(rows), t.listed(s))
		return t.choose(rows), nil
	case intent.MarkAll:
		all := make(map[task.Key]bool)
		if len(t.marked) == 0 {
			for _, v := range rows {
				all[screen.KeyOf(*v)] = true
			}
		}
		t.marked = all
		return t, nil
	case intent.Edit:
		return t, editing(s, t.chosen)
	case intent.Explain:
		return t, screen.Show{Screen: findings.NewWhy(t.chosen)}
	case intent.File:
		return t, file(t.targets(s))
	case intent.Pause, intent.PauseEnd, intent.Run, intent.Delete:
		return t, screen.Place{Order: ordering(s, in.Action, t.targets(s))}
	}
	return t, nil
}

// targets are the marked tasks that are still there, or the one under the cursor.
func (t List) targets(s *screen.Scene) []contract.TaskView {
	var found []contract.TaskView
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
	slices.SortFunc(found, func(a, b contract.TaskView) int { return strings.Compare(a.Name, b.Name) })
	return found
}

func (t List) toggle(key task.Key) List {
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

// Commands are those of what the keys do to the tasks that they would act on.
func (t List) Commands(s *screen.Scene) []screen.Command {
	list := screen.Command{Action: intent.GoTasks, Label: "list", Lines: []string{order.Line("task list")}}
	create := screen.Command{Action: intent.New, Lines: []string{order.Line("operation list")}}
	on := t.settle(t.rows(s.Picture), t.listed(s)).choose(t.rows(s.Picture)).targets(s)
	return append(commands(s, on), create, list)
}

// Why says why an action does nothing now.
func (t List) Why(s *screen.Scene, a intent.Action) string {
	switch a {
	case intent.Open, intent.Copy, intent.Mark, intent.MarkRange, intent.Edit, intent.Pause, intent.PauseEnd, intent.Delete, intent.Explain, intent.Run, intent.File:
		targets := t.settle(t.rows(s.Picture), t.listed(s)).choose(t.rows(s.Picture)).targets(s)
		if len(targets) == 0 {
			return "there is no task"
		}
		switch a {
		case intent.Run:
			return whyNoRun(targets)
		case intent.PauseEnd:
			return whyNoPause(targets)
		case intent.File:
			return whyNoFile(targets)
		}
	}
	return ""
}

// Label is what a key does to the tasks that it would act on.
func (t List) Label(s *screen.Scene, b intent.Binding) string {
	if b.Action == intent.Pause || b.Action == intent.PauseEnd {
		return label(b, t.settle(t.rows(s.Picture), t.listed(s)).choose(t.rows(s.Picture)).targets(s))
	}
	return b.Label
}
