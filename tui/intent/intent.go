// Package intent is what a key, a click or a pasted text asks for, and the one
// table that says which key asks for what. The table makes the footer, the help,
// the palette and the documentation. It knows no screen and no library.
package intent

// Action is what is asked for.
type Action string

// The actions. What they do is told by the table.
const (
	None Action = ""

	Up       Action = "up"
	Down     Action = "down"
	PageUp   Action = "page-up"
	PageDown Action = "page-down"
	HalfUp   Action = "half-page-up"
	HalfDown Action = "half-page-down"
	First    Action = "first"
	Last     Action = "last"
	Forward  Action = "next-part"
	Backward Action = "previous-part"
	Click    Action = "click" // at Row and Column of the body
	Scroll   Action = "scroll"

	Open    Action = "open"
	Back    Action = "back"
	Quit    Action = "quit"
	Suspend Action = "suspend"

	Help    Action = "help"
	Palette Action = "palette"
	Command Action = "command-line"
	Copy    Action = "copy"
	Theme   Action = "theme"
	Mouse   Action = "mouse"
	Redraw  Action = "redraw"
	Undo    Action = "undo"

	GoTasks    Action = "tasks"
	GoServices Action = "services"
	GoRuns     Action = "runs"
	GoCluster  Action = "cluster"
	GoEvents   Action = "events"
	GoTimeline Action = "timeline"
	GoDoctor   Action = "doctor"
	GoContexts Action = "contexts"

	Filter  Action = "filter"
	Sort    Action = "sort"
	Reverse Action = "reverse-sort"
	Mark    Action = "mark"
	MarkAll Action = "mark-all"
	// MarkRange marks from here to wherever the cursor goes.
	MarkRange Action = "mark-range"
	Level     Action = "level"

	New      Action = "new"
	Edit     Action = "edit"
	Run      Action = "run"
	Pause    Action = "pause"
	PauseEnd Action = "pause-end"
	Delete   Action = "delete"
	Instead  Action = "pause-instead"
	Cancel   Action = "cancel-run"
	Try      Action = "try"
	Drain    Action = "drain"
	Activate Action = "activate"
	Simulate Action = "simulate-loss"
	Explain  Action = "why"
	File     Action = "task-file"
	Refresh  Action = "ask-again"
	Output   Action = "copy-output"
	Switch   Action = "switch"

	Earlier Action = "earlier"
	Later   Action = "later"
	ZoomIn  Action = "zoom-in"
	ZoomOut Action = "zoom-out"
	Now     Action = "to-now"

	Accept  Action = "accept"
	Draft   Action = "draft"
	Apply   Action = "apply"
	Choose  Action = "choose-next"
	Unspace Action = "choose-previous"

	Insert    Action = "insert" // Text
	Erase     Action = "erase"
	EraseNext Action = "erase-next"
	EraseWord Action = "erase-word"
	EraseLine Action = "erase-line"
	Left      Action = "left"
	Right     Action = "right"
	Home      Action = "home"
	End       Action = "end"
)

// Intent is one thing that a person asks for.
type Intent struct {
	Action Action
	Text   string // of Insert
	// Row and Column of a Click, from 0; Row alone is how far a Scroll goes, down
	// if it is above 0.
	Row, Column int
}

// Scope is where a key means something. Where several apply, the innermost is
// asked first.
type Scope string

// The scopes.
const (
	Everywhere Scope = "everywhere"
	List       Scope = "lists"
	Tasks      Scope = "tasks"
	Task       Scope = "task"
	Services   Scope = "services"
	Runs       Scope = "runs"
	Firing     Scope = "run"
	Cluster    Scope = "cluster"
	Events     Scope = "events"
	Timeline   Scope = "timeline"
	Loss       Scope = "simulation"
	Findings   Scope = "findings"
	Contexts   Scope = "contexts"
	Form       Scope = "form"
	Page       Scope = "page" // a text to read
	Dialog     Scope = "question"
	Answer     Scope = "answer" // a question that is answered by typing
	// Typing takes every key that is not in it as text.
	Typing Scope = "typing"
)

// Binding says what keys ask for in a scope.
type Binding struct {
	Scope  Scope
	Keys   []string // as the terminal names them; the first is shown
	Action Action
	Label  string // in the footer; empty: not there
	Help   string
	// Writes: it changes something in the group.
	Writes bool
}

// Resolve gives what a key asks for; the first scope that knows it decides.
func Resolve(key string, scopes ...Scope) (Binding, bool) {
	for _, scope := range scopes {
		for _, b := range table {
			if b.Scope != scope {
				continue
			}
			for _, k := range b.Keys {
				if k == key {
					return b, true
				}
			}
		}
	}
	return Binding{}, false
}

// Of lists the bindings of scopes, in their order, without those that an inner
// scope hides.
func Of(scopes ...Scope) []Binding {
	var all []Binding
	taken := make(map[string]bool)
	for _, scope := range scopes {
		for _, b := range table {
			if b.Scope != scope || taken[b.Keys[0]] {
				continue
			}
			all = append(all, b)
		}
		for _, b := range table {
			if b.Scope == scope {
				for _, k := range b.Keys {
					taken[k] = true
				}
			}
		}
	}
	return all
}

// Find gives the binding of an action in scopes.
func Find(action Action, scopes ...Scope) (Binding, bool) {
	for _, b := range Of(scopes...) {
		if b.Action == action {
			return b, true
		}
	}
	return Binding{}, false
}

// Table gives every binding, for documentation.
func Table() []Binding { return append([]Binding{}, table...) }

// Shown writes a key as a person reads it.
func Shown(key string) string {
	switch key {
	case "space":
		return "space"
	case "up":
		return "↑"
	case "down":
		return "↓"
	case "shift+tab":
		return "shift-tab"
	case "left":
		return "←"
	case "right":
		return "→"
	case "pgdown":
		return "pgdn"
	}
	const ctrl = "ctrl+"
	if len(key) > len(ctrl) && key[:len(ctrl)] == ctrl {
		return "ctrl-" + key[len(ctrl):]
	}
	return key
}
