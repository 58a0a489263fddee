package tasks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/findings"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/runs"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// The parts of a task's screen.
const (
	partRuns = iota
	partNext
	partDefinition
	parts
)

// comingShown is how many coming instants are listed.
const comingShown = 100

// Detail shows one task: its runs, its coming instants, its definition.
type Detail struct {
	key    task.Key
	part   int
	cursor [parts]widget.Cursor
	// until then it may not be seen yet: it was made a moment ago.
	until time.Time
}

// NewDetail makes the screen of a task.
func NewDetail(key task.Key) Detail { return Detail{key: key.Normal()} }

// NewMade makes the screen of a task that was made now: the group tells of it in a
// moment.
func NewMade(key task.Key, now time.Time) Detail {
	const moment = 5 * time.Second
	return Detail{key: key.Normal(), until: now.Add(moment)}
}

// Title is the task's name.
func (t Detail) Title() string { return "Tasks › " + t.key.Name }

// Scopes of its keys.
func (Detail) Scopes() []intent.Scope { return []intent.Scope{intent.Task, intent.List} }

// lines is how long the part that is shown is.
func (t Detail) lines(s *screen.Scene) int {
	switch t.part {
	case partRuns:
		return len(s.Picture.Runs(t.key))
	case partNext:
		return len(t.coming(s))
	}
	return len(t.definition(s))
}

func (t Detail) coming(s *screen.Scene) []contract.NextView {
	return s.Picture.Instants(t.key, s.Now, comingShown)
}

// row is the task as keys act on it; empty: it is not there.
func (t Detail) row(s *screen.Scene) []*follow.Row {
	if r, ok := s.Picture.Row(t.key); ok {
		return []*follow.Row{r}
	}
	return nil
}

// seen is how many lines of the part are seen.
func (t Detail) seen(s *screen.Scene) int { return max(1, s.Height-t.above(s)-1) }

// taskHead is how many lines come before a part, but for those of windows.
const taskHead = 8

// above is how many lines come before the part.
func (t Detail) above(s *screen.Scene) int {
	if v, ok := s.Picture.Task(t.key); ok && v.Windows != nil {
		return taskHead + windowLines
	}
	return taskHead
}

// Update answers an intent.
func (t Detail) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if c, ok := t.cursor[t.part].Move(in, t.lines(s), t.seen(s)); ok {
		t.cursor[t.part] = c
		return t, nil
	}
	if in.Action == intent.Back {
		return t, screen.Close{}
	}
	v, ok := s.Picture.Task(t.key)
	if !ok {
		return t, nil
	}
	past := s.Picture.Runs(t.key)
	switch in.Action {
	case intent.Forward:
		t.part = (t.part + 1) % parts
	case intent.Backward:
		t.part = (t.part + parts - 1) % parts
	case intent.Open:
		if at := t.cursor[partRuns].At; t.part == partRuns && at < len(past) {
			return t, screen.Show{Screen: runs.NewDetail(past[at].FireID, t.key)}
		}
	case intent.Copy:
		return t, screen.Copy{Text: v.Name}
	case intent.Edit:
		return t, editing(s, t.key)
	case intent.Cancel:
		if r, ok := runs.Going(past); ok {
			return t, screen.Place{Order: order.Order{Verb: order.Cancel, FireID: r.FireID}}
		}
	case intent.Explain:
		return t, screen.Show{Screen: findings.NewWhy(t.key)}
	case intent.File:
		return t, file(t.row(s))
	case intent.Pause, intent.PauseEnd, intent.Run, intent.Delete:
		return t, screen.Place{Order: ordering(s, in.Action, t.row(s))}
	case intent.Click:
		if above := t.above(s); in.Row > above {
			at := in.Row - above - 1 + t.cursor[t.part].Top
			if at >= t.lines(s) {
				return t, nil
			}
			t.cursor[t.part].At = at
		}
	}
	return t, nil
}

// Label is what a key does to the task as it is.
func (t Detail) Label(s *screen.Scene, b intent.Binding) string {
	on := t.row(s)
	if len(on) == 0 {
		return b.Label
	}
	return label(b, on)
}

// Why says why an action does nothing now.
func (t Detail) Why(s *screen.Scene, a intent.Action) string {
	on := t.row(s)
	switch a {
	case intent.Edit, intent.Pause, intent.Delete, intent.Explain, intent.Copy, intent.File, intent.Run, intent.PauseEnd:
		switch {
		case len(on) == 0:
			return "the task is not there any more"
		case a == intent.Run:
			return whyNoRun(on)
		case a == intent.PauseEnd:
			return whyNoPause(on)
		}
	case intent.Cancel:
		if _, ok := runs.Going(s.Picture.Runs(t.key)); !ok {
			return "no run of it goes"
		}
	}
	return ""
}

// Commands are those of what the keys do to the task, and of what is shown of it.
func (t Detail) Commands(s *screen.Scene) []screen.Command {
	v, ok := s.Picture.Task(t.key)
	if !ok {
		return nil
	}
	all := commands(s, t.row(s))
	name := order.Quote(t.key.Name)
	calendars := ""
	if v.Windows != nil {
		calendars = "--calendar"
	}
	if r, ok := runs.Going(s.Picture.Runs(t.key)); ok {
		all = append(all, screen.Command{Action: intent.Cancel, Lines: order.Order{Verb: order.Cancel, FireID: r.FireID}.Commands()})
	}
	return append(all,
		screen.Command{Action: intent.Forward, Label: "runs", Lines: []string{order.Line("run list --task", name)}},
		screen.Command{Action: intent.Forward, Label: "instants", Lines: []string{order.Line("task next", name, order.KeyFlags(t.key), calendars)}},
	)
}

// View draws the screen.
func (t Detail) View(s *screen.Scene) []string {
	v, ok := s.Picture.Task(t.key)
	if !ok && s.Now.Before(t.until) {
		return s.Nothing(s.Line(theme.Faint, "Task "+t.key.Name+" is stored, and is seen here in a moment "+s.Theme.Glyphs.Ellipsis))
	}
	if !ok {
		return s.Nothing(
			s.Draw(theme.Title, "There is no task "+widget.Clean(t.key.Name)+" any more."), "",
			s.Key("esc")+" goes back to the list.",
		)
	}
	past := s.Picture.Runs(t.key)
	next := t.coming(s)
	lines := t.head(s, v, next)
	lines = append(lines, t.strip(s, past, next)...)
	lines = append(lines, t.tabs(s, len(past)))
	for len(lines) < t.above(s) {
		lines = append(lines, "")
	}
	switch t.part {
	case partRuns:
		lines = append(lines, runs.Table(s, past, t.cursor[partRuns], false, t.seen(s)+1)...)
	case partNext:
		lines = append(lines, t.nextTable(s, v, next)...)
	default:
		all := t.definition(s)
		c := t.cursor[partDefinition].Within(len(all), t.seen(s))
		shown := slices.Clone(all[c.Top:min(len(all), c.Top+t.seen(s)+1)])
		if below := len(all) - c.Top - len(shown); below > 0 {
			shown[len(shown)-1] = s.Draw(theme.Faint, fmt.Sprintf("%d more lines below", below+1))
		}
		lines = append(lines, shown...)
	}
	return lines
}

func (t Detail) head(s *screen.Scene, v contract.TaskView, next []contract.NextView) []string {
	state, role := s.State(v.State)
	first := s.Draw(theme.Title, widget.Clean(v.Name)) + "  " + s.Draw(role, state)
	if v.State == contract.Paused && v.PausedUntil != nil {
		first += " until " + v.PausedUntil.UTC().Format(time.RFC3339) + " (" + s.In(v.PausedUntil) + ")"
	}
	if v.Node != "" {
		first += " on " + widget.Clean(v.Node)
	}
	first += s.Draw(theme.Faint, fmt.Sprintf("   %s   revision %d", widget.Clean(v.Calls), v.Revision))
	second := screen.Schedule(v.Trigger)
	if info, ok := s.Picture.Definition(t.key); ok {
		if pre := preview.Of(info, preview.Beside{}, s.Now, 1); pre.Text != "" && !strings.HasPrefix(pre.Text, "every ") {
			second += "   " + pre.Text
		}
	}
	second += ", " + v.TZ
	third := strings.Join([]string{
		"misfire " + string(v.Misfire), "overlap " + string(v.Overlap), fmt.Sprintf("retry %d", v.Retry), "timeout " + screen.ShortText(v.Timeout), string(v.Delivery),
	}, " "+s.Theme.Glyphs.Dot+" ")
	lines := []string{s.Fit(first), s.Line(theme.Plain, second), s.Line(theme.Faint, third)}
	if v.Reason != "" {
		lines[2] = s.Line(theme.Warn, v.Reason)
	}
	lines = append(lines, windows(s, v, next)...)
	return append(lines, s.Rule(""))
}

// strip draws past firings at the left of now, and coming ones at its right, and
// below them how long the runs took.
func (t Detail) strip(s *screen.Scene, past []contract.RunView, next []contract.NextView) []string {
	half := (s.Width - 14) / 2
	n := min(len(past), half)
	drawn := runs.Recent(s, past, n)
	if n == 0 {
		drawn = ""
	}
	took := make([]int, n)
	for i := range n {
		took[n-1-i] = int(runs.Length(s, past[i]).Milliseconds())
	}
	v, _ := s.Picture.Task(t.key)
	ahead := ""
	for _, n := range next[:min(len(next), half)] {
		switch {
		case paused(v, n.At):
			ahead += s.Theme.Glyphs.Paused
		case n.Runs == nil:
			ahead += s.Theme.Glyphs.Skipped
		default:
			ahead += s.Theme.Glyphs.Planned
		}
	}
	since := ""
	if n > 0 {
		since = widget.Ago(s.Now.Sub(past[n-1].Scheduled))
	}
	until := ""
	if len(ahead) > 0 {
		until = "in " + widget.Span(next[min(len(next), half)-1].At.Sub(s.Now))
	}
	return []string{
		s.Fit("firings  " + widget.FitRight(drawn, half, "") + " " + s.Draw(theme.Key, s.Theme.Glyphs.Now) + " " + s.Draw(theme.Faint, ahead)),
		s.Fit("took     " + widget.FitRight(widget.Bars(took, s.Theme.Glyphs.Bars), half, "") + " " + s.Draw(theme.Key, s.Theme.Glyphs.Now)),
		s.Fit(s.Draw(theme.Faint, "         "+widget.FitRight(since, half, "")+" now "+until)),
	}
}

func (t Detail) tabs(s *screen.Scene, n int) string {
	names := []string{fmt.Sprintf("Runs %d", n), "Coming instants", "Definition"}
	var b strings.Builder
	for i, name := range names {
		if i == t.part {
			b.WriteString(s.Draw(theme.Selected, " "+name+" "))
		} else {
			b.WriteString(s.Draw(theme.Faint, " "+name+" "))
		}
		b.WriteString(" ")
	}
	return s.Fit(b.String() + "  " + s.Key("tab") + s.Draw(theme.Faint, " goes on"))
}

func (t Detail) nextTable(s *screen.Scene, v contract.TaskView, next []contract.NextView) []string {
	if len(next) == 0 {
		return []string{"", "It never fires again."}
	}
	noted := 10
	if v.Windows != nil || v.State == contract.Paused {
		noted = 30
	}
	table := widget.Table{
		Columns: []widget.Column{{Title: "IN", Width: 8, Right: true}, {Title: "LOCAL, " + v.TZ, Width: 30}, {Title: "UTC", Width: 20, Drop: 1}, {Title: "NOTE", Width: noted, Grow: 1}},
		Len:     len(next), Cursor: t.cursor[partNext],
		Row: func(i int) []widget.Cell {
			var notes []string
			for _, n := range []string{next[i].Note, why(next[i])} {
				if n != "" {
					notes = append(notes, n)
				}
			}
			if paused(v, next[i].At) {
				notes = append(notes, "paused: it does not fire")
			}
			note := strings.Join(notes, "; ")
			return []widget.Cell{
				{Text: s.In(&next[i].At)},
				{Text: next[i].At.Format("Mon 2006-01-02 15:04:05 -0700")},
				{Text: next[i].At.UTC().Format(time.RFC3339), Role: theme.Faint},
				{Text: note, Role: theme.Warn},
			}
		},
	}
	return table.View(s.Theme, s.Width, t.seen(s)+1)
}
