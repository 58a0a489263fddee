package screen

import (
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Count writes a number of things, with its groups apart.
func Count(n int, what string) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	if n != 1 {
		what += "s"
	}
	return text + " " + what
}

func lower(outcome string) string {
	b := []byte(outcome)
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case c == '_':
			b[i] = ' '
		}
	}
	return string(b)
}

// KeyOf is the key of a task that is shown.
func KeyOf(t contract.TaskView) task.Key {
	return task.Key{Tenant: t.Tenant, Type: t.Type, Name: t.Name}
}

// In writes how far ahead an instant is; an instant that is past is due.
func (s *Scene) In(t *time.Time) string {
	switch {
	case t == nil:
		return s.Theme.Glyphs.Skipped
	case !t.After(s.Now):
		return "due"
	}
	return widget.Span(t.Sub(s.Now))
}

// Short writes a duration without its parts that are zero.
func Short(d time.Duration) string { return task.Duration(d).Short() }

// ShortText is Short of a duration that is text already.
func ShortText(text string) string {
	if d, err := time.ParseDuration(text); err == nil {
		return Short(d)
	}
	return text
}

// OrDash gives a dash in the place of no text.
func OrDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Schedule writes a trigger's line for people: "0 30 2 * * ?", "every 1m".
func Schedule(line string) string {
	kind, rest, _ := strings.Cut(line, ":")
	switch kind {
	case "cron":
		return rest
	case "every":
		if d, err := time.ParseDuration(rest); err == nil {
			rest = Short(d)
		}
		return "every " + rest
	case "at":
		return "at " + rest
	}
	return line
}

// Fate is what calendars do to an instant, in a few words; empty: nothing.
func Fate(n contract.NextView) string {
	_, text, _ := strings.Cut(n.Why, ": ") // without its code
	i := strings.LastIndex(text, ": ")
	switch {
	case i < 0:
		return text
	case n.Runs != nil && !n.Runs.Equal(n.At):
		return "→ " + n.Runs.In(n.At.Location()).Format("Mon 02 Jan 15:04") + ", " + text[:i]
	}
	return text[i+2:] + ", " + text[:i]
}
