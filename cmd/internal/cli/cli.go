// Package cli is the companion's command line: the tree of commands, and what
// every one of them shares: output formats, errors, exit codes.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/audit"
	"github.com/seed42aab489/belfry/cmd/internal/cli/backup"
	"github.com/seed42aab489/belfry/cmd/internal/cli/calendar"
	"github.com/seed42aab489/belfry/cmd/internal/cli/cluster"
	"github.com/seed42aab489/belfry/cmd/internal/cli/config"
	"github.com/seed42aab489/belfry/cmd/internal/cli/contexts"
	"github.com/seed42aab489/belfry/cmd/internal/cli/cron"
	"github.com/seed42aab489/belfry/cmd/internal/cli/declare"
	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/importer"
	"github.com/seed42aab489/belfry/cmd/internal/cli/insight"
	"github.com/seed42aab489/belfry/cmd/internal/cli/leader"
	"github.com/seed42aab489/belfry/cmd/internal/cli/node"
	"github.com/seed42aab489/belfry/cmd/internal/cli/operation"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/cmd/internal/cli/overview"
	"github.com/seed42aab489/belfry/cmd/internal/cli/placement"
	"github.com/seed42aab489/belfry/cmd/internal/cli/request"
	"github.com/seed42aab489/belfry/cmd/internal/cli/run"
	"github.com/seed42aab489/belfry/cmd/internal/cli/service"
	"github.com/seed42aab489/belfry/cmd/internal/cli/task"
	"github.com/seed42aab489/belfry/cmd/internal/cli/tui"
)

// Main runs the companion and gives its exit code. Interrupts end it with 130.
func Main(version string, args []string, in io.Reader, out, err io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second interrupt ends the program at once
	e := &env.Env{In: in, Out: out, Err: err, Now: time.Now, Version: version, Getenv: os.Getenv}
	root := New(e)
	root.SetArgs(args)
	failure := root.ExecuteContext(ctx)
	if failure == nil {
		return 0
	}
	code := report(e, failure)
	if ctx.Err() != nil && errors.Is(failure, context.Canceled) {
		return 130
	}
	return code
}

// New makes the tree of commands.
func New(e *env.Env) *cobra.Command {
	root := &cobra.Command{
		Use:   "belfry",
		Short: "Inspect and control the tasks, data services and hosts of Belfry",
		Long: "belfry reads and edits the store of a lone host, through its unix socket, or of a cluster, in ZooKeeper:\n" +
			"what is scheduled, what fired, who owns it. It is told where by --connect, --coordination or --context, else by\n" +
			"BELFRY_CONNECT or BELFRY_CONTEXT, else by the current context; else it takes the socket of the sample host.\n" +
			"BELFRY_ZOOKEEPER_USER, _PASSWORD_FILE, _TLS, _CA_FILE, _CERT_FILE, _KEY_FILE and _ROOT mean what they mean to belfryd.\n" +
			"Exit codes: 0 ok, 1 failed or different, 2 usage, 3 not found, 4 not authorised, 5 conflict, 6 unavailable, 7 timed out,\n" +
			"8 partly failed, 9 cancelled, 130 interrupted.",
		SilenceErrors: true,
		SilenceUsage:  true,
		// A noun alone shows its verbs; a wrong verb is an error.
		Args: cobra.NoArgs,
	}
	root.SetIn(e.In)
	root.SetOut(e.Out)
	root.SetErr(e.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return env.Usage("%v\nsee `%s --help`", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: "core", Title: "Tasks:"},
		&cobra.Group{ID: "files", Title: "Task files:"},
		&cobra.Group{ID: "insight", Title: "Insight:"},
		&cobra.Group{ID: "services", Title: "Data services:"},
		&cobra.Group{ID: "cluster", Title: "Cluster:"},
		&cobra.Group{ID: "setup", Title: "Tools:"},
	)
	flags := root.PersistentFlags()
	flags.StringVar(&e.Connect, "connect", "", "unix://PATH, a host's socket, or zk://HOST:PORT,HOST:PORT/ROOT, a cluster; also "+env.ConnectVariable)
	flags.StringVar(&e.Coordination, "coordination", "", "the cluster that this coordination-client-config.xml names")
	flags.StringVar(&e.Context, "context", "", "the cluster or host of this name (see belfry context); also "+env.ContextVariable)
	flags.StringVarP(&e.Format, "output", "o", output.Table, strings.Join(output.Formats(), ", "))
	flags.StringVar(&e.JQ, "jq", "", "show what this jq program picks from the JSON")
	flags.BoolVar(&e.Headers, "headers", false, "a header line also when the output is a pipe")
	flags.BoolVarP(&e.Quiet, "quiet", "q", false, "say nothing of what was done: results, questions and errors alone")
	flags.StringVar(&e.Time, "time", "", "write instants relative, iso (UTC), local or in a ZONE; else relative on a terminal and iso in a pipe")
	flags.DurationVar(&e.Timeout, "timeout", 0, "give up after this time (default: never)")
	flags.BoolVar(&e.ReadOnly, "read-only", false, "refuse to change anything")
	flags.BoolVarP(&e.Agreed, "yes", "y", false, "do not ask: before several things are changed, what cannot be undone, or a production context")
	_ = root.RegisterFlagCompletionFunc("context", contexts.Complete(e))
	_ = root.RegisterFlagCompletionFunc("time", cobra.FixedCompletions(output.TimesNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(output.Formats(), cobra.ShellCompDirectiveNoFileComp))
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		e.Command = cmd.CommandPath()
		if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups()); err != nil {
			return env.Usage("%v\nusage: %s", err, cmd.UseLine())
		}
		_, err := output.ParseTimes(e.Time)
		if err := errors.Join(err, e.Printer().Check()); err != nil {
			return env.Usage("%v", err)
		}
		return nil
	}
	root.AddCommand(
		overview.NewStatus(e), task.New(e), calendar.New(e), run.New(e), request.New(e), overview.NewEvents(e), audit.New(e),
		service.New(e), operation.New(e),
		cluster.New(e), node.New(e), leader.New(e), placement.New(e),
		contexts.New(e), cron.New(e), config.New(e), newMan(e), newVersion(e),
		tui.New(e),
	)
	root.AddCommand(declare.Commands(e)...)
	root.AddCommand(insight.Commands(e)...)
	root.AddCommand(backup.New(e), importer.New(e))
	root.SetHelpCommandGroupID("setup")
	root.SetCompletionCommandGroupID("setup")
	strict(root)
	return root
}

// strict makes arguments that a command does not take, and unknown verbs,
// errors of usage.
func strict(cmd *cobra.Command) {
	if args := cmd.Args; args != nil {
		cmd.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return env.Usage("%v\nusage: %s", err, cmd.UseLine())
			}
			return nil
		}
	}
	cmd.SuggestionsMinimumDistance = 2 // of letters
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return cmd.Help()
			}
			text := fmt.Sprintf("unknown command %q for %q", given[0], cmd.CommandPath())
			for _, near := range cmd.SuggestionsFor(given[0]) {
				text += fmt.Sprintf("\ndid you mean `%s %s`?", cmd.CommandPath(), near)
			}
			if noun := turned(cmd, given); noun != "" {
				text += fmt.Sprintf("\nthe noun goes first: `%s`", noun)
			}
			return env.Usage("%s", text)
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// turned is the command of who says the verb first, as in "get tasks" and "describe
// task NAME"; empty: there is none.
func turned(root *cobra.Command, given []string) string {
	verb, known := map[string]string{"get": "list", "describe": "show"}[given[0]]
	if len(given) < 2 {
		return ""
	}
	if !known {
		verb = given[0]
	} else if len(given) > 2 {
		verb = "show"
	}
	for _, noun := range root.Commands() {
		if noun.Name() != given[1] && noun.Name()+"s" != given[1] {
			continue
		}
		for _, sub := range noun.Commands() {
			if sub.Name() == verb {
				return strings.Join(append([]string{sub.CommandPath()}, given[2:]...), " ")
			}
		}
	}
	return ""
}

func newVersion(e *env.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Example: "  belfry version\n" +
			"  belfry version -o json",
		Args:    cobra.NoArgs,
		GroupID: "setup",
		RunE: func(*cobra.Command, []string) error {
			if p := e.Printer(); p.Format != output.Table && p.Format != output.Wide || p.JQ != "" {
				return p.Sheet(map[string]string{"version": e.Version}, e.Version, [][2]string{{"Version", e.Version}})
			}
			_, err := fmt.Fprintln(e.Out, "belfry "+e.Version)
			return err
		},
	}
}

// report tells what went wrong, on Err, and gives the exit code.
func report(e *env.Env, failure error) int {
	d := env.Describe(failure)
	if d.Code == env.Found {
		return d.ExitCode // what was found has been shown
	}
	if e.Printer().Structured() {
		text, err := json.Marshal(map[string]env.Description{"error": d})
		if err == nil {
			fmt.Fprintln(e.Err, string(text))
			return d.ExitCode
		}
	}
	fmt.Fprintf(e.Err, "Error: %s  [%s]\n", d.Message, d.Code)
	if d.Cause != "" {
		fmt.Fprintf(e.Err, "  cause: %s\n", d.Cause)
	}
	if d.Hint != "" {
		fmt.Fprintf(e.Err, "  %s\n", d.Hint)
	}
	return d.ExitCode
}
