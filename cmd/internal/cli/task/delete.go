package task

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newDelete(e *env.Env, key *keyFlags) *cobra.Command {
	return e.Edits(&cobra.Command{
		Use:        "delete NAME...",
		SuggestFor: []string{"rm", "remove"},
		Short:      "Delete tasks; what runs already finishes",
		Long: "Delete tasks; what runs already finishes. It shows what ends with them and has the name typed, or how many they are\n" +
			"(--yes in scripts). A task that another one follows is deleted only together with that one. Their definitions are\n" +
			"kept in a task file, below $XDG_STATE_HOME or ~/.local/state, from which `belfry apply` makes them again.\n" +
			"Each of the tasks named is tried; exit code 8 says that some of many failed.",
		Example: "  belfry task delete stock-watch --yes\n" +
			"  belfry task delete nightly --dry-run\n" +
			"  belfry task delete stock-watch nightly --reason \"moved to the warehouse\" -y",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			names := refs(key, args)
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				d := deletion{e: e, c: c, kept: &copies{e: e}}
				defer d.kept.close()
				err := d.look(ctx, names)
				if err == nil && len(d.seen) > 0 {
					err = e.Confirm(ctx, d.question())
				}
				if err == nil {
					err = d.all(ctx, names)
				}
				return err
			})
		},
	})
}

// deletion is of the tasks that were looked at before, and no others.
type deletion struct {
	e     *env.Env
	c     *control.Control
	seen  []doomed
	fault map[string]error // of those that could not be looked at
	kept  *copies
}

type doomed struct {
	name string
	info task.Info
	view contract.TaskView // as it stands; empty: nobody is asked
}

// look reads the tasks. One alone that is not there is an error.
func (d *deletion) look(ctx context.Context, names []string) error {
	d.fault = make(map[string]error)
	progress := d.e.Progress("looked at", len(names))
	defer progress.End()
	for i, name := range names {
		one := doomed{name: name}
		var err error
		if d.e.Agreed {
			one.info, err = d.c.Define(ctx, named(&keyFlags{}, name))
		} else {
			one.view, one.info, err = d.c.Defined(ctx, named(&keyFlags{}, name))
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (len(names) == 1 || failure.Of(err).Code == failure.CodeUnavailable):
			return err
		case err != nil:
			d.fault[name] = err
		default:
			d.seen = append(d.seen, one)
		}
		progress.At(i + 1)
	}
	return nil
}

// question says what the deletion does, and has the name or the number typed.
func (d *deletion) question() env.Question {
	now := d.e.Now()
	year, running, total := 0, 0, len(d.seen)
	var q env.Question
	doomed := make(map[task.Key]bool, total)
	for _, one := range d.seen {
		doomed[one.info.Key] = true
	}
	for i, one := range d.seen {
		n := preview.CountInstants(&one.info, now, now.AddDate(1, 0, 0))
		year += n
		if one.view.State == contract.Running {
			running++
		}
		if i < maxShown {
			q.Effects = append(q.Effects, "  "+one.line(n, now))
		}
		for _, f := range standing.Followers(&one.info) {
			if !doomed[f.Key.Normal()] {
				q.Effects = append(q.Effects, fmt.Sprintf("  ! %s follows %s, which can be deleted only together with it", ref(f.Key), one.name))
			}
		}
	}
	for _, name := range d.lost() {
		q.Effects = append(q.Effects, "  ! "+name+": "+failure.Of(d.fault[name]).Message)
	}
	if more := total - maxShown; more > 0 {
		q.Effects = append(q.Effects, fmt.Sprintf("  and %d more", more))
	}
	q.Effects = append(q.Effects, fmt.Sprintf("This stops %d firings a year; the runs that are kept of them go too.", year))
	if running > 0 {
		q.Effects = append(q.Effects, fmt.Sprintf("Of %d a run goes on; it finishes.", running))
	}
	if total == 1 {
		q.Text, q.Word = "Delete task "+d.seen[0].name+" for good? Type its name:", d.seen[0].name
	} else {
		q.Text, q.Word = fmt.Sprintf("Delete %d tasks for good? Type their number:", total), fmt.Sprint(total)
	}
	return q
}

// lost are those that could not be looked at, a few of them.
func (d *deletion) lost() []string {
	names := slices.Sorted(maps.Keys(d.fault))
	return names[:min(len(names), maxShown)]
}

// line says what one task is.
func (one doomed) line(year int, now time.Time) string {
	parts := []string{string(one.view.State), fmt.Sprintf("%d firings a year", year)}
	if one.view.Next != nil {
		parts = append(parts, "the next "+output.Relative(one.view.Next.Sub(now)))
	}
	if one.view.Fired > 0 {
		parts = append(parts, fmt.Sprintf("%d fired so far", one.view.Fired))
	}
	return one.name + ": " + strings.Join(parts, ", ")
}

// all deletes those that were looked at, what follows others before these.
func (d *deletion) all(ctx context.Context, names []string) error {
	at := make(map[string]*doomed, len(d.seen))
	for i := range d.seen {
		at[d.seen[i].name] = &d.seen[i]
	}
	err := d.e.EachOf(ctx, d.inOrder(names, at), "deleted", func(name string) error {
		if err := d.fault[name]; err != nil {
			return err
		}
		return d.one(ctx, at[name])
	})
	switch file, err := d.kept.file(); {
	case err != nil:
		d.e.Say("  undo: there is none, no copy could be kept: %v", err)
	case file != "":
		d.e.Undo("belfry apply -f " + file)
	}
	return err
}

// inOrder gives the names so that a task comes after those that follow it.
func (d *deletion) inOrder(names []string, at map[string]*doomed) []string {
	ordered := make([]string, 0, len(names))
	visited := make(map[string]bool, len(names))
	var visit func(name string)
	visit = func(name string) {
		if visited[name] {
			return
		}
		visited[name] = true
		if one := at[name]; one != nil {
			for _, f := range standing.Followers(&one.info) {
				if follower := ref(f.Key); at[follower] != nil {
					visit(follower)
				}
			}
		}
		ordered = append(ordered, name)
	}
	for _, name := range names {
		visit(name)
	}
	return slices.Clip(ordered)
}

// one deletes a task, if it still is the one that was looked at.
func (d *deletion) one(ctx context.Context, seen *doomed) error {
	is, err := d.c.Define(ctx, seen.info.Key)
	if err != nil {
		return err
	}
	if is.UID != seen.info.UID {
		return &failure.Error{Code: failure.CodeConflict, Message: "task " + seen.name + " was made anew meanwhile; the new one was left alone"}
	}
	if err := d.c.DeleteTask(ctx, is.Key); err != nil {
		return err
	}
	d.kept.add(&is)
	d.e.Did(env.Change{Object: "task/" + seen.name, Verbed: "deleted"})
	return nil
}
