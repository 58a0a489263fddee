// Package form holds the form that schedules an operation or changes a task: what
// it says of a definition with each key, and the order that it makes.
package form

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/dialog"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// The fields of the form, by name.
const (
	fieldName        = "name"
	fieldService     = "service"
	fieldOperation   = "operation"
	fieldWhen        = "when"
	fieldInterval    = "interval"
	fieldCron        = "cron"
	fieldAt          = "at"
	fieldZone        = "tz"
	fieldStart       = "start"
	fieldEnd         = "end"
	fieldJitter      = "jitter"
	fieldAllow       = "allow"
	fieldForbid      = "forbid"
	fieldOutside     = "outside"
	fieldMisfire     = "misfire"
	fieldOverlap     = "overlap"
	fieldDelivery    = "delivery"
	fieldRetry       = "retry"
	fieldBackoff     = "backoff"
	fieldTimeout     = "timeout"
	fieldOutput      = "output"
	fieldAlerts      = "alerts"
	fieldDescription = "description"
)

// The choices of fieldWhen.
const (
	whenInterval = "every so often"
	whenCron     = "cron"
	whenOnce     = "once"
)

// The choices of fieldOutput.
const (
	outputByHand = "of runs by hand"
	outputAll    = "of all runs"
)

// strongest is the choice of fieldDelivery that lets the operation decide.
const strongest = "strongest"

// Form creates a task, or edits one.
type Form struct {
	fields []field
	at     int
	edits  bool
	was    task.Info // of an edit
	// began is what the fields held at first.
	began map[string]string
	// leaving: it was told that what was typed goes when it is left.
	leaving bool
}

// New makes the form that schedules an operation.
func New(s *screen.Scene, service, operation string) Form {
	info := task.Info{
		Service: service, Operation: operation,
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
	info.Name = freeName(s, operation)
	return Form{fields: fieldsOf(s, info, false)}.begin()
}

// freeName is a name that no task has yet.
func freeName(s *screen.Scene, operation string) string {
	for n := 1; ; n++ {
		name := operation
		if n > 1 {
			name = fmt.Sprintf("%s-%d", operation, n)
		}
		if _, taken := s.Picture.Row(task.Key{Name: name}); !taken {
			return name
		}
	}
}

// Edit makes the form that changes a task.
func Edit(s *screen.Scene, info task.Info) Form {
	return Form{fields: fieldsOf(s, info, true), at: 3, edits: true, was: info}.begin()
}

func (f Form) begin() Form {
	f.began = f.values()
	return f
}

// Title says what is written.
func (f Form) Title() string {
	if f.edits {
		return "Edit " + f.was.Name
	}
	return "New task"
}

// Scopes of its keys.
func (Form) Scopes() []intent.Scope { return []intent.Scope{intent.Form, intent.Typing} }

func (f Form) of(name string) string {
	i := slices.IndexFunc(f.fields, func(x field) bool { return x.name == name })
	return f.fields[i].value()
}

// shown lists the fields that matter, by number: of the three ways to say when,
// one.
func (f Form) shown() []int {
	hidden := map[string]bool{fieldInterval: true, fieldCron: true, fieldAt: true}
	if f.was.Do != nil { // it does not call an operation of its host
		hidden[fieldService], hidden[fieldOperation] = true, true
	}
	hidden[fieldOutside] = f.of(fieldAllow) == "" && f.of(fieldForbid) == ""
	switch f.of(fieldWhen) {
	case whenInterval:
		hidden[fieldInterval] = false
		hidden[fieldZone] = true
	case whenCron:
		hidden[fieldCron] = false
	default:
		hidden[fieldAt] = false
		hidden[fieldStart], hidden[fieldEnd], hidden[fieldJitter] = true, true, true
	}
	var shown []int
	for i, x := range f.fields {
		if !hidden[x.name] {
			shown = append(shown, i)
		}
	}
	return shown
}

// Update answers an intent.
func (f Form) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if in.Action != intent.Back {
		f.leaving = false
	}
	switch in.Action {
	case intent.Accept:
		if shown := f.shown(); f.at == shown[len(shown)-1] {
			return f, f.place(s)
		}
		f.at = f.beside(1)
		return f, nil
	case intent.Forward:
		f.at = f.beside(1)
		return f, nil
	case intent.Backward:
		f.at = f.beside(-1)
		return f, nil
	case intent.Apply:
		return f, f.place(s)
	case intent.File:
		info, _ := f.preview(s)
		return f, screen.Show{Screen: dialog.NewTyped(info)}
	case intent.Back:
		return f.leave(s)
	case intent.Draft:
		if d := f.offered(s); d != nil {
			return f.resume(s, d)
		}
		return f, nil
	case intent.Click:
		if i := f.top(s) + in.Row; in.Row < f.listed(s) && i < len(f.shown()) {
			f.at = f.shown()[i]
		}
		return f, nil
	}
	f.fields = slices.Clone(f.fields)
	x := &f.fields[f.at]
	switch {
	case x.fixed:
	case x.choices != nil:
		f.choose(s, x, in)
	case x.name == fieldCron && (in.Action == intent.Choose || in.Action == intent.Unspace):
		x.line = widget.NewLine(turn(cronPresets(), x.value(), in.Action == intent.Choose))
	case x.calendars() && (in.Action == intent.Choose || in.Action == intent.Unspace):
		f.complete(s, x, in.Action == intent.Choose)
	default:
		x.line, _ = x.line.Edit(in)
	}
	return f, nil
}

// leave closes the form. Where something was typed that takes a second time.
func (f Form) leave(s *screen.Scene) (screen.Screen, screen.Effect) {
	if _, typed := f.Draft(s); !typed || f.leaving {
		return f, screen.Close{}
	}
	f.leaving = true
	return f, screen.Say{Text: "esc once more leaves the form without what was typed", Bad: true}
}

// Label is what a key does: a draft is there, or is not.
func (f Form) Label(s *screen.Scene, b intent.Binding) string {
	if b.Action == intent.Draft && f.offered(s) == nil {
		return ""
	}
	return b.Label
}

// beside is the field that is n fields further of those that are shown.
func (f Form) beside(n int) int {
	shown := f.shown()
	i := max(0, slices.Index(shown, f.at)) + n
	return shown[(i+len(shown))%len(shown)]
}

func (f Form) choose(s *screen.Scene, x *field, in intent.Intent) {
	switch {
	case in.Action == intent.Right, in.Action == intent.Choose, in.Action == intent.Insert && in.Text == " ":
		x.line = widget.NewLine(turn(x.choices, x.value(), true))
	case in.Action == intent.Left, in.Action == intent.Unspace:
		x.line = widget.NewLine(turn(x.choices, x.value(), false))
	case in.Action == intent.Insert: // a letter chooses what begins with it
		i := slices.IndexFunc(x.choices, func(c string) bool { return strings.HasPrefix(strings.ToLower(c), strings.ToLower(in.Text)) })
		if i >= 0 {
			x.line = widget.NewLine(x.choices[i])
		}
	}
	if x.name != fieldService {
		return
	}
	for i := range f.fields {
		if o := &f.fields[i]; o.name == fieldOperation {
			o.choices = operations(s, x.value())
			if len(o.choices) > 0 && !slices.Contains(o.choices, o.value()) {
				o.line = widget.NewLine(o.choices[0])
			}
		}
	}
}

// turn gives the choice after or before one, round and round.
func turn(choices []string, now string, on bool) string {
	if len(choices) == 0 {
		return now
	}
	i := slices.Index(choices, now)
	if on {
		return choices[(i+1)%len(choices)]
	}
	return choices[(max(i, 0)+len(choices)-1)%len(choices)]
}

// place hands in what is written, unless something is wrong with it: then the
// field gets the keys.
func (f Form) place(s *screen.Scene) screen.Effect {
	_, pre := f.preview(s)
	if len(pre.Faults) > 0 {
		fault := pre.Faults[0]
		return screen.Say{Text: fault.Field + ": " + fault.Text, Bad: true}
	}
	return screen.Place{Order: f.order(s)}
}

func (f Form) order(s *screen.Scene) order.Order {
	info, _ := f.preview(s)
	if f.edits {
		return order.Order{Verb: order.Edit, Info: info, Was: f.was, By: s.By}
	}
	return order.Order{Verb: order.Create, Info: info, By: s.By}
}

// preview reads the fields, and tells what they would do.
func (f Form) preview(s *screen.Scene) (task.Info, preview.View) {
	info, faults := f.info(s.Now)
	beside := preview.Beside{Services: s.Picture.Services, Calendars: s.Picture.Book}
	if !f.edits {
		beside.Taken = func(k task.Key) bool { _, ok := s.Picture.Row(k); return ok }
	}
	checked := info
	if f.edits && checked.Trigger != f.was.Trigger {
		checked.From = time.Time{}
	}
	pre := preview.Of(checked, beside, s.Now, previewed)
	if f.edits && info.Trigger == f.was.Trigger {
		// What is not changed is not judged anew: a task that has finished can still
		// get a description.
		pre.Faults = slices.DeleteFunc(pre.Faults, func(x preview.Fault) bool { return triggerField(x.Field) })
	}
	if f.edits && info.Windows == f.was.Windows {
		pre.Faults = slices.DeleteFunc(pre.Faults, func(x preview.Fault) bool { return x.Field == fieldAllow || x.Field == fieldForbid })
	}
	pre.Faults = append(faults, pre.Faults...)
	return info, pre
}

// previewed is how many coming instants the form shows.
const previewed = 5

// Why says why an action does nothing now.
func (f Form) Why(s *screen.Scene, a intent.Action) string {
	switch {
	case a == intent.Draft && f.offered(s) == nil:
		return "no draft of this is kept, or something was typed"
	case a != intent.Apply:
		return ""
	}
	if _, pre := f.preview(s); len(pre.Faults) > 0 {
		return pre.Faults[0].Field + ": " + pre.Faults[0].Text
	}
	return ""
}

// Commands is that of the order which the form makes.
func (f Form) Commands(s *screen.Scene) []screen.Command {
	return []screen.Command{{Action: intent.Apply, Lines: f.order(s).Commands()}}
}
