// Package timeline holds the screen of what fired and what is to fire, as strips
// of equal parts of time.
package timeline

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/widget"
)

// spans are the times that can be shown.
var spans = []time.Duration{
	10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 28 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// firstSpan is the one that is shown first: a day.
const firstSpan = 6

// Screen shows the tasks over time.
type Screen struct {
	cursor widget.Cursor
	chosen task.Key // under the cursor
	filter screen.Filter
	span   int // of spans
	moved  int // by how many half spans it is moved on from now
	shown  *screen.Memo[sieved, []*follow.Row]
	drawn  *screen.Memo[asked, *drawing]
}

// New makes the screen.
func New() Screen {
	return Screen{span: firstSpan, shown: new(screen.Memo[sieved, []*follow.Row]), drawn: new(screen.Memo[asked, *drawing])}
}

// Title is "Timeline".
func (Screen) Title() string { return "Timeline" }

// Scopes of its keys.
func (v Screen) Scopes() []intent.Scope { return v.filter.Scopes(intent.Timeline, intent.List) }

// sieved is what the tasks that are shown depend on.
type sieved struct {
	picture *follow.Picture
	words   string
}

// rows are the tasks that are shown, by name.
func (v Screen) rows(s *screen.Scene) []*follow.Row {
	return v.shown.Of(sieved{s.Picture, v.filter.Words()}, func() []*follow.Row { return tasks.Among(s.Picture, v.filter.Terms()) })
}

// settle keeps the cursor on the task that it was on.
func (v Screen) settle(rows []*follow.Row, height int) Screen {
	v.cursor = tasks.Settle(v.cursor, v.chosen, rows, height)
	return v
}

func (v Screen) choose(rows []*follow.Row) Screen {
	if v.cursor.At < len(rows) {
		v.chosen = rows[v.cursor.At].Key
	}
	return v
}

// headHeight is the lines above the strips, without the filter's.
const headHeight = 4

// seen is how many strips are seen.
func (v Screen) seen(s *screen.Scene) int {
	n := s.Height - headHeight - 2
	if v.filter.Shown() {
		n--
	}
	return max(1, n)
}

// Update answers an intent.
func (v Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if f, ok := v.filter.Update(in); ok {
		v.filter = f
		return v.settle(v.rows(s), v.seen(s)), nil
	}
	rows := v.rows(s)
	v = v.settle(rows, v.seen(s))
	if c, ok := v.cursor.Move(in, len(rows), v.seen(s)); ok {
		v.cursor = c
		return v.choose(rows), nil
	}
	switch in.Action {
	case intent.Back:
		return v, screen.Close{}
	case intent.Earlier:
		v.moved--
	case intent.Later:
		v.moved++
	case intent.Now:
		v.moved = 0
	case intent.ZoomIn:
		v.span, v.moved = max(0, v.span-1), 0
	case intent.ZoomOut:
		v.span, v.moved = min(len(spans)-1, v.span+1), 0
	case intent.Open:
		if v.cursor.At < len(rows) {
			v = v.choose(rows)
			return v, screen.Show{Screen: tasks.NewDetail(v.chosen)}
		}
	case intent.Copy:
		if v.cursor.At < len(rows) {
			return v, screen.Copy{Text: rows[v.cursor.At].Name}
		}
	case intent.Click:
		top := s.Height - v.seen(s) - 2
		if at := in.Row - top + v.cursor.Top; in.Row >= top && at < len(rows) {
			v.cursor.At = at
			v = v.choose(rows)
		}
	}
	return v, nil
}

// Why says why an action does nothing now.
func (v Screen) Why(s *screen.Scene, a intent.Action) string {
	switch a {
	case intent.Open, intent.Copy:
		if len(v.rows(s)) == 0 {
			return "there is no task"
		}
	case intent.ZoomIn:
		if v.span == 0 {
			return "no shorter time is shown"
		}
	case intent.ZoomOut:
		if v.span == len(spans)-1 {
			return "no longer time is shown"
		}
	case intent.Now:
		if v.moved == 0 {
			return "this is now"
		}
	}
	return ""
}

// Commands show the same time as text.
func (v Screen) Commands(s *screen.Scene) []screen.Command {
	from, to := v.window(s.Now)
	line := []string{"timeline"}
	if past := s.Now.Sub(from); past > 0 {
		line = append(line, "--past "+screen.Short(past.Round(time.Minute)))
	} else {
		line = append(line, "--past 0s")
	}
	if future := to.Sub(s.Now); future > 0 {
		line = append(line, "--future "+screen.Short(future.Round(time.Minute)))
	}
	return []screen.Command{{Action: intent.GoTimeline, Lines: []string{order.Line(line...)}}}
}

// window is the time that is shown. As it was first, now lies in its middle.
func (v Screen) window(now time.Time) (from, to time.Time) {
	half := spans[v.span] / 2
	from = now.Add(half * time.Duration(v.moved-1))
	return from, from.Add(2 * half)
}
