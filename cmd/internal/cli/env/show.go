package env

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// watchPace is how often --watch looks, and how long it leaves a store alone
// that cannot be reached.
const watchPace = time.Second

// Watchable gives a command that uses Show the flag --watch.
func (e *Env) Watchable(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVarP(&e.Watch, "watch", "w", false, "go on and show what changes; a terminal is redrawn, a pipe gets the new lines")
	return cmd
}

// Show reads and writes an answer, once or, with --watch, each time that it has
// changed, until ctx ends.
func Show[T any](
	e *Env, cmd *cobra.Command,
	read func(ctx context.Context, c *control.Control) (T, error), write func(p output.Printer, found T) error,
) error {
	if !e.Watch {
		return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
			found, err := read(ctx, c)
			if err != nil {
				return err
			}
			return write(e.Printer(), found)
		})
	}
	w := watch{e: e, shown: map[string]bool{}}
	for {
		err := e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
			for {
				found, err := read(ctx, c)
				if err != nil {
					return err
				}
				err = w.show(func(p output.Printer) error { return write(p, found) })
				if err == nil {
					err = pause(ctx, watchPace)
				}
				if err != nil {
					return err
				}
			}
		})
		if failure.Of(err).Code != failure.CodeUnavailable {
			return err
		}
		e.Say("%v; trying again", err)
		if err := pause(cmd.Context(), watchPace); err != nil {
			return err
		}
	}
}

// watch is what --watch has written so far.
type watch struct {
	e     *Env
	last  string
	shown map[string]bool // the lines of last
}

const clearScreen = "\x1b[H\x1b[2J"

// show redraws a terminal; a pipe gets the lines that were not there before, or
// all when they belong together.
func (w *watch) show(write func(output.Printer) error) error {
	p := w.e.Printer()
	var b bytes.Buffer
	p.Out = &b
	if err := write(p); err != nil {
		return err
	}
	text := b.String()
	if text == w.last {
		return nil
	}
	whole := p.Structured() && p.Format != output.JSONL
	var news strings.Builder
	lines := make(map[string]bool)
	for line := range strings.Lines(text) {
		lines[line] = true
		if !w.shown[line] || whole {
			news.WriteString(line)
		}
	}
	w.last, w.shown = text, lines
	if p.Terminal && !p.Structured() {
		_, err := fmt.Fprintf(w.e.Out, "%s%s\n%s", clearScreen, w.e.Now().UTC().Format(time.RFC3339), text)
		return err
	}
	_, err := io.WriteString(w.e.Out, news.String())
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Complete offers the names that begin as what was typed, and nothing when the
// store cannot be reached quickly: a completion never tells an error.
func (e *Env) Complete(names func(ctx context.Context, c *control.Control) ([]string, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		var found []string
		e.Timeout = CompletionTimeout
		_ = e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
			all, err := names(ctx, c)
			for _, name := range all {
				if strings.HasPrefix(name, prefix) && !slices.Contains(args, name) {
					found = append(found, name)
				}
			}
			return err
		})
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteTasks offers the names of tasks.
func (e *Env) CompleteTasks() cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) { return c.TaskNames(ctx) })
}

// CompleteNodes offers the names of hosts.
func (e *Env) CompleteNodes() cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
		nodes, err := c.Nodes(ctx)
		names := make([]string, 0, len(nodes))
		for _, n := range nodes {
			names = append(names, n.Name)
		}
		return names, err
	})
}

// CompleteServices offers the names of data services.
func (e *Env) CompleteServices() cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
		services, err := c.Services(ctx)
		names := make([]string, 0, len(services))
		for _, s := range services {
			names = append(names, s.Name)
		}
		return slices.Compact(names), err
	})
}
