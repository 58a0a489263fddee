// Package contexts holds the commands of the noun "context": names for the
// clusters and hosts that an administrator works with.
package contexts

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
)

// view is the JSON contract of these commands.
type view struct {
	Name         string `json:"name"`
	Current      bool   `json:"current"`
	Connect      string `json:"connect"`
	Coordination string `json:"coordination"`
}

func viewOf(c env.Context, current string) view {
	return view{c.Name, c.Name == current, c.Connect, c.Coordination}
}

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "context",
		Short: "Name the clusters and hosts to work with, and choose one",
		Long: "A context is a name for an address. They are kept in $XDG_CONFIG_HOME/belfry/contexts.yaml, or below ~/.config,\n" +
			"and hold no secrets. --connect, --coordination, --context, BELFRY_CONNECT and BELFRY_CONTEXT go before the current one.",
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
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Name the address that --connect or --coordination gives",
		Long:  "Name the address that --connect or --coordination gives. Nobody is asked whether it answers.",
		Example: "  belfry context add prod --connect zk://zk1:2181,zk2:2181,zk3:2181/belfry\n" +
			"  belfry context add sample --connect unix://var/belfryd.sock",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			added, err := contextOf(e, args[0])
			if err != nil {
				return err
			}
			return e.EditContexts(func(all *env.Contexts) error {
				i := all.Find(added.Name)
				switch {
				case i < 0:
					all.Contexts = append(all.Contexts, added)
				case replace || all.Contexts[i] == added:
					all.Contexts[i] = added
				default:
					return &control.Error{
						Code: control.CodeExists, Message: "context " + added.Name + " exists already",
						Hint: "it was not changed; replace it with --replace, or choose another name",
					}
				}
				e.Say("context %s leads to %s%s; `belfry context use %s` chooses it", added.Name, added.Connect, added.Coordination, added.Name)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "replace a context of this name")
	return cmd
}

// contextOf makes a context of the flags. Relative paths are taken from here.
func contextOf(e *env.Env, name string) (env.Context, error) {
	c := env.Context{Name: name, Coordination: e.Coordination}
	if e.Context != "" {
		return c, env.Usage("give the address with --connect or --coordination, not --context")
	}
	if c.Coordination != "" {
		absolute, err := filepath.Abs(c.Coordination)
		if err != nil {
			return c, err
		}
		c.Coordination = absolute
	}
	if e.Connect != "" {
		t, err := env.ParseTarget(e.Connect, "--connect")
		if err != nil {
			return c, err
		}
		if t.Socket != "" {
			if t.Socket, err = filepath.Abs(t.Socket); err != nil {
				return c, err
			}
		}
		c.Connect = t.String()
	}
	_, err := c.Target()
	return c, err
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
			if p := e.Printer(); p.Structured() || p.Format == output.Name {
				return p.Sheet(used, used.Name, nil)
			}
			return nil
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
