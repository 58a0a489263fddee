// Package env is what every command of the companion is given: streams, a
// clock, a lazy connection, and the words and codes in which it fails.
package env

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/plugin/control"
)

// DefaultConnect is the socket of the sample configuration.
const DefaultConnect = "unix://var/belfryd.sock"

// ConnectVariable names the environment variable that stands for --connect.
const ConnectVariable = "BELFRY_CONNECT"

// Env is what a command is given. The fields that flags set are read when the
// command runs, not before.
type Env struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Version  string

	// Set by the persistent flags of the root command.
	Connect string
	Format  string
	Headers bool
	Timeout time.Duration
}

// Printer writes results to Out in the format asked for.
func (e *Env) Printer() output.Printer {
	return output.Printer{Format: e.Format, Terminal: IsTerminal(e.Out), Headers: e.Headers, Now: e.Now(), Out: e.Out}
}

// Say tells a person what was done, on Err, so that Out stays for results.
func (e *Env) Say(format string, args ...any) { fmt.Fprintf(e.Err, format+"\n", args...) }

// Control connects, gives the companion's side of the host to f, and closes.
func (e *Env) Control(ctx context.Context, f func(ctx context.Context, c *control.Control) error) error {
	path, err := socketPath(e.Connect)
	if err != nil {
		return err
	}
	if e.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.Timeout)
		defer cancel()
	}
	port, err := socket.Dial(ctx, path, socket.DialOptions{})
	if err != nil {
		return unreachable(e.Connect, err)
	}
	defer port.Close()
	return f(ctx, control.New(control.Deps{KV: port, Members: port, Caller: port, Now: e.Now}))
}

// unreachable says that nobody answers. What the port says of it is for programs
// that hold a connection; a person needs the place, the reason and the next step.
func unreachable(connect string, err error) error {
	reason := err
	var dial *net.OpError
	if errors.As(err, &dial) {
		reason = dial.Err
	}
	return &control.Error{
		Code: control.CodeUnavailable, Message: fmt.Sprintf("no host answers at %s: %v", connect, reason), Err: err,
		Hint: "is belfryd running? start it, or name its socket with --connect unix://PATH or " + ConnectVariable,
	}
}

func socketPath(connect string) (string, error) {
	path, ok := strings.CutPrefix(connect, "unix://")
	if !ok || path == "" {
		return "", Usage("--connect %q: write unix://PATH, the path of the host's socket", connect)
	}
	return path, nil
}

// Usage is an error of how the command was called; it exits with 2.
func Usage(format string, args ...any) error {
	return &control.Error{Code: control.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// IsTerminal tells whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// CompletionTimeout bounds what a completion may ask of the host.
const CompletionTimeout = 300 * time.Millisecond

// Confirm asks a person to type want. Without a terminal it fails, naming the
// flag that stands for the answer.
func (e *Env) Confirm(question, want, flag string) error {
	if !IsTerminal(e.In) {
		return Usage("this needs a confirmation: say %s", flag)
	}
	fmt.Fprint(e.Err, question+" ")
	answer, err := bufio.NewReader(e.In).ReadString('\n')
	if err != nil && err != io.EOF {
		return fmt.Errorf("read the answer: %w", err)
	}
	if strings.TrimSpace(answer) != want {
		return ErrCancelled
	}
	return nil
}

// ErrCancelled tells that a person said no at a prompt; it exits with 9.
var ErrCancelled = errors.New("cancelled, nothing was changed")
