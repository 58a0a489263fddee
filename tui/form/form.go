// Package form holds the form that schedules an operation or changes a task: what
// it says of a definition with each key, and the order that it makes.
package form

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
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

// field is a line of the form: text, or one of some choices.
type field struct {
	name, label, help string
	line              widget.Line
	choices           []string // nil: text
	fixed             bool     // it cannot be changed here
}

func (f field) value() string { return strings.TrimSpace(f.line.Text()) }

// Form creates a task, or edits one.
type Form struct {
	fields []field
	at     int
	edits  bool
	was    task.Info // of an edit
}

// cronPresets are offered in the field of the expression.
func cronPresets() []string {
	return []string{
		"0 0/5 * * * ?", "0 0 * * * ?", "0 30 2 * * ?", "0 0 6 ? * MON-FRI", "0 0 3 ? * SUN", "0 0 0 1 * ?", "0 0 0 L * ?",
	}
}

// New makes the form that schedules an operation.
func New(s *screen.Scene, service, operation string) Form {
	info := task.Info{
		Service: service, Operation: operation,
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
	info.Name = freeName(s, operation)
	return Form{fields: fieldsOf(s, info, false)}
}

// freeName is a name that no task has yet.
func freeName(s *screen.Scene, operation string) string {
	for n := 1; ; n++ {
		name := operation
		if n > 1 {
			name = fmt.Sprintf("%s-%d", operation, n)
		}
		if _, taken := s.Picture.Task(task.Key{Name: name}); !taken {
			return name
		}
	}
}

// Edit makes the form that changes a task.
func Edit(s *screen.Scene, info task.Info) Form {
	return Form{fields: fieldsOf(s, info, true), at: 3, edits: true, was: info}
}

func fieldsOf(s *screen.Scene, info task.Info, edits bool) []field {
	text := func(name, label, value, help string) field {
		return field{name: name, label: label, help: help, line: widget.NewLine(value)}
	}
	choice := func(name, label, value, help string, choices ...string) field {
		f := text(name, label, value, help)
		f.choices = choices
		return f
	}
	t := info.Trigger
	when := whenInterval
	switch {
	case t.Cron != "":
		when = whenCron
	case !t.At.IsZero() || t.Interval == 0:
		when = whenOnce
	}
	interval, at := "", "+1h"
	if t.Interval > 0 {
		interval = screen.Short(time.Duration(t.Interval))
	}
	if !t.At.IsZero() {
		at = stampIn(t.At, t.TZ)
	}
	output := outputByHand
	if info.Output {
		output = outputAll
	}
	jitter := "0s"
	if t.Jitter > 0 {
		jitter = screen.Short(time.Duration(t.Jitter))
	}
	name := text(fieldName, "Name", info.Name, "letters, digits, _ - and .; what the task is called everywhere")
	name.fixed = edits
	return []field{
		name,
		choice(fieldService, "Service", info.Service, "left and right choose", services(s)...),
		choice(fieldOperation, "Operation", info.Operation, "left and right choose; it takes no parameters", operations(s, info.Service)...),
		choice(fieldWhen, "When", when, "left and right choose", whenInterval, whenCron, whenOnce),
		text(fieldInterval, "Every", orText(interval, "1m"), "like 30s, 5m, 1h30m, 24h"),
		text(fieldCron, "Cron", orText(t.Cron, "0 30 2 * * ?"), "second minute hour day month weekday [year]; ctrl-n shows others"),
		text(fieldAt, "At", at, "like 2027-01-31 06:00, 2027-01-31T06:00:00Z, or +20m from now"),
		text(fieldZone, "Time zone", orText(t.TZ, "UTC"), "like Europe/Berlin; clocks that change are told below"),
		text(fieldStart, "Not before", stampIn(t.Start, t.TZ), "a time as in At; empty: at once"),
		text(fieldEnd, "Not after", stampIn(t.End, t.TZ), "a time as in At; empty: never"),
		text(fieldJitter, "Jitter", jitter, "like 30s: each task is later by its own part of this; 0s: none"),
		choice(fieldMisfire, "Missed", orText(string(info.Misfire), string(task.MisfireFireOnce)), "what becomes of instants that were missed",
			string(task.MisfireFireOnce), string(task.MisfireFireAll), string(task.MisfireSkip)),
		choice(fieldOverlap, "Overlap", orText(string(info.Overlap), string(task.OverlapAllow)), "when it is due while a run still goes",
			string(task.OverlapAllow), string(task.OverlapQueue), string(task.OverlapSkip)),
		choice(fieldDelivery, "Delivery", orText(string(info.Delivery), strongest), "the promise on how often a firing runs",
			strongest, string(task.EffectivelyOnce), string(task.AtLeastOnce), string(task.AtMostOnce)),
		text(fieldRetry, "Retries", strconv.Itoa(info.Retry.Max), "attempts after one that failed"),
		text(fieldBackoff, "Backoff", span(info.Retry.Backoff, task.DefaultBackoff), "wait before the first retry, doubled for each further"),
		text(fieldTimeout, "Timeout", span(info.Timeout, task.DefaultTimeout), "time that one run may take"),
		choice(fieldOutput, "Output", output, "of which runs the head of the answer is kept", outputByHand, outputAll),
		text(fieldAlerts, "Alerts", alertLine(info.Alerts), "failed=mailto:ops@example.org late:30s=https://… missed= silent:1h="),
		text(fieldDescription, "Description", info.Description, "what the task is for"),
	}
}

// alertLine writes alerts as they are typed.
func alertLine(alerts []task.Alert) string {
	var texts []string
	for _, a := range alerts {
		texts = append(texts, a.Texts()...)
	}
	return strings.Join(texts, " ")
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func span(d task.Duration, otherwise time.Duration) string {
	if d <= 0 {
		return screen.Short(otherwise)
	}
	return screen.Short(time.Duration(d))
}

func stampIn(t time.Time, zone string) string {
	if t.IsZero() {
		return ""
	}
	if in, err := time.LoadLocation(zone); err == nil {
		t = t.In(in)
	}
	return t.Format(time.RFC3339)
}

func services(s *screen.Scene) []string {
	var names []string
	for _, v := range s.Picture.Services {
		if !slices.Contains(names, v.Name) {
			names = append(names, v.Name)
		}
	}
	return names
}

func operations(s *screen.Scene, service string) []string {
	var names []string
	for _, v := range s.Picture.Services {
		if v.Name != service {
			continue
		}
		for _, o := range v.Operations {
			if !slices.Contains(names, o.Name) {
				names = append(names, o.Name)
			}
		}
	}
	return names
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
	case intent.Back:
		return f, screen.Close{}
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
	default:
		x.line, _ = x.line.Edit(in)
	}
	return f, nil
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
func (f Form) preview(s *screen.Scene) (task.Info, control.Preview) {
	info, faults := f.info(s.Now)
	var taken func(task.Key) bool
	if !f.edits {
		taken = func(k task.Key) bool { _, ok := s.Picture.Task(k); return ok }
	}
	checked := info
	if f.edits && checked.Trigger != f.was.Trigger {
		checked.From = time.Time{}
	}
	pre := control.PreviewTask(checked, s.Picture.Services, taken, s.Now, previewed)
	if f.edits && info.Trigger == f.was.Trigger {
		// What is not changed is not judged anew: a task that has finished can still
		// get a description.
		pre.Faults = slices.DeleteFunc(pre.Faults, func(x control.Fault) bool { return triggerField(x.Field) })
	}
	pre.Faults = append(faults, pre.Faults...)
	return info, pre
}

// previewed is how many coming instants the form shows.
const previewed = 5

// Why says why an action does nothing now.
func (f Form) Why(s *screen.Scene, a intent.Action) string {
	if a != intent.Apply {
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
