package runs

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
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

func (r Detail) attempts(s *screen.Scene) []control.RunView {
	var found []control.RunView
	for _, run := range s.Picture.Runs(r.key) {
		if run.FireID == r.fireID {
			found = append(found, run)
		}
	}
	return found
}

// Update answers an intent.
func (r Detail) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if c, ok := r.cursor.Move(in, len(r.View(s)), s.Height); ok {
		r.cursor = c
		return r, nil
	}
	switch in.Action {
	case intent.Open, intent.Back:
		return r, screen.Close{}
	case intent.Copy:
		return r, screen.Copy{Text: r.fireID}
	case intent.Cancel:
		return r, screen.Place{Order: order.Order{Verb: order.Cancel, FireID: r.fireID}}
	}
	return r, nil
}

// Why says why an action does nothing now.
func (r Detail) Why(s *screen.Scene, a intent.Action) string {
	switch a {
	case intent.Cancel:
		if _, ok := Going(r.attempts(s)); !ok {
			return "the run has ended"
		}
	}
	return ""
}

// Commands are those of what the keys do to the run.
func (r Detail) Commands(*screen.Scene) []screen.Command { return commands(r.fireID) }

// View draws the firing.
func (r Detail) View(s *screen.Scene) []string {
	attempts := r.attempts(s)
	if len(attempts) == 0 {
		return s.Nothing(s.Draw(theme.Title, "This run is not kept any more."), "", s.Key("esc")+" goes back.")
	}
	var lines []string
	for i, a := range attempts {
		if i > 0 {
			lines = append(lines, s.Rule(""))
		}
		glyph, word, role := s.Outcome(a)
		lines = append(lines, s.Fit(s.Draw(role, glyph+" "+word)+fmt.Sprintf("   attempt %d on %s", a.Attempt, screen.OrDash(widget.Clean(a.Node)))))
		add := func(name, value string) {
			if value == "" {
				return
			}
			for i, part := range widget.Wrap(value, max(10, s.Width-12)) {
				if i > 0 {
					name = ""
				}
				lines = append(lines, s.Fit(s.Draw(theme.Faint, widget.Fit(name, 10, ""))+"  "+part))
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
		if a.Skips > 1 {
			add("instants", fmt.Sprint(a.Skips))
		}
		add("reason", a.Reason)
		add("error", a.Error)
	}
	top := min(r.cursor.Top, max(0, len(lines)-s.Height))
	return lines[top:min(len(lines), top+s.Height)]
}
