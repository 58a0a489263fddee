// Package env is what every command of the companion is given: streams, a
// clock, a lazy connection, and the words and codes in which it fails.
package env

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"golang.org/x/term"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/follow"
)

// Env is what a command is given. The fields that flags set are read when the
// command runs, not before.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Version  string
	// Getenv reads the environment. Nil: it is empty.
	Getenv func(string) string
	// Person tells whether a person can be asked. Nil: if In is a terminal.
	Person func() bool

	// Set by the persistent flags of the root command. At most one of the first
	// three is given.
	Connect      string
	Coordination string
	Context      string
	Format       string
	JQ           string
	Headers      bool
	Time         string // as output.ParseTimes reads it
	Timeout      time.Duration
	// ReadOnly refuses every change, whatever the context says.
	ReadOnly bool
	// Agreed: whoever gave the command has agreed to what it changes, with --yes or
	// at a prompt.
	Agreed bool
	// Command is the command that runs, as "belfry task pause".
	Command string
	// Quiet: Say says nothing.
	Quiet bool
	// Set by the flags that Edits gives a command.
	Reason string
	DryRun bool
	// Watch is set by the flag that Watchable gives a command.
	Watch bool
	// SortBy is set by the flag that Sortable gives a command.
	SortBy string
	// Scope is which tasks the answer of a command with --watch depends on. The
	// zero value: all.
	Scope follow.Scope

	drawn bool // the line of a Progress is on the terminal
}

// Printer writes results to Out in the format asked for.
func (e *Env) Printer() output.Printer {
	times, _ := output.ParseTimes(e.Time) // Check has refused what is wrong
	return output.Printer{
		Format: e.Format, JQ: e.JQ, Terminal: IsTerminal(e.Out), Width: width(e.Out), Headers: e.Headers, Times: times, SortBy: e.SortBy,
		Now: e.Now(), Out: e.Out,
	}
}

// Say tells a person what was done, on Err, so that Out stays for results. With
// --quiet it does not.
func (e *Env) Say(format string, args ...any) {
	if !e.Quiet {
		e.Warn(format, args...)
	}
}

// Warn tells a person what went wrong, on Err.
func (e *Env) Warn(format string, args ...any) {
	if e.drawn {
		fmt.Fprint(e.Err, eraseLine)
		e.drawn = false
	}
	fmt.Fprintf(e.Err, format+"\n", args...)
}

// Control connects, gives the companion's side of the group to f, and closes.
func (e *Env) Control(ctx context.Context, f func(ctx context.Context, c *control.Control) error) error {
	target, err := e.Target()
	if err != nil {
		return err
	}
	ctx, cancel := e.within(ctx)
	defer cancel()
	port, err := target.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = port.Close() }() // all that was asked for is answered
	port = e.guard(target, port, true)
	deps := control.Deps{KV: port, Members: port, Caller: port, Now: e.Now, Cluster: target.cluster()}
	if e.DryRun {
		deps.KV = rehearse(port, e.Now)
	}
	if err := f(ctx, control.New(deps).As(e.Who()).Because(e.Reason)); err != nil {
		return err
	}
	if e.DryRun {
		e.Say("dry run: nothing was changed")
	}
	return nil
}

// Who is the administrator, "user@machine", for those who come after.
func (e *Env) Who() string {
	name := e.getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// Editor is the command that a person edits with.
func (e *Env) Editor() string { return cmp.Or(e.getenv("VISUAL"), e.getenv("EDITOR"), "vi") }

func (e *Env) getenv(name string) string {
	if e.Getenv == nil {
		return ""
	}
	return e.Getenv(name)
}

// Usage is an error of how the command was called; it exits with 2.
func Usage(format string, args ...any) error {
	return &failure.Error{Code: failure.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// IsTerminal tells whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is how many columns a terminal has; 0: w is none, or does not tell.
func width(w any) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

// CompletionTimeout bounds what a completion may ask of the host.
const CompletionTimeout = 300 * time.Millisecond
