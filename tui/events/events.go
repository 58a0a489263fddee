// Package events holds the screen of what needs attention and what happened.
package events

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// levels are what events are chosen by.
var levels = []string{"all", "warnings and errors", "errors"}

// Screen shows what needs attention, and what happened.
type Screen struct {
	cursor widget.Cursor
	filter screen.Filter
	level  int
	stands *screen.Memo[*control.Picture, []alert]
}

// New makes the screen.
func New() Screen { return Screen{stands: new(screen.Memo[*control.Picture, []alert])} }

// Title is "Events".
func (Screen) Title() string { return "Events and alerts" }

// Scopes of its keys.
func (e Screen) Scopes() []intent.Scope { return e.filter.Scopes(intent.Events, intent.List) }

// alert is something that stands and needs attention.
type alert struct {
	role theme.Role
	what string
	why  string
	key  task.Key // of a task; empty: of something else
}

// maxAlerts bounds the alerts that are shown.
const maxAlerts = 6

// alerts are what stands, the worst first.
func (e Screen) alerts(s *screen.Scene) []alert {
	return e.stands.Of(s.Picture, func() []alert { return standing(s) })
}

func standing(s *screen.Scene) []alert {
	var all []alert
	for _, n := range s.Picture.Nodes {
		switch n.State {
		case control.NodeHealthy, control.NodeJoining, control.NodeDrained:
		case control.NodeDraining, control.NodeStopping:
			all = append(all, alert{theme.Warn, "node " + n.Name + " " + string(n.State), n.Reason, task.Key{}})
		default:
			all = append(all, alert{theme.Bad, "node " + n.Name + " " + string(n.State), n.Reason, task.Key{}})
		}
	}
	if w := s.Picture.Cluster.Waiting; w != "" {
		all = append(all, alert{theme.Warn, "cluster", w, task.Key{}})
	}
	for _, v := range s.Picture.Services {
		if v.Error != "" {
			all = append(all, alert{theme.Bad, "service " + v.Name + " " + v.Status, v.Error, task.Key{}})
		}
	}
	for i := range s.Picture.Tasks {
		t := &s.Picture.Tasks[i]
		switch t.State {
		case control.Failed:
			all = append(all, alert{theme.Bad, "task " + t.Name + " " + string(t.State), t.Reason, screen.KeyOf(*t)})
		case control.Unplaced, control.Unknown, control.Blocked:
			all = append(all, alert{theme.Warn, "task " + t.Name + " " + string(t.State), t.Reason, screen.KeyOf(*t)})
		}
	}
	// What several nodes say alike is told once.
	all = slices.CompactFunc(all, func(a, b alert) bool { return a == b })
	slices.SortStableFunc(all, func(a, b alert) int { return int(b.role) - int(a.role) })
	return all
}

func (e Screen) rows(s *screen.Scene) []control.EventView {
	terms := e.filter.Terms()
	var rows []control.EventView
	for i := len(s.Picture.Events) - 1; i >= 0; i-- {
		ev := s.Picture.Events[i]
		if e.level > 0 && ev.Level == "info" || e.level > 1 && ev.Level != "error" {
			continue
		}
		if terms.Match([2]string{"level", ev.Level}, [2]string{"code", ev.Code}, [2]string{"object", ev.Object}, [2]string{"text", ev.Text}, [2]string{"node", ev.Node}) {
			rows = append(rows, ev)
		}
	}
	return rows
}

func (e Screen) seen(s *screen.Scene) int {
	n := s.Height - 3 - min(maxAlerts+1, max(1, len(e.alerts(s))))
	return max(1, n)
}

// Update answers an intent.
func (e Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if f, ok := e.filter.Update(in); ok {
		e.filter = f
		return e, nil
	}
	rows := e.rows(s)
	if c, ok := e.cursor.Move(in, len(rows), e.seen(s)); ok {
		e.cursor = c
		return e, nil
	}
	at := e.cursor.Within(len(rows), e.seen(s)).At
	switch in.Action {
	case intent.Back:
		return e, screen.Close{}
	case intent.Level:
		e.level = (e.level + 1) % len(levels)
	case intent.Open:
		if key, ok := e.about(s, rows, at); ok {
			return e, screen.Show{Screen: tasks.NewDetail(key)}
		}
	case intent.Copy:
		if at < len(rows) {
			return e, screen.Copy{Text: rows[at].Text}
		}
	}
	return e, nil
}

// about is the task that an event is about.
func (e Screen) about(s *screen.Scene, rows []control.EventView, at int) (task.Key, bool) {
	if at >= len(rows) {
		return task.Key{}, false
	}
	_, name, _ := strings.Cut(rows[at].Object, "/")
	for _, object := range []string{rows[at].Object, name} {
		if object == "" {
			continue
		}
		parts := strings.Split(object, "/")
		i := slices.IndexFunc(s.Picture.Tasks, func(t control.TaskView) bool { return t.Name == parts[len(parts)-1] })
		if i >= 0 {
			return screen.KeyOf(s.Picture.Tasks[i]), true
		}
	}
	return task.Key{}, false
}

// Why says why an action does nothing now.
func (e Screen) Why(s *screen.Scene, a intent.Action) string {
	rows := e.rows(s)
	at := e.cursor.Within(len(rows), e.seen(s)).At
	switch a {
	case intent.Open:
		if _, ok := e.about(s, rows, at); !ok {
			return "it is about no task that is there"
		}
	case intent.Copy:
		if at >= len(rows) {
			return "there is no event"
		}
	case intent.Command:
		return "an event has no command; belfry events shows them"
	}
	return ""
}

// View draws the screen.
func (e Screen) View(s *screen.Scene) []string {
	alerts := e.alerts(s)
	if len(s.Picture.Events) == 0 && len(alerts) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "Nothing needs attention, and nothing has happened yet."), "",
			"Deployments, failed runs, messages and lost sessions are told here.",
		)
	}
	var lines []string
	if len(alerts) == 0 {
		lines = append(lines, s.Line(theme.Good, s.Theme.Glyphs.OK+" nothing needs attention"))
	}
	for i, a := range alerts {
		if i == maxAlerts {
			lines = append(lines, s.Line(theme.Faint, fmt.Sprintf("and %d more; %s shows the tasks, s sorts them by state", len(alerts)-i, "1")))
			break
		}
		glyph := "!"
		if a.role == theme.Bad {
			glyph = s.Theme.Glyphs.Bad
		}
		lines = append(lines, s.Fit(s.Draw(a.role, glyph+" "+widget.Clean(a.what))+"  "+s.Draw(theme.Faint, widget.Clean(a.why))))
	}
	rows := e.rows(s)
	lines = append(lines, s.Rule("events: "+levels[e.level]))
	if l := e.filter.View(s, len(rows), len(s.Picture.Events)); l != "" {
		lines = append(lines, l)
	}
	if len(rows) == 0 {
		return append(lines, "", "None of these. "+s.Key("v")+" changes the level, "+s.Key("esc")+" takes the filter off.")
	}
	table := widget.Table{
		Columns: []widget.Column{
			{Title: "TIME, UTC", Width: 15},
			{Title: "LEVEL", Width: 5},
			{Title: "CODE", Width: 16, Drop: 2, Grow: 1, Most: 26},
			{Title: "ABOUT", Width: 14, Grow: 1, Most: 30, Drop: 1},
			{Title: "NODE", Width: 6, Drop: 3},
			{Title: "WHAT", Width: 20, Grow: 4},
		},
		Len: len(rows), Cursor: e.cursor,
		Row: func(i int) []widget.Cell {
			ev := rows[i]
			role := theme.Plain
			switch ev.Level {
			case "error":
				role = theme.Bad
			case "warn":
				role = theme.Warn
			}
			return []widget.Cell{
				{Text: ev.Time.UTC().Format("02 Jan 15:04:05"), Role: theme.Faint}, {Text: ev.Level, Role: role}, {Text: ev.Code}, {Text: ev.Object}, {Text: ev.Node}, {Text: ev.Text},
			}
		},
	}
	return append(lines, table.View(s.Theme, s.Width, max(2, s.Height-len(lines)))...)
}
