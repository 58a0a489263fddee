package tui

import (
	"fmt"
	"runtime/debug"

	tea "charm.land/bubbletea/v2"
)

// watched hands on to a model, and has a panic in it reported before the library
// restores the terminal and ends the program.
type watched struct {
	tea.Model
	report func(text string)
}

// Init hands on.
func (w watched) Init() tea.Cmd {
	defer w.note()
	return w.cmd(w.Model.Init())
}

// Update hands on.
func (w watched) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer w.note()
	next, cmd := w.Model.Update(msg)
	return watched{next, w.report}, w.cmd(cmd)
}

// View hands on.
func (w watched) View() tea.View {
	defer w.note()
	return w.Model.View()
}

// cmd watches over a command, and over those that it gives.
func (w watched) cmd(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		defer w.note()
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = w.cmd(batch[i])
			}
		}
		return msg
	}
}

// maxReport bounds a report in bytes.
const maxReport = 64 << 10

// note reports a panic, and lets it go on.
func (w watched) note() {
	if fault := recover(); fault != nil {
		text := fmt.Sprintf("%v\n\n%s", fault, debug.Stack())
		w.report(text[:min(len(text), maxReport)])
		panic(fault)
	}
}
