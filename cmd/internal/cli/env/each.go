package env

import (
	"context"

	"github.com/seed42aab489/belfry/plugin/control"
)

// Each does something to each of the things named, and goes on when single ones
// fail. One that was named alone fails as itself; of many, some: exit code 8.
// Verbed is what was done to those that did not fail.
func (e *Env) Each(ctx context.Context, names []string, verbed string, do func(ctx context.Context, c *control.Control, name string) error) error {
	return e.Control(ctx, func(ctx context.Context, c *control.Control) error {
		failed := 0
		for i, name := range names {
			err := do(ctx, c, name)
			switch {
			case err == nil:
			case len(names) == 1:
				return err
			case ctx.Err() != nil:
				e.Say("stopped: %d of %d were %s", i-failed, len(names), verbed)
				return ctx.Err()
			default:
				failed++
				e.Say("%s: %v", name, err)
			}
		}
		if failed > 0 {
			return Partial("", "%d of %d were not %s", failed, len(names), verbed)
		}
		return nil
	})
}
