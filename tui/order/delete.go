package order

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Deletion makes the order that deletes tasks, each before those that it follows: a
// task that is still followed cannot be deleted.
func Deletion(p *follow.Picture, keys []task.Key) Order {
	o := Order{Verb: Delete}
	seen := make(map[task.Key]bool, len(keys))
	var visit func(key task.Key)
	visit = func(key task.Key) {
		if seen[key] {
			return
		}
		seen[key] = true
		for _, f := range followers(p, key) {
			if slices.Contains(keys, f) {
				visit(f)
			}
		}
		o.Tasks = append(o.Tasks, key)
	}
	for _, key := range keys {
		visit(key)
	}
	return o
}

// followers are the tasks that fire when one has ended.
func followers(p *follow.Picture, key task.Key) []task.Key {
	info, ok := p.Definition(key)
	if !ok {
		return nil
	}
	var keys []task.Key
	for _, f := range standing.Followers(&info) {
		other, ok := p.Definition(f.Key)
		if !ok || other.After == nil {
			continue
		}
		if before, err := other.After.Keys(other.Key); err == nil && slices.Contains(before, key.Normal()) {
			keys = append(keys, other.Key)
		}
	}
	return keys
}

// bereft are the tasks that follow one that is deleted, and are not deleted with it.
func (o Order) bereft(p *follow.Picture) []string {
	var names []string
	for _, key := range o.Tasks {
		for _, f := range followers(p, key) {
			if !slices.Contains(o.Tasks, f) && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// Barred says why the order would be refused, as far as a picture tells; empty: it
// would not be.
func (o Order) Barred(p *follow.Picture) string {
	if o.Verb != Delete {
		return ""
	}
	if names := o.bereft(p); len(names) > 0 {
		return "followed by " + few(names) + ": delete them too, or let them follow something else"
	}
	return ""
}

// Instead is the order that does less than this one and can be taken back: a pause
// in the place of a deletion. False: there is none.
func (o Order) Instead(p *follow.Picture) (Order, bool) {
	if o.Verb != Delete {
		return Order{}, false
	}
	less := Order{Verb: Pause, By: o.By}
	for _, key := range o.Tasks {
		if v, ok := p.Task(key); ok && v.State != contract.Paused {
			less.Tasks = append(less.Tasks, key)
		}
	}
	return less, len(less.Tasks) > 0
}

// deletes tells what goes with tasks.
func (o Order) deletes(p *follow.Picture, now time.Time) []string {
	lines := o.standing(p, now)
	going := 0
	for _, key := range o.Tasks {
		for _, r := range p.Runs(key) {
			if r.Outcome == string(task.Running) {
				going++
			}
		}
	}
	if going > 0 {
		lines = append(lines, count(going, "run")+" under way, which ends first")
	} else {
		lines = append(lines, "no run is under way")
	}
	if names := o.bereft(p); len(names) > 0 {
		lines = append(lines, "! "+few(names)+" would lose what it follows, and never fire after it again")
	}
	return append(lines,
		"runs and earlier definitions go too; who deleted what is kept by belfry audit",
		"! nothing takes it back; its task file can be kept before: esc, then y",
	)
}

// stops says how much of a task stops.
func (o Order) stops(p *follow.Picture, v contract.TaskView, now time.Time) string {
	text := ""
	if info, ok := p.Definition(task.Key{Tenant: v.Tenant, Type: v.Type, Name: v.Name}); ok {
		if n := preview.CountInstants(&info, now, now.Add(year)); n > 0 {
			text += "; " + count(n, "firing") + " a year stop"
		}
	}
	if v.Fired > 0 {
		text += "; it has fired " + count(int(v.Fired), "time")
	}
	return text
}

const year = 365 * 24 * time.Hour

// few names a few.
func few(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}
