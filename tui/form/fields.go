// Package form holds the form that schedules an operation or changes a task: what
// it says of a definition with each key, and the order that it makes.
package form

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// field is a line of the form: text, or one of some choices.
type field struct {
	name, label, help string
	line              widget.Line
	choices           []string // nil: text
	fixed             bool     // it cannot be changed here
}

func (f field) value() string { return strings.TrimSpace(f.line.Text()) }

// cronPresets are offered in the field of the expression.
func cronPresets() []string {
	return []string{
		"0 0/5 * * * ?", "0 0 * * * ?", "0 30 2 * * ?", "0 0 6 ? * MON-FRI", "0 0 3 ? * SUN", "0 0 0 1 * ?", "0 0 0 L * ?",
	}
}

// text is a field to type in.
func text(name, label, value, help string) field {
	return field{name: name, label: label, help: help, line: widget.NewLine(value)}
}

// choice is a field of which one of some values is chosen.
func choice(name, label, value, help string, choices ...string) field {
	f := text(name, label, value, help)
	f.choices = choices
	return f
}

// fieldsOf makes the fields of a definition.
func fieldsOf(s *screen.Scene, info task.Info, edits bool) []field {
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
	jitter := "0s"
	if t.Jitter > 0 {
		jitter = screen.Short(time.Duration(t.Jitter))
	}
	w := cmp.Or(info.Windows, &task.Windows{})
	name := text(fieldName, "Name", info.Name, "letters, digits, _ - and .; what the task is called everywhere")
	name.fixed = edits
	return append([]field{
		name,
		choice(fieldService, "Service", info.Service, "left and right choose", services(s)...),
		choice(fieldOperation, "Operation", info.Operation, "left and right choose; it takes no parameters", operations(s, info.Service)...),
		choice(fieldWhen, "When", when, "left and right choose", whenInterval, whenCron, whenOnce),
		text(fieldInterval, "Every", cmp.Or(interval, "1m"), "like 30s, 5m, 1h30m, 24h"),
		text(fieldCron, "Cron", cmp.Or(t.Cron, "0 30 2 * * ?"), "second minute hour day month weekday [year]; ctrl-n shows others"),
		text(fieldAt, "At", at, "like 2027-01-31 06:00, 2027-01-31T06:00:00Z, or +20m from now"),
		text(fieldZone, "Time zone", cmp.Or(t.TZ, "UTC"), "like Europe/Berlin; clocks that change are told below"),
		text(fieldStart, "Not before", stampIn(t.Start, t.TZ), "a time as in At; empty: at once"),
		text(fieldEnd, "Not after", stampIn(t.End, t.TZ), "a time as in At; empty: never"),
		text(fieldJitter, "Jitter", jitter, "like 30s: each task is later by its own part of this; 0s: none"),
		text(fieldAllow, "Allow", strings.Join(w.Allow, ", "), "run only while one of these calendars is open"),
		text(fieldForbid, "Forbid", strings.Join(w.Forbid, ", "), "never run while one of these calendars is open"),
		choice(fieldOutside, "Outside", string(cmp.Or(w.Outside, task.OutsideSkip)), "what becomes of what the calendars keep from running", outsides(info)...),
	}, policies(info)...)
}

// policies are the fields that say what becomes of firings.
func policies(info task.Info) []field {
	output := outputByHand
	if info.Output {
		output = outputAll
	}
	return []field{
		choice(fieldMisfire, "Missed", cmp.Or(string(info.Misfire), string(task.MisfireFireOnce)), "what becomes of instants that were missed",
			string(task.MisfireFireOnce), string(task.MisfireFireAll), string(task.MisfireSkip)),
		choice(fieldOverlap, "Overlap", cmp.Or(string(info.Overlap), string(task.OverlapAllow)), "when it is due while a run still goes",
			string(task.OverlapAllow), string(task.OverlapQueue), string(task.OverlapSkip)),
		choice(fieldDelivery, "Delivery", cmp.Or(string(info.Delivery), strongest), "the promise on how often a firing runs",
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
