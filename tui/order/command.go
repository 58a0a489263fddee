package order

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Commands gives the command lines that do the same, one for each task.
func (o Order) Commands() []string {
	switch o.Verb {
	case Create:
		return []string{command("task create", quote(o.Info.Name), keyFlags(o.Info.Key), flags(task.Info{}, o.Info))}
	case Edit:
		revision := ""
		if o.Was.Revision > 0 {
			revision = "--if-revision " + strconv.FormatInt(o.Was.Revision, 10)
		}
		return []string{command("task set", quote(o.Info.Name), keyFlags(o.Info.Key), flags(o.Was, o.Info), revision)}
	case Cancel:
		return []string{command("run cancel", quote(o.FireID))}
	case Try:
		return []string{command("operation try", quote(o.Service), quote(o.Operation))}
	case Drain:
		return []string{command("node drain", quote(o.Node), o.reason())}
	case Undrain:
		return []string{command("node undrain", quote(o.Node))}
	case Activate:
		return []string{command("cluster activate")}
	}
	var lines []string
	for _, key := range o.Tasks {
		lines = append(lines, command("task "+string(o.Verb), quote(key.Name), keyFlags(key), o.reason(), o.consent()))
	}
	return lines
}

func (o Order) reason() string {
	if o.Reason == "" || !o.Reasoned() {
		return ""
	}
	return "--reason " + quote(o.Reason)
}

// consent spares a command that asks its question: it was asked here.
func (o Order) consent() string {
	if o.Verb == Delete {
		return "--yes"
	}
	return ""
}

func command(parts ...string) string {
	words := []string{"belfry"}
	for _, p := range parts {
		if p != "" {
			words = append(words, p)
		}
	}
	return strings.Join(words, " ")
}

func keyFlags(k task.Key) string {
	k = k.Normal()
	var words []string
	if k.Tenant != task.DefaultTenant {
		words = append(words, "--tenant "+quote(k.Tenant))
	}
	if k.Type != task.DefaultType {
		words = append(words, "--type "+quote(k.Type))
	}
	return strings.Join(words, " ")
}

// flags are those of task create and task set that make is of was.
func flags(was, is task.Info) string {
	var words []string
	add := func(differs bool, flag, value string) {
		if differs {
			words = append(words, "--"+flag+" "+quote(value))
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
	add(was.Misfire != is.Misfire, "misfire", string(is.Misfire))
	add(was.Overlap != is.Overlap, "overlap", string(is.Overlap))
	add(was.Delivery != is.Delivery, "delivery", string(is.Delivery))
	add(was.Retry.Max != is.Retry.Max, "retry", strconv.Itoa(is.Retry.Max))
	add(was.Retry.Backoff != is.Retry.Backoff, "backoff", is.Retry.Backoff.String())
	add(was.Timeout != is.Timeout, "timeout", is.Timeout.String())
	add(was.Description != is.Description, "description", is.Description)
	return strings.Join(words, " ")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// quote writes a word as a shell reads it back.
func quote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@,+%=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
