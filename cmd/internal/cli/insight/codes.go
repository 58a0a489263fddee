package insight

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Code is a code with what it stands for: the JSON contract of `explain code`.
type Code struct {
	Code string `json:"code"`
	// Kind is "error", of a command that failed, or "reason", of a task or a run.
	Kind    string `json:"kind"`
	Meaning string `json:"meaning"`
	Next    string `json:"next"`      // the next step; may be empty
	Exit    *int   `json:"exit_code"` // of errors
}

// Codes are all, errors first.
func Codes() []Code {
	var all []Code
	for _, m := range failure.Meanings() {
		all = append(all, Code{string(m.Code), "error", m.Text, m.Next, &m.Exit})
	}
	for _, m := range explain.Meanings() {
		all = append(all, Code{m.Code, "reason", m.Text, m.Next, nil})
	}
	return all
}

func newExplainCode(e *env.Env) *cobra.Command {
	return e.Sortable(&cobra.Command{
		Use:   "code [CODE]",
		Short: "Tell what a code of an error, a task or a run stands for; nobody is asked",
		Long: "Tell what a code stands for, as errors ([not_found]), tasks and runs (NO_ELIGIBLE_NODE) have it, and the next step.\n" +
			"Without a code all are listed. No host is asked.",
		Example: "  belfry explain code NO_ELIGIBLE_NODE\n" +
			"  belfry explain code conflict -o json\n" +
			"  belfry explain code",
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: env.First(func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return codeNames(), cobra.ShellCompDirectiveNoFileComp
		}),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return codeFrame().Print(e.Printer(), Codes())
			}
			for _, c := range Codes() {
				if strings.EqualFold(c.Code, strings.Trim(args[0], "[]")) {
					return e.Printer().Sheet(c, c.Code, codeSheet(c))
				}
			}
			return &failure.Error{
				Code: failure.CodeNotFound, Message: "there is no code " + args[0],
				Hint: strings.TrimSpace(failure.Nearest(args[0], codeNames()) + " `belfry explain code` lists all"),
			}
		},
	}, codeFrame().SortKeys())
}

func codeNames() []string {
	var names []string
	for _, c := range Codes() {
		names = append(names, c.Code)
	}
	return names
}

func codeFrame() output.Frame[Code] {
	return output.Frame[Code]{
		Name: func(c Code) string { return c.Code },
		Fields: []output.Field[Code]{
			output.Says("CODE", func(c Code) string { return c.Code }),
			output.Says("KIND", func(c Code) string { return c.Kind }),
			output.Tells("MEANING", func(c Code) string { return c.Meaning }),
			output.Adds("NEXT", func(c Code) string { return c.Next }),
		},
	}
}

func codeSheet(c Code) [][2]string {
	pairs := [][2]string{{"Code", c.Code}, {"Kind", c.Kind}, {"Meaning", c.Meaning}}
	if c.Next != "" {
		pairs = append(pairs, [2]string{"Next", c.Next})
	}
	if c.Exit != nil {
		pairs = append(pairs, [2]string{"Exit code", fmt.Sprint(*c.Exit)})
	}
	return pairs
}
