package service

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/invoke/wsdl"
)

func newAdd(e *env.Env) *cobra.Command {
	var address, endpoint string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a service of another system by its WSDL, to schedule its operations",
		Long: "Add a service of another system, which its WSDL 1.1 describes. A host reads the WSDL, since it is the hosts that\n" +
			"will call the service: within egress, and following imports of the same origin alone. Operations without input\n" +
			"can then be scheduled like those of deployed services; `belfry service show NAME` says why others cannot.",
		Example: "  belfry service add Payroll --wsdl http://127.0.0.1:8280/services/Stock?wsdl\n" +
			"  belfry service add Wages --wsdl http://127.0.0.1:8280/services/Stock?wsdl --endpoint http://127.0.0.1:8280/services/Stock",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if address == "" {
				return env.Usage("say where its WSDL is: --wsdl URL")
			}
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				remote, err := wsdl.Read(ctx, address, c.FetchWSDL)
				if err != nil {
					e := failure.Of(err)
					if e.Code == failure.CodeInternal {
						e.Code = failure.CodeInvalid
					}
					return e
				}
				remote.Name = args[0]
				if endpoint != "" {
					remote.Endpoint = endpoint
				}
				s, err := c.AddService(ctx, remote)
				if err != nil {
					return err
				}
				schedulable := 0
				for _, o := range s.Operations {
					if o.Schedulable {
						schedulable++
					}
				}
				e.Say("service/%s added: %d operations, %d can be scheduled", s.Name, len(s.Operations), schedulable)
				p := e.Printer()
				return p.Sheet(s, s.Name, sheet(p, s))
			})
		},
	}
	cmd.Flags().StringVar(&address, "wsdl", "", "address of its WSDL 1.1")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "where to call it, if not where the WSDL says")
	return cmd
}

func newRemove(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:        "remove NAME",
		SuggestFor: []string{"rm", "delete"},
		Short:      "Forget a service that was added; tasks that call it stay",
		Example: "  belfry service remove Payroll --yes\n" +
			"  belfry service remove Wages -y -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteServices(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error {
				question := fmt.Sprintf("Forget service %s? Type its name:", args[0])
				if err := e.Confirm(ctx, env.Question{Text: question, Word: args[0]}); err != nil {
					return err
				}
				if err := c.RemoveService(ctx, args[0]); err != nil {
					return err
				}
				e.Say("service/%s removed", args[0])
				return nil
			})
		},
	}
	return cmd
}
