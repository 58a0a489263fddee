// Package events holds the screen of what needs attention and what happened.
package events

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// levels are what events are chosen by.
var levels = []string{"all", "warnings and errors", "errors"}

// Screen shows what needs attention, and what happened.
type Screen struct {
	cursor   widget.Cursor // of events
	alert    widget.Cursor
	onAlerts bool
	filter   screen.Filter
	level    int
	stands   *screen.Memo[*follow.Picture, []alert]
}

// New makes the screen.
func New() Screen { return Screen{stands: new(screen.Memo[*follow.Picture, []alert])} }

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
	// place is where it is seen, if it is of no task.
	place intent.Action
}

// alerts are what stands, the worst first.
func (e Screen) alerts(s *screen.Scene) []alert {
	return e.stands.Of(s.Picture, func() []alert { return standing(s) })
}

func standing(s *screen.Scene) []alert {
	var all []alert
	for _, n := range s.Picture.Nodes {
		switch n.State {
		case contract.NodeHealthy, contract.NodeJoining, contract.NodeDrained:
		case contract.NodeDraining, contract.NodeStopping:
			all = append(all, alert{theme.Warn, "node " + n.Name + " " + string(n.State), n.Reason, task.Key{}, intent.GoCluster})
		default:
			all = append(all, alert{theme.Bad, "node " + n.Name + " " + string(n.State), n.Reason, task.Key{}, intent.GoCluster})
		}
	}
	if w := s.Picture.Cluster.Waiting; w != "" {
		all = append(all, alert{theme.Warn, "cluster", w, task.Key{}, intent.GoCluster})
	}
	for _, v := range s.Picture.Services {
		if v.Error != "" {
			all = append(all, alert{theme.Bad, "service " + v.Name + " " + v.Status, v.Error, task.Key{}, intent.GoServices})
		}
	}
	all = append(all, troubled(s.Picture)...)
	// What several nodes say alike is told once.
	all = slices.CompactFunc(all, func(a, b alert) bool { return a == b })
	slices.SortStableFunc(all, func(a, b alert) int { return int(b.role) - int(a.role) })
	return all
}

// maxAlerts bounds the tasks that are told one by one of those in one state.
const maxAlerts = 200

// troubled are the tasks that need attention, those of one state together.
func troubled(p *follow.Picture) []alert {
	told := make(map[contract.State]int)
	var all []alert
	for _, t := range p.Tasks {
		role := theme.Warn
		switch t.State {
		case contract.Failed:
			role = theme.Bad
		case contract.Unplaced, contract.Unknown, contract.Blocked:
		default:
			continue
		}
		if told[t.State]++; told[t.State] <= maxAlerts {
			all = append(all, alert{role, "task " + t.Name + " " + string(t.State), t.Reason, t.Key, intent.None})
		}
	}
	for _, state := range contract.States() {
		if n := told[state]; n > maxAlerts {
			role := theme.Warn
			if state == contract.Failed {
				role = theme.Bad
			}
			all = append(all, alert{role, screen.Count(n-maxAlerts, "more task") + " " + string(state), "state=" + string(state) + " filters the list of tasks by it", task.Key{}, intent.GoTasks})
		}
	}
	return all
}

func (e Screen) rows(s *screen.Scene) []contract.EventView {
	terms := e.filter.Terms()
	var rows []contract.EventView
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

// alertsSeen is how many alerts are seen at once.
func (e Screen) alertsSeen(s *screen.Scene) int {
	return max(1, min(len(e.alerts(s)), s.Height/3))
}

// seen is how many events are.
func (e Screen) seen(s *screen.Scene) int {
	return max(1, s.Height-e.first(s)-footHeight)
}

// first is the line of the first event.
func (e Screen) first(s *screen.Scene) int {
	n := e.alertsSeen(s) + 2 // and a rule and the head of the table
	if e.filter.Shown() {
		n++
	}
	return n
}

// footHeight is how many lines tell all of the line under the cursor.
const footHeight = 3

// Update answers an intent.
func (e Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if f, ok := e.filter.Update(in); ok {
		e.filter, e.onAlerts = f, false
		return e, nil
	}
	rows, alerts := e.rows(s), e.alerts(s)
	e.onAlerts = e.onAlerts && len(alerts) > 0
	if e.onAlerts {
		if c, ok := e.alert.Move(in, len(alerts), e.alertsSeen(s)); ok {
			e.alert = c
			return e, nil
		}
	} else if c, ok := e.cursor.Move(in, len(rows), e.seen(s)); ok {
		e.cursor = c
		return e, nil
	}
	switch in.Action {
	case intent.Back:
		return e, screen.Close{}
	case intent.Forward, intent.Backward:
		e.onAlerts = !e.onAlerts && len(alerts) > 0
	case intent.Level:
		e.level = (e.level + 1) % len(levels)
	case intent.Open:
		return e, e.open(s, rows)
	case intent.Copy:
		if text := e.text(s, rows); text != "" {
			return e, screen.Copy{Text: text}
		}
	case intent.Click:
		return e.click(s, in), nil
	}
	return e, nil
}

// click chooses a line.
func (e Screen) click(s *screen.Scene, in intent.Intent) Screen {
	top := e.first(s)
	switch {
	case in.Row < e.alertsSeen(s) && len(e.alerts(s)) > 0:
		e.onAlerts, e.alert.At = true, e.alert.Top+in.Row
	case in.Row >= top && in.Row < top+e.seen(s):
		e.onAlerts, e.cursor.At = false, e.cursor.Top+in.Row-top
	}
	return e
}

// open goes to what the line under the cursor is about.
func (e Screen) open(s *screen.Scene, rows []contract.EventView) screen.Effect {
	if alerts := e.alerts(s); e.onAlerts && len(alerts) > 0 {
		a := alerts[e.alert.Within(len(alerts), e.alertsSeen(s)).At]
		if a.place != intent.None {
			return screen.Again{Action: a.place}
		}
		return screen.Show{Screen: tasks.NewDetail(a.key)}
	}
	if key, ok := e.about(s, rows, e.cursor.Within(len(rows), e.seen(s)).At); ok {
		return screen.Show{Screen: tasks.NewDetail(key)}
	}
	return nil
}

// text is that of the line under the cursor.
func (e Screen) text(s *screen.Scene, rows []contract.EventView) string {
	if alerts := e.alerts(s); e.onAlerts && len(alerts) > 0 {
		a := alerts[e.alert.Within(len(alerts), e.alertsSeen(s)).At]
		return strings.TrimSpace(a.what + "  " + a.why)
	}
	if at := e.cursor.Within(len(rows), e.seen(s)).At; at < len(rows) {
		return rows[at].Text
	}
	return ""
}

// about is the task that an event is about.
func (e Screen) about(s *screen.Scene, rows []contract.EventView, at int) (task.Key, bool) {
	if at >= len(rows) {
		return task.Key{}, false
	}
	_, name, _ := strings.Cut(rows[at].Object, "/")
	for _, object := range []string{rows[at].Object, name} {
		if object == "" {
			continue
		}
		parts := strings.Split(object, "/")
		if r, ok := s.Picture.Named(parts[len(parts)-1]); ok {
			return r.Key, true
		}
	}
	return task.Key{}, false
}

// Why says why an action does nothing now.
func (e Screen) Why(s *screen.Scene, a intent.Action) string {
	rows := e.rows(s)
	switch a {
	case intent.Open:
		if e.open(s, rows) == nil {
			return "it is about no task that is there"
		}
	case intent.Copy:
		if e.text(s, rows) == "" {
			return "there is no event"
		}
	case intent.Forward:
		if len(e.alerts(s)) == 0 {
			return "nothing needs attention"
		}
	}
	return ""
}

// Label tells to which part a key goes.
func (e Screen) Label(_ *screen.Scene, b intent.Binding) string {
	if b.Action == intent.Forward && e.onAlerts {
		return "events"
	}
	return b.Label
}

// Commands show the same as text.
func (e Screen) Commands(*screen.Scene) []screen.Command {
	return []screen.Command{
		{Action: intent.GoEvents, Label: "events", Lines: []string{order.Line("events -f")}},
		{Action: intent.GoEvents, Label: "alerts", Lines: []string{order.Line("doctor")}},
	}
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
	at := e.alert.Within(len(alerts), e.alertsSeen(s))
	for i := at.Top; i < min(len(alerts), at.Top+e.alertsSeen(s)); i++ {
		lines = append(lines, e.alertLine(s, alerts[i], e.onAlerts && i == at.At))
	}
	rows := e.rows(s)
	lines = append(lines, s.Rule(e.title(s, len(alerts), at.Top)))
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
			{Title: "CODE", Width: 13, Drop: 1, Grow: 1, Most: 26},
			{Title: "ABOUT", Width: 14, Grow: 1, Most: 30},
			{Title: "NODE", Width: 6, Drop: 3},
			{Title: "WHAT", Width: 16, Grow: 4},
		},
		Len: len(rows), Cursor: e.cursor, Idle: e.onAlerts || e.filter.Typing(),
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
	lines = append(lines, table.View(s.Theme, s.Width, e.seen(s)+1)...)
	for len(lines) < s.Height-footHeight {
		lines = append(lines, "")
	}
	return append(lines, e.foot(s, rows)...)
}

// foot tells all of the line under the cursor.
func (e Screen) foot(s *screen.Scene, rows []contract.EventView) []string {
	text := e.text(s, rows)
	if at := e.cursor.Within(len(rows), e.seen(s)).At; !e.onAlerts && at < len(rows) {
		ev := rows[at]
		text = ev.Code + " " + ev.Object
		if ev.Node != "" {
			text += " on " + ev.Node
		}
		text += ": " + ev.Text
	}
	lines := []string{s.Rule("")}
	for _, l := range widget.Wrap(text, s.Width) {
		lines = append(lines, s.Draw(theme.Faint, l))
	}
	return lines[:min(len(lines), footHeight)]
}

// alertLine draws an alert.
func (e Screen) alertLine(s *screen.Scene, a alert, here bool) string {
	glyph := "!"
	if a.role == theme.Bad {
		glyph = s.Theme.Glyphs.Bad
	}
	what, why := glyph+" "+widget.Clean(a.what), widget.Clean(a.why)
	if here {
		return s.Draw(theme.Selected, widget.Fit(s.Theme.Glyphs.Cursor+" "+what+"  "+why, s.Width, s.Theme.Glyphs.Ellipsis))
	}
	return s.Fit("  " + s.Draw(a.role, what) + "  " + s.Draw(theme.Faint, why))
}

// title is that of the events, and tells which of the alerts are above.
func (e Screen) title(s *screen.Scene, alerts, top int) string {
	text := "events: " + levels[e.level]
	if seen := e.alertsSeen(s); alerts > seen {
		text = fmt.Sprintf("alerts %d to %d of %d above, ", top+1, top+seen, alerts) + text
	}
	return text
}
