package declare

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
			if e.Format == output.CSV || e.Format == output.Markdown {
				return env.Usage("-o %s: task files are YAML or JSON; `belfry task list -o %s` lists tasks", e.Format, e.Format)
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				tasks, n, err := chosen(ctx, c, &s, args)
				if err != nil {
					return err
				}
				if folder != "" {
					return split(e, folder, tasks, n)
				}
				return export(e, tasks)
			})
		},
	}
	s.scopeFlags(cmd, e, "only tasks ")
	cmd.Flags().StringVar(&folder, "split", "", "a file for each task, in this folder")
	return cmd
}

// chosen gives n tasks: those of the names, or all by key.
func chosen(ctx context.Context, c *control.Control, s *source, names []string) (tasks output.Each[task.Info], n int, err error) {
	if len(names) == 0 {
		all := output.NewSpool(func(a, b task.Info) int { return strings.Compare(a.Key.String(), b.Key.String()) })
		err := c.EachDefinition(ctx, s.scope, all.Add)
		return all.Each, all.Len(), err
	}
	those := make([]task.Info, 0, len(names))
	for _, name := range names {
		info, err := c.Define(ctx, task.Key{Tenant: s.scope.Tenant, Type: s.scope.Type, Name: name})
		if err != nil {
			return nil, 0, err
		}
		those = append(those, info)
	}
	return output.Of(those), len(those), nil
}

func export(e *env.Env, tasks output.Each[task.Info]) error {
	p := e.Printer()
	if p.Structured() && p.Format != output.YAML {
		return p.Values(func(f func(any) error) error {
			return tasks(func(info task.Info) error {
				d, err := definition.Plain(&info)
				if err != nil {
					return fmt.Errorf("export: %w", err)
				}
				return f(d)
			})
		})
	}
	out := bufio.NewWriter(e.Out)
	documents := taskfile.NewWriter(out)
	err := tasks(func(info task.Info) error { return documents.Write(&info) })
	return errors.Join(err, out.Flush())
}

// split writes a file for each task. Tenant and type go into its name where they
// are not the usual.
func split(e *env.Env, folder string, tasks output.Each[task.Info], n int) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // task files are for all who read the folder
		return fmt.Errorf("export: %w", err)
	}
	progress := e.Progress("exported", n)
	done := 0
	err := tasks(func(info task.Info) error {
		var b bytes.Buffer
		if err := taskfile.NewWriter(&b).Write(&info); err != nil {
			return err
		}
		name := info.Name
		if k := info.Key; k != (task.Key{Name: k.Name}).Normal() {
			name = k.Tenant + "." + k.Type + "." + k.Name
		}
		if err := os.WriteFile(filepath.Join(folder, name+".yaml"), b.Bytes(), 0o644); err != nil { //nolint:gosec // as above
			return fmt.Errorf("export: %w", err)
		}
		done++
		progress.At(done)
		return nil
	})
	if err != nil {
		return err
	}
	progress.End()
	e.Say("%d tasks exported to %s", done, folder)
	return nil
}
