// Package service holds the commands of the noun "service".
package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "service",
		Aliases: []string{"services"},
		Short:   "See the services there are, check descriptors, add services of other systems",
		GroupID: "services",
	}
	cmd.AddCommand(newList(e), newShow(e), newValidate(e), newAdd(e), newRemove(e))
	return cmd
}

type view = contract.ServiceView

func newList(e *env.Env) *cobra.Command {
	return e.Sortable(e.Watchable(&cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List data services",
		Example: "  belfry service list\n" +
			"  belfry service list -o json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.Scope.NoTasks = true
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]view, error) { return c.Services(ctx) }, frame().Print)
		},
	}), frame().SortKeys())
}

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(s view) string { return s.Name },
		Fields: []output.Field[view]{
			output.Says("NAME", func(s view) string { return s.Name }),
			output.Says("STATUS", func(s view) string { return s.Status }),
			output.Says("OPERATIONS", func(s view) string { return fmt.Sprint(len(s.Operations)) }),
			output.Says("RESOURCES", func(s view) string { return fmt.Sprint(len(s.Resources)) }),
			output.Says("NODE", func(s view) string { return s.Node }),
			output.Adds("FILE", func(s view) string { return s.File }),
			output.Tells("ERROR", func(s view) string { return s.Error }),
		},
		Empty: "No data services. Put .dbs descriptors into the folder that belfryd --services names.",
	}
}

func newShow(e *env.Env) *cobra.Command {
	return e.Watchable(&cobra.Command{
		Use:   "show NAME",
		Short: "Show a data service: operations, resources, what is not supported",
		Example: "  belfry service show Stock\n" +
			"  belfry service show Stock -o yaml",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteServices(),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Scope.NoTasks = true
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) (view, error) { return c.Service(ctx, args[0]) },
				func(p output.Printer, s view) error { return p.Sheet(s, s.Name, sheet(p, s)) })
		},
	})
}

func sheet(p output.Printer, s contract.ServiceView) [][2]string {
	pairs := [][2]string{
		{"Name", s.Name},
		{"Status", strings.TrimSpace(s.Status + " " + s.Error)},
		{"File", s.File},
		{"Node", s.Node},
		{"Deployed", p.Instant(s.Deployed)},
	}
	if s.Description != "" {
		pairs = append(pairs, [2]string{"Description", s.Description})
	}
	for _, o := range s.Operations {
		note := o.Why
		if o.Schedulable {
			note = "schedulable, " + string(o.Delivery)
		}
		pairs = append(pairs, [2]string{"Operation", fmt.Sprintf("%s(%s)  %s", o.Name, strings.Join(o.Parameters, ", "), note)})
	}
	for _, r := range s.Resources {
		pairs = append(pairs, [2]string{"Resource", r.Method + " " + r.Path})
	}
	for _, t := range s.Triggers {
		pairs = append(pairs, [2]string{"Event trigger", t})
	}
	for _, u := range s.Unsupported {
		pairs = append(pairs, [2]string{"Not supported", u})
	}
	return pairs
}
