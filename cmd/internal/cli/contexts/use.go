package contexts

import (
	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// before stands for the context that was the current one before.
const before = "-"

func newUse(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "use NAME",
		Short: "Make a context the current one; - is the one before",
		Example: "  belfry context use sample\n" +
			"  belfry context use -\n" +
			"  belfry context use sample -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(_ *cobra.Command, args []string) error {
			var used view
			err := e.EditContexts(func(all *env.Contexts) error {
				name := args[0]
				if name == before {
					name = all.Previous
				}
				if name == "" {
					return &failure.Error{Code: failure.CodeNotFound, Message: "no context was chosen before this one", Hint: "see context list"}
				}
				i := all.Find(name)
				if i < 0 {
					return all.Missing(name)
				}
				if name != all.Current {
					all.Previous, all.Current = all.Current, name
				}
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
