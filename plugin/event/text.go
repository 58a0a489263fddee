package event

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of the table in a text.
const (
	maxRows    = 20
	maxColumns = 12
	maxCell    = 32 // characters
)

// javaDate is how the original writes a time (java.util.Date.toString).
const javaDate = "Mon Jan 02 15:04:05 MST 2006"

const humanTime = "2006-01-02 15:04:05 MST"

// xmlEvent is the original's message (WSO2: EventTrigger). A document of more
// than limit bytes is left out, and says so.
func xmlEvent(o Observation, limit int) []byte {
	var b bytes.Buffer
	b.WriteString("<data-services-event><service-name>")
	_ = xml.EscapeText(&b, []byte(o.Service))
	b.WriteString("</service-name><query-id>")
	_ = xml.EscapeText(&b, []byte(o.Query))
	b.WriteString("</query-id><time>" + o.At.UTC().Format(javaDate) + "</time>")
	if len(o.Document) > limit {
		fmt.Fprintf(&b, `<content omitted="true" bytes="%d"/>`, len(o.Document))
	} else {
		b.WriteString("<content>")
		b.Write(o.Document)
		b.WriteString("</content>")
	}
	b.WriteString("</data-services-event>")
	return b.Bytes()
}

// standardText is the text of a mail where the trigger has no template.
func standardText(d *Data, omitted bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s rang in data service %s.\n\n", d.Trigger, d.Service)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, value)
		}
	}
	line("Condition", strings.Join(strings.Fields(d.Expression), " "))
	for i, v := range d.Values {
		name := ""
		if i == 0 {
			name = "Value"
		}
		fmt.Fprintf(&b, "%-10s %s = %s\n", name, v.Name, v.Value)
	}
	line("Service", d.Service)
	if d.Input {
		line("Query", d.Query+" (by what it was given)")
	} else {
		line("Query", d.Query+" (by what it returned)")
	}
	line("Task", d.Task)
	if !d.Scheduled.IsZero() {
		line("Scheduled", d.Scheduled.UTC().Format(humanTime))
	}
	line("Time", d.At.UTC().Format(humanTime))
	line("Topic", d.Topic)
	line("Request", d.Request)
	if d.Table != "" {
		b.WriteString("\n" + d.Table)
	}
	if omitted {
		b.WriteString("\nThe whole document is too large to be attached.\n")
	}
	return b.String()
}

// table lays rows out in columns, for a fixed-width font.
func table(rows []cond.Row, total int) string {
	var names []string
	index := map[string]int{}
	for _, r := range rows {
		for _, v := range r {
			if _, have := index[v.Name]; !have && len(names) < maxColumns {
				index[v.Name] = len(names)
				names = append(names, v.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	lines := [][]string{make([]string, len(names)), make([]string, len(names))}
	for i, n := range names {
		lines[0][i] = cell(n)
		lines[1][i] = strings.Repeat("-", utf8.RuneCountInString(cell(n)))
	}
	for _, r := range rows {
		l := make([]string, len(names))
		for _, v := range r {
			if i, ok := index[v.Name]; ok {
				l[i] = cell(strings.TrimPrefix(l[i]+","+v.Value, ","))
			}
		}
		lines = append(lines, l)
	}
	text := align(lines)
	if more := total - len(rows); more > 0 {
		text += fmt.Sprintf("... and %d more\n", more)
	}
	return text
}

func align(lines [][]string) string {
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, c := range l {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		var row strings.Builder
		for i, c := range l {
			row.WriteString(c + strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)+2))
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	return b.String()
}

func cell(s string) string {
	s = strings.Join(strings.Fields(oneLine(s)), " ")
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell-3]) + "..."
	}
	return s
}

// oneLine replaces what is not a printable character by a blank.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// subjectLine makes a subject of s: one line, bounded.
func subjectLine(s string) string {
	s = strings.Join(strings.Fields(oneLine(s)), " ")
	if utf8.RuneCountInString(s) > MaxSubject {
		s = string([]rune(s)[:MaxSubject-3]) + "..."
	}
	return s
}

// clip makes a text of s: no control characters but line ends and tabs, and at
// most n bytes.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	const mark = "\n[cut]\n"
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:max(0, n-len(mark))], "") + mark
}

func mutedText(n int) string {
	if n == 1 {
		return "It would have rung once more during the cool-down before this."
	}
	return fmt.Sprintf("It would have rung %d more times during the cool-down before this.", n)
}

// digestText tells of the rings of a digest.
func digestText(d *digest, limit int) (subject, text string) {
	h, n := d.Last, len(d.Entries)+d.More
	if n == 1 {
		return d.Entries[0].Subject, d.Entries[0].Text
	}
	subject = subjectLine(fmt.Sprintf("[belfry] %s: %s rang %d times", h.Service, h.Trigger, n))
	var b strings.Builder
	fmt.Fprintf(&b, "%s rang %d times in data service %s.\n\n", h.Trigger, n, h.Service)
	for _, e := range d.Entries {
		fmt.Fprintf(&b, "%s  %s\n", e.At.UTC().Format(humanTime), e.Subject)
	}
	if d.More > 0 {
		fmt.Fprintf(&b, "... and %d more\n", d.More)
	}
	b.WriteString("\nThe last of them that was kept:\n\n" + d.Entries[len(d.Entries)-1].Text)
	return subject, clip(b.String(), limit)
}

// scheduled is the instant in a fire id; zero if it has none.
func scheduled(id task.FireID) time.Time {
	_, ms, found := strings.Cut(string(id), ":")
	if !found || id.Manual() {
		return time.Time{}
	}
	var n int64
	if _, err := fmt.Sscanf(ms, "%d", &n); err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n)
}
