package order

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Commands gives the command lines that do the same, one for each task.
func (o Order) Commands() []string {
	switch o.Verb {
	case Create:
		return []string{Line("task create", Quote(o.Info.Name), KeyFlags(o.Info.Key), flags(task.Info{}, o.Info))}
	case Edit:
		revision := ""
		if o.Was.Revision > 0 {
			revision = "--if-revision " + strconv.FormatInt(o.Was.Revision, 10)
		}
		return []string{Line("task set", Quote(o.Info.Name), KeyFlags(o.Info.Key), flags(o.Was, o.Info), revision)}
	case Cancel:
		return []string{Line("run cancel", Quote(o.FireID))}
	case Try:
		return []string{Line("operation try", Quote(o.Service), Quote(o.Operation))}
	case Drain:
		return []string{Line("node drain", Quote(o.Node), o.reason())}
	case Undrain:
		return []string{Line("node undrain", Quote(o.Node))}
	case Activate:
		return []string{Line("cluster activate")}
	}
	var lines []string
	verb := o.Verb
	if verb == Anew {
		verb = Pause // which replaces the end and the reason of one
	}
	for _, key := range o.Tasks {
		lines = append(lines, Line("task "+string(verb), Quote(key.Name), KeyFlags(key), o.reason(), o.end(), o.consent()))
	}
	return lines
}

func (o Order) reason() string {
	if o.Reason == "" || !o.Reasoned() {
		return ""
	}
	return "--reason " + Quote(o.Reason)
}

func (o Order) end() string {
	if !o.Ends() {
		return ""
	}
	return o.Until.flag()
}

// consent spares a command that asks its question: it was asked here.
func (o Order) consent() string {
	if o.Verb == Delete {
		return "--yes"
	}
	return ""
}

// Line is a command line of the companion made of parts, without those that are
// empty.
func Line(parts ...string) string {
	words := []string{"belfry"}
	for _, p := range parts {
		if p != "" {
			words = append(words, p)
		}
	}
	return strings.Join(words, " ")
}

// KeyFlags are the flags that a task needs beside its name; empty: none.
func KeyFlags(k task.Key) string {
	k = k.Normal()
	var words []string
	if k.Tenant != task.DefaultTenant {
		words = append(words, "--tenant "+Quote(k.Tenant))
	}
	if k.Type != task.DefaultType {
		words = append(words, "--type "+Quote(k.Type))
	}
	return strings.Join(words, " ")
}

// flags are those of task create and task set that make is of was.
func flags(was, is task.Info) string {
	var words []string
	add := func(differs bool, flag, value string) {
		if differs {
			words = append(words, "--"+flag+" "+Quote(value))
		}
	}
	add(was.Service != is.Service, "service", is.Service)
	add(was.Operation != is.Operation, "operation", is.Operation)
	a, b := was.Trigger, is.Trigger
	when := a.Cron != b.Cron || a.Interval != b.Interval || a.Count != b.Count || !a.At.Equal(b.At)
	switch {
	case b.Cron != "":
		add(when, "cron", b.Cron)
	case !b.At.IsZero():
		add(when, "at", stamp(b.At))
	default:
		add(when, "interval", b.Interval.String())
		add(when && b.Count >= 0, "count", strconv.Itoa(b.Count))
	}
	add(a.TZ != b.TZ, "tz", b.TZ)
	add(!a.Start.Equal(b.Start), "start", stamp(b.Start))
	add(!a.End.Equal(b.End), "end", stamp(b.End))
	add(a.Jitter != b.Jitter, "jitter", b.Jitter.String())
	v, w := cmp.Or(was.Windows, &task.Windows{}), cmp.Or(is.Windows, &task.Windows{})
	add(!slices.Equal(v.Allow, w.Allow), "allow", strings.Join(w.Allow, ","))
	add(!slices.Equal(v.Forbid, w.Forbid), "forbid", strings.Join(w.Forbid, ","))
	add(v.Outside != w.Outside && is.Windows != nil, "outside", string(cmp.Or(w.Outside, task.OutsideSkip)))
	add(was.Misfire != is.Misfire, "misfire", string(is.Misfire))
	add(was.Overlap != is.Overlap, "overlap", string(is.Overlap))
	add(was.Delivery != is.Delivery, "delivery", string(is.Delivery))
	add(was.Retry.Max != is.Retry.Max, "retry", strconv.Itoa(is.Retry.Max))
	add(was.Retry.Backoff != is.Retry.Backoff, "backoff", is.Retry.Backoff.String())
	add(was.Timeout != is.Timeout, "timeout", is.Timeout.String())
	add(was.Description != is.Description, "description", is.Description)
	if was.Output != is.Output {
		words = append(words, "--keep-output="+strconv.FormatBool(is.Output))
	}
	if a, b := alerts(was), alerts(is); !slices.Equal(a, b) {
		for _, text := range b {
			add(true, "alert", text)
		}
		add(len(b) == 0, "alert", "")
	}
	return strings.Join(words, " ")
}

// alerts writes the alerts of a definition, each with one receiver.
func alerts(info task.Info) []string {
	var texts []string
	for _, a := range info.Alerts {
		texts = append(texts, a.Texts()...)
	}
	return texts
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Quote writes a word as a shell reads it back.
func Quote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@,+%=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
