// Package contexts holds the commands of the noun "context": names for the
// clusters and hosts that an administrator works with.
package contexts

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// view is the JSON contract of these commands.
type view struct {
	Name         string `json:"name"`
	Current      bool   `json:"current"`
	Connect      string `json:"connect"`
	Coordination string `json:"coordination"`
	env.Access
}

func viewOf(c env.Context, current string) view {
	return view{c.Name, c.Name == current, c.Connect, c.Coordination, c.Access}
}

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "context",
		Short: "Name the clusters and hosts to work with, and choose one",
		Long: "A context is a name for an address. They are kept in $XDG_CONFIG_HOME/belfry/contexts.yaml, or below ~/.config,\n" +
			"and hold no secrets, but may name the files that do. --connect, --coordination, --context, BELFRY_CONNECT and BELFRY_CONTEXT go before the current one.",
		GroupID: "setup",
	}
	cmd.AddCommand(newAdd(e), newUse(e), newList(e), newShow(e), newRemove(e))
	return cmd
}

// Complete offers the names of the contexts there are.
func Complete(e *env.Env) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if all, err := e.Contexts(); err == nil {
			for _, c := range all.Contexts {
				names = append(names, c.Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

func newAdd(e *env.Env) *cobra.Command {
	var replace bool
	var access env.Access
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Name the address that --connect or --coordination gives",
		Long:  "Name the address that --connect or --coordination gives. Nobody is asked whether it answers.",
		Example: "  belfry context add prod --connect zk://zk1:2181,zk2:2181,zk3:2181/belfry\n" +
			"  belfry context add sample --connect unix://var/belfryd.sock",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			added, err := contextOf(e, args[0], access)
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
						Hint: "it was not changed; replace it with --replace, or choose another name",
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
	cmd.Flags().StringVar(&access.User, "user", "", "who to be for ZooKeeper (digest)")
	cmd.Flags().StringVar(&access.PasswordFile, "password-file", "", "file that holds the password, readable by its owner alone")
	cmd.Flags().BoolVar(&access.TLS, "tls", false, "speak TLS to the servers' secure port")
	cmd.Flags().StringVar(&access.CAFile, "ca-file", "", "PEM file of the authorities that sign the servers' certificates; empty: the system's")
	cmd.Flags().StringVar(&access.CertFile, "cert-file", "", "PEM file of a certificate, for servers that ask for one")
	cmd.Flags().StringVar(&access.KeyFile, "key-file", "", "PEM file of its key")
	cmd.Flags().BoolVar(&replace, "replace", false, "replace a context of this name")
	return cmd
}

// printView writes a context for programs; a person has been told.
func printView(e *env.Env, v view) error {
	if p := e.Printer(); p.Structured() || p.Format == output.Name {
		return p.Sheet(v, v.Name, nil)
	}
	return nil
}

// contextOf makes a context of the flags. Relative paths are taken from here.
func contextOf(e *env.Env, name string, access env.Access) (env.Context, error) {
	c := env.Context{Name: name, Coordination: e.Coordination, Access: access}
	if e.Context != "" {
		return c, env.Usage("give the address with --connect or --coordination, not --context")
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

func newUse(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Make a context the current one",
		Example: "  belfry context use sample\n" +
			"  belfry context use sample -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(_ *cobra.Command, args []string) error {
			var used view
			err := e.EditContexts(func(all *env.Contexts) error {
				i := all.Find(args[0])
				if i < 0 {
					return all.Missing(args[0])
				}
				all.Current = args[0]
				used = viewOf(all.Contexts[i], all.Current)
				return nil
			})
			if err != nil {
				return err
			}
			e.Say("context %s is the current one", used.Name)
			return printView(e, used)
		},
	}
}

func newList(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List contexts",
		Example: "  belfry context list\n" +
			"  belfry context list -o json",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := e.Contexts()
			if err != nil {
				return err
			}
			views := []view{}
			l := output.Listing{
				Columns: []output.Column{{Name: "CURRENT"}, {Name: "NAME"}, {Name: "ADDRESS"}},
				Empty:   "No contexts. `belfry context add prod --connect zk://HOST:PORT/ROOT` makes one.",
			}
			for _, c := range all.Contexts {
				v := viewOf(c, all.Current)
				views = append(views, v)
				l.Names = append(l.Names, c.Name)
				l.Rows = append(l.Rows, []output.Cell{output.Text(mark(v.Current)), output.Text(c.Name), output.Text(c.Connect + c.Coordination)})
			}
			l.Data = views
			return e.Printer().List(l)
		},
	}
}

func mark(current bool) string {
	if current {
		return "*"
	}
	return ""
}

func newShow(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show a context, or the current one, and where commands go from here",
		Example: "  belfry context show\n" +
			"  belfry context show -o json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := e.Contexts()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return showTarget(e, all)
			}
			i := all.Find(args[0])
			if i < 0 {
				return all.Missing(args[0])
			}
			v := viewOf(all.Contexts[i], all.Current)
			pairs := [][2]string{{"Name", v.Name}, {"Current", yesNo(v.Current)}, {"Address", v.Connect + v.Coordination}}
			return e.Printer().Sheet(v, v.Name, pairs)
		},
	}
}

// showTarget tells where commands go, whoever says so.
func showTarget(e *env.Env, all env.Contexts) error {
	t, err := e.Target()
	if err != nil {
		return err
	}
	data := map[string]string{"current": all.Current, "connect": t.String(), "origin": t.Origin, "file": e.ContextsFile()}
	pairs := [][2]string{{"Current", all.Current}, {"Address", t.String()}, {"Because of", t.Origin}, {"File", e.ContextsFile()}}
	return e.Printer().Sheet(data, all.Current, pairs)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func newRemove(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Forget a context; nothing that it leads to is touched",
		Example: "  belfry context remove prod\n" +
			"  belfry context remove sample",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(_ *cobra.Command, args []string) error {
			return e.EditContexts(func(all *env.Contexts) error {
				i := all.Find(args[0])
				if i < 0 {
					return all.Missing(args[0])
				}
				all.Contexts = append(all.Contexts[:i], all.Contexts[i+1:]...)
				if all.Current == args[0] {
					all.Current = ""
				}
				e.Say("context %s removed", args[0])
				return nil
			})
		},
	}
}
