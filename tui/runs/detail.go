package runs

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Detail shows one firing: every attempt at it that is kept.
type Detail struct {
	fireID string
	key    task.Key
	cursor widget.Cursor
}

// NewDetail makes the screen of a firing of a task.
func NewDetail(fireID string, key task.Key) Detail { return Detail{fireID: fireID, key: key.Normal()} }

// Title is where the firing belongs.
func (r Detail) Title() string { return "Tasks › " + r.key.Name + " › run" }

// Scopes of its keys.
func (Detail) Scopes() []intent.Scope { return []intent.Scope{intent.Firing, intent.Page, intent.List} }

func (r Detail) attempts(s *screen.Scene) []contract.RunView {
	var found []contract.RunView
	for _, run := range s.Picture.Runs(r.key) {
		if run.FireID == r.fireID {
			found = append(found, run)
		}
	}
	return found
}

// Update answers an intent.
func (r Detail) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	// A text has no line that keys act on: movement moves what is seen.
	if c, ok := r.cursor.Move(in, max(1, len(r.lines(s))-s.Height+1), s.Height); ok {
		r.cursor = c
		return r, nil
	}
	switch in.Action {
	case intent.Open, intent.Back:
		return r, screen.Close{}
	case intent.Copy:
		return r, screen.Copy{Text: r.fireID}
	case intent.Output:
		if text := r.output(s); text != "" {
			return r, screen.Copy{Text: text}
		}
	case intent.Cancel:
		return r, screen.Place{Order: order.Order{Verb: order.Cancel, FireID: r.fireID}}
	}
	return r, nil
}

// output is what is kept of what the last attempt was answered.
func (r Detail) output(s *screen.Scene) string {
	for _, a := range r.attempts(s) { // the newest first
		if a.Value != "" {
			return a.Value
		}
	}
	return ""
}

// Why says why an action does nothing now.
func (r Detail) Why(s *screen.Scene, a intent.Action) string {
	switch a {
	case intent.Cancel:
		if _, ok := Going(r.attempts(s)); !ok {
			return "the run has ended"
		}
	case intent.Output:
		if r.output(s) == "" {
			return "nothing is kept of what it was answered"
		}
	}
	return ""
}

// Commands are those of what the keys do to the run.
func (r Detail) Commands(s *screen.Scene) []screen.Command {
	_, goes := Going(r.attempts(s))
	return append(commands(r.fireID, goes), screen.Command{Action: intent.Output, Label: "output", Lines: []string{order.Line("run output", order.Quote(r.fireID))}})
}

// View draws the firing.
func (r Detail) View(s *screen.Scene) []string {
	lines := r.lines(s)
	top := min(r.cursor.At, max(0, len(lines)-s.Height))
	shown := append([]string{}, lines[top:min(len(lines), top+s.Height)]...)
	if below := len(lines) - top - s.Height; below > 0 {
		shown[len(shown)-1] = s.Draw(theme.Faint, screen.Count(below+1, "more line")+" below")
	}
	return shown
}

// lines are all that there is to show.
func (r Detail) lines(s *screen.Scene) []string {
	attempts := r.attempts(s)
	if len(attempts) == 0 {
		return s.Nothing(s.Draw(theme.Title, "This run is not kept any more."), "", s.Key("esc")+" goes back.")
	}
	var lines []string
	for i, a := range attempts {
		if i > 0 {
			lines = append(lines, s.Rule(""))
		}
		lines = append(lines, r.attempt(s, a)...)
	}
	if r.output(s) == "" && attempts[0].Outcome == string(task.OK) {
		lines = append(lines, "", s.Line(theme.Faint, "What it was answered is not kept; it is of runs by hand, and of all with"),
			s.Line(theme.Faint, "  "+order.Line("task set", order.Quote(r.key.Name), order.KeyFlags(r.key), "--keep-output")))
	}
	return lines
}

// attempt tells of one.
func (r Detail) attempt(s *screen.Scene, a contract.RunView) []string {
	glyph, word, role := s.Outcome(a)
	lines := []string{s.Fit(s.Draw(role, glyph+" "+word) + fmt.Sprintf("   attempt %d on %s", a.Attempt, screen.OrDash(widget.Clean(a.Node))))}
	add := func(name, value string) {
		for _, line := range strings.Split(value, "\n") {
			if value == "" {
				return
			}
			for _, part := range widget.Wrap(line, max(10, s.Width-12)) {
				lines = append(lines, s.Fit(s.Draw(theme.Faint, widget.Fit(name, 10, ""))+"  "+part))
				name = ""
			}
		}
	}
	add("fire id", a.FireID)
	add("scheduled", a.Scheduled.Format(time.RFC3339Nano))
	if a.Started != nil {
		add("started", a.Started.Format(time.RFC3339Nano)+"  +"+widget.Span(a.Started.Sub(a.Scheduled)))
		add("took", widget.Span(Length(s, a)))
	}
	if a.Ended != nil {
		add("ended", a.Ended.Format(time.RFC3339Nano))
	}
	if a.Deadline != nil {
		add("reply by", a.Deadline.Format(time.RFC3339Nano))
	}
	if a.Skips > 1 {
		add("instants", fmt.Sprint(a.Skips))
	}
	add("reason", a.Reason)
	add("error", a.Error)
	add("answered", a.Value)
	return lines
}
