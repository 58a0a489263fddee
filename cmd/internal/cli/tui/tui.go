// Package tui holds the command that opens the terminal screens. It connects them
// to a group, and again when a session is lost; the screens are package tui.
package tui

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/tui"
	"github.com/seed42aab489/belfry/tui/theme"
)

// collectAt is how much of what is held may be added, in percent, before what is not
// needed any more is collected. The screens hold little for each task, but for long,
// and read much: memory is worth more there than the time to collect.
const collectAt = 50

// issues is where faults are told.
const issues = "https://github.com/seed42aab489/belfry/issues"

// New makes `belfry tui`.
func New(e *env.Env) *cobra.Command {
	var o tui.Options
	cmd := &cobra.Command{
		Use:     "tui",
		Aliases: []string{"ui"},
		Short:   "Open the terminal screens: tasks, runs, services, cluster, events",
		Long: "Open the terminal screens: what is scheduled, what runs and ran, what hosts do; and from there schedule operations,\n" +
			"edit, pause, resume, run and delete tasks, cancel runs, drain hosts. The line at the bottom names the keys of each\n" +
			"screen, and ? all of them. What is shown is pushed by the group; when the connection is gone the screens say so and\n" +
			"how old the picture is, and change nothing until it is back. NO_COLOR is honoured.",
		Example: "  belfry tui\n" +
			"  belfry tui --read-only --theme contrast\n" +
			"  belfry tui --ascii --theme mono",
		Args:    cobra.NoArgs,
		GroupID: "core",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(theme.Names(), o.Theme.Name) {
				return env.Usage("--theme %q: use %s", o.Theme.Name, strings.Join(theme.Names(), ", "))
			}
			target, err := e.Target()
			if err != nil {
				return err
			}
			if !env.IsTerminal(e.In) || !env.IsTerminal(e.Out) {
				return env.Usage("the screens need a terminal; belfry status and belfry task list work without one")
			}
			if e.Getenv != nil && e.Getenv("TERM") == "dumb" {
				return env.Usage("the screens need a terminal that can move its cursor, and TERM is dumb; belfry status and belfry task list work without one")
			}
			o.By, o.Now = e.Who(), e.Now
			start := opened(e, target)
			o.Context, o.Flags, o.Sealed, o.Danger = start.Context, start.Flags, start.Sealed, start.Danger
			o.ReadOnly = e.ReadOnly
			if folder := e.StateFolder(); folder != "" {
				o.Memory = memory{folder}
			}
			o.Crashed = func(text string) string { return crashed(e.StateFolder(), e.Version, text, e.Now()) }
			if !cmd.Flags().Changed("theme") {
				o.Theme.Name = "" // as it was last
			}
			if o.Contexts, err = contexts(e, start.Context, target); err != nil {
				return err
			}
			o.Open = func(name string) (tui.Opened, error) { return open(e, start, name) }
			o.Theme.NoColour = o.Theme.NoColour || e.Getenv != nil && e.Getenv("NO_COLOR") != ""
			if os.Getenv("GOGC") == "" {
				defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
			}
			err = tui.Run(cmd.Context(), start.Group, o, e.In, e.Out)
			if crash, ok := errors.AsType[*tui.CrashError](err); ok {
				return &failure.Error{Code: failure.CodeInternal, Message: crash.Error(), Hint: "send it to " + issues + "; it holds no definitions"}
			}
			if err != nil {
				return fmt.Errorf("tui: %w", err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Theme.ASCII, "ascii", false, "draw with ASCII characters alone")
	f.StringVar(&o.Theme.Name, "theme", theme.Names()[0], strings.Join(theme.Names(), ", ")+"; else as it was last")
	f.BoolVar(&o.Theme.NoColour, "no-color", false, "no colours; also NO_COLOR in the environment")
	f.BoolVar(&o.NoMouse, "no-mouse", false, "leave the mouse to the terminal")
	_ = cmd.RegisterFlagCompletionFunc("theme", cobra.FixedCompletions(theme.Names(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
