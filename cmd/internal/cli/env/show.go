package env

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

// Show reads and writes an answer, once or, with --watch, each time that it may have
// changed, until ctx ends.
func Show[T any](
	e *Env, cmd *cobra.Command,
	read func(ctx context.Context, c *control.Control) (T, error), write func(p output.Printer, found T) error,
) error {
	look := func(ctx context.Context, c *control.Control) (func(output.Printer) error, error) {
		found, err := read(ctx, c)
		return func(p output.Printer) error { return write(p, found) }, err
	}
	if e.Watch {
		return e.watch(cmd.Context(), look)
	}
	return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
		show, err := look(ctx, c)
		if err != nil {
			return err
		}
		return show(e.Printer())
	})
}

// Sortable gives a command that writes a list the flag --sort-by; keys are what the
// list can be ordered by.
func (e *Env) Sortable(cmd *cobra.Command, keys []string) *cobra.Command {
	cmd.Flags().StringVar(&e.SortBy, "sort-by", "", "order by this column; with a - before it the other way round")
	_ = cmd.RegisterFlagCompletionFunc("sort-by", cobra.FixedCompletions(keys, cobra.ShellCompDirectiveNoFileComp))
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if err := output.CheckSort(e.SortBy, keys); err != nil {
			return Usage("%v", err)
		}
		return nil
	}
	return cmd
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

// OneOf completes the value of a flag that takes one of a few words, or several with
// commas between them.
func OneOf(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var found []string
		for _, word := range words {
			if strings.HasPrefix(before+word, typed) && !slices.Contains(strings.Split(before, ","), word) {
				found = append(found, before+word)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteAbout offers task/NAME and node/NAME.
func (e *Env) CompleteAbout() cobra.CompletionFunc {
	return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
		var all []string
		nodes, err := c.Nodes(ctx)
		for _, n := range nodes {
			all = append(all, "node/"+n.Name)
		}
		if err != nil {
			return nil, err
		}
		names, err := c.TaskNames(ctx)
		for _, name := range names {
			all = append(all, "task/"+name)
		}
		return all, err
	})
}

// First completes the first argument alone.
func First(complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, prefix)
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

// CompleteOperations offers the names of a data service's operations that can be
// scheduled or tried; which service the command line says. Empty: none is said yet.
func (e *Env) CompleteOperations(service func(cmd *cobra.Command, args []string) string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		name := service(cmd, args)
		if name == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return e.Complete(func(ctx context.Context, c *control.Control) ([]string, error) {
			operations, err := c.Operations(ctx, name)
			names := make([]string, 0, len(operations))
			for _, o := range operations {
				names = append(names, o.Name)
			}
			return names, err
		})(cmd, args, prefix)
	}
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
