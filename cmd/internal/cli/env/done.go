package env

import "fmt"

// Change is one thing that a command has changed, or would change.
type Change struct {
	Object string // "task/nightly"
	Verbed string // "paused"
	// Before and After are its revisions; zero: there is none.
	Before, After int64
}

// Did tells of a change.
func (e *Env) Did(c Change) {
	would, now, was := "", "now", "was"
	if e.DryRun {
		would, now, was = "would be ", "then", "now"
	}
	text := c.Object + " "
	switch {
	case c.After == 0:
		text += would + c.Verbed
	case c.Before == 0:
		text += fmt.Sprintf("%s%s, revision %d", would, c.Verbed, c.After)
	case c.Before == c.After:
		text += fmt.Sprintf("was %s already, revision %d", c.Verbed, c.After)
	default:
		text += fmt.Sprintf("%s%s, %s revision %d (%s %d)", would, c.Verbed, now, c.After, was, c.Before)
	}
	e.Say("%s", text)
}

// Undo tells the commands that take back what was done. It is for people: no
// result in a data format is told so.
func (e *Env) Undo(commands ...string) {
	if e.DryRun || e.Printer().Structured() {
		return
	}
	for _, command := range commands {
		if to := e.TargetFlags(); to != "" {
			command += " " + to
		}
		e.Say("  undo: %s", command)
	}
}
