// Package contexts holds the commands of the noun "context": names for the
// clusters and hosts that an administrator works with.
package contexts

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
)

// view is the JSON contract of these commands.
type view struct {
	Name         string `json:"name"`
	Current      bool   `json:"current"`
	Connect      string `json:"connect"`
	Coordination string `json:"coordination"`
	ReadOnly     bool   `json:"read_only"`
	Production   bool   `json:"production"`
	env.Access
}

func viewOf(c env.Context, current string) view {
	return view{c.Name, c.Name == current, c.Connect, c.Coordination, c.ReadOnly, c.Production, c.Access}
}

// New makes the noun with its verbs.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "context",
		Short: "Name the clusters and hosts to work with, and choose one",
		Long: "A context is a name for an address. They are kept in $XDG_CONFIG_HOME/belfry/contexts.yaml, or below ~/.config,\n" +
			"and hold no secrets, but may name the files that do. Nothing is changed through one that is read-only, and before\n" +
			"anything is changed through one that is production a person is asked. --connect, --coordination, --context, BELFRY_CONNECT and BELFRY_CONTEXT\n" +
			"go before the current one.",
		GroupID: "setup",
	}
	cmd.AddCommand(newAdd(e), newSet(e), newUse(e), newList(e), newShow(e), newCheck(e), newRemove(e))
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

// printView writes a context for programs; a person has been told.
func printView(e *env.Env, v view) error {
	if p := e.Printer(); p.Structured() || p.Format == output.Name {
		return p.Sheet(v, v.Name, nil)
	}
	return nil
}

// mode says what is special about a context; empty: nothing is.
func mode(readOnly, production bool) string {
	var words []string
	if production {
		words = append(words, "production")
	}
	if readOnly {
		words = append(words, "read-only")
	}
	return strings.Join(words, ", ")
}

func newList(e *env.Env) *cobra.Command {
	return e.Sortable(&cobra.Command{
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
			for _, c := range all.Contexts {
				views = append(views, viewOf(c, all.Current))
			}
			return frame().Print(e.Printer(), views)
		},
	}, frame().SortKeys())
}

func frame() output.Frame[view] {
	return output.Frame[view]{
		Name: func(v view) string { return v.Name },
		Fields: []output.Field[view]{
			output.Says("CURRENT", func(v view) string { return mark(v.Current) }),
			output.Says("NAME", func(v view) string { return v.Name }),
			output.Says("ADDRESS", func(v view) string { return v.Connect + v.Coordination }),
			output.Says("MODE", func(v view) string { return mode(v.ReadOnly, v.Production) }),
		},
		Empty: "No contexts. `belfry context add prod --connect zk://HOST:PORT/ROOT` makes one.",
	}
}

func mark(current bool) string {
	if current {
		return "*"
	}
	return ""
}

func newRemove(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:        "remove NAME",
		SuggestFor: []string{"rm", "delete"},
		Short:      "Forget a context; nothing that it leads to is touched",
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
				if all.Previous == args[0] {
					all.Previous = ""
				}
				e.Say("context %s removed", args[0])
				return nil
			})
		},
	}
}
