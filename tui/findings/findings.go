// Package findings holds the screen of what was found: everything that is not as
// it should be in a group, or why a task does what it does.
package findings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Screen lists findings, the worst first, with what helps.
type Screen struct {
	question ask.Question
	answer   ask.Answer
	cursor   widget.Cursor
}

// NewDoctor makes the screen of a whole group.
func NewDoctor() Screen { return Screen{question: ask.Question{Kind: ask.Health}} }

// NewWhy makes the screen of a task.
func NewWhy(key task.Key) Screen {
	return Screen{question: ask.Question{Kind: ask.Why, Task: key.Normal()}}
}

// Title is what was asked.
func (f Screen) Title() string {
	if f.question.Kind == ask.Why {
		return "Tasks › " + f.question.Task.Name + " › why"
	}
	return "Doctor"
}

// Scopes of its keys.
func (Screen) Scopes() []intent.Scope { return []intent.Scope{intent.Findings, intent.List} }

// Question is what it wants to know.
func (f Screen) Question() ask.Question { return f.question }

// Hear takes the answer.
func (f Screen) Hear(a ask.Answer) screen.Screen {
	bad := []explain.Level{explain.LevelFail, explain.LevelWarn, explain.LevelInfo, explain.LevelOK}
	a.Findings = slices.Clone(a.Findings)
	slices.SortStableFunc(a.Findings, func(a, b explain.Finding) int { return slices.Index(bad, a.Level) - slices.Index(bad, b.Level) })
	f.answer = a
	return f
}

// footHeight is how many lines tell of the finding under the cursor.
const footHeight = 7

func (f Screen) seen(s *screen.Scene) int {
	return max(1, min(len(f.answer.Findings), s.Height-footHeight-3))
}

func (f Screen) here(s *screen.Scene) (explain.Finding, bool) {
	at := f.cursor.Within(len(f.answer.Findings), f.seen(s)).At
	if at >= len(f.answer.Findings) {
		return explain.Finding{}, false
	}
	return f.answer.Findings[at], true
}

// about is the place of what a finding is about; None: there is none.
func about(f explain.Finding) intent.Action {
	switch f.Code {
	case explain.DiagNoNode, explain.DiagNodeGone, explain.DiagNodeOff, explain.DiagClock, explain.DiagVersions, explain.DiagNodes,
		explain.DiagNoLeader, explain.DiagLeader, explain.DiagBarrier, explain.DiagUnplaced, explain.DiagMoving, explain.DiagPlaced:
		return intent.GoCluster
	case explain.DiagTasks, explain.DiagTasksFine:
		return intent.GoTasks
	case explain.DiagServices, explain.DiagOutdated, explain.DiagServiceFine, explain.DiagMissing, explain.ReasonNoService, explain.ReasonInactive, explain.ReasonNoOperation:
		return intent.GoServices
	}
	return intent.None
}

// Update answers an intent.
func (f Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if c, ok := f.cursor.Move(in, len(f.answer.Findings), f.seen(s)); ok {
		f.cursor = c
		return f, nil
	}
	here, ok := f.here(s)
	switch in.Action {
	case intent.Back:
		return f, screen.Close{}
	case intent.Refresh:
		f.answer = ask.Answer{}
		return f, screen.Ask{Question: f.question}
	case intent.Copy:
		if ok && len(here.Fix) > 0 {
			return f, screen.Copy{Text: here.Fix[0]}
		}
	case intent.Open:
		if place := about(here); ok && place != intent.None {
			return f, screen.Again{Action: place}
		}
	case intent.Click:
		if at := in.Row - 3 + f.cursor.Top; in.Row >= 3 && at < len(f.answer.Findings) {
			f.cursor.At = at
		}
	}
	return f, nil
}

// Why says why an action does nothing now.
func (f Screen) Why(s *screen.Scene, a intent.Action) string {
	here, ok := f.here(s)
	switch a {
	case intent.Open:
		if !ok || about(here) == intent.None {
			return "it is about nothing that has a screen"
		}
	case intent.Copy:
		if !ok || len(here.Fix) == 0 {
			return "there is no command that helps"
		}
	}
	return ""
}

// Commands are the question, and what helps.
func (f Screen) Commands(s *screen.Scene) []screen.Command {
	all := []screen.Command{{Action: intent.Refresh, Label: "ask", Lines: []string{f.question.Command()}}}
	if here, ok := f.here(s); ok && len(here.Fix) > 0 {
		all = append(all, screen.Command{Action: intent.Copy, Label: "may help", Lines: here.Fix})
	}
	return all
}

// View draws the screen.
func (f Screen) View(s *screen.Scene) []string {
	if lines := s.Waits(f.answer); lines != nil {
		return lines
	}
	found := f.answer.Findings
	lines := []string{widget.Spread(f.verdict(s), s.Age(f.answer), s.Width, s.Theme.Glyphs.Ellipsis), s.Rule("")}
	table := widget.Table{
		Columns: []widget.Column{{Title: "LEVEL", Width: 7}, {Title: "CODE", Width: 18, Grow: 1, Most: 26}, {Title: "WHAT", Width: 20, Grow: 4}},
		Len:     len(found), Cursor: f.cursor,
		Row: func(i int) []widget.Cell {
			mark, role := level(s, found[i].Level)
			return []widget.Cell{{Text: mark, Role: role}, {Text: found[i].Code}, {Text: found[i].Text}}
		},
	}
	lines = append(lines, table.View(s.Theme, s.Width, f.seen(s)+1)...)
	lines = append(lines, s.Rule(""))
	here, ok := f.here(s)
	if !ok {
		return lines
	}
	for _, l := range widget.Wrap(here.Text, s.Width) {
		lines = append(lines, s.Fit(l))
	}
	for i, fix := range here.Fix {
		lead := "may help  "
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		lines = append(lines, s.Fit(s.Draw(theme.Faint, lead)+widget.Clean(fix)))
	}
	return lines[:min(len(lines), s.Height)]
}

// verdict sums up.
func (f Screen) verdict(s *screen.Scene) string {
	n := make(map[explain.Level]int)
	for _, x := range f.answer.Findings {
		n[x.Level]++
	}
	text := ""
	for _, l := range []struct {
		level explain.Level
		word  string
	}{{explain.LevelFail, "wrong"}, {explain.LevelWarn, "to look at"}, {explain.LevelInfo, "to know"}, {explain.LevelOK, "fine"}} {
		if n[l.level] > 0 {
			mark, role := level(s, l.level)
			glyph, _, _ := strings.Cut(mark, " ")
			text += s.Draw(role, fmt.Sprintf("%s %d %s", glyph, n[l.level], l.word)) + "   "
		}
	}
	if n[explain.LevelFail]+n[explain.LevelWarn] == 0 {
		text += s.Draw(theme.Good, "all is as it should be")
	}
	return text
}

func level(s *screen.Scene, l explain.Level) (string, theme.Role) {
	switch l {
	case explain.LevelFail:
		return s.Theme.Glyphs.Bad + " " + string(l), theme.Bad
	case explain.LevelWarn:
		return "! " + string(l), theme.Warn
	case explain.LevelInfo:
		return s.Theme.Glyphs.Dot + " " + string(l), theme.Plain
	}
	return s.Theme.Glyphs.OK + " " + string(l), theme.Good
}
