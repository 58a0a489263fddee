package declare

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

func newPlan(e *env.Env) *cobra.Command {
	var s source
	var out string
	cmd := &cobra.Command{
		Use:     "plan",
		GroupID: group,
		Short:   "Show what apply would do, and keep it to be applied exactly so; exit code 1 if there is something",
		Long: "Show what apply would do. With --out it is kept, bound to the tasks as they are now: `belfry apply --plan-file`\n" +
			"does exactly this, or nothing, with exit code 5, if somebody has edited one of them since. Exits with 0 if there is\n" +
			"nothing to do and with 1 if there is.",
		Example: "  belfry plan -f tasks.yaml --out plan.json || true\n" +
			"  belfry plan -f tasks.yaml --prune --prefix nightly || true",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				plan, err := s.plan(ctx, e, c)
				if err != nil {
					return err
				}
				if out != "" {
					if err := keep(out, &plan); err != nil {
						return err
					}
					e.Say("apply exactly this: belfry apply --plan-file %s", out)
				}
				return show(e, &plan)
			})
		},
	}
	s.flags(cmd, e)
	cmd.Flags().StringVar(&out, "out", "", "keep the plan in this file")
	return cmd
}

// keep writes a plan for its owner alone: definitions may name more than all
// should read.
func keep(file string, plan *control.Plan) error {
	text, err := json.MarshalIndent(plan, "", "  ")
	if err != nil {
		return fmt.Errorf("keep plan: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep plan: %w", err)
	}
	return nil
}

// show writes a plan. It is an error of its own kind that there is something to
// do.
func show(e *env.Env, plan *control.Plan) error {
	if err := write(e.Printer(), plan); err != nil {
		return err
	}
	if n := len(plan.Changes); n > 0 {
		return env.Differs("%d tasks differ", n)
	}
	return nil
}

// marks go before what a plan does.
var marks = map[control.Action]string{control.ActionCreate: "+", control.ActionChange: "~", control.ActionDelete: "-"}

func write(p output.Printer, plan *control.Plan) error {
	if p.Structured() {
		return p.Value(plan)
	}
	if p.Format == output.Name {
		var names []string
		for i := range plan.Changes {
			names = append(names, plan.Changes[i].Name)
		}
		return p.List(output.Listing{Names: names})
	}
	var b strings.Builder
	for i := range plan.Changes {
		describe(&b, p, &plan.Changes[i])
	}
	fmt.Fprintf(&b, "%s\n", summary(plan))
	_, err := p.Out.Write([]byte(b.String()))
	return err
}

func summary(plan *control.Plan) string {
	return fmt.Sprintf("%d to create, %d to change, %d to delete, %d unchanged",
		plan.Count(control.ActionCreate), plan.Count(control.ActionChange), plan.Count(control.ActionDelete), plan.Unchanged)
}

func describe(b *strings.Builder, p output.Printer, t *control.PlannedTask) {
	fmt.Fprintf(b, "%s task/%s", marks[t.Action], t.Name)
	switch {
	case t.Revision > 0:
		fmt.Fprintf(b, "  revision %d", t.Revision)
	case t.First != nil:
		fmt.Fprintf(b, "  fires first %s (%s)", t.First.Format(time.RFC3339), output.Relative(t.First.Sub(p.Now)))
	}
	b.WriteByte('\n')
	for _, c := range t.Changes {
		if t.Action == control.ActionCreate {
			fmt.Fprintf(b, "    %-20s %s\n", c.Field, output.Clean(c.After))
			continue
		}
		fmt.Fprintf(b, "    %-20s %s -> %s\n", c.Field, orNone(c.Before), orNone(c.After))
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return output.Clean(s)
}
