package declare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// verdict is the JSON contract of validate.
type verdict struct {
	OK       bool               `json:"ok"`
	Tasks    int                `json:"tasks"`
	Problems []taskfile.Problem `json:"problems"`
}

func newValidate(e *env.Env) *cobra.Command {
	var s source
	var offline bool
	cmd := &cobra.Command{
		Use:     "validate",
		GroupID: group,
		Short:   "Check task files, and unless --offline, whether what they call can be scheduled",
		Long: "Check task files: file:line:column for each fault. Without --offline the hosts are asked whether the operations can\n" +
			"be scheduled. Exits with 2 if something is not valid.",
		Example: "  belfry validate -f tasks.yaml\n" +
			"  belfry validate -f tasks.yaml --offline -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(s.files) == 0 {
				return env.Usage("name the task files: -f FILE, -f FOLDER, or -f - for stdin")
			}
			tasks, err := taskfile.Read(s.files, e.In)
			var faults *taskfile.Error
			if err != nil && !errors.As(err, &faults) {
				return env.Usage("%v", err)
			}
			v := verdict{Tasks: len(tasks), Problems: []taskfile.Problem{}}
			if faults != nil {
				v.Problems = faults.Problems
			} else if v.Problems, err = problems(cmd.Context(), e, tasks, offline); err != nil {
				return err
			}
			return v.tell(e)
		},
	}
	cmd.Flags().StringArrayVarP(&s.files, "file", "f", nil, "a file, a folder, a pattern such as 'tasks/*.yaml', or - for stdin; repeatable")
	cmd.Flags().BoolVar(&offline, "offline", false, "ask no host")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
	return cmd
}

// problems checks each task as creating it would.
func problems(ctx context.Context, e *env.Env, tasks []taskfile.Task, offline bool) ([]taskfile.Problem, error) {
	found := []taskfile.Problem{}
	check := func(judge func(ctx context.Context, info task.Info) error) error {
		for _, t := range tasks {
			err := judge(ctx, t.Info)
			if err == nil {
				continue
			}
			if failure.Of(err).Code != failure.CodeInvalid {
				return err
			}
			found = append(found, taskfile.Problem{File: t.File, Line: t.Line, Column: 1, Message: "task " + t.Name + ": " + err.Error()})
		}
		return nil
	}
	if offline {
		err := check(control.New(control.Deps{Now: e.Now}).CheckOffline)
		return found, err
	}
	err := e.Control(ctx, func(_ context.Context, c *control.Control) error { return check(c.CheckTask) })
	return found, err
}

func (v verdict) tell(e *env.Env) error {
	v.OK = len(v.Problems) == 0
	if e.Printer().Structured() {
		if err := e.Printer().Value(v); err != nil {
			return err
		}
	} else {
		for _, p := range v.Problems {
			fmt.Fprintln(e.Out, output.Clean(p.String()))
		}
	}
	if !v.OK {
		return env.Usage("%d problems", len(v.Problems))
	}
	if !e.Printer().Structured() {
		fmt.Fprintf(e.Out, "%d tasks: ok\n", v.Tasks)
	}
	return nil
}

func newExport(e *env.Env) *cobra.Command {
	var s source
	var folder string
	cmd := &cobra.Command{
		Use:     "export [NAME...]",
		GroupID: group,
		Short:   "Write tasks as task files; what is exported applies as no change",
		Long: "Write tasks as task files: YAML documents, or with -o json or jsonl their JSON. They hold all that defines a task,\n" +
			"also whether it is paused, and nothing of its past. What is exported applies as no change.",
		Example: "  belfry export > all-tasks.yaml\n" +
			"  belfry export nightly\n" +
			"  belfry export --service Stock --split exported",
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				tasks, err := chosen(ctx, c, &s, args)
				if err != nil {
					return err
				}
				if folder != "" {
					return split(e, folder, tasks)
				}
				return export(e, tasks)
			})
		},
	}
	s.scopeFlags(cmd, e, "only tasks ")
	cmd.Flags().StringVar(&folder, "split", "", "a file for each task, in this folder")
	return cmd
}

func chosen(ctx context.Context, c *control.Control, s *source, names []string) ([]task.Info, error) {
	if len(names) == 0 {
		return c.Export(ctx, s.scope)
	}
	tasks := make([]task.Info, 0, len(names))
	for _, name := range names {
		info, err := c.Define(ctx, task.Key{Tenant: s.scope.Tenant, Type: s.scope.Type, Name: name})
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, info)
	}
	return tasks, nil
}

func export(e *env.Env, tasks []task.Info) error {
	p := e.Printer()
	if p.Structured() && p.Format != output.YAML {
		definitions := make([]any, 0, len(tasks))
		for i := range tasks {
			d, err := definition.Plain(&tasks[i])
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			definitions = append(definitions, d)
		}
		return p.Value(definitions)
	}
	return taskfile.Write(e.Out, tasks)
}

// split writes a file for each task. Tenant and type go into its name where they
// are not the usual.
func split(e *env.Env, folder string, tasks []task.Info) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // task files are for all who read the folder
		return fmt.Errorf("export: %w", err)
	}
	progress := e.Progress("exported", len(tasks))
	for i := range tasks {
		var b bytes.Buffer
		if err := taskfile.Write(&b, tasks[i:i+1]); err != nil {
			return err
		}
		name := tasks[i].Name
		if k := tasks[i].Key; k != (task.Key{Name: k.Name}).Normal() {
			name = k.Tenant + "." + k.Type + "." + k.Name
		}
		if err := os.WriteFile(filepath.Join(folder, name+".yaml"), b.Bytes(), 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("export: %w", err)
		}
		progress.At(i + 1)
	}
	progress.End()
	e.Say("%d tasks exported to %s", len(tasks), folder)
	return nil
}
