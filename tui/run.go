package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// Run shows the screens until a person quits or ctx ends. It takes the terminal
// over and gives it back, also after a panic, which Options.Crashed is told of.
func Run(ctx context.Context, group Group, o Options, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	where := ""
	report := func(text string) {
		once.Do(func() {
			if o.Crashed != nil {
				where = o.Crashed(text)
			}
		})
	}
	program := tea.NewProgram(watched{New(ctx, group, o), report}, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(maxFrames))
	last, err := program.Run()
	if errors.Is(err, tea.ErrProgramPanic) {
		once.Do(func() {}) // no panic reports from now on
		return &CrashError{Report: where}
	}
	var unsaved error
	if w, ok := last.(watched); ok {
		if m, ok := w.Model.(Model); ok {
			unsaved = m.keep()
		}
	}
	switch {
	case err == nil && unsaved != nil:
		return fmt.Errorf("terminal screens: what is remembered for the next time: %w", unsaved)
	case err == nil:
		return nil
	case errors.Is(err, tea.ErrInterrupted), errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return fmt.Errorf("terminal screens: %w", err)
}

// CrashError tells that the screens ended by a fault of theirs.
type CrashError struct {
	Report string // the path of the report; empty: there is none
}

// Error says so.
func (e *CrashError) Error() string {
	if e.Report == "" {
		return "the screens ended by a fault of theirs, told above"
	}
	return "the screens ended by a fault of theirs; " + e.Report + " tells of it"
}

// maxFrames bounds the frames that are drawn in a second.
const maxFrames = 30
