// Package tuitest drives the terminal screens in tests: it runs a model's
// commands, takes their messages in order, and goes on until nothing is left to
// do. It belongs into a synctest bubble, whose clock it lets pass on demand, so
// that nothing sleeps and nothing is raced against.
package tuitest

import (
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Driver plays a model. Make it with Start. It is used from one goroutine.
type Driver struct {
	t     testing.TB
	model tea.Model
	inbox chan tea.Msg
	gone  chan struct{} // closes when the test is over
	// Quit tells that the model has asked to end.
	Quit bool
	// Copied is what was put on the clipboard last.
	Copied string
}

// inboxSize is more messages than a model has under way.
const inboxSize = 1024

// Start begins a model in a window of so many cells, and lets it come to rest.
// The model's commands must end when the test's context does.
func Start(t testing.TB, model tea.Model, width, height int) *Driver {
	t.Helper()
	d := &Driver{t: t, model: model, inbox: make(chan tea.Msg, inboxSize), gone: make(chan struct{})}
	t.Cleanup(func() { close(d.gone) })
	d.launch(model.Init())
	d.Resize(width, height)
	return d
}

// clipboard is the type of the messages that set it, which the library keeps to itself.
var clipboard = reflect.TypeOf(tea.SetClipboard("")())

// launch runs a command beside the test. It ends when the command does.
func (d *Driver) launch(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		if msg == nil {
			return
		}
		select {
		case d.inbox <- msg:
		case <-d.gone:
		}
	}()
}

func (d *Driver) take(msg tea.Msg) {
	switch msg := msg.(type) {
	case tea.BatchMsg:
		for _, cmd := range msg {
			d.launch(cmd)
		}
		return
	case tea.QuitMsg:
		d.Quit = true
		return
	}
	if v := reflect.ValueOf(msg); v.Type() == clipboard {
		d.Copied = v.String()
	}
	var cmd tea.Cmd
	d.model, cmd = d.model.Update(msg)
	d.launch(cmd)
}

// Send gives the model a message and lets it come to rest.
func (d *Driver) Send(msg tea.Msg) {
	d.take(msg)
	d.Drain()
}

// Drain takes messages until all is at rest.
func (d *Driver) Drain() {
	for {
		synctest.Wait()
		select {
		case msg := <-d.inbox:
			d.take(msg)
		default:
			return
		}
	}
}

// Pass lets time pass, with all that happens meanwhile.
func (d *Driver) Pass(by time.Duration) {
	over := time.NewTimer(by)
	defer over.Stop()
	for {
		select {
		case msg := <-d.inbox:
			d.take(msg)
			continue
		case <-over.C:
		}
		d.Drain()
		return
	}
}

// Resize gives the window another size.
func (d *Driver) Resize(width, height int) { d.Send(tea.WindowSizeMsg{Width: width, Height: height}) }

// Press presses keys, named as the terminal names them, one after the other.
func (d *Driver) Press(keys ...string) {
	for _, key := range keys {
		d.Send(Key(key))
	}
}

// Type types a text, key by key.
func (d *Driver) Type(text string) {
	for _, r := range text {
		d.Press(string(r))
	}
}

// Click clicks with the left button, at a cell counted from 0.
func (d *Driver) Click(column, line int) {
	d.Send(tea.MouseClickMsg{X: column, Y: line, Button: tea.MouseLeft})
}

// Change changes the model from outside, as no key could, and lets it come to rest.
func (d *Driver) Change(f func(tea.Model) (tea.Model, tea.Cmd)) {
	var cmd tea.Cmd
	d.model, cmd = f(d.model)
	d.launch(cmd)
	d.Drain()
}

// Model is the model as it is.
func (d *Driver) Model() tea.Model { return d.model }

// Frame is what the screen shows, without styles and without spaces at the ends
// of lines.
func (d *Driver) Frame() string {
	lines := strings.Split(ansi.Strip(d.model.View().Content), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRightFunc(l, unicode.IsSpace)
	}
	return strings.Join(lines, "\n") + "\n"
}

// Shows fails the test unless the screen shows all texts.
func (d *Driver) Shows(texts ...string) {
	d.t.Helper()
	frame := d.Frame()
	for _, text := range texts {
		if !strings.Contains(frame, text) {
			d.t.Fatalf("the screen does not show %q:\n%s", text, frame)
		}
	}
}

// ShowsNot fails the test if the screen shows a text.
func (d *Driver) ShowsNot(text string) {
	d.t.Helper()
	if frame := d.Frame(); strings.Contains(frame, text) {
		d.t.Fatalf("the screen shows %q:\n%s", text, frame)
	}
}

// names are keys that write no character.
var names = map[string]rune{
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "backspace": tea.KeyBackspace, "delete": tea.KeyDelete,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd,
	"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1,
}

// Key makes the press of a key from its name.
func Key(name string) tea.KeyPressMsg {
	mod := tea.KeyMod(0)
	for _, m := range []struct {
		prefix string
		mod    tea.KeyMod
	}{{"ctrl+", tea.ModCtrl}, {"alt+", tea.ModAlt}, {"shift+", tea.ModShift}} {
		if rest, ok := strings.CutPrefix(name, m.prefix); ok {
			name, mod = rest, mod|m.mod
		}
	}
	switch code, ok := names[name]; {
	case ok:
		return tea.KeyPressMsg{Code: code, Mod: mod}
	case name == "space", name == " ":
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " ", Mod: mod}
	}
	r, _ := utf8.DecodeRuneInString(name)
	if mod != 0 {
		return tea.KeyPressMsg{Code: r, Mod: mod}
	}
	return tea.KeyPressMsg{Code: r, Text: name}
}
