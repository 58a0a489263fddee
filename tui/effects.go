package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/dialog"
	"github.com/seed42aab489/belfry/tui/form"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
)

// done tells what became of an order.
func (m Model) done(d order.Done) (Model, tea.Cmd) {
	m.said = screen.Say{Text: d.Text, Bad: d.Err != nil}
	switch {
	case d.Err != nil && d.Hint != "":
		m.said.Text += " (" + d.Hint + ")"
		return m, nil
	case d.Err != nil:
		return m, nil
	}
	m.undo = nil
	if undo, ok := d.Order.Undo(); ok {
		m.undo = &undo
		m.said.Text += "; z undoes it: " + d.Undo
	}
	switch d.Order.Verb {
	case order.Create, order.Edit:
		if _, ok := m.top().(form.Form); ok {
			m = m.settleDraft(m.top()).close()
			if d.Order.Verb == order.Create {
				return m.visit(tasks.NewMade(d.Order.Info.Key, m.scene.Now))
			}
		}
	case order.Try:
		m = m.over(dialog.NewAnswer(d))
	case order.Delete:
		if _, ok := m.top().(tasks.Detail); ok {
			m = m.close()
		}
	}
	return m, nil
}

// back takes back what was done last.
func (m Model) back() (Model, tea.Cmd) {
	switch {
	case m.undo == nil:
		m.said = screen.Say{Text: "z is off: nothing was done here that can be taken back", Bad: true}
		return m, nil
	case m.undo.Weight() == order.Light:
		return m.carry(*m.undo)
	}
	return m.over(dialog.NewConfirm(*m.undo)), nil
}

// commands are the command lines of the screen on top, and the one that takes back
// what was done last.
func (m Model) commands() []screen.Command {
	all := m.top().Commands(&m.scene)
	if m.undo != nil && !modal(m.top()) {
		all = append(all, screen.Command{Action: intent.Undo, Lines: m.undo.Commands()})
	}
	return all
}

// ask puts a question, beside all else.
func (m Model) ask(q ask.Question) tea.Cmd {
	desk, now := m.desk, m.o.Now
	return func() tea.Msg { return answerMsg{desk, desk.ask(q, now)} }
}

// heard gives an answer to the screens that wait for it.
func (m Model) heard(a ask.Answer) Model {
	stack := append([]screen.Screen{}, m.stack...)
	for i, s := range stack {
		if asking, ok := s.(screen.Asking); ok && asking.Question().Is(a.Question) {
			stack[i] = asking.Hear(a)
		}
	}
	m.stack = stack
	return m
}

// open goes to the group of another context.
func (m Model) open(name string) tea.Cmd {
	open, memory := m.o.Open, m.o.Memory
	if open == nil {
		return nil
	}
	return func() tea.Msg {
		o := openedMsg{}
		if o.opened, o.err = open(name); o.err == nil && memory != nil {
			o.known = memory.Load(o.opened.Context)
		}
		return o
	}
}

// opened leaves the group for the one that was opened. Of the one that was left
// nothing stays, so that nothing of it is taken for the other's.
func (m Model) opened(msg openedMsg) (Model, tea.Cmd) {
	if msg.err != nil {
		m.said = screen.Say{Text: failure.Of(msg.err).Message, Bad: true}
		return m, nil
	}
	o := msg.opened
	m, save := m.remember()
	m.desk = m.desk.leave(o.Group)
	m.o.Context, m.o.Flags, m.o.Danger = o.Context, o.Flags, o.Danger
	m.scene.Context, m.scene.Flags, m.scene.Sealed = o.Context, o.Flags, o.Sealed
	m.undo = nil
	m.scene.Picture = &follow.Picture{Link: follow.LinkLoading, Since: m.o.Now()}
	m = m.recall(msg.known)
	m.said = screen.Say{Text: "this is " + o.Context}
	return m, tea.Batch(m.desk.follow, m.desk.next, save)
}
