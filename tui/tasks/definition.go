package tasks

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// definition lists what the task is, one line for each part.
func (t Detail) definition(s *screen.Scene) []string {
	info, ok := s.Picture.Definition(t.key)
	if !ok {
		return nil
	}
	v, _ := s.Picture.Task(t.key)
	var lines []string
	add := func(name, value string) {
		if value == "" {
			return
		}
		for i, part := range widget.Wrap(value, max(10, s.Width-18)) {
			if i > 0 {
				name = ""
			}
			lines = append(lines, s.Fit(s.Draw(theme.Faint, widget.Fit(name, 16, ""))+"  "+part))
		}
	}
	add("name", v.Name)
	add("tenant, type", v.Tenant+", "+v.Type)
	add("uid", v.UID)
	add("revision", fmt.Sprint(v.Revision))
	add("calls", v.Calls)
	add("trigger", v.Trigger)
	add("time zone", v.TZ)
	add("start", date(v.Start))
	add("end", date(v.End))
	if info.Trigger.Jitter > 0 {
		add("jitter", info.Trigger.Jitter.String())
	}
	add("misfire", string(v.Misfire))
	add("overlap", string(v.Overlap))
	add("delivery", string(v.Delivery))
	add("retry", fmt.Sprintf("%d, first after %s", v.Retry, info.Retry.Delay(2)))
	add("timeout", v.Timeout)
	if v.State == contract.Paused {
		add("paused", info.PauseReason)
		add("paused until", date(v.PausedUntil))
	}
	for _, line := range windowParts(v.Windows) {
		add(line[0], line[1])
	}
	add("location", v.Location)
	add("moving", v.Moving)
	for _, a := range v.Alerts {
		text := string(a.On)
		if a.After > 0 {
			text += " " + a.After.String()
		}
		add("alert", text+" to "+strings.Join(a.To, ", "))
	}
	add("description", v.Description)
	add("fired", fmt.Sprintf("%d times, %d failed, %d skipped", v.Fired, v.Failures, v.Skipped))
	return lines
}

func date(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.RFC3339)
}

// windowParts are the lines of what a definition says of them.
func windowParts(w *task.Windows) [][2]string {
	if w == nil {
		return nil
	}
	return [][2]string{
		{"allow", strings.Join(w.Allow, ", ")},
		{"forbid", strings.Join(w.Forbid, ", ")},
		{"outside", string(cmp.Or(w.Outside, task.OutsideSkip))},
	}
}
