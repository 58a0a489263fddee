package tasks

import (
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/dialog"
	"github.com/seed42aab489/belfry/tui/form"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
)

// ordering makes the order that an action means for tasks. Pause resumes when all
// of them are paused.
func ordering(s *screen.Scene, a intent.Action, on []*follow.Row) order.Order {
	o := order.Order{Verb: order.Run, By: s.By}
	switch a {
	case intent.Pause:
		o.Verb = order.Resume
		for _, v := range on {
			if v.State != contract.Paused {
				o.Verb = order.Pause
			}
		}
	case intent.PauseEnd:
		o.Verb = order.Anew
	case intent.Delete:
		o.Verb = order.Delete
	}
	if len(on) == 1 && (o.Verb == order.Anew || o.Verb == order.Resume) {
		o.Was, _ = s.Picture.Definition(on[0].Key)
	}
	if o.Verb == order.Anew {
		o.Reason, o.Until = o.Was.PauseReason, order.EndOf(o.Was)
	}
	for _, v := range on {
		if o.Verb != order.Pause || v.State != contract.Paused {
			o.Tasks = append(o.Tasks, v.Key)
		}
	}
	if o.Verb == order.Delete {
		return order.Deletion(s.Picture, o.Tasks)
	}
	return o
}

// editing opens the form for a task that is there.
func editing(s *screen.Scene, key task.Key) screen.Effect {
	info, ok := s.Picture.Definition(key)
	if !ok {
		return screen.Say{Text: "the task is not there any more", Bad: true}
	}
	return screen.Show{Screen: form.Edit(s, info)}
}

// commands are those of what can be done to tasks.
func commands(s *screen.Scene, on []*follow.Row) []screen.Command {
	if len(on) == 0 {
		return nil
	}
	each := func(words string) []string {
		lines := make([]string, len(on))
		for i, v := range on {
			lines[i] = order.Line(words, order.Quote(v.Name), order.KeyFlags(v.Key))
		}
		return lines
	}
	all := []screen.Command{
		{Action: intent.Open, Label: "show", Lines: each("task show")},
		{Action: intent.Explain, Lines: each("explain task")},
	}
	if whyNoFile(on) == "" {
		all = append(all, screen.Command{Action: intent.File, Lines: exporting(on)})
	}
	for _, a := range []intent.Action{intent.Run, intent.Pause, intent.Delete} {
		o := ordering(s, a, on)
		all = append(all, screen.Command{Action: a, Label: string(o.Verb), Lines: o.Commands()})
	}
	if whyNoPause(on) == "" {
		all = append(all, screen.Command{Action: intent.PauseEnd, Label: string(order.Anew), Lines: ordering(s, intent.PauseEnd, on).Commands()})
	}
	return append(all, screen.Command{Action: intent.Edit, Lines: each("task edit")})
}

// file shows tasks as a task file.
func file(on []*follow.Row) screen.Effect {
	keys := make([]task.Key, len(on))
	for i, v := range on {
		keys[i] = v.Key
	}
	return screen.Show{Screen: dialog.NewFile(keys)}
}

// exporting are the commands that write the file of tasks: one for those of each
// tenant and type.
func exporting(on []*follow.Row) []string {
	var lines []string
	scopes := make(map[string]int) // where the line of a scope is
	for _, v := range on {
		scope := order.KeyFlags(v.Key)
		at, ok := scopes[scope]
		if !ok {
			at = len(lines)
			scopes[scope], lines = at, append(lines, order.Line("export", scope))
		}
		lines[at] += " " + order.Quote(v.Name)
	}
	return lines
}

// whyNoFile says why the file of tasks is not shown.
func whyNoFile(on []*follow.Row) string {
	if len(on) > dialog.MaxFiles {
		return "more than " + screen.Count(dialog.MaxFiles, "task") + " are marked: belfry export writes them to a file"
	}
	return ""
}

// label is what a key does to tasks.
func label(b intent.Binding, on []*follow.Row) string {
	switch {
	case b.Action == intent.Pause:
		return pausing(on, b)
	case b.Action == intent.PauseEnd && whyNoPause(on) != "":
		return ""
	}
	return b.Label
}

// pausing tells whether the key pauses or resumes.
func pausing(on []*follow.Row, b intent.Binding) string {
	for _, v := range on {
		if v.State != contract.Paused {
			return b.Label
		}
	}
	if len(on) == 0 {
		return b.Label
	}
	return "resume"
}

// whyNoPause says why no pause of tasks can be changed.
func whyNoPause(on []*follow.Row) string {
	for _, v := range on {
		if v.State != contract.Paused {
			return v.Name + " is not paused"
		}
	}
	if len(on) == 0 {
		return "there is no task"
	}
	return ""
}

func whyNoRun(on []*follow.Row) string {
	for _, v := range on {
		if v.State == contract.Paused {
			return v.Name + " is paused: resume it first"
		}
	}
	return ""
}
