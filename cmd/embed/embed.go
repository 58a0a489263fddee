// Package embed is belfryd as a library: a program that has code of its own to be
// scheduled (see package code) is a host like belfryd, with the same flags and
// configuration.
//
//	func main() {
//		os.Exit(embed.Main(os.Args[1:], os.Stdout, os.Stderr, embed.Options{
//			Code: code.Registry{"stocktaking": code.Func(take)},
//		}))
//	}
package embed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/app"
	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
)

// Options of a host. The zero value is belfryd's, of the version "dev".
type Options struct {
	// Version is what --version, the catalogue and the OpenAPI documents say.
	Version string
	// Code that tasks may run (`belfry task create NAME --code …`), by name. Names
	// that cannot be published end Main with an error.
	Code code.Registry
}

// The exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// Main runs a host with the arguments of a command line, without the program's
// name, until it is told to stop by SIGINT or SIGTERM, and gives the exit code: 0,
// 1 if it failed, 2 for wrong arguments or configuration. Errors and logs go to
// stderr. A second signal ends the process at once. It is called once in a process.
func Main(args []string, stdout, stderr io.Writer, o Options) int {
	if o.Version == "" {
		o.Version = "dev"
	}
	args, err := conf.Normalize(args)
	if err == nil {
		err = o.Code.Check()
	}
	if err != nil {
		fmt.Fprintln(stderr, "Error:", err)
		return exitUsage
	}
	cmd := newCommand(o, stderr)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err = cmd.Execute()
	var usage *usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "Error:", err)
		return exitUsage
	default:
		fmt.Fprintln(stderr, "Error:", err)
		return exitFailed
	}
}

// usageError is an error of flags or configuration.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func newCommand(o Options, stderr io.Writer) *cobra.Command {
	var sample bool
	cmd := &cobra.Command{
		Use:   "belfryd",
		Short: "Host data services and fire their operations on schedule",
		Long: "belfryd serves the data services of a folder over HTTP and fires their operations on schedule.\n" +
			"Settings come from flags, the environment (BELFRY_…), the configuration file and defaults, in this order;\n" +
			"`belfry config show --origin` tells which it was. The first SIGINT or SIGTERM stops it in order, a second at once.\n\n" +
			"-task.server.count=3 and -Dtask.server.count=3 work as in the original.",
		Example: "  belfryd --config configs/belfryd.yaml\n" +
			"  belfryd --services services --map-datasource 'jdbc:h2:*=sqlite:var/samples.db'",
		Version:       o.Version,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w\nsee `belfryd --help`", err)}
	})
	conf.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&sample, "sample", false, "make the sample's database and schedule its tasks, unless they are there")
	cmd.AddCommand(newCoordinationServer(), newUsers())
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		loaded, err := conf.Load(conf.LoadOptions{Flags: cmd.Flags()})
		if err != nil {
			return &usageError{err}
		}
		return serve(cmd.Context(), app.Options{Loaded: loaded, Version: o.Version, Sample: sample, Code: o.Code, Log: logger(loaded.Config.Log, stderr)})
	}
	return cmd
}

// serve runs the host until a signal, or until it cannot go on.
func serve(ctx context.Context, o app.Options) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	defer hangups(signals, o.Log)()
	starting, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(chan struct{})
	go func() { // ends when the host has started
		select {
		case s := <-signals:
			cancel()
			signals <- s
		case <-started:
		}
	}()
	a, err := app.Start(starting, o)
	close(started)
	switch {
	case err != nil && starting.Err() != nil && errors.Is(err, context.Canceled):
		o.Log.Info("told to stop before it was ready", "err", err)
		return nil
	case err != nil:
		return err
	}
	var fatal error
	select {
	case <-signals:
	case fatal = <-a.Fatal():
		o.Log.Error("the host cannot go on", "err", fatal)
	}
	go func() { // ends with the process
		<-signals
		o.Log.Warn("second signal: ending at once")
		os.Exit(exitInterrupted)
	}()
	return errors.Join(fatal, a.Stop(context.WithoutCancel(ctx)))
}

func logger(c conf.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	// The configuration has checked it.
	_ = level.UnmarshalText([]byte(c.Level))
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
