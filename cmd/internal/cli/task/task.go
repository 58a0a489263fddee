// Package task holds the commands of the noun "task".
package task

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "task",
		Aliases: []string{"t", "tasks"},
		Short:   "Schedule operations and control what is scheduled",
		Long: "A task calls an operation of a data service at the times that its trigger says.\n" +
			"Each scheduled time fires once, or leaves a record of why it did not.",
		GroupID: "core",
	}
	key := &keyFlags{}
	cmd.PersistentFlags().StringVar(&key.Tenant, "tenant", task.DefaultTenant, "tenant of the task")
	cmd.PersistentFlags().StringVar(&key.Type, "type", task.DefaultType, "type of the task")
	cmd.AddCommand(
		newList(e), newShow(e, key), newCreate(e, key), newSet(e, key), newPause(e, key), newResume(e, key),
		newRun(e, key), newBackfill(e, key), newMove(e, key), newNext(e, key), newDelete(e, key),
		newCopy(e, key), newEdit(e, key), newHistory(e, key), newRevert(e, key),
	)
	return cmd
}

// keyFlags are the flags of the noun that, with a name, make a task's key.
type keyFlags = task.Key

type view = contract.TaskView

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(t view) string { return ref(keyOf(&t)) },
		Fields: []output.Field[view]{
			output.Says("NAME", func(t view) string { return t.Name }),
			output.Says("STATE", func(t view) string { return string(t.State) }),
			output.Says("TRIGGER", func(t view) string { return t.Trigger }),
			output.When("NEXT", func(t view) *time.Time { return t.Next }),
			output.When("LAST", func(t view) *time.Time {
				if t.Last == nil {
					return nil
				}
				return &t.Last.Scheduled
			}),
			output.Says("RESULT", func(t view) string {
				if t.Last == nil {
					return ""
				}
				return t.Last.Outcome
			}),
			output.Says("NODE", func(t view) string { return t.Node }),
			output.Adds("SERVICE", func(t view) string { return t.Service }),
			output.Adds("OPERATION", func(t view) string { return t.Operation }),
			output.Adds("KIND", func(t view) string { return string(t.Kind) }),
			output.Adds("CALLS", func(t view) string { return t.Calls }),
			output.Adds("FIRED", func(t view) string { return fmt.Sprint(t.Fired) }),
			output.Adds("FAILURES", func(t view) string { return fmt.Sprint(t.Failures) }),
			output.Adds("SKIPPED", func(t view) string { return fmt.Sprint(t.Skipped) }),
			output.Adds("REASON", func(t view) string { return t.Reason }),
		},
		Empty: "No tasks yet. See what can be scheduled with `belfry operation list`, then `belfry task create --help`.",
	}
}

func sheet(p output.Printer, t contract.TaskView) [][2]string {
	pairs := [][2]string{
		{"Name", t.Name},
		{"Tenant, type", t.Tenant + ", " + t.Type},
		{"Calls", t.Calls},
		{"Kind", string(t.Kind)},
		{"Trigger", t.Trigger + " (" + t.TZ + ")"},
		{"State", strings.TrimSpace(string(t.State) + "  " + t.Reason)},
		{"Node", t.Node},
		{"Next", p.Instant(t.Next)},
		{"Policies", fmt.Sprintf("misfire %s, overlap %s, %s, retry %d, timeout %s", t.Misfire, t.Overlap, t.Delivery, t.Retry, t.Timeout)},
		{"Counts", fmt.Sprintf("fired %d, failed %d, skipped %d", t.Fired, t.Failures, t.Skipped)},
		{"Revision", fmt.Sprint(t.Revision)},
	}
	if t.Start != nil || t.End != nil {
		pairs = append(pairs, [2]string{"Between", p.Instant(t.Start) + " and " + p.Instant(t.End)})
	}
	if t.Last != nil {
		pairs = append(pairs, [2]string{"Last", strings.TrimSpace(t.Last.Outcome + " " + p.Instant(&t.Last.Scheduled) + "  " + t.Last.Error)})
	}
	for _, a := range t.Alerts {
		for _, text := range a.Texts() {
			pairs = append(pairs, [2]string{"Alert", text})
		}
	}
	if t.After != "" {
		pairs = append(pairs, [2]string{"After", t.After})
	}
	if len(t.Followers) > 0 {
		pairs = append(pairs, [2]string{"Followers", strings.Join(t.Followers, ", ")})
	}
	if t.Window != "" {
		pairs = append(pairs, [2]string{"Windows", t.Window})
	}
	if r := t.Reply; r != nil {
		text := "within " + r.Wait().String()
		if r.Retries() {
			text += ", then called again"
		}
		pairs = append(pairs, [2]string{"Reply", text})
	}
	if t.Location != "" {
		pairs = append(pairs, [2]string{"Location", t.Location})
	}
	if t.Moving != "" {
		pairs = append(pairs, [2]string{"Moving", t.Moving})
	}
	if t.Description != "" {
		pairs = append(pairs, [2]string{"Description", t.Description})
	}
	return pairs
}
