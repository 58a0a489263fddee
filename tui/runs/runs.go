// Package runs holds the screens of runs: the latest of all tasks, and one firing
// with its attempts.
package runs

import (
	"fmt"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Table draws runs.
func Table(s *screen.Scene, runs []contract.RunView, c widget.Cursor, named bool, height int) []string {
	if len(runs) == 0 {
		return []string{"", "It has not fired yet. " + s.Key("t") + " fires it once now."}
	}
	columns := []widget.Column{
		{Title: "RESULT", Width: 16},
		{Title: "SCHEDULED, UTC", Width: 19},
		{Title: "LATE", Width: 7, Right: true, Drop: 3},
		{Title: "TOOK", Width: 7, Right: true},
		{Title: "TRY", Width: 3, Right: true, Drop: 4},
		{Title: "NODE", Width: 6, Grow: 1, Most: 14, Drop: 2},
		{Title: "WHAT", Width: 8, Grow: 4},
	}
	if named {
		columns = append([]widget.Column{{Title: "TASK", Width: 14, Grow: 2, Most: 40}}, columns...)
	}
	table := widget.Table{
		Columns: columns, Len: len(runs), Cursor: c,
		Row: func(i int) []widget.Cell {
			cells := runRow(s, runs[i])
			if named {
				cells = append([]widget.Cell{{Text: runs[i].Task}}, cells...)
			}
			return cells
		},
	}
	return table.View(s.Theme, s.Width, height)
}

func runRow(s *screen.Scene, r contract.RunView) []widget.Cell {
	glyph, word, role := s.Outcome(r)
	late, took := "", ""
	if r.Started != nil {
		if d := r.Started.Sub(r.Scheduled); d > 0 {
			late = "+" + widget.Span(d)
		}
		took = Took(Length(s, r))
	}
	what := r.Error
	if what == "" {
		what = r.Reason
	}
	if r.Skips > 1 {
		what = fmt.Sprintf("%d instants %s", r.Skips, what)
	}
	return []widget.Cell{
		{Text: glyph + " " + word, Role: role},
		{Text: r.Scheduled.UTC().Format("2006-01-02 15:04:05")},
		{Text: late},
		{Text: took},
		{Text: fmt.Sprint(r.Attempt)},
		{Text: screen.OrDash(r.Node)},
		{Text: what, Role: theme.Faint},
	}
}

// List lists the latest runs of all tasks.
type List struct {
	cursor widget.Cursor
	filter screen.Filter
	failed bool
	latest *screen.Memo[*follow.Picture, []contract.RunView]
}

// New makes the list.
func New() List { return List{latest: new(screen.Memo[*follow.Picture, []contract.RunView])} }

// Title is "Runs".
func (List) Title() string { return "Runs" }

// Scopes of its keys.
func (r List) Scopes() []intent.Scope { return r.filter.Scopes(intent.Runs, intent.List) }

// all are the runs that there are.
func (r List) all(s *screen.Scene) []contract.RunView {
	return r.latest.Of(s.Picture, s.Picture.Recent)
}

func (r List) rows(s *screen.Scene) []contract.RunView {
	terms := r.filter.Terms()
	var rows []contract.RunView
	for _, run := range r.all(s) {
		if r.failed && !troubled(run) {
			continue
		}
		if terms.Match([2]string{"name", run.Task}, [2]string{"result", run.Outcome}, [2]string{"node", run.Node}, [2]string{"error", run.Error}, [2]string{"reason", run.Reason}) {
			rows = append(rows, run)
		}
	}
	return rows
}

func troubled(r contract.RunView) bool {
	switch task.Outcome(r.Outcome) {
	case task.OK, task.Running, task.Skipped, task.Cancelled:
		return false
	}
	return true
}

// Update answers an intent.
func (r List) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if f, ok := r.filter.Update(in); ok {
		r.filter = f
		return r, nil
	}
	rows := r.rows(s)
	if c, ok := r.cursor.Move(in, len(rows), s.Height-3); ok {
		r.cursor = c
		return r, nil
	}
	r.cursor = r.cursor.Within(len(rows), s.Height-3)
	switch in.Action {
	case intent.Back:
		return r, screen.Close{}
	case intent.Level:
		r.failed = !r.failed
		return r, nil
	case intent.Click:
		if at := in.Row - 2 + r.cursor.Top; in.Row >= 2 && at < len(rows) {
			r.cursor.At = at
		}
		return r, nil
	}
	if r.cursor.At >= len(rows) {
		return r, nil
	}
	here := rows[r.cursor.At]
	switch in.Action {
	case intent.Open:
		return r, screen.Show{Screen: NewDetail(here.FireID, task.Key{Tenant: here.Tenant, Type: here.Type, Name: here.Task})}
	case intent.Copy:
		return r, screen.Copy{Text: here.FireID}
	case intent.Cancel:
		return r, screen.Place{Order: order.Order{Verb: order.Cancel, FireID: here.FireID}}
	}
	return r, nil
}

// Why says why an action does nothing now.
func (r List) Why(s *screen.Scene, a intent.Action) string {
	rows := r.rows(s)
	at := r.cursor.Within(len(rows), s.Height-3).At
	switch a {
	case intent.Open, intent.Copy, intent.Cancel:
		if at >= len(rows) {
			return "there is no run"
		}
		if a == intent.Cancel && rows[at].Outcome != string(task.Running) {
			return "the run has ended"
		}
	}
	return ""
}

// Commands are those of what the keys do to the run under the cursor.
func (r List) Commands(s *screen.Scene) []screen.Command {
	list := order.Line("run list")
	if r.failed {
		list = order.Line("run list --outcome failed")
	}
	all := []screen.Command{{Action: intent.GoRuns, Label: "list", Lines: []string{list}}}
	rows := r.rows(s)
	if at := r.cursor.Within(len(rows), s.Height-3).At; at < len(rows) {
		all = append(all, commands(rows[at].FireID, rows[at].Outcome == string(task.Running))...)
	}
	return all
}

// commands are those of what can be done with a run.
func commands(fireID string, goes bool) []screen.Command {
	all := []screen.Command{{Action: intent.Open, Label: "show", Lines: []string{order.Line("run show", order.Quote(fireID))}}}
	if goes {
		all = append(all, screen.Command{Action: intent.Cancel, Lines: order.Order{Verb: order.Cancel, FireID: fireID}.Commands()})
	}
	return all
}

// View draws the list.
func (r List) View(s *screen.Scene) []string {
	rows := r.rows(s)
	all := r.all(s)
	if len(all) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "Nothing has run yet."), "",
			"Runs appear here when tasks fire. "+s.Key("1")+" shows the tasks; there, "+s.Key("t")+" fires one at once.",
		)
	}
	what := fmt.Sprintf("the latest %d runs of all tasks", len(rows))
	if r.failed {
		what = fmt.Sprintf("%d that did not end well, of the latest %d", len(rows), len(all))
	}
	lines := []string{s.Line(theme.Title, what)}
	if l := r.filter.View(s, len(rows), len(all)); l != "" {
		lines = append(lines, l)
	} else {
		lines = append(lines, s.Rule(""))
	}
	if len(rows) == 0 {
		return append(lines, "", "None. "+s.Key("v")+" shows all, "+s.Key("esc")+" takes the filter off.")
	}
	return append(lines, Table(s, rows, r.cursor.Within(len(rows), s.Height-3), true, s.Height-2)...)
}
