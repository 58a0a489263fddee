// Package tasks holds the screens of tasks: the list of all, and one with its runs,
// coming instants and definition.
package tasks

import (
	"cmp"
	"maps"
	"math"
	"slices"

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
	marks  int               // how often it has changed
	reach  reach
	sorted *screen.Memo[listing, []*follow.Row]
	aimed  *screen.Memo[aim, []*follow.Row]
}

// listing is what the lines that are shown, and their order, depend on.
type listing struct {
	picture *follow.Picture
	words   string
	sort    int
	turned  bool
}

// New makes the list.
func New() List {
	return List{sorted: new(screen.Memo[listing, []*follow.Row]), aimed: new(screen.Memo[aim, []*follow.Row])}
}

// Title is "Tasks".
func (List) Title() string { return "Tasks" }

// Scopes of its keys.
func (t List) Scopes() []intent.Scope { return t.filter.Scopes(intent.Tasks, intent.List) }

// rows are the tasks that are shown, in their order.
func (t List) rows(p *follow.Picture) []*follow.Row {
	return t.sorted.Of(listing{p, t.filter.Words(), t.sort, t.turned}, func() []*follow.Row {
		rows := Among(p, t.filter.Terms())
		if rank := ranking(sorts[t.sort], rows); rank != nil {
			rows = ranked(rows, rank)
		}
		if t.turned {
			rows = slices.Clone(rows)
			slices.Reverse(rows)
		}
		return rows
	})
}

// Among are the tasks that a filter lets pass, by name. They are not to be changed.
func Among(p *follow.Picture, terms screen.Terms) []*follow.Row {
	if len(terms) == 0 {
		return p.Tasks
	}
	rows := make([]*follow.Row, 0, len(p.Tasks))
	for _, r := range p.Tasks {
		words := [...][2]string{
			{"name", r.Name},
			{"state", string(r.State)},
			{"node", r.Node},
			{"service", r.Service},
			{"operation", r.Operation},
			{"calls", r.Calls},
			{"reason", r.Reason},
			{"tenant", r.Tenant},
		}
		if terms.Match(words[:]...) {
			rows = append(rows, r)
		}
	}
	return rows
}

// ranking gives the place of a task by a column, of which ties go by name; nil: by
// name alone.
func ranking(column string, rows []*follow.Row) func(*follow.Row) int64 {
	switch column {
	case "STATE":
		place := make(map[contract.State]int64, len(worst))
		for i, state := range worst {
			place[state] = int64(i)
		}
		return func(r *follow.Row) int64 { return place[r.State] }
	case "NEXT":
		return func(r *follow.Row) int64 {
			if r.Next == 0 {
				return math.MaxInt64
			}
			return int64(r.Next)
		}
	case "LAST":
		return func(r *follow.Row) int64 { return -int64(r.LastAt()) }
	case "NODE":
		place := make(map[string]int64)
		for _, r := range rows {
			place[r.Node] = 0
		}
		for i, node := range slices.Sorted(maps.Keys(place)) {
			place[node] = int64(i)
		}
		return func(r *follow.Row) int64 { return place[r.Node] }
	}
	return nil
}

// worst are the states, those that need attention first.
var worst = []contract.State{
	contract.Failed, contract.Unplaced, contract.Unknown, contract.Blocked, contract.Running, contract.Waiting, contract.Paused, contract.Finished,
}

// ranked puts rows that are in order of their names in that of a rank. It looks at
// each row once, since there may be very many.
func ranked(rows []*follow.Row, rank func(*follow.Row) int64) []*follow.Row {
	type placed struct {
		rank int64
		at   int
	}
	all := make([]placed, len(rows))
	for i, r := range rows {
		all[i] = placed{rank(r), i}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Or(cmp.Compare(a.rank, b.rank), a.at-b.at) })
	sorted := make([]*follow.Row, len(rows))
	for i := range all {
		sorted[i] = rows[all[i].at]
	}
	return sorted
}

// settle keeps the cursor on the task that it was on.
func (t List) settle(rows []*follow.Row, height int) List {
	t.cursor = Settle(t.cursor, t.chosen, rows, height)
	return t
}

// Settle puts a cursor on the task of a key, if it is there.
func Settle(c widget.Cursor, on task.Key, rows []*follow.Row, height int) widget.Cursor {
	if c.At >= len(rows) || rows[c.At].Key != on {
		if at := slices.IndexFunc(rows, func(r *follow.Row) bool { return r.Key == on }); at >= 0 {
			c.At = at
		}
	}
	return c.Within(len(rows), height)
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

func (t List) choose(rows []*follow.Row) List {
	if t.cursor.At < len(rows) {
		t.chosen = rows[t.cursor.At].Key
	}
	return t
}

// act does something to the task under the cursor, or to those that are marked.
func (t List) act(s *screen.Scene, rows []*follow.Row, in intent.Intent) (screen.Screen, screen.Effect) {
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
				all[v.Key] = true
			}
		}
		return t.mark(all), nil
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

// aim is what the tasks depend on that keys act on.
type aim struct {
	picture *follow.Picture
	marks   int
	chosen  task.Key
}

// targets are the marked tasks that are still there, or the one under the cursor.
func (t List) targets(s *screen.Scene) []*follow.Row {
	return t.aimed.Of(aim{s.Picture, t.marks, t.chosen}, func() []*follow.Row {
		var found []*follow.Row
		if len(t.marked) > 0 {
			for _, r := range s.Picture.Tasks {
				if t.marked[r.Key] {
					found = append(found, r)
				}
			}
		}
		if len(found) == 0 {
			if r, ok := s.Picture.Row(t.chosen); ok {
				found = append(found, r)
			}
		}
		return found
	})
}

// mark marks these in the place of those that are.
func (t List) mark(these map[task.Key]bool) List {
	t.marked, t.marks = these, t.marks+1
	return t
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
	return t.mark(marked)
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
