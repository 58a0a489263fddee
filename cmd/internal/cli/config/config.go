// Package config holds the commands of the noun "config": the host's
// configuration, checked and explained without a host.
package config

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/cmd/internal/conf"
)

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Check and explain the configuration of belfryd",
		GroupID: "setup",
	}
	cmd.AddCommand(newCheck(e), newShow(e))
	return cmd
}

func newCheck(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration file as belfryd would, without starting it",
		Example: "  belfry config check configs/belfryd.yaml\n" +
			"  belfry config check configs/belfryd.yaml -o json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := conf.Check(args[0]); err != nil {
				return env.Usage("%v", err)
			}
			if e.Printer().Structured() {
				return e.Printer().Value(map[string]any{"file": args[0], "ok": true})
			}
			_, err := fmt.Fprintf(e.Out, "%s: ok\n", args[0])
			return err
		},
	}
}

// setting is the JSON contract of `config show`.
type setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

func newShow(e *env.Env) *cobra.Command {
	var origin bool
	given := pflag.NewFlagSet("belfryd", pflag.ContinueOnError)
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the configuration that belfryd would start with here",
		Long: "Show the configuration that belfryd would start with in this folder and environment, given the same flags.\n" +
			"Secrets are not shown.",
		Example: "  belfry config show\n" +
			"  belfry config show --origin --config configs/belfryd.yaml",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			loaded, err := conf.Load(conf.LoadOptions{Flags: given})
			var faults *conf.Error
			if errors.As(err, &faults) {
				return env.Usage("%v", err)
			}
			if err != nil {
				return err
			}
			l := output.Listing{Columns: []output.Column{{Name: "KEY"}, {Name: "VALUE"}, {Name: "ORIGIN", Wide: !origin}}}
			settings := []setting{}
			for _, v := range loaded.Config.Values(loaded.Origins) {
				settings = append(settings, setting{v.Name, v.Text, v.Origin.String()})
				l.Names = append(l.Names, v.Name)
				l.Rows = append(l.Rows, []output.Cell{output.Text(v.Name), output.Text(v.Text), output.Text(v.Origin.String())})
			}
			l.Data = settings
			return e.Printer().List(l)
		},
	}
	conf.AddFlags(given)
	cmd.Flags().AddFlagSet(given)
	cmd.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	return cmd
}
