// Package declare holds the commands that deal in task files: apply, diff, plan,
// validate, export, and the schema of the files.
package declare

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/control"
)

// group is where these commands are in the help.
const group = "files"

// Commands makes all of them.
func Commands(e *env.Env) []*cobra.Command {
	return []*cobra.Command{newApply(e), newDiff(e), newPlan(e), newValidate(e), newExport(e), newSchema(e)}
}

// source is the flags that say which task files there are, and what may be
// deleted.
type source struct {
	files []string
	prune bool
	scope control.TaskFilter
}

func (s *source) flags(cmd *cobra.Command, e *env.Env) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.files, "file", "f", nil, "a file, a folder, a pattern such as 'tasks/*.yaml', or - for stdin; repeatable")
	f.BoolVar(&s.prune, "prune", false, "delete the tasks that the files do not have")
	s.scopeFlags(cmd, e, "with --prune, look only at tasks ")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
}

func (s *source) scopeFlags(cmd *cobra.Command, e *env.Env, what string) {
	f := cmd.Flags()
	f.StringVar(&s.scope.Tenant, "tenant", "", what+"of this tenant")
	f.StringVar(&s.scope.Type, "type", "", what+"of this type")
	f.StringVar(&s.scope.Service, "service", "", what+"that call this service")
	f.StringVar(&s.scope.NamePrefix, "prefix", "", what+"whose names begin so")
	_ = cmd.RegisterFlagCompletionFunc("service", e.CompleteServices())
}

// read reads the files. What is wrong with them is an error of usage.
func (s *source) read(e *env.Env) ([]taskfile.Task, error) {
	if len(s.files) == 0 {
		return nil, env.Usage("name the task files: -f FILE, -f FOLDER, or -f - for stdin")
	}
	tasks, err := taskfile.Read(s.files, e.In)
	var faults *taskfile.Error
	var missing *fs.PathError
	if errors.As(err, &faults) || errors.As(err, &missing) {
		return nil, env.Usage("%v", err)
	}
	return tasks, err
}

// plan works out what the files change.
func (s *source) plan(ctx context.Context, e *env.Env, c *control.Control) (control.Plan, error) {
	tasks, err := s.read(e)
	if err != nil {
		return control.Plan{}, err
	}
	desired := make([]control.Desired, len(tasks))
	for i := range tasks {
		desired[i] = tasks[i].Desired
	}
	var prune *control.TaskFilter
	if s.prune {
		prune = &s.scope
	}
	return c.PlanTasks(ctx, desired, prune)
}

func newDiff(e *env.Env) *cobra.Command {
	var s source
	cmd := &cobra.Command{
		Use:     "diff",
		GroupID: group,
		Short:   "Show how tasks differ from task files; exit code 1 if they do",
		Long:    "Show how tasks differ from task files. Exits with 0 if they are the same and with 1 if they differ.",
		Example: "  belfry diff -f tasks.yaml || true\n" +
			"  belfry diff -f tasks.yaml -o json || true",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				plan, err := s.plan(ctx, e, c)
				if err != nil {
					return err
				}
				return show(e, &plan)
			})
		},
	}
	s.flags(cmd, e)
	return cmd
}

func newSchema(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		GroupID: group,
		Short:   "Print the JSON schema of task files, for editors and checks",
		Example: "  belfry schema\n" +
			"  belfry schema > task.schema.json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := e.Out.Write(taskfile.Schema)
			return err
		},
	}
}
