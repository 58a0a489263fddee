package contexts

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
)

func newShow(e *env.Env) *cobra.Command {
	var prompt bool
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show a context, or the current one, and where commands go from here",
		Long: "Show a context, or the current one, and where commands go from here. --prompt is for the prompt of a shell, as in\n" +
			"PS1='$(belfry context show --prompt) \\$ ': it asks nobody, never fails, and says ! after a production context and\n" +
			"(read-only) where nothing is changed.",
		Example: "  belfry context show\n" +
			"  belfry context show --prompt\n" +
			"  belfry context show -o json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: Complete(e),
		RunE: func(_ *cobra.Command, args []string) error {
			if prompt {
				return showPrompt(e, args)
			}
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
			pairs := [][2]string{{"Name", v.Name}, {"Current", yesNo(v.Current)}, {"Address", v.Connect + v.Coordination}, {"Mode", mode(v.ReadOnly, v.Production)}}
			return e.Printer().Sheet(v, v.Name, pairs)
		},
	}
	cmd.Flags().BoolVar(&prompt, "prompt", false, "only the name, for the prompt of a shell")
	return cmd
}

// showPrompt writes where commands go in a word or two; nothing, if that is not
// plain.
func showPrompt(e *env.Env, args []string) error {
	if len(args) > 0 {
		e.Context = args[0]
	}
	t, err := e.Target()
	if err != nil || t.Origin == env.DefaultOrigin {
		return nil //nolint:nilerr // a prompt is no place for an error
	}
	text := t.Name()
	if t.Production {
		text += "!"
	}
	if t.ReadOnly {
		text += " (read-only)"
	}
	_, err = fmt.Fprintln(e.Out, text)
	return err
}

// showTarget tells where commands go, whoever says so.
func showTarget(e *env.Env, all env.Contexts) error {
	t, err := e.Target()
	if err != nil {
		return err
	}
	data := struct {
		Current    string `json:"current"`
		Previous   string `json:"previous"`
		Connect    string `json:"connect"`
		Origin     string `json:"origin"`
		ReadOnly   bool   `json:"read_only"`
		Production bool   `json:"production"`
		File       string `json:"file"`
	}{all.Current, all.Previous, t.String(), t.Origin, t.ReadOnly, t.Production, e.ContextsFile()}
	pairs := [][2]string{
		{"Current", all.Current}, {"Address", t.String()}, {"Because of", t.Origin}, {"Mode", mode(t.ReadOnly, t.Production)}, {"File", e.ContextsFile()},
	}
	return e.Printer().Sheet(data, all.Current, pairs)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
