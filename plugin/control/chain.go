package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/render"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxAncestors bounds the tasks that are looked at for a circle.
const maxAncestors = 1000

// validateAfter checks what a task follows. A task that follows others and has
// no trigger gets task.Never.
func (c *Control) validateAfter(ctx context.Context, info *task.Info) error {
	if info.After == nil {
		return nil
	}
	if info.Trigger == (task.TriggerInfo{}) {
		info.Trigger.Cron = task.Never
	}
	before, err := info.After.Keys(info.Key)
	if err != nil {
		return failure.Invalid("%v", err)
	}
	slices.SortFunc(before, func(a, b task.Key) int { return strings.Compare(a.String(), b.String()) })
	switch {
	case len(before) == 0 || len(before) > task.MaxAfter:
		return failure.Invalid("after: name 1 to %d tasks", task.MaxAfter)
	case len(slices.Compact(slices.Clone(before))) < len(before):
		return failure.Invalid("after: a task is named twice")
	case !slices.Contains([]task.On{"", task.OnSuccess, task.OnFailure, task.OnEnd}, info.After.On):
		return failure.Invalid("after: on %q is unknown: use %s, %s or %s", info.After.On, task.OnSuccess, task.OnFailure, task.OnEnd)
	}
	for name, text := range info.After.With {
		if _, err := render.Compile("with "+name, text, render.Rules{MaxTemplate: task.MaxInput, MaxOutput: task.MaxInput}, task.Ended{}); err != nil {
			return failure.Invalid("after: %v", err)
		}
	}
	return c.noCircle(ctx, info.Key, before)
}

// noCircle refuses a task that would follow itself, over whatever others.
func (c *Control) noCircle(ctx context.Context, key task.Key, before []task.Key) error {
	type step struct {
		key  task.Key
		path string
	}
	var todo []step
	for _, k := range before {
		todo = append(todo, step{k, k.Name})
	}
	seen := map[task.Key]bool{}
	for ; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		if at.key == key {
			return &failure.Error{
				Code: failure.CodeInvalid, Message: "after: a circle: " + key.Name + " after " + at.path,
				Hint: "let one of them follow something else",
			}
		}
		if seen[at.key] {
			continue
		}
		if seen[at.key] = true; len(seen) > maxAncestors {
			return failure.Invalid("after: more than %d tasks come before it", maxAncestors)
		}
		info, err := c.expected(ctx, at.key)
		if errors.Is(err, coordclient.ErrNotFound) {
			if slices.Contains(before, at.key) {
				return &failure.Error{Code: failure.CodeInvalid, Message: "after: there is no task " + at.key.Name, Hint: "create it first"}
			}
			continue
		}
		if err != nil {
			return err
		}
		further, err := info.After.Keys(info.Key)
		if err != nil {
			return fmt.Errorf("task %s: %w", info.Name, err)
		}
		for _, k := range further {
			todo = append(todo, step{k, at.path + " after " + k.Name})
		}
	}
	return nil
}

// expected is the definition of a task: as it will be when what is planned is
// done, else as it is.
func (c *Control) expected(ctx context.Context, key task.Key) (task.Info, error) {
	if info, ok := c.coming[key]; ok {
		return info, nil
	}
	return c.store.Get(ctx, key)
}

// link makes a task known as a follower to those that it follows. It comes before
// the task does follow, so that no end is lost; one that follows no more is left
// alone by who delivers.
func (c *Control) link(ctx context.Context, info *task.Info) error {
	before, err := info.After.Keys(info.Key)
	if err != nil {
		return err
	}
	for _, key := range before {
		follower := task.Follower{Key: info.Key, On: info.After.On}
		_, err := c.store.Update(ctx, key, 0, func(of *task.Info) error {
			list := slices.DeleteFunc(standing.Followers(of), func(f task.Follower) bool { return f.Key == follower.Key })
			if len(list) >= task.MaxFollowers {
				return failure.Invalid("task %s has %d followers already, the limit is %d", of.Name, len(list), task.MaxFollowers)
			}
			setFollowers(of, append(list, follower))
			return nil
		})
		if err != nil {
			return c.missing(ctx, key, err)
		}
	}
	return nil
}

// relink is link for an edit that changes what a task follows. It gives what it
// followed before; nothing if that is the same.
func (c *Control) relink(ctx context.Context, before, after *task.Info) ([]task.Key, error) {
	if sameAfter(before.After, after.After) {
		return nil, nil
	}
	followed, err := before.After.Keys(before.Key)
	if err != nil {
		return nil, err
	}
	return followed, c.link(ctx, after)
}

func sameAfter(a, b *task.After) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.On == b.On && a.All == b.All && slices.Equal(a.Tasks, b.Tasks) && maps.Equal(a.With, b.With)
}

// unlink undoes link for the tasks that are not followed (any more). What it
// leaves behind does no harm.
func (c *Control) unlink(ctx context.Context, follower task.Key, from, still []task.Key) error {
	for _, key := range from {
		if slices.Contains(still, key) {
			continue
		}
		_, err := c.store.Update(ctx, key, 0, func(of *task.Info) error {
			setFollowers(of, slices.DeleteFunc(standing.Followers(of), func(f task.Follower) bool { return f.Key == follower }))
			return nil
		})
		if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
			return err
		}
	}
	return nil
}

// setFollowers in an order of their own, so that the same ones are no change.
func setFollowers(info *task.Info, list []task.Follower) {
	slices.SortFunc(list, func(a, b task.Follower) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	info.Followers = &list
	if len(list) == 0 {
		info.Followers = nil
	}
}

// followed refuses to delete a task that others follow.
func (c *Control) followed(ctx context.Context, info *task.Info) error {
	var names []string
	for _, f := range standing.Followers(info) {
		other, err := c.store.Get(ctx, f.Key)
		if errors.Is(err, coordclient.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if before, err := other.After.Keys(other.Key); err == nil && slices.Contains(before, info.Key) {
			names = append(names, other.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &failure.Error{
		Code: failure.CodeConflict, Message: "task " + info.Name + " is followed by " + strings.Join(names, ", "),
		Hint: "delete those first, or let them follow something else",
	}
}
