package env

import (
	"context"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Each does something to each of the things named, and goes on when single ones
// fail. One that was named alone fails as itself; of many, some: exit code 8.
// Verbed is what was done to those that did not fail. Interrupted, or left alone by
// the store, it says where it stopped.
func (e *Env) Each(ctx context.Context, names []string, verbed string, do func(ctx context.Context, c *control.Control, name string) error) error {
	return e.Control(ctx, func(ctx context.Context, c *control.Control) error {
		return e.EachOf(ctx, Once(names), verbed, func(name string) error { return do(ctx, c, name) })
	})
}

// EachOf is Each for who has a connection. The names are different.
func (e *Env) EachOf(ctx context.Context, names []string, verbed string, do func(name string) error) error {
	progress := e.Progress(verbed, len(names))
	defer progress.End()
	failed := 0
	for i, name := range names {
		err := ctx.Err()
		if err == nil {
			err = do(name)
		}
		switch {
		case err == nil:
		case len(names) == 1:
			return err
		case ctx.Err() != nil, failure.Of(err).Code == failure.CodeUnavailable:
			e.Warn("stopped: %d of %d were %s; %s is the first that was not", i-failed, len(names), verbed, name)
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return err
		default:
			failed++
			text := failure.Of(err)
			e.Warn("%s: %s", name, text.Message)
			if text.Hint != "" {
				e.Warn("  %s", text.Hint)
			}
		}
		progress.At(i + 1)
	}
	if failed > 0 {
		return Partial("", "%d of %d were not %s", failed, len(names), verbed)
	}
	return nil
}

// Once leaves out what a list names again.
func Once(names []string) []string {
	seen := make(map[string]bool, len(names))
	once := make([]string, 0, len(names))
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			once = append(once, name)
		}
	}
	return once
}
