package screen

import (
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Waits draws what is said in the place of an answer that has not come, or that
// is a refusal. Empty: the answer can be shown.
func (s *Scene) Waits(a ask.Answer) []string {
	switch {
	case a.At.IsZero():
		return []string{"", "Asking " + widget.Clean(s.Context) + " " + s.Theme.Glyphs.Ellipsis}
	case a.Err == nil:
		return nil
	}
	e := failure.Of(a.Err)
	lines := []string{"", s.Draw(theme.Bad, "There is no answer")}
	lines = append(lines, widget.Wrap(e.Message, s.Width)...)
	if e.Hint != "" {
		lines = append(lines, "")
		lines = append(lines, widget.Wrap(e.Hint, s.Width)...)
	}
	return append(lines, "", s.Key("r")+" asks again, "+s.Key("esc")+" goes back.")
}

// Age says how old an answer is.
func (s *Scene) Age(a ask.Answer) string {
	return s.Draw(theme.Faint, "answered "+widget.Ago(s.Now.Sub(a.At))+", "+s.Key("r")+s.Draw(theme.Faint, " asks again"))
}
