// Package backup holds the commands of the noun "backup".
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/backup"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Save all tasks and calendars, check what was saved, and restore it",
		Long: "Save all tasks and calendars, check what was saved, and restore it. A backup holds what administrators made:\n" +
			"calendars, each task, whether it is paused, and what its instants count from. Runs, claims and messages on their way are what\n" +
			"hosts make of it, and are not in it: restored tasks fire nothing that was due before, and go on in step.",
		GroupID: "files",
	}
	cmd.AddCommand(newSave(e), newVerify(e), newRestore(e))
	return cmd
}

func newSave(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "save FILE",
		Short: "Save a backup; FILE is replaced when all is written",
		Example: "  belfry backup save belfry.backup\n" +
			"  belfry backup save nightly.backup -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				progress := e.Progress("saved", 0)
				b, err := save(ctx, e, c, args[0], progress)
				progress.End()
				if err != nil {
					if errors.Is(err, context.Canceled) {
						e.Say("interrupted: %s is as it was", args[0])
					}
					return err
				}
				return tell(e, b, args[0], "saved")
			})
		},
	}
}

// save writes beside the file and renames: whoever reads it sees a whole one.
func save(ctx context.Context, e *env.Env, c *control.Control, file string, progress *env.Progress) (backup.Summary, error) {
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.part") // for its owner alone
	if err != nil {
		return backup.Summary{}, fmt.Errorf("save backup: %w", err)
	}
	defer os.Remove(part.Name()) //nolint:errcheck // it is gone if all went well
	b, err := c.SaveBackup(ctx, part, e.Who(), progress.At)
	if err == nil {
		err = part.Sync()
	}
	if err := errors.Join(err, part.Close()); err != nil {
		return b, err
	}
	return b, os.Rename(part.Name(), file)
}

func tell(e *env.Env, b backup.Summary, file, verbed string) error {
	e.Say("%s: %d tasks %s", file, b.Tasks, verbed)
	p := e.Printer()
	return p.Sheet(b, file, [][2]string{
		{"Tasks", fmt.Sprint(b.Tasks)},
		{"Calendars", fmt.Sprint(b.Calendars)},
		{"Made", b.Made.Format(time.RFC3339) + " by " + b.By},
		{"Cluster", b.Cluster},
		{"SHA-256", b.SHA256},
	})
}

func newVerify(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "verify FILE",
		Short: "Check that a backup is whole, without a host; exit code 2 if it is not",
		Example: "  belfry backup verify belfry.backup\n" +
			"  belfry backup verify belfry.backup -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := open(args[0])()
			if err != nil {
				return err
			}
			defer in.Close() //nolint:errcheck // it was only read
			b, err := backup.Read(in, func(backup.Item) error { return nil })
			if err != nil {
				return env.Usage("%s: %v", args[0], err)
			}
			return tell(e, b, args[0], "whole")
		},
	}
}

func open(file string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		in, err := os.Open(file)
		if err != nil {
			return nil, env.Usage("%v", err)
		}
		return in, nil
	}
}

func newRestore(e *env.Env) *cobra.Command {
	var o control.RestoreOptions
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Create what a backup holds; what is there and different is replaced with --force alone",
		Long: "Create the calendars and tasks of a backup. First all of it is checked and compared. Those that are not in it are left\n" +
			"alone, and so are those that are as in the backup. If others are there and different, nothing is changed, with exit code 5, unless\n" +
			"--force replaces them. Interrupted, the same command goes on.",
		Example: "  belfry backup restore belfry.backup --dry-run\n" +
			"  belfry backup restore belfry.backup --force --yes",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				o.DryRun = e.DryRun
				if o.Force && !e.Agreed && !o.DryRun {
					if err := ask(ctx, e, c, args[0]); err != nil {
						return err
					}
				}
				progress := e.Progress("restored", 0)
				o.Tell = func(done, _ int) { progress.At(done) }
				r, err := c.Restore(ctx, open(args[0]), o)
				progress.End()
				if errors.Is(err, context.Canceled) && r.Left > 0 {
					e.Say("interrupted after %d of %d tasks; the same command goes on", r.Tasks-r.Left, r.Tasks)
				}
				if err != nil {
					return err
				}
				would := map[bool]string{true: "would be ", false: ""}[o.DryRun]
				e.Say("%d %s %screated, %d %sreplaced, %d unchanged", r.Created, what(r.Summary), would, r.Replaced, would, r.Unchanged)
				if e.Printer().Structured() {
					return e.Printer().Value(r)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&o.Force, "force", false, "replace what is there and different")
	return e.Edits(cmd)
}

// what names what a backup holds.
func what(b backup.Summary) string {
	if b.Calendars > 0 {
		return "tasks and calendars"
	}
	return "tasks"
}

// ask says what would be replaced, and has the number typed.
func ask(ctx context.Context, e *env.Env, c *control.Control, file string) error {
	r, err := c.Restore(ctx, open(file), control.RestoreOptions{DryRun: true})
	if err != nil || r.Replaced == 0 {
		return err
	}
	return e.Confirm(ctx, env.Question{
		Text: fmt.Sprintf("This creates %d %s and replaces %d that are there. Type how many it replaces:", r.Created, what(r.Summary), r.Replaced),
		Word: fmt.Sprint(r.Replaced),
	})
}
