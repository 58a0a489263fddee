package declare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// result is the JSON contract of apply.
type result struct {
	Created   int      `json:"created"`
	Changed   int      `json:"changed"`
	Deleted   int      `json:"deleted"`
	Unchanged int      `json:"unchanged"`
	Left      int      `json:"left"` // not begun, because it was interrupted
	Failed    []failed `json:"failed"`
}

type failed struct {
	Action control.Action `json:"action"`
	Task   string         `json:"task"`
	Code   failure.Code   `json:"code"`
	Error  string         `json:"error"`
}

func newApply(e *env.Env) *cobra.Command {
	var s source
	var planFile string
	cmd := &cobra.Command{
		Use:     "apply",
		GroupID: group,
		Short:   "Create and change tasks until they are as task files say",
		Long: "Create and change tasks until they are as task files say; with --prune also delete the others, after showing which.\n" +
			"Nothing is changed unless all files are valid. A task that is as its file says is left alone, so that after an\n" +
			"interruption the same command goes on where it stopped. Exits with 8 if some of many failed.",
		Example: "  belfry apply -f tasks.yaml\n" +
			"  belfry apply -f tasks.yaml --dry-run\n" +
			"  belfry apply -f - < tasks.yaml",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if planFile != "" && (len(s.files) > 0 || s.prune) {
				return env.Usage("--plan-file says all: leave out -f and --prune")
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				plan, err := theirs(ctx, e, c, &s, planFile)
				if err != nil {
					return err
				}
				if e.DryRun {
					return write(e.Printer(), &plan)
				}
				if err := confirm(ctx, e, &plan, planFile == ""); err != nil {
					return err
				}
				return carryOut(ctx, e, c, &plan)
			})
		},
	}
	s.flags(cmd, e)
	cmd.Flags().StringVar(&planFile, "plan-file", "", "do exactly what this plan says (see belfry plan --out), or nothing if it is stale")
	return e.Edits(cmd)
}

func theirs(ctx context.Context, e *env.Env, c *control.Control, s *source, planFile string) (control.Plan, error) {
	if planFile == "" {
		return s.plan(ctx, e, c)
	}
	text, err := os.ReadFile(planFile)
	if err != nil {
		return control.Plan{}, env.Usage("%v", err)
	}
	return control.ReadPlan(text)
}

// confirm shows a plan that changes or deletes tasks, and asks: the number of those
// that would be deleted is typed.
func confirm(ctx context.Context, e *env.Env, plan *control.Plan, ask bool) error {
	changed, deleted := plan.Count(control.ActionChange), plan.Count(control.ActionDelete)
	if changed+deleted == 0 || !ask || e.Agreed {
		return nil
	}
	var shown bytes.Buffer
	p := e.Printer()
	p.Out, p.Format, p.JQ = &shown, "", ""
	if err := write(p, plan); err != nil {
		return err
	}
	q := env.Question{Text: fmt.Sprintf("This changes %d tasks. Go on?", changed)}
	if deleted > 0 {
		q.Text, q.Word = fmt.Sprintf("This deletes %d tasks. Type their number:", deleted), fmt.Sprint(deleted)
	}
	q.Effects = strings.Split(strings.TrimRight(shown.String(), "\n"), "\n")
	return e.Confirm(ctx, q)
}

func carryOut(ctx context.Context, e *env.Env, c *control.Control, plan *control.Plan) error {
	r := result{Unchanged: plan.Unchanged, Failed: []failed{}}
	progress := e.Progress("applied", len(plan.Changes))
	few := len(plan.Changes) <= 20
	told := 0
	done, err := c.ApplyPlan(ctx, plan, func(a control.Applied) {
		told++
		progress.At(told)
		r.add(a)
		if a.Err == nil && few {
			e.Say("task/%s %sd", a.Name, a.Action)
		}
	})
	progress.End()
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if err != nil && !interrupted {
		return err
	}
	r.Left = len(plan.Changes) - told
	for _, f := range r.Failed {
		e.Say("task/%s not %sd: %s", f.Task, f.Action, f.Error)
	}
	if p := e.Printer(); p.Structured() {
		if err := p.Value(r); err != nil {
			return err
		}
	} else {
		e.Say("%d created, %d changed, %d deleted, %d unchanged, %d failed", r.Created, r.Changed, r.Deleted, r.Unchanged, len(r.Failed))
	}
	if interrupted {
		e.Say("stopped after %d of %d; the same command goes on with the rest", done, len(plan.Changes))
		return err
	}
	if len(r.Failed) > 0 {
		return env.Partial("mend them and run the same command again: what is done is left alone", "%d of %d changes failed", len(r.Failed), len(plan.Changes))
	}
	return nil
}

func (r *result) add(a control.Applied) {
	if a.Err != nil {
		err := failure.Of(a.Err)
		r.Failed = append(r.Failed, failed{a.Action, a.Name, err.Code, err.Message})
		return
	}
	switch a.Action {
	case control.ActionCreate:
		r.Created++
	case control.ActionChange:
		r.Changed++
	case control.ActionDelete:
		r.Deleted++
	}
}
