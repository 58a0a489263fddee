package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func notice(kind task.AlertKind, run task.Run) task.Notice {
	after := task.Duration(10 * time.Minute)
	return task.Notice{
		ID: "u1:1764000000000/" + string(kind), Kind: kind, Run: run, At: start,
		Info: task.Info{
			Key: task.Key{Tenant: "default", Type: "DATA_SERVICE_TASK", Name: "raise"}, UID: "u1", Service: "Salaries", Operation: "incrementEmployeeSalary",
			Alerts: []task.Alert{
				{On: kind, After: after, To: []string{"mailto:ops@example.org, boss@example.org", "MAILTO:ops@example.org"}},
				{On: kind, After: task.Duration(time.Hour), To: []string{"https://example.org/hook"}},
				{On: "other", To: []string{"mailto:nobody@example.org"}},
			},
		},
	}
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	scheduled := start.Add(-20 * time.Minute)
	run := task.Run{
		FireID: "u1:1764000000000", Scheduled: scheduled, Started: start.Add(-8 * time.Minute), Ended: start, Outcome: task.Failed,
		Attempt: 4, Node: "node1", Error: "no such table: Employees\r\nBcc: x@y",
	}
	unknown, missed := run, task.Run{FireID: "u1:2", Scheduled: scheduled, Until: start, Outcome: task.Skipped, Reason: task.ReasonMissed, Skips: 12}
	unknown.Outcome, unknown.Error = task.Unknown, ""
	var all strings.Builder
	for _, n := range []task.Notice{
		notice(task.AlertFailed, run), notice(task.AlertFailed, unknown), notice(task.AlertLate, run), notice(task.AlertMissed, missed),
		notice(task.AlertSilent, task.Run{}),
	} {
		messages := Alerts{}.Announce(n)
		if len(messages) != 3 {
			t.Errorf("%s: %d messages, want 3", n.Kind, len(messages))
			continue
		}
		if again := (Alerts{}).Announce(n); again[0].ID != messages[0].ID || messages[0].ID == messages[1].ID {
			t.Errorf("%s: ids %s, %s, again %s", n.Kind, messages[0].ID, messages[1].ID, again[0].ID)
		}
		m := messages[0]
		if m.To != "mailto:ops@example.org" || m.Source.Alert != string(n.Kind) || m.Source.Task.Name != "raise" || m.Event != nil {
			t.Errorf("%+v", m)
		}
		fmt.Fprintf(&all, "%s\n\n%s\n----\n", m.Subject, m.Text)
	}
	golden(t, "alerts.txt", all.String())
}

func TestAnnounceNobody(t *testing.T) {
	t.Parallel()
	n := notice(task.AlertFailed, task.Run{})
	n.Info.Alerts = nil
	if got := (Alerts{}).Announce(n); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Who is told once in a while is told so.
func TestAnnounceSaysHowOften(t *testing.T) {
	t.Parallel()
	for kind, want := range map[task.AlertKind]bool{task.AlertFailed: true, task.AlertSilent: false} {
		text := Alerts{Every: 5 * time.Minute}.Announce(notice(kind, task.Run{}))[0].Text
		if got := strings.Contains(text, "More of this is told once in 5m0s: belfry run list --task raise"); got != want {
			t.Errorf("%s: %t, want %t:\n%s", kind, got, want, text)
		}
	}
}
