package contexts

import (
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

func newAdd(e *env.Env) *cobra.Command {
	var replace bool
	var given env.Context
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Name the address that --connect or --coordination gives",
		Long:  "Name the address that --connect or --coordination gives. Nobody is asked whether it answers: `belfry context check` asks.",
		Example: "  belfry context add prod --connect zk://zk1:2181,zk2:2181,zk3:2181/belfry --production\n" +
			"  belfry context add sample --connect unix://var/belfryd.sock\n" +
			"  belfry context add look --connect unix://var/belfryd.sock --read-only",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			given.Name = args[0]
			added, err := addressed(e, given)
			if err != nil {
				return err
			}
			current := ""
			err = e.EditContexts(func(all *env.Contexts) error {
				current = all.Current
				i := all.Find(added.Name)
				switch {
				case i < 0:
					all.Contexts = append(all.Contexts, added)
				case replace || all.Contexts[i] == added:
					all.Contexts[i] = added
				default:
					return &failure.Error{
						Code: failure.CodeExists, Message: "context " + added.Name + " exists already",
						Hint: "it was not changed; change it with `belfry context set`, replace it with --replace, or choose another name",
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			e.Say("context %s leads to %s%s; `belfry context use %s` chooses it", added.Name, added.Connect, added.Coordination, added.Name)
			return printView(e, viewOf(added, current))
		},
	}
	describe(cmd.Flags(), &given)
	cmd.Flags().BoolVar(&replace, "replace", false, "replace a context of this name")
	return cmd
}

func newSet(e *env.Env) *cobra.Command {
	var given env.Context
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change a context; what no flag names stays as it is",
		Example: "  belfry context set prod --production\n" +
			"  belfry context set sample --read-only\n" +
			"  belfry context set sample --read-only=false",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(cmd *cobra.Command, args []string) error {
			var changed view
			err := e.EditContexts(func(all *env.Contexts) error {
				i := all.Find(args[0])
				if i < 0 {
					return all.Missing(args[0])
				}
				c, err := addressed(e, patched(all.Contexts[i], cmd.Flags()))
				all.Contexts[i], changed = c, viewOf(c, all.Current)
				return err
			})
			if err != nil {
				return err
			}
			e.Say("context %s changed", changed.Name)
			return printView(e, changed)
		},
	}
	describe(cmd.Flags(), &given)
	return cmd
}

// describe makes the flags that say what a context is.
func describe(flags *pflag.FlagSet, c *env.Context) {
	flags.BoolVar(&c.ReadOnly, "read-only", c.ReadOnly, "let nothing be changed through it")
	flags.BoolVar(&c.Production, "production", c.Production, "ask a person before anything is changed through it")
	flags.StringVar(&c.User, "user", c.User, "who to be for ZooKeeper (digest)")
	flags.StringVar(&c.PasswordFile, "password-file", c.PasswordFile, "file that holds the password, readable by its owner alone")
	flags.BoolVar(&c.TLS, "tls", c.TLS, "speak TLS to the servers' secure port")
	flags.StringVar(&c.CAFile, "ca-file", c.CAFile, "PEM file of the authorities that sign the servers' certificates; empty: the system's")
	flags.StringVar(&c.CertFile, "cert-file", c.CertFile, "PEM file of a certificate, for servers that ask for one")
	flags.StringVar(&c.KeyFile, "key-file", c.KeyFile, "PEM file of its key")
}

// patched is a context with what the flags that were given say.
func patched(c env.Context, given *pflag.FlagSet) env.Context {
	into := pflag.NewFlagSet("", pflag.ContinueOnError)
	describe(into, &c)
	given.Visit(func(f *pflag.Flag) {
		if into.Lookup(f.Name) != nil {
			_ = into.Set(f.Name, f.Value.String()) // the same flag has read it
		}
	})
	return c
}

// addressed gives a context the address that the flags say, if they say one, and
// checks the whole. Relative paths are taken from here.
func addressed(e *env.Env, c env.Context) (env.Context, error) {
	if e.Context != "" {
		return c, env.Usage("give the address with --connect or --coordination, not --context")
	}
	if e.Connect+e.Coordination != "" {
		c.Connect, c.Coordination = "", e.Coordination
	}
	if e.Connect != "" {
		t, err := env.ParseTarget(e.Connect, "--connect")
		if err == nil {
			err = absolute(&t.Socket)
		}
		if err != nil {
			return c, err
		}
		c.Connect = t.String()
	}
	if err := absolute(&c.Coordination, &c.PasswordFile, &c.CAFile, &c.CertFile, &c.KeyFile); err != nil {
		return c, err
	}
	_, err := c.Target()
	return c, err
}

// absolute makes paths good from any folder; empty ones stay.
func absolute(paths ...*string) error {
	for _, path := range paths {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = whole
	}
	return nil
}
