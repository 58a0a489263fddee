package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Loss shows what would happen if hosts died now, as the leader works it out by
// the code by which it places.
type Loss struct {
	lost    []string // sorted; never changed in place
	answer  ask.Answer
	node    widget.Cursor
	task    widget.Cursor
	onTasks bool
}

// NewLoss makes the screen of the loss of a host.
func NewLoss(node string) Loss { return Loss{lost: []string{node}} }

// Title is what is lost.
func (l Loss) Title() string { return "Cluster › loss of " + strings.Join(l.lost, ", ") }

// Scopes of its keys.
func (Loss) Scopes() []intent.Scope { return []intent.Scope{intent.Loss, intent.List} }

// Question is what it wants to know.
func (l Loss) Question() ask.Question { return ask.Question{Kind: ask.Loss, Nodes: l.lost} }

// Hear takes the answer.
func (l Loss) Hear(a ask.Answer) screen.Screen {
	l.answer = a
	return l
}

// nodes are those of the answer that are, or would be, there; before it comes,
// those of the picture.
func (l Loss) nodes(s *screen.Scene) []string {
	var names []string
	for _, n := range s.Picture.Nodes {
		if n.Member != "" {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nodesSeen is how many hosts are listed at once.
func (l Loss) nodesSeen(s *screen.Scene) int {
	return max(1, min(len(l.nodes(s)), s.Height/3))
}

func (l Loss) tasksSeen(s *screen.Scene) int {
	return max(1, s.Height-l.nodesSeen(s)-5)
}

// Update answers an intent.
func (l Loss) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	nodes, moved := l.nodes(s), l.answer.Loss.Moved
	if l.onTasks {
		if c, ok := l.task.Move(in, len(moved), l.tasksSeen(s)); ok {
			l.task = c
			return l, nil
		}
	} else if c, ok := l.node.Move(in, len(nodes), l.nodesSeen(s)); ok {
		l.node = c
		return l, nil
	}
	switch in.Action {
	case intent.Back:
		return l, screen.Close{}
	case intent.Forward, intent.Backward:
		l.onTasks = !l.onTasks && len(moved) > 0
	case intent.Refresh:
		l.answer = ask.Answer{}
		return l, screen.Ask{Question: l.Question()}
	case intent.Mark:
		if l.Why(s, intent.Mark) != "" {
			return l, nil
		}
		l.lost = toggled(l.lost, nodes[l.node.Within(len(nodes), l.nodesSeen(s)).At])
		l.answer, l.task, l.onTasks = ask.Answer{}, widget.Cursor{}, false
		return l, screen.Ask{Question: l.Question()}
	case intent.Open:
		if at := l.task.Within(len(moved), l.tasksSeen(s)).At; l.Why(s, intent.Open) == "" {
			m := moved[at]
			return l, screen.Show{Screen: tasks.NewDetail(task.Key{Tenant: m.Tenant, Type: m.Type, Name: m.Task})}
		}
	case intent.Copy:
		return l, screen.Copy{Text: l.Question().Command()}
	case intent.Click:
		if at := in.Row - 3 + l.node.Top; in.Row >= 3 && in.Row < 3+l.nodesSeen(s) && at < len(nodes) {
			l.node.At, l.onTasks = at, false
		}
	}
	return l, nil
}

func toggled(names []string, name string) []string {
	if i := slices.Index(names, name); i >= 0 {
		return slices.Delete(slices.Clone(names), i, i+1)
	}
	names = append(slices.Clone(names), name)
	slices.Sort(names)
	return names
}

// Why says why an action does nothing now.
func (l Loss) Why(s *screen.Scene, a intent.Action) string {
	nodes := l.nodes(s)
	switch a {
	case intent.Mark:
		switch {
		case len(nodes) == 0:
			return "there is no host"
		case slices.Equal(l.lost, []string{nodes[l.node.Within(len(nodes), l.nodesSeen(s)).At]}):
			return "it is about the loss of one at least"
		}
	case intent.Forward:
		if len(l.answer.Loss.Moved) == 0 {
			return "no task would move"
		}
	case intent.Open:
		if !l.onTasks || len(l.answer.Loss.Moved) == 0 {
			return "no task is chosen; tab goes to those that would move"
		}
	}
	return ""
}

// Commands is the question.
func (l Loss) Commands(*screen.Scene) []screen.Command {
	return []screen.Command{{Action: intent.Refresh, Label: "simulate", Lines: []string{l.Question().Command()}}}
}

// View draws the screen.
func (l Loss) View(s *screen.Scene) []string {
	nodes := l.nodes(s)
	if len(nodes) == 0 {
		return s.Nothing(s.Draw(theme.Title, "No host is there that could be lost."), "", s.Key("esc")+" goes back.")
	}
	lines := l.head(s)
	lines = append(lines, l.loads(s, nodes)...)
	if waits := s.Waits(l.answer); waits != nil {
		return append(append(lines, s.Rule("")), waits...)
	}
	return append(lines, l.tasks(s)...)
}

// head sums up.
func (l Loss) head(s *screen.Scene) []string {
	a := l.answer.Loss
	if l.answer.At.IsZero() || l.answer.Err != nil {
		return []string{s.Line(theme.Title, "If "+strings.Join(l.lost, ", ")+" died now"), ""}
	}
	text, role := s.Theme.Glyphs.OK+" nothing would be late, cut or without a place", theme.Good
	if a.Unplaced+a.Late+a.Interrupted > 0 {
		text, role = fmt.Sprintf("! %s without a place, %d late, %s cut", screen.Count(a.Unplaced, "task"), a.Late, screen.Count(a.Interrupted, "run")), theme.Warn
	}
	second := fmt.Sprintf("%d of %s would move; noticed within %s", len(a.Moved), screen.Count(a.Tasks, "task"), time.Duration(a.WithinMS)*time.Millisecond)
	switch {
	case a.Waiting != "":
		second = a.Waiting
	case a.LeaderLost:
		second += "; the leader is among them: another is elected first"
	}
	return []string{widget.Spread(s.Draw(role, text), s.Age(l.answer), s.Width, s.Theme.Glyphs.Ellipsis), s.Line(theme.Faint, second)}
}

// loads draws the tasks of each host before and after.
func (l Loss) loads(s *screen.Scene, nodes []string) []string {
	most := 1
	loads := make(map[string]control.LoadView)
	for _, n := range l.answer.Loss.Nodes {
		loads[n.Node] = n
		most = max(most, n.Before, n.After)
	}
	const barWidth = 20
	bar := func(n int) string {
		return strings.Repeat(s.Theme.Glyphs.Block, (n*barWidth+most-1)/most)
	}
	return widget.Table{
		Columns: []widget.Column{
			{Title: "NODE", Width: 10, Grow: 1, Most: 24},
			{Title: "IN THIS", Width: 10},
			{Title: "TASKS NOW", Width: 9, Right: true},
			{Title: "", Width: barWidth, Drop: 2},
			{Title: "THEN", Width: 7, Right: true},
			{Title: "", Width: barWidth, Drop: 1},
		},
		Len: len(nodes), Cursor: l.node, Idle: l.onTasks,
		Row: func(i int) []widget.Cell {
			n, known := loads[nodes[i]]
			state, role := s.Theme.Glyphs.OK+" stays", theme.Good
			if slices.Contains(l.lost, nodes[i]) {
				state, role = s.Theme.Glyphs.Bad+" lost", theme.Bad
			}
			before, after := "", ""
			if known {
				before, after = strconv.Itoa(n.Before), strconv.Itoa(n.After)
			}
			return []widget.Cell{{Text: nodes[i]}, {Text: state, Role: role}, {Text: before}, {Text: bar(n.Before), Role: theme.Faint}, {Text: after}, {Text: bar(n.After), Role: role}}
		},
	}.View(s.Theme, s.Width, l.nodesSeen(s)+1)
}

// tasks lists those that would move.
func (l Loss) tasks(s *screen.Scene) []string {
	moved := l.answer.Loss.Moved
	lines := []string{s.Rule("tasks that would move")}
	if len(moved) == 0 {
		return append(lines, s.Line(theme.Faint, "none: each stays where it is"))
	}
	table := widget.Table{
		Columns: []widget.Column{
			{Title: "TASK", Width: 16, Grow: 2, Most: 44},
			{Title: "FROM", Width: 6, Grow: 1, Most: 16},
			{Title: "TO", Width: 6, Grow: 1, Most: 16},
			{Title: "NEXT", Width: 7, Right: true},
			{Title: "WHAT IT COSTS", Width: 18, Grow: 3},
		},
		Len: len(moved), Cursor: l.task, Idle: !l.onTasks,
		Row: func(i int) []widget.Cell {
			m := moved[i]
			var costs []string
			if m.Running {
				costs = append(costs, "its run is cut")
			}
			if m.Late {
				costs = append(costs, "it is late")
			}
			if m.To == "" {
				costs = append(costs, "it has no place: "+m.Why)
			}
			cost, role := "nothing", theme.Faint
			if len(costs) > 0 {
				cost, role = strings.Join(costs, ", "), theme.Warn
			}
			return []widget.Cell{{Text: m.Task}, {Text: screen.OrDash(m.From)}, {Text: screen.OrDash(m.To)}, {Text: s.In(m.Next)}, {Text: cost, Role: role}}
		},
	}
	return append(lines, table.View(s.Theme, s.Width, l.tasksSeen(s)+1)...)
}
