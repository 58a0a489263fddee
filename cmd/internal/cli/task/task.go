// Package task holds the commands of the noun "task".
package task

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
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
		newRun(e, key), newNext(e, key), newDelete(e, key),
	)
	return cmd
}

// keyFlags are the flags of the noun that, with a name, make a task's key.
type keyFlags = task.Key

func named(key *keyFlags, name string) task.Key {
	k := *key
	k.Name = name
	return k.Normal()
}

// completeNames offers the names of the tasks there are, and nothing when the
// host cannot be reached quickly.
func completeNames(e *env.Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
		var names []string
		e.Timeout = env.CompletionTimeout
		_ = e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
			tasks, err := c.Tasks(ctx, control.TaskFilter{NamePrefix: prefix})
			for _, t := range tasks {
				names = append(names, t.Name)
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func listing(p output.Printer, tasks []control.TaskView) output.Listing {
	l := output.Listing{
		Data: tasks,
		Columns: []output.Column{
			{Name: "NAME"},
			{Name: "STATE"},
			{Name: "TRIGGER"},
			{Name: "NEXT"},
			{Name: "LAST"},
			{Name: "RESULT"},
			{Name: "NODE"},
			{Name: "SERVICE", Wide: true},
			{Name: "OPERATION", Wide: true},
			{Name: "FIRED", Wide: true},
			{Name: "FAILURES", Wide: true},
			{Name: "SKIPPED", Wide: true},
			{Name: "REASON", Wide: true},
		},
		Empty: "No tasks yet. See what can be scheduled with `belfry operation list`, then `belfry task create --help`.",
	}
	for _, t := range tasks {
		last, result := output.Text(""), output.Text("")
		if t.Last != nil {
			at := t.Last.Scheduled
			last, result = p.Time(&at), output.Text(t.Last.Outcome)
		}
		l.Names = append(l.Names, t.Name)
		l.Rows = append(l.Rows, []output.Cell{
			output.Text(t.Name), output.Text(string(t.State)), output.Text(t.Trigger), p.Time(t.Next), last, result, output.Text(t.Node),
			output.Text(t.Service), output.Text(t.Operation), count(t.Fired), count(t.Failures), count(t.Skipped), output.Text(t.Reason),
		})
	}
	return l
}

func count(n int64) output.Cell { return output.Text(fmt.Sprint(n)) }

func sheet(p output.Printer, t control.TaskView) [][2]string {
	pairs := [][2]string{
		{"Name", t.Name},
		{"Tenant, type", t.Tenant + ", " + t.Type},
		{"Calls", t.Service + "." + t.Operation},
		{"Trigger", t.Trigger + " (" + t.TZ + ")"},
		{"State", strings.TrimSpace(string(t.State) + "  " + t.Reason)},
		{"Node", t.Node},
		{"Next", instant(p, t.Next)},
		{"Policies", fmt.Sprintf("misfire %s, overlap %s, %s, retry %d, timeout %s", t.Misfire, t.Overlap, t.Delivery, t.Retry, t.Timeout)},
		{"Counts", fmt.Sprintf("fired %d, failed %d, skipped %d", t.Fired, t.Failures, t.Skipped)},
		{"Revision", fmt.Sprint(t.Revision)},
	}
	if t.Start != nil || t.End != nil {
		pairs = append(pairs, [2]string{"Between", instant(p, t.Start) + " and " + instant(p, t.End)})
	}
	if t.Last != nil {
		pairs = append(pairs, [2]string{"Last", strings.TrimSpace(t.Last.Outcome + " " + instant(p, &t.Last.Scheduled) + "  " + t.Last.Error)})
	}
	for _, a := range t.Alerts {
		pairs = append(pairs, [2]string{"Alert", fmt.Sprintf("%s after %s to %s", a.On, a.After, strings.Join(a.To, ", "))})
	}
	if t.Description != "" {
		pairs = append(pairs, [2]string{"Description", t.Description})
	}
	return pairs
}

func instant(p output.Printer, t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339) + " (" + output.Relative(t.Sub(p.Now)) + ")"
}
