package tasks

import (
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
)

// windowLines is how many lines tell of the windows of a task that has some.
const windowLines = 2

// windows tell by which calendars a task runs, and what they do to the instant
// that is next. Of a task without: nothing.
func windows(s *screen.Scene, v contract.TaskView, next []contract.NextView) []string {
	if v.Windows == nil {
		return nil
	}
	lines := []string{s.Line(theme.Plain, "runs "+v.Window), ""}
	if len(next) == 0 {
		return lines
	}
	n := next[0]
	if n.Why == "" {
		lines[1] = s.Line(theme.Faint, "next "+n.At.UTC().Format(time.RFC3339)+" runs "+n.Outcome())
		return lines
	}
	text := "next " + why(n)
	if n.Runs != nil && !n.Runs.Equal(n.At) {
		text += " in " + s.In(n.Runs) + ", " + n.Outcome()
	}
	lines[1] = s.Line(theme.Warn, text)
	return lines
}

// why is what calendars do to an instant, without its code.
func why(n contract.NextView) string {
	_, text, _ := strings.Cut(n.Why, ": ")
	return text
}

// paused tells whether a task does not fire at an instant because it is paused.
func paused(v contract.TaskView, at time.Time) bool {
	return v.State == contract.Paused && (v.PausedUntil == nil || at.Before(*v.PausedUntil))
}
