package tui

import (
	"context"
	"errors"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"
)

// Run shows the screens until a person quits or ctx ends. It takes the terminal
// over and gives it back, also after a panic.
func Run(ctx context.Context, group Group, o Options, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	program := tea.NewProgram(New(ctx, group, o), tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithFPS(maxFrames))
	_, err := program.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tea.ErrInterrupted), errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return fmt.Errorf("terminal screens: %w", err)
}

// maxFrames bounds the frames that are drawn in a second.
const maxFrames = 30
