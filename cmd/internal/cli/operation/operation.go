// Package operation holds the commands of the noun "operation".
package operation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
		Use:     "operation",
		Aliases: []string{"operations", "op"},
		Short:   "See what can be scheduled, and try it once",
		GroupID: "services",
	}
	cmd.AddCommand(newList(e), newTry(e))
	return cmd
}

func newList(e *env.Env) *cobra.Command {
	var schedulable bool
	cmd := &cobra.Command{
		Use:     "list [SERVICE]",
		Aliases: []string{"ls"},
		Short:   "List operations, and why those that cannot be scheduled cannot",
		Example: "  belfry operation list\n" +
			"  belfry operation list Stock --schedulable",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			service := strings.Join(args, "")
			e.Scope.NoTasks = true
			return env.Show(e, cmd, func(ctx context.Context, c *control.Control) ([]view, error) {
				all, err := c.Operations(ctx, service)
				return slices.DeleteFunc(all, func(o view) bool { return schedulable && !o.Schedulable }), err
			}, frame().Print)
		},
	}
	cmd.Flags().BoolVar(&schedulable, "schedulable", false, "only those that can be scheduled")
	cmd.ValidArgsFunction = e.CompleteServices()
	return e.Sortable(e.Watchable(cmd), frame().SortKeys())
}

type view = contract.OperationView

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(o view) string { return o.Service + "." + o.Name },
		Fields: []output.Field[view]{
			output.Says("SERVICE", func(o view) string { return o.Service }),
			output.Says("OPERATION", func(o view) string { return o.Name }),
			output.Tells("PARAMETERS", func(o view) string { return strings.Join(o.Parameters, ",") }),
			output.Says("SCHEDULABLE", func(o view) string { return map[bool]string{true: "yes", false: "no"}[o.Schedulable] }),
			output.Adds("DELIVERY", func(o view) string { return string(o.Delivery) }),
			output.Tells("WHY NOT", func(o view) string { return o.Why }),
		},
		Empty: "No operations. `belfry service list` shows what is deployed.",
	}
}

func newTry(e *env.Env) *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use:   "try SERVICE OPERATION",
		Short: "Call an operation once, now, without scheduling it",
		Long:  "Call an operation once, now, without scheduling it. What it changes stays changed, and its event triggers ring.",
		Example: "  belfry operation try Stock getLowStock\n" +
			"  belfry operation try Stock getLowStock -o yaml\n" +
			"  belfry operation try Stock updateProductQuantity --param productCode=BELL-02 --param quantityInStock=5",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			params, err := parameters(given)
			if err != nil {
				return err
			}
			if format := e.Format; format == output.Name || format == output.CSV || format == output.Markdown {
				return env.Usage("-o %s: an answer is no list: leave -o out to see it as it is, or use json, jsonl, yaml or a query", format)
			}
			accept := "application/json"
			if e.Format == "" || e.Format == output.Table || e.Format == output.Wide {
				accept = "*/*"
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				result, err := c.TryOperation(ctx, args[0], args[1], params, accept)
				if err != nil {
					return err
				}
				e.Say("%s.%s answered after %s, rows: %d", args[0], args[1], result.Elapsed, result.Rows)
				if p := e.Printer(); p.Structured() {
					if !json.Valid(result.Body) {
						return fmt.Errorf("the answer is %s, no JSON: leave -o and --jq out to see it as it is", result.ContentType)
					}
					return p.Value(json.RawMessage(result.Body))
				}
				_, err = fmt.Fprintln(e.Out, strings.TrimRight(string(result.Body), "\n"))
				return err
			})
		},
	}
	services, operations := e.CompleteServices(), e.CompleteOperations(func(_ *cobra.Command, args []string) string { return args[0] })
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return services(cmd, args, prefix)
		case 1:
			return operations(cmd, args, prefix)
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.Flags().StringArrayVarP(&given, "param", "p", nil, "a parameter as name=value; repeat it for an array")
	return cmd
}

func parameters(given []string) (map[string][]string, error) {
	params := map[string][]string{}
	for _, p := range given {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, env.Usage("--param %q: write name=value", p)
		}
		params[name] = append(params[name], value)
	}
	return params, nil
}
