package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// levels are what events are chosen by.
var levels = []string{"all", "warnings and errors", "errors"}

// Events shows what needs attention, and what happened.
type Events struct {
	cursor widget.Cursor
	filter filter
	level  int
}

// NewEvents makes the screen.
func NewEvents() Events { return Events{} }

// Title is "Events".
func (Events) Title() string { return "Events and alerts" }

// Scopes of its keys.
func (e Events) Scopes() []intent.Scope { return e.filter.scopes(intent.Events, intent.List) }

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
func alerts(s *Scene) []alert {
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
			all = append(all, alert{theme.Bad, "task " + t.Name + " " + string(t.State), t.Reason, keyOf(*t)})
		case control.Unplaced, control.Unknown, control.Blocked:
			all = append(all, alert{theme.Warn, "task " + t.Name + " " + string(t.State), t.Reason, keyOf(*t)})
		}
	}
	// What several nodes say alike is told once.
	all = slices.CompactFunc(all, func(a, b alert) bool { return a == b })
	slices.SortStableFunc(all, func(a, b alert) int { return int(b.role) - int(a.role) })
	return all
}

func (e Events) rows(s *Scene) []control.EventView {
	terms := e.filter.terms()
	var rows []control.EventView
	for i := len(s.Picture.Events) - 1; i >= 0; i-- {
		ev := s.Picture.Events[i]
		if e.level > 0 && ev.Level == "info" || e.level > 1 && ev.Level != "error" {
			continue
		}
		if terms.match([2]string{"level", ev.Level}, [2]string{"code", ev.Code}, [2]string{"object", ev.Object}, [2]string{"text", ev.Text}, [2]string{"node", ev.Node}) {
			rows = append(rows, ev)
		}
	}
	return rows
}

func (e Events) seen(s *Scene) int {
	n := s.Height - 3 - min(maxAlerts+1, max(1, len(alerts(s))))
	return max(1, n)
}

// Update answers an intent.
func (e Events) Update(s *Scene, in intent.Intent) (Screen, Effect) {
	if f, ok := e.filter.update(in); ok {
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
		return e, Close{}
	case intent.Level:
		e.level = (e.level + 1) % len(levels)
	case intent.Open:
		if key, ok := e.about(s, rows, at); ok {
			return e, Show{NewTask(key)}
		}
	case intent.Copy:
		if at < len(rows) {
			return e, Copy{rows[at].Text}
		}
	}
	return e, nil
}

// about is the task that an event is about.
func (e Events) about(s *Scene, rows []control.EventView, at int) (task.Key, bool) {
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
			return keyOf(s.Picture.Tasks[i]), true
		}
	}
	return task.Key{}, false
}

// Why says why an action does nothing now.
func (e Events) Why(s *Scene, a intent.Action) string {
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
func (e Events) View(s *Scene) []string {
	standing := alerts(s)
	if len(s.Picture.Events) == 0 && len(standing) == 0 {
		return s.nothing(
			s.role(theme.Title, "Nothing needs attention, and nothing has happened yet."), "",
			"Deployments, failed runs, messages and lost sessions are told here.",
		)
	}
	var lines []string
	if len(standing) == 0 {
		lines = append(lines, s.line(theme.Good, s.Theme.Glyphs.OK+" nothing needs attention"))
	}
	for i, a := range standing {
		if i == maxAlerts {
			lines = append(lines, s.line(theme.Faint, fmt.Sprintf("and %d more; %s shows the tasks, s sorts them by state", len(standing)-i, "1")))
			break
		}
		glyph := "!"
		if a.role == theme.Bad {
			glyph = s.Theme.Glyphs.Bad
		}
		lines = append(lines, s.fit(s.role(a.role, glyph+" "+widget.Clean(a.what))+"  "+s.role(theme.Faint, widget.Clean(a.why))))
	}
	rows := e.rows(s)
	lines = append(lines, s.rule("events: "+levels[e.level]))
	if l := e.filter.view(s, len(rows), len(s.Picture.Events)); l != "" {
		lines = append(lines, l)
	}
	if len(rows) == 0 {
		return append(lines, "", "None of these. "+s.key("v")+" changes the level, "+s.key("esc")+" takes the filter off.")
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
