package env

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/follow"
)

const (
	// watchPace is how often a terminal is redrawn so that its relative times stay
	// true, and how long a store is left alone that cannot be reached.
	watchPace = time.Second
	// watchGap is the least time between two looks: what changes together is shown
	// together.
	watchGap = 250 * time.Millisecond
)

// Watchable gives a command that uses Show the flag --watch.
func (e *Env) Watchable(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVarP(&e.Watch, "watch", "w", false, watchUsage)
	return cmd
}

const watchUsage = "go on and show what changes, as it is told, and every 30s what tells of no change, such as clocks;\na terminal is redrawn, a pipe gets the new lines"

// looker reads an answer and gives what writes it.
type looker func(ctx context.Context, c *control.Control) (show func(output.Printer) error, err error)

// watch shows an answer whenever it may have changed, over as many sessions as it
// takes.
func (e *Env) watch(ctx context.Context, look looker) error {
	w := watch{e: e, shown: map[string]bool{}}
	said := ""
	for {
		err := e.watchSession(ctx, look, &w)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if failure.Of(err).Code != failure.CodeUnavailable {
			return err
		}
		if text := err.Error(); text != said { // once, however long it lasts
			e.Say("%s; trying again", text)
			said = text
		}
		if err := pause(ctx, watchPace); err != nil {
			return err
		}
	}
}

// watchSession watches over one session.
func (e *Env) watchSession(ctx context.Context, look looker, w *watch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := e.openWithin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // nothing is left to ask
	pictures, ended, done := make(chan follow.Picture, 1), make(chan error, 1), make(chan struct{})
	var show func(output.Printer) error
	if show, err = e.look(ctx, c.Control, look); err != nil {
		return err
	}
	go func() { // ends with the session, or with ctx
		defer close(done)
		ended <- c.Control.Follow(ctx, c.Session, e.Scope, func(p follow.Picture) {
			select {
			case <-pictures:
			default:
			}
			pictures <- p
		})
	}()
	defer func() { cancel(); <-done }()
	link := follow.LinkLive
	tick := time.NewTicker(watchPace)
	defer tick.Stop()
	for {
		if err := w.show(show); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			return &failure.Error{Code: failure.CodeUnavailable, Message: err.Error(), Err: err}
		case <-tick.C:
			if !w.redraws() {
				continue
			}
		case p := <-pictures:
			if p.Link == follow.LinkStale && link != p.Link {
				e.Say("%s; what is shown is as of %s", p.Fault, p.At.UTC().Format(time.RFC3339))
			}
			if link = p.Link; link != follow.LinkLive || p.Read < p.Buckets {
				continue
			}
			if show, err = e.look(ctx, c.Control, look); err != nil {
				return err
			}
			if err := pause(ctx, watchGap); err != nil {
				return err
			}
		}
	}
}

// openWithin and look keep to --timeout.
func (e *Env) openWithin(ctx context.Context) (*Connection, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return e.Open(ctx)
}

func (e *Env) look(ctx context.Context, c *control.Control, look looker) (func(output.Printer) error, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return look(ctx, c)
}

func (e *Env) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.Timeout > 0 {
		return context.WithTimeout(ctx, e.Timeout)
	}
	return context.WithCancel(ctx)
}

// watch is what --watch has written so far.
type watch struct {
	e     *Env
	last  string
	shown map[string]bool // the lines of last
}

const clearScreen = "\x1b[H\x1b[2J"

// redraws tells whether the output is a screen that is drawn again.
func (w *watch) redraws() bool {
	p := w.e.Printer()
	return p.Terminal && !p.Structured()
}

// show redraws a terminal; a pipe gets the lines that were not there before, or
// all when they belong together.
func (w *watch) show(write func(output.Printer) error) error {
	p := w.e.Printer()
	var b bytes.Buffer
	p.Out = &b
	if err := write(p); err != nil {
		return err
	}
	text := b.String()
	if text == w.last {
		return nil
	}
	whole := p.Structured() && p.Format != output.JSONL
	var news strings.Builder
	lines := make(map[string]bool)
	for line := range strings.Lines(text) {
		lines[line] = true
		if !w.shown[line] || whole {
			news.WriteString(line)
		}
	}
	w.last, w.shown = text, lines
	if w.redraws() {
		_, err := fmt.Fprintf(w.e.Out, "%s%s\n%s", clearScreen, w.e.Now().UTC().Format(time.RFC3339), text)
		return err
	}
	_, err := io.WriteString(w.e.Out, news.String())
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
