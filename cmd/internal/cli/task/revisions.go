package task

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func newHistory(e *env.Env, key *keyFlags) *cobra.Command {
	return e.Sortable(e.Watchable(&cobra.Command{
		Use:   "history NAME",
		Short: "Show a task's definitions, the present one first: who changed what, and when",
		Long: "Show a task's definitions, the present one first: who changed what, and when. The last 20 before it are kept, fewer\n" +
			"if they are long, until the task is deleted. -o json has them whole.",
		Example: "  belfry task history stock-watch\n" +
			"  belfry task history stock-watch -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Scope.Tasks = []task.Key{named(key, args[0])}
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]control.RevisionView, error) {
				return c.History(ctx, named(key, args[0]))
			}, historyFrame().Print)
		},
	}), historyFrame().SortKeys())
}

func historyFrame() output.Frame[control.RevisionView] {
	type view = control.RevisionView
	return output.Frame[view]{
		Name: func(r view) string { return fmt.Sprint(r.Revision) },
		Fields: []output.Field[view]{
			output.Says("REVISION", func(r view) string { return fmt.Sprint(r.Revision) }),
			output.When("WHEN", func(r view) *time.Time { return &r.At }),
			output.Says("BY", func(r view) string { return r.By }),
			output.Tells("CHANGES", changes),
			output.Tells("REASON", func(r view) string { return r.Reason }),
		},
	}
}

func changes(r control.RevisionView) string {
	var parts []string
	for _, c := range r.Changes {
		parts = append(parts, fmt.Sprintf("%s: %s -> %s", c.Field, c.Before, c.After))
	}
	return strings.Join(parts, ", ")
}

func newRevert(e *env.Env, key *keyFlags) *cobra.Command {
	var revision int64
	cmd := &cobra.Command{
		Use:   "revert NAME",
		Short: "Give a task an earlier definition again; whether it is paused stays",
		Example: "  belfry task revert stock-watch\n" +
			"  belfry task revert stock-watch --to 1",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				made, err := c.RevertTask(ctx, named(key, args[0]), revision)
				if err != nil {
					return err
				}
				return showEdit(e, "reverted", made)
			})
		},
	}
	cmd.Flags().Int64Var(&revision, "to", 0, "the revision, as task history shows it (default: the one before the present)")
	return e.Edits(cmd)
}

func newCopy(e *env.Env, key *keyFlags) *cobra.Command {
	var d definition
	var paused bool
	cmd := &cobra.Command{
		Use:   "copy NAME NEW-NAME",
		Short: "Create a task like another, with what the flags say different",
		Example: "  belfry task copy stock-watch stock-watch-2 --interval 5m\n" +
			"  belfry task copy nightly nightly-paused --paused",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				info, err := c.Define(ctx, named(key, args[0]))
				if err != nil {
					return err
				}
				info.Name, info.Paused, info.PauseReason, info.PauseUntil = args[1], paused, "", nil
				if err := d.apply(cmd.Flags(), &info, e.Now()); err != nil {
					return err
				}
				t, next, err := c.CreateTask(ctx, info)
				if err != nil {
					return err
				}
				return created(e, t, next)
			})
		},
	}
	d.flags(cmd.Flags())
	completes(e, cmd)
	cmd.Flags().BoolVar(&paused, "paused", false, "create it paused")
	cmd.MarkFlagsMutuallyExclusive("cron", "interval", "at")
	return e.Edits(cmd)
}

func newEdit(e *env.Env, key *keyFlags) *cobra.Command {
	return e.Edits(&cobra.Command{
		Use:   "edit NAME",
		Short: "Change a task in an editor, as a task file",
		Long: "Change a task in the editor that VISUAL or EDITOR names, as a task file. What is not valid is shown in the file, to\n" +
			"be mended. If somebody else has edited the task meanwhile, it is left alone (exit code 5) and the file is kept.",
		Example: "  EDITOR=true belfry task edit stock-watch\n" +
			"  EDITOR=\"sed -i s/1h0m0s/2h/\" belfry task edit stock-watch",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: env.First(e.CompleteTasks()),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				before, err := c.Define(ctx, named(key, args[0]))
				if err != nil {
					return err
				}
				return edit(ctx, e, c, before)
			})
		},
	})
}

// maxEdits bounds how often a file that is not valid is given back.
const maxEdits = 20

func edit(ctx context.Context, e *env.Env, c *control.Control, before task.Info) error {
	var original bytes.Buffer
	if err := taskfile.NewWriter(&original).Write(&before); err != nil {
		return err
	}
	file, err := os.CreateTemp("", "belfry-"+before.Name+"-*.yaml")
	if err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	path := file.Name()
	if err := file.Close(); err != nil {
		return fmt.Errorf("edit: %w", err)
	}
	text := original.Bytes()
	for range maxEdits {
		after, err := edited(ctx, e, path, text)
		if err != nil {
			return err
		}
		if bytes.Equal(after, text) {
			e.Say("nothing was changed")
			return os.Remove(path)
		}
		made, err := submit(ctx, c, before, path)
		switch {
		case err == nil:
			did(e, "changed", made)
			e.Undo(reverts(made)...)
			return os.Remove(path)
		case failure.Of(err).Code != failure.CodeInvalid:
			e.Say("what you wrote is kept in %s", path)
			return err
		}
		text = append(remarks(err), withoutRemarks(after)...)
	}
	return env.Usage("not valid after %d attempts; what you wrote is in %s", maxEdits, path)
}

// edited has a person edit a text.
func edited(ctx context.Context, e *env.Env, path string, text []byte) ([]byte, error) {
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("edit: %w", err)
	}
	editor := e.Editor()
	cmd := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path) //nolint:gosec // the user's own editor
	cmd.Stdin, cmd.Stdout, cmd.Stderr = e.In, e.Err, e.Err
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("editor %s: %w", editor, err)
	}
	return os.ReadFile(path)
}

func submit(ctx context.Context, c *control.Control, before task.Info, path string) (control.Edited, error) {
	tasks, err := taskfile.Read([]string{path}, nil)
	if err != nil {
		return control.Edited{}, env.Usage("%v", err)
	}
	if len(tasks) != 1 || tasks[0].Key != before.Key {
		return control.Edited{}, env.Usage("the file must hold the task %s, and no other: belfry task copy makes another", before.Name)
	}
	wanted := tasks[0]
	return c.EditTask(ctx, before.Key, before.Revision, func(info *task.Info) error {
		was := *info
		*info = wanted.Info
		control.Adopt(info, &was, wanted.KeepPaused)
		return nil
	})
}

// The lines that tell an editor's user what is wrong begin so.
const remark = "#! "

func remarks(err error) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(output.Clean(strings.ReplaceAll(err.Error(), "\n", " | "))) {
		fmt.Fprintf(&b, "%s%s\n", remark, strings.TrimSpace(line))
	}
	return b.Bytes()
}

func withoutRemarks(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte(remark)) {
			b.Write(line)
		}
	}
	return b.Bytes()
}
