package tui

import (
	"bytes"
	"encoding/json"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/tui/form"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
)

// Remembered is what the screens know of a context from the last time. The zero
// value is nothing.
type Remembered struct {
	Tasks tasks.Ordered `json:"tasks"`
	Theme string        `json:"theme,omitempty"`
	// Draft is of a form that was left by a crash, a lost terminal or the end of the
	// screens. Nil: none was.
	Draft *screen.Draft `json:"draft,omitempty"`
}

// Memory keeps what is remembered of each context.
type Memory interface {
	// Load gives what is remembered; where nothing is, or it cannot be read: nothing.
	Load(context string) Remembered
	Save(context string, r Remembered) error
}

// savedMsg tells that what is remembered was saved.
type savedMsg struct{ err error }

// remembered is what is worth it now.
func (m Model) remembered() Remembered {
	r := Remembered{Tasks: m.known.Tasks, Theme: m.known.Theme, Draft: m.scene.Draft}
	if m.look.Name != m.o.Theme.Name { // it was chosen here
		r.Theme = m.look.Name
	}
	if list, ok := m.stack[0].(tasks.List); ok {
		r.Tasks = list.Ordered(m.known.Tasks)
	}
	for _, s := range m.stack {
		if f, ok := s.(form.Form); ok {
			if d, typed := f.Draft(&m.scene); typed && (r.Draft == nil || !d.Like(*r.Draft)) {
				r.Draft = &d
			}
		}
	}
	return r
}

// remember begins to save what changed since it was saved last. Nil: nothing did.
// Screens that are read-only keep nothing.
func (m Model) remember() (Model, tea.Cmd) {
	memory, context := m.o.Memory, m.o.Context
	if memory == nil || m.o.ReadOnly || m.saving {
		return m, nil
	}
	r := m.remembered()
	m.scene.Draft = r.Draft
	if same(r, m.known) {
		return m, nil
	}
	m.known, m.saving = r, true
	return m, func() tea.Msg { return savedMsg{memory.Save(context, r)} }
}

// keep saves what is remembered before the screens end.
func (m Model) keep() error {
	if m.o.Memory == nil || m.o.ReadOnly {
		return nil
	}
	if r := m.remembered(); !same(r, m.known) {
		return m.o.Memory.Save(m.o.Context, r)
	}
	return nil
}

// same tells whether two are written alike.
func same(a, b Remembered) bool {
	x, err := json.Marshal(a)
	y, other := json.Marshal(b)
	return err == nil && other == nil && bytes.Equal(x, y)
}

// saved takes note that what is remembered was saved, or was not: that is told once,
// as it would be tried each second.
func (m Model) saved(err error) Model {
	m.saving = false
	if err != nil {
		m.o.Memory = nil
		m.said = screen.Say{Text: "nothing more is remembered for the next time: " + failure.Of(err).Message, Bad: true}
	}
	return m
}

// recall begins with what is remembered of a context.
func (m Model) recall(r Remembered) Model {
	m.known = r
	m.scene.Draft = r.Draft
	m.stack = []screen.Screen{tasks.NewOrdered(r.Tasks)}
	if m.o.Theme.Name == "" && r.Theme != "" {
		m.look.Name = r.Theme
		m.scene.Theme = theme.New(m.look)
		m.look.Name = m.scene.Theme.Name // a name that is known
	}
	return m
}

// settleDraft drops the draft of a form that was left on purpose, or stored.
func (m Model) settleDraft(s screen.Screen) Model {
	if f, ok := s.(form.Form); ok {
		if _, typed := f.Draft(&m.scene); typed {
			m.scene.Draft = nil
		}
	}
	return m
}
