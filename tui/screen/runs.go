package screen

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// runTable draws runs.
func runTable(s *Scene, runs []control.RunView, c widget.Cursor, named bool, height int) []string {
	if len(runs) == 0 {
		return []string{"", "It has not fired yet. " + s.key("t") + " fires it once now."}
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

func runRow(s *Scene, r control.RunView) []widget.Cell {
	glyph, word, role := s.outcome(r)
	late, took := "", ""
	if r.Started != nil {
		if d := r.Started.Sub(r.Scheduled); d > 0 {
			late = "+" + widget.Span(d)
		}
		took = widget.Span(length(s, r))
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
		{Text: orDash(r.Node)},
		{Text: what, Role: theme.Faint},
	}
}

// Runs lists the latest runs of all tasks.
type Runs struct {
	cursor widget.Cursor
	filter filter
	failed bool
}

// NewRuns makes the list.
func NewRuns() Runs { return Runs{} }

// Title is "Runs".
func (Runs) Title() string { return "Runs" }

// Scopes of its keys.
func (r Runs) Scopes() []intent.Scope { return r.filter.scopes(intent.Runs, intent.List) }

func (r Runs) rows(s *Scene) []control.RunView {
	terms := r.filter.terms()
	var rows []control.RunView
	for _, run := range s.Picture.Recent() {
		if r.failed && !troubled(run) {
			continue
		}
		if terms.match([2]string{"name", run.Task}, [2]string{"result", run.Outcome}, [2]string{"node", run.Node}, [2]string{"error", run.Error}, [2]string{"reason", run.Reason}) {
			rows = append(rows, run)
		}
	}
	return rows
}

func troubled(r control.RunView) bool {
	switch task.Outcome(r.Outcome) {
	case task.OK, task.Running, task.Skipped, task.Cancelled:
		return false
	}
	return true
}

// Update answers an intent.
func (r Runs) Update(s *Scene, in intent.Intent) (Screen, Effect) {
	if f, ok := r.filter.update(in); ok {
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
		return r, Close{}
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
		return r, Show{NewRun(here.FireID, task.Key{Tenant: here.Tenant, Type: here.Type, Name: here.Task})}
	case intent.Copy:
		return r, Copy{here.FireID}
	case intent.Cancel, intent.Command:
		o := order.Order{Verb: order.Cancel, FireID: here.FireID}
		if in.Action == intent.Command {
			return r, Explain{o}
		}
		return r, Place{o}
	}
	return r, nil
}

// Why says why an action does nothing now.
func (r Runs) Why(s *Scene, a intent.Action) string {
	rows := r.rows(s)
	at := r.cursor.Within(len(rows), s.Height-3).At
	switch a {
	case intent.Open, intent.Copy, intent.Cancel, intent.Command:
		if at >= len(rows) {
			return "there is no run"
		}
		if a == intent.Cancel && rows[at].Outcome != string(task.Running) {
			return "the run has ended"
		}
	}
	return ""
}

// View draws the list.
func (r Runs) View(s *Scene) []string {
	rows := r.rows(s)
	all := s.Picture.Recent()
	if len(all) == 0 {
		return s.nothing(
			s.role(theme.Title, "Nothing has run yet."), "",
			"Runs appear here when tasks fire. "+s.key("1")+" shows the tasks; there, "+s.key("t")+" fires one at once.",
		)
	}
	what := fmt.Sprintf("the latest %d runs of all tasks", len(rows))
	if r.failed {
		what = fmt.Sprintf("%d that did not end well, of the latest %d", len(rows), len(all))
	}
	lines := []string{s.line(theme.Title, what)}
	if l := r.filter.view(s, len(rows), len(all)); l != "" {
		lines = append(lines, l)
	} else {
		lines = append(lines, s.rule(""))
	}
	if len(rows) == 0 {
		return append(lines, "", "None. "+s.key("v")+" shows all, "+s.key("esc")+" takes the filter off.")
	}
	return append(lines, runTable(s, rows, r.cursor.Within(len(rows), s.Height-3), true, s.Height-2)...)
}

// Run shows one firing: every attempt at it that is kept.
type Run struct {
	fireID string
	key    task.Key
	cursor widget.Cursor
}

// NewRun makes the screen of a firing of a task.
func NewRun(fireID string, key task.Key) Run { return Run{fireID: fireID, key: key.Normal()} }

// Title is where the firing belongs.
func (r Run) Title() string { return "Tasks › " + r.key.Name + " › run" }

// Scopes of its keys.
func (Run) Scopes() []intent.Scope { return []intent.Scope{intent.Firing, intent.Page, intent.List} }

func (r Run) attempts(s *Scene) []control.RunView {
	var found []control.RunView
	for _, run := range s.Picture.Runs(r.key) {
		if run.FireID == r.fireID {
			found = append(found, run)
		}
	}
	return found
}

// Update answers an intent.
func (r Run) Update(s *Scene, in intent.Intent) (Screen, Effect) {
	if c, ok := r.cursor.Move(in, len(r.View(s)), s.Height); ok {
		r.cursor = c
		return r, nil
	}
	switch in.Action {
	case intent.Open, intent.Back:
		return r, Close{}
	case intent.Copy:
		return r, Copy{r.fireID}
	case intent.Cancel:
		return r, Place{order.Order{Verb: order.Cancel, FireID: r.fireID}}
	case intent.Command:
		return r, Explain{order.Order{Verb: order.Cancel, FireID: r.fireID}}
	}
	return r, nil
}

// Why says why an action does nothing now.
func (r Run) Why(s *Scene, a intent.Action) string {
	switch a {
	case intent.Cancel:
		if _, ok := going(r.attempts(s)); !ok {
			return "the run has ended"
		}
	}
	return ""
}

// View draws the firing.
func (r Run) View(s *Scene) []string {
	attempts := r.attempts(s)
	if len(attempts) == 0 {
		return s.nothing(s.role(theme.Title, "This run is not kept any more."), "", s.key("esc")+" goes back.")
	}
	var lines []string
	for i, a := range attempts {
		if i > 0 {
			lines = append(lines, s.rule(""))
		}
		glyph, word, role := s.outcome(a)
		lines = append(lines, s.fit(s.role(role, glyph+" "+word)+fmt.Sprintf("   attempt %d on %s", a.Attempt, orDash(widget.Clean(a.Node)))))
		add := func(name, value string) {
			if value == "" {
				return
			}
			for i, part := range widget.Wrap(value, max(10, s.Width-12)) {
				if i > 0 {
					name = ""
				}
				lines = append(lines, s.fit(s.role(theme.Faint, widget.Fit(name, 10, ""))+"  "+part))
			}
		}
		add("fire id", a.FireID)
		add("scheduled", a.Scheduled.Format(time.RFC3339Nano))
		if a.Started != nil {
			add("started", a.Started.Format(time.RFC3339Nano)+"  +"+widget.Span(a.Started.Sub(a.Scheduled)))
			add("took", widget.Span(length(s, a)))
		}
		if a.Ended != nil {
			add("ended", a.Ended.Format(time.RFC3339Nano))
		}
		if a.Skips > 1 {
			add("instants", fmt.Sprint(a.Skips))
		}
		add("reason", a.Reason)
		add("error", a.Error)
	}
	top := min(r.cursor.Top, max(0, len(lines)-s.Height))
	return lines[top:min(len(lines), top+s.Height)]
}
