// Package screen is what every screen is: a pure value. It is given an intent and
// the scene, and answers with the screen that it is then and what is to be done;
// it draws itself from itself and the scene alone. It asks nobody anything: all
// that it shows is in the scene's picture, and what it wants is an Effect. The
// screens themselves have a package each, beside this one.
package screen

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Scene is what all screens see.
type Scene struct {
	Now     time.Time
	Theme   theme.Theme
	Picture *follow.Picture // never nil
	// Context is the name of the group as the administrator calls it.
	Context string
	// Flags make belfry talk to this group: they go before commands that are shown.
	Flags string
	// ReadOnly lets nothing be changed in whatever group, Sealed not in this one.
	ReadOnly, Sealed bool
	// Contexts are the groups that can be switched to; empty: this one alone.
	Contexts []Context
	By       string // who orders, for those who come after
	// Draft is of a form that was left without storing it. Nil: none is kept.
	Draft *Draft
	// Width and Height of the body in cells.
	Width, Height int
}

// Context is a group that has a name.
type Context struct {
	Name, Address string
	// Chosen: commands go to it that are told nothing else.
	Chosen bool
	Fault  string // why it cannot be used; empty: it can
	// Sealed: nothing may be changed there. Danger: it must not be harmed.
	Sealed, Danger bool
}

// Screen is one screen.
type Screen interface {
	// Title is its name in the header.
	Title() string
	// Scopes of its keys, innermost first, without intent.Everywhere.
	Scopes() []intent.Scope
	// Update answers an intent.
	Update(s *Scene, in intent.Intent) (Screen, Effect)
	// View draws it, in at most Height lines of at most Width cells.
	View(s *Scene) []string
	// Why says why an action does nothing now; empty: it does something.
	Why(s *Scene, a intent.Action) string
	// Commands are the command lines that do what its keys do now.
	Commands(s *Scene) []Command
}

// Command is what a key does, as command lines.
type Command struct {
	Action intent.Action
	Label  string   // in a word or two; empty: as the action's key says
	Lines  []string // one at least
}

// Asking is a screen that shows what a group answers.
type Asking interface {
	Screen
	// Question is what it wants to know; it is asked when the screen opens.
	Question() ask.Question
	// Hear gives the screen the answer.
	Hear(a ask.Answer) Screen
}

// Effect is what a screen wants to be done. Nil: nothing.
type Effect interface{ effect() }

// Show puts a screen above this one.
type Show struct{ Screen Screen }

// Close goes back to the screen below.
type Close struct{}

// Place hands in an order: it is asked about as its weight demands.
type Place struct{ Order order.Order }

// Carry closes the screen and carries the order out: it was asked about.
type Carry struct{ Order order.Order }

// Ask asks a question; the screens that wait for the answer hear it.
type Ask struct{ Question ask.Question }

// Switch goes to the group of another context.
type Switch struct{ Context string }

// Copy puts text on the clipboard.
type Copy struct {
	Text string
	What string // what is told to be copied; empty: the text itself
}

// Say tells something in one line.
type Say struct {
	Text string
	Bad  bool
}

// Again closes the screen and gives the intent to the one below.
type Again struct{ Action intent.Action }

func (Show) effect()   {}
func (Close) effect()  {}
func (Place) effect()  {}
func (Carry) effect()  {}
func (Ask) effect()    {}
func (Switch) effect() {}
func (Copy) effect()   {}
func (Say) effect()    {}
func (Again) effect()  {}

// Off says why nothing can be changed just now; empty: it can.
func (s *Scene) Off() string {
	switch {
	case s.ReadOnly:
		return "these screens are read-only"
	case s.Sealed:
		return "context " + s.Context + " is read-only"
	case s.Picture.Link == follow.LinkLoading:
		return "not connected yet"
	case s.Picture.Link != follow.LinkLive:
		return "not connected: what you see may be old"
	}
	return ""
}

// Stale tells whether what is shown may not be so any more.
func (s *Scene) Stale() bool {
	return s.Picture.Link == follow.LinkStale || s.Picture.Link == follow.LinkLost
}

// Reading tells whether tasks are still missing, and says how far it is.
func (s *Scene) Reading() (string, bool) {
	p := s.Picture
	switch {
	case p.Link == follow.LinkLoading && p.Fault == "":
		return "Connecting to " + s.Context + " " + s.Theme.Glyphs.Ellipsis, true
	case p.Link == follow.LinkLoading:
		return p.Fault, true
	case p.Buckets > 0 && p.Read < p.Buckets:
		return fmt.Sprintf("Reading tasks: %d of %d parts %s", p.Read, p.Buckets, s.Theme.Glyphs.Ellipsis), true
	}
	return "", false
}

// Nothing draws what is said where there is nothing to show: a loading or failed
// connection, or else the lines that teach what to do.
func (s *Scene) Nothing(teach ...string) []string {
	lines := []string{""}
	text, reading := s.Reading()
	switch {
	case s.Picture.Link == follow.LinkLoading && s.Picture.Fault != "":
		lines = append(lines, s.Draw(theme.Bad, "Cannot reach "+s.Context))
		lines = append(lines, widget.Wrap(text, s.Width)...)
		lines = append(lines, "", "It is tried again and again. Meanwhile: "+s.elsewhere()+s.Key("Q")+" quits.")
	case reading:
		lines = append(lines, text)
	default:
		lines = append(lines, teach...)
	}
	return lines
}

// elsewhere says how to go to other groups, where there are any.
func (s *Scene) elsewhere() string {
	if len(s.Contexts) < 2 {
		return ""
	}
	return s.Key("8") + " goes to other groups, "
}

// Draw renders text in a role.
func (s *Scene) Draw(r theme.Role, text string) string { return s.Theme.Draw(r, text) }

// Key draws a key in a text that teaches.
func (s *Scene) Key(k string) string { return s.Theme.Draw(theme.Key, k) }

// Fit cuts a line to the body.
func (s *Scene) Fit(line string) string {
	return widget.Cut(line, s.Width, s.Theme.Glyphs.Ellipsis)
}

// Line cleans, cuts and draws a line of a role.
func (s *Scene) Line(r theme.Role, text string) string {
	return s.Draw(r, s.Fit(widget.Clean(text)))
}

// Rule draws a line across the body.
func (s *Scene) Rule(title string) string {
	h := s.Theme.Glyphs.Horizontal
	text := ""
	if title != "" {
		text = h + " " + title + " "
	}
	for n := s.Width - widget.Width(text); n > 0; n-- {
		text += h
	}
	return s.Draw(theme.Frame, text)
}

// State draws what a task is doing: a glyph and a word.
func (s *Scene) State(state contract.State) (string, theme.Role) {
	g := s.Theme.Glyphs
	glyph, role := g.Unknown, theme.Warn
	switch state {
	case contract.Running:
		glyph, role = g.Running, theme.Busy
	case contract.Waiting:
		glyph, role = g.Waiting, theme.Good
	case contract.Paused:
		glyph, role = g.Paused, theme.Faint
	case contract.Blocked:
		glyph, role = g.Blocked, theme.Warn
	case contract.Unplaced:
		glyph, role = g.Unplaced, theme.Warn
	case contract.Finished:
		glyph, role = g.Finished, theme.Faint
	case contract.Failed:
		glyph, role = g.Failed, theme.Bad
	}
	return glyph + " " + string(state), role
}

// Outcome draws how a run ended: a glyph, a word, a role.
func (s *Scene) Outcome(r contract.RunView) (glyph, word string, role theme.Role) {
	g := s.Theme.Glyphs
	switch task.Outcome(r.Outcome) {
	case task.OK:
		if r.Attempt > 1 {
			return g.Again, "ok after retry", theme.Good
		}
		return g.OK, "ok", theme.Good
	case task.Running:
		return g.Running, "running", theme.Busy
	case task.Failed:
		return g.Bad, "failed", theme.Bad
	case task.TimedOut:
		return g.Bad, "timed out", theme.Bad
	case task.Interrupted:
		return g.Again, "interrupted", theme.Warn
	case task.Skipped:
		return g.Skipped, "skipped", theme.Faint
	case task.Cancelled:
		return g.Cancelled, "cancelled", theme.Faint
	}
	return g.Unknown, lower(r.Outcome), theme.Warn
}
