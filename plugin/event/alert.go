package event

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Alerts turns notices about tasks into messages. The zero value is ready.
type Alerts struct {
	// Every is the time in which a task's notices of a kind come once, which its
	// messages say. Zero: they come each time.
	Every time.Duration
}

// Announce gives one message for each subscription of the alerts of this kind in
// the notice's Info, each once. Pure. Its ids are made of the notice's and the
// subscription.
func (c Alerts) Announce(n task.Notice) []task.Message {
	var all []task.Message
	seen := map[string]bool{}
	for _, a := range n.Info.Alerts {
		if a.On != n.Kind {
			continue
		}
		for _, to := range split(a.To) {
			if seen[strings.ToLower(to)] {
				continue
			}
			seen[strings.ToLower(to)] = true
			key := n.Info.Key
			all = append(all, task.Message{
				ID: identify(n.ID, string(n.Kind), to), To: to, Raised: n.At.UTC(),
				Subject: subjectLine(fmt.Sprintf("[belfry] task %s %s", n.Info.Name, alertWords(n))),
				Text:    clip(c.text(n, a), MaxText),
				Source: task.MessageSource{
					Kind: "alert", Service: n.Info.Service, Task: &key, FireID: n.Run.FireID, Alert: string(n.Kind),
				},
			})
		}
	}
	return all
}

func split(uris []string) []string {
	var all []string
	for _, u := range uris {
		all = append(all, Split(strings.TrimSpace(u))...)
	}
	return all
}

func alertWords(n task.Notice) string {
	switch n.Kind {
	case task.AlertFailed:
		switch n.Run.Outcome {
		case task.TimedOut:
			return "timed out"
		case task.Unknown:
			return "ended unknown"
		default:
			return "failed"
		}
	case task.AlertLate:
		return "was late"
	case task.AlertMissed:
		return "was missed"
	case task.AlertSilent:
		return "has not run"
	default:
		return string(n.Kind)
	}
}

func (c Alerts) text(n task.Notice, a task.Alert) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", alertSentence(n, a))
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, strings.TrimSpace(oneLine(value)))
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(humanTime)
	}
	r := n.Run
	line("Task", n.Info.Key.String())
	line("Service", n.Info.Service)
	line("Operation", n.Info.Operation)
	line("Scheduled", at(r.Scheduled))
	if r.Skips > 1 {
		line("Until", at(r.Until))
	}
	line("Started", at(r.Started))
	line("Ended", at(r.Ended))
	line("Outcome", string(r.Outcome))
	if r.Attempt > 0 {
		line("Attempt", fmt.Sprint(r.Attempt))
	}
	line("Node", r.Node)
	line("Reason", string(r.Reason))
	line("Error", r.Error)
	line("Detail", n.Detail)
	line("Firing", string(r.FireID))
	line("Told at", at(n.At))
	fmt.Fprintf(&b, "\nSee: belfry task show %s\n", n.Info.Name)
	if c.Every > 0 && a.On != task.AlertSilent {
		fmt.Fprintf(&b, "More of this is told once in %s: belfry run list --task %s\n", task.Duration(c.Every), n.Info.Name)
	}
	return b.String()
}

func alertSentence(n task.Notice, a task.Alert) string {
	name, r := n.Info.Name, n.Run
	switch n.Kind {
	case task.AlertFailed:
		if r.Outcome == task.Unknown {
			return fmt.Sprintf("Nobody can tell whether task %s ran; it is not run again of itself.", name)
		}
		return fmt.Sprintf("Task %s %s, and no attempt is left.", name, alertWords(n))
	case task.AlertLate:
		if r.Started.IsZero() {
			return fmt.Sprintf("Task %s is late.", name)
		}
		return fmt.Sprintf("Task %s started %s after its time.", name, r.Started.Sub(r.Scheduled).Round(time.Millisecond))
	case task.AlertMissed:
		if r.Skips > 1 {
			return fmt.Sprintf("Task %s missed %d of its times.", name, r.Skips)
		}
		return fmt.Sprintf("Task %s missed its time.", name)
	case task.AlertSilent:
		return fmt.Sprintf("Task %s has not run successfully for %s.", name, a.After)
	default:
		return fmt.Sprintf("Task %s: %s.", name, n.Kind)
	}
}
