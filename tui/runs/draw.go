package runs

import (
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Recent draws the last n runs as glyphs, the newest at the right.
func Recent(s *screen.Scene, runs []contract.RunView, n int) string {
	var b strings.Builder
	for i := min(n, len(runs)) - 1; i >= 0; i-- {
		glyph, _, role := s.Outcome(runs[i])
		b.WriteString(s.Draw(role, glyph))
	}
	if b.Len() == 0 {
		return s.Theme.Glyphs.Nothing
	}
	return b.String()
}

// Took writes how long a run took; runs are kept to the millisecond.
func Took(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return widget.Span(d)
}

// Going finds the run that goes.
func Going(runs []contract.RunView) (contract.RunView, bool) {
	for _, r := range runs {
		if r.Outcome == string(task.Running) {
			return r, true
		}
	}
	return contract.RunView{}, false
}

// Length is how long a run took, or takes so far.
func Length(s *screen.Scene, r contract.RunView) time.Duration {
	switch {
	case r.Started == nil:
		return 0
	case r.Ended != nil:
		return r.Ended.Sub(*r.Started)
	case r.Outcome == string(task.Running):
		return max(0, s.Now.Sub(*r.Started))
	}
	return 0
}
