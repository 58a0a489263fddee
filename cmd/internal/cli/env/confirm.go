package env

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Edits gives a command the flags of all that change something: --reason and
// --dry-run.
func (e *Env) Edits(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().StringVar(&e.Reason, "reason", "", "why, for those who come after")
	cmd.Flags().BoolVar(&e.DryRun, "dry-run", false, "say what would change, and change nothing")
	return cmd
}

// Question is what is asked before something is done.
type Question struct {
	// Effects are what it will do, a line each.
	Effects []string
	// Text asks, and says what is to be typed if Word is set.
	Text string
	// Word is typed to allow what is not easily taken back: a name, a number. Empty:
	// y is enough.
	Word string
}

// ErrCancelled tells that a person said no at a prompt; it exits with 9.
var ErrCancelled = errors.New("cancelled, nothing was changed")

// Confirm asks a person, unless it is agreed to already, or --dry-run was said. Where nobody can be
// asked, what cannot be taken back is refused, naming the flag; the rest goes on:
// who wrote the pipe has decided.
func (e *Env) Confirm(ctx context.Context, q Question) error {
	asked := e.asks()
	if e.Agreed || e.DryRun || !asked && q.Word == "" {
		return nil
	}
	for _, line := range q.Effects {
		e.Warn("%s", line)
	}
	if !asked {
		return Usage("this needs a confirmation: say --yes")
	}
	if q.Word == "" {
		q.Text += " [y/N]"
	}
	if t, err := e.Target(); err == nil && t.Production {
		q.Text = "Production context " + t.Name() + ". " + q.Text
	}
	fmt.Fprint(e.Err, q.Text+" ")
	answer, err := e.line(ctx)
	if err != nil {
		return err
	}
	if q.Word == "" && !yes(answer) || q.Word != "" && answer != q.Word {
		return ErrCancelled
	}
	e.Agreed = true
	return nil
}

func yes(answer string) bool {
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

// asks tells whether a person can be asked.
func (e *Env) asks() bool {
	if e.Person != nil {
		return e.Person()
	}
	return IsTerminal(e.In)
}

// line reads what a person types, until ctx ends.
func (e *Env) line(ctx context.Context) (string, error) {
	type read struct {
		line string
		err  error
	}
	typed := make(chan read, 1)
	go func() { // ends with the program, at the latest: nothing interrupts a read of a terminal
		line, err := bufio.NewReader(e.In).ReadString('\n')
		typed <- read{line, err}
	}()
	select {
	case r := <-typed:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("read the answer: %w", r.err)
		}
		return strings.TrimSpace(r.line), nil
	case <-ctx.Done():
		fmt.Fprintln(e.Err)
		return "", context.Cause(ctx)
	}
}
