package preview

import (
	"errors"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Fault is what is wrong with one field of a definition that is being written.
type Fault struct {
	// Field as in task.Info's and task.TriggerInfo's JSON: "name", "service",
	// "operation", "cron", "tz", "alerts", ...; "policy" for what has no field of its own.
	Field string
	Text  string
	Hint  string
	// Column of a cron expression where it is, in characters from 1; 0: nowhere.
	Column int
}

// View is what a definition would do. It needs no store: who writes a
// definition sees it with each key.
type View struct {
	// Text says in English when it fires; empty while it cannot be said.
	Text string
	Next []contract.NextView // the first instants
	// Year is how many firings there are in the year to come, without those that
	// calendars skip.
	Year int
	// Clock are instants of the year to come that a change of clocks moves or
	// doubles, at most four.
	Clock    []contract.NextView
	Warnings []string
	Faults   []Fault // empty: it can be stored
}

// Fault gives what is wrong with a field. False: nothing is.
func (p *View) Fault(field string) (Fault, bool) {
	i := slices.IndexFunc(p.Faults, func(f Fault) bool { return f.Field == field })
	if i < 0 {
		return Fault{}, false
	}
	return p.Faults[i], true
}

const (
	year = 365 * 24 * time.Hour
	// maxClock bounds View.Clock.
	maxClock = 4
	// clockAround is how near to a change of clocks an instant is that may be
	// moved by it, and maxAround how many are tried.
	clockAround = 27 * time.Hour
	maxAround   = 2000
)

// Beside is what there is beside a definition that is being written.
type Beside struct {
	Services []contract.ServiceView
	// Calendars that tasks may name. Nil: what calendars do is not told.
	Calendars *calendar.Book
	// Taken tells whether a name is. Nil: the name is not checked, as it stays.
	Taken func(task.Key) bool
}

// Of tells what a definition would do from now on, with its first n
// instants, and what is wrong with it, given what there is beside it.
func Of(info task.Info, beside Beside, now time.Time, n int) View {
	var p View
	fault := func(field, text, hint string) {
		p.Faults = append(p.Faults, Fault{Field: field, Text: text, Hint: hint})
	}
	if beside.Taken != nil {
		if err := store.CheckKey(info.Normal()); err != nil {
			fault("name", err.Error(), "")
		} else if beside.Taken(info.Normal()) {
			fault("name", "task "+info.Name+" exists already", "choose another name")
		}
	}
	if info.Do != nil {
		// What it does instead is not checked here: the store's side knows.
	} else if _, why := check.Operation(beside.Services, info.Service, info.Operation, info.After); why != "" {
		field := "operation"
		if info.Service == "" {
			field = "service"
		}
		fault(field, why, check.Schedulable(beside.Services, info.Service))
	}
	policies := info
	if n := len(info.Alerts); n <= check.MaxAlerts {
		policies.Alerts = nil // their faults have a field of their own
		for _, a := range info.Alerts {
			if err := check.Alert(a); err != nil {
				fault("alerts", err.Error(), "")
				break
			}
		}
	}
	if err := check.Policies(&policies); err != nil {
		fault("policy", err.Error(), failure.Of(err).Hint)
	}
	windows := p.windows(info.Windows, beside.Calendars)
	if t, ok := p.trigger(info, now, n); ok && windows != nil {
		p.outside(t, windows, now)
	}
	return p
}

// trigger tells what the trigger would do. False: nobody knows.
func (p *View) trigger(info task.Info, now time.Time, n int) (trigger.Trigger, bool) {
	var compiler trigger.Compiler
	from := info.From
	if from.IsZero() {
		from = now
	}
	if err := compiler.Validate(info.Trigger, now); err != nil {
		p.Faults = append(p.Faults, triggerFault(err))
	}
	t, err := compiler.Compile(info.Trigger, from, info.UID)
	if err != nil {
		return t, false
	}
	p.Text = sentence(info.Trigger)
	if c, err := trigger.ParseCron(info.Trigger.Cron); err == nil {
		p.Warnings = c.Warnings()
	}
	p.Next = nextOf(t, now, n)
	p.Year = t.Count(now, now.Add(year))
	p.Clock = clockChanges(t, now)
	return t, true
}

func triggerFault(err error) Fault {
	f := Fault{Field: "trigger", Text: err.Error()}
	if field, ok := errors.AsType[*trigger.FieldError](err); ok {
		f.Field, f.Text = field.Field, field.Err.Error()
	}
	if syntax, ok := errors.AsType[*trigger.SyntaxError](err); ok {
		f.Column, f.Hint = syntax.Column, syntax.Hint
	}
	return f
}

// sentence says in English when a trigger fires.
func sentence(t task.TriggerInfo) string {
	switch {
	case t.Cron != "":
		c, err := trigger.ParseCron(t.Cron)
		if err != nil {
			return ""
		}
		return c.Describe()
	case !t.At.IsZero():
		return "once, at " + t.At.UTC().Format(time.RFC3339)
	case t.Interval == 0:
		return "once"
	case t.Count == 0:
		return "once"
	}
	return "every " + t.Interval.Short()
}

func nextOf(t trigger.Trigger, after time.Time, n int) []contract.NextView {
	var next []contract.NextView
	for at, ok := t.Next(after); ok && len(next) < n; at, ok = t.Next(at) {
		next = append(next, contract.NextView{At: at, Note: t.Note(at)})
	}
	return next
}

// clockChanges looks at the changes of clocks within a year for instants that
// they do something to.
func clockChanges(t trigger.Trigger, now time.Time) []contract.NextView {
	var found []contract.NextView
	for at := now; ; {
		_, change := at.In(t.Zone()).ZoneBounds()
		if change.IsZero() || change.After(now.Add(year)) {
			return found
		}
		tried := 0
		for next := range t.All(maxTime(now, change.Add(-clockAround)), change.Add(clockAround)) {
			if note := t.Note(next); note != "" {
				found = append(found, contract.NextView{At: next, Note: note})
				break // one tells of the change
			}
			if tried++; tried > maxAround {
				break
			}
		}
		if len(found) == maxClock {
			return found
		}
		at = change
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// CountInstants is how many instants a definition has after a time, up to and
// including another, paused or not. Of a trigger that cannot be scheduled: none.
func CountInstants(info *task.Info, after, upTo time.Time) int {
	var compiler trigger.Compiler
	t, err := compiler.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return 0
	}
	return t.Count(after, upTo)
}

// Instants gives the first n instants of a definition after a time, in its zone,
// paused or not. Of a trigger that cannot be scheduled: none.
func Instants(info *task.Info, after time.Time, n int) []contract.NextView {
	var compiler trigger.Compiler
	t, err := compiler.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return nil
	}
	return nextOf(t, after, n)
}
