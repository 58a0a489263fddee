package task

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/order"
)

// manyNames is what the help of a verb on many tasks adds.
const manyNames = "\nEach of the tasks named is tried; exit code 8 says that some of many failed. On a terminal it asks before it touches\n" +
	"more than one. Names are taken as `task list -o name` gives them."

// named is the key of a task that was named: NAME, with the flags of the noun, or
// as ref writes it, or as messages do, task/NAME.
func named(key *keyFlags, name string) task.Key {
	k := *key
	k.Name = name
	switch parts := strings.Split(name, "/"); {
	case len(parts) == 3:
		k = task.Key{Tenant: parts[0], Type: parts[1], Name: parts[2]}
	case len(parts) == 2 && parts[0] == "task":
		k.Name = parts[1]
	}
	return k.Normal()
}

// ref names a task so that named finds it without flags: by its name, or, of
// another tenant or type than the defaults, as TENANT/TYPE/NAME.
func ref(k task.Key) string {
	k = k.Normal()
	if k.Tenant == task.DefaultTenant && k.Type == task.DefaultType {
		return k.Name
	}
	return k.String()
}

func keyOf(t *contract.TaskView) task.Key {
	return task.Key{Tenant: t.Tenant, Type: t.Type, Name: t.Name}
}

// refs names the tasks that were named, each once.
func refs(key *keyFlags, names []string) []string {
	all := make([]string, 0, len(names))
	for _, name := range names {
		all = append(all, ref(named(key, name)))
	}
	return env.Once(all)
}

// edits is the same edit of many tasks.
type edits struct {
	verb, verbed string
	change       func(*task.Info) error
	// order is the edit of one as screens order it, who know how to undo it; nil: the
	// definition before it is what takes it back.
	order func(was task.Info) order.Order
	// before is done before all; nil: nothing is.
	before func(ctx context.Context, c *control.Control) error
}

// alter edits each of the tasks named, tells what became of it, and how to take it
// all back.
func alter(e *env.Env, cmd *cobra.Command, key *keyFlags, names []string, what edits) error {
	names = refs(key, names)
	return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
		if err := several(ctx, e, what.verb, names); err != nil {
			return err
		}
		if what.before != nil {
			if err := what.before(ctx, c); err != nil {
				return err
			}
		}
		var undo taken
		views := []contract.TaskView{}
		err := e.EachOf(ctx, names, what.verbed, func(name string) error {
			made, err := c.EditTask(ctx, named(&keyFlags{}, name), 0, what.change)
			if err != nil {
				return err
			}
			e.Did(env.Change{Object: "task/" + name, Verbed: what.verbed, Before: made.Was.Revision, After: made.Is.Revision})
			if made.Changed() && what.order != nil {
				undo.order(what.order(made.Was))
			} else {
				undo.add(reverts(made)...)
			}
			views = append(views, made.Task)
			return nil
		})
		e.Undo(undo.commands()...)
		return result(e, len(names), views, err)
	})
}

// maxShown bounds the tasks that a question lists.
const maxShown = 20

// several asks before more than one task is touched.
func several(ctx context.Context, e *env.Env, verb string, names []string) error {
	if len(names) < 2 {
		return nil
	}
	q := env.Question{Text: fmt.Sprintf("This would %s %d tasks. Go on?", verb, len(names))}
	for _, name := range names[:min(len(names), maxShown)] {
		q.Effects = append(q.Effects, "  "+name)
	}
	if more := len(names) - maxShown; more > 0 {
		q.Effects = append(q.Effects, fmt.Sprintf("  and %d more", more))
	}
	return e.Confirm(ctx, q)
}

// result writes for programs what became of the tasks: of one that was named the
// task, of several a list.
func result(e *env.Env, named int, views []contract.TaskView, failed error) error {
	p := e.Printer()
	if len(views) == 0 || !p.Structured() && p.Format != output.Name {
		return failed
	}
	var err error
	if named == 1 {
		err = p.Sheet(views[0], ref(keyOf(&views[0])), nil)
	} else {
		err = frame().Print(p, views)
	}
	if failed != nil {
		return failed
	}
	return err
}

// taken are the commands that take back what was done to several tasks: one for
// all that are alike.
type taken struct {
	lines []line
}

type line struct {
	before, after string // what goes before and after the names
	names         []string
}

// maxTaken bounds the names in a command that is told.
const maxTaken = 50

// order adds what takes back an order.
func (t *taken) order(o order.Order) {
	if back, ok := o.Undo(); ok {
		t.add(back.Commands()...)
	}
}

// add adds commands that each are about one task.
func (t *taken) add(commands ...string) {
	for _, command := range commands {
		words := strings.SplitN(command+" ", " ", 5) // belfry task resume NAME and flags
		l := line{strings.Join(words[:3], " "), strings.TrimRight(" "+words[4], " "), words[3:4]}
		if i := slices.IndexFunc(t.lines, func(o line) bool { return o.before == l.before && o.after == l.after }); i >= 0 {
			t.lines[i].names = append(t.lines[i].names, l.names...)
		} else {
			t.lines = append(t.lines, l)
		}
	}
}

func (t *taken) commands() []string {
	var all []string
	for _, l := range t.lines {
		names := strings.Join(l.names[:min(len(l.names), maxTaken)], " ")
		if more := len(l.names) - maxTaken; more > 0 {
			names += fmt.Sprintf(" ... and %d more", more)
		}
		all = append(all, l.before+" "+names+l.after)
	}
	return all
}
