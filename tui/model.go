package tui

import (
	"cmp"
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/cluster"
	"github.com/seed42aab489/belfry/tui/contexts"
	"github.com/seed42aab489/belfry/tui/dialog"
	"github.com/seed42aab489/belfry/tui/events"
	"github.com/seed42aab489/belfry/tui/findings"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/runs"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/services"
	"github.com/seed42aab489/belfry/tui/tasks"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/timeline"
)

// Group is what the screens show and order about.
type Group interface {
	// Follow tells pictures until ctx ends, across lost connections.
	Follow(ctx context.Context, tell func(follow.Picture)) error
	// Hand carries orders out. Error: there is no connection.
	Hand() (order.Hand, error)
	// Oracle answers questions. Error: there is no connection.
	Oracle() (ask.Oracle, error)
}

// Context is a group that can be switched to by its name.
type Context = screen.Context

// Opened is a group that was switched to. Nothing is read of it yet.
type Opened struct {
	Group Group
	// Context, Flags, Sealed and Danger as in Options.
	Context, Flags string
	Sealed, Danger bool
}

// Options of the screens. The zero value is usable.
type Options struct {
	Context string // the name of the group in the header
	Flags   string // that make belfry talk to the group, for commands that are shown
	By      string // who orders
	// ReadOnly lets nothing be changed, in whatever group.
	ReadOnly bool
	// Sealed lets nothing be changed in this group.
	Sealed bool
	// Danger marks a group that must not be harmed.
	Danger bool
	// Contexts are the groups that can be switched to, and Open does it. Nil: none
	// can.
	Contexts []Context
	Open     func(name string) (Opened, error)
	Theme    theme.Options
	// Memory keeps filter, order, theme and drafts for the next time. Nil: nothing is
	// kept. A theme that is named in Theme is not replaced by what it remembers.
	Memory Memory
	// Crashed is told of a panic: what, and where in the code. It gives the path of the
	// report, or nothing. Nil: nobody is told.
	Crashed func(text string) string
	// NoMouse leaves the mouse to the terminal.
	NoMouse bool
	// Now is the wall clock. Nil: time.Now.
	Now func() time.Time
}

// orderTime bounds how long an order, or the answer to a question, may take.
const orderTime = 20 * time.Second

// Model is all of the screens. It is a value: Update gives the next one.
type Model struct {
	o     Options
	desk  *desk
	scene screen.Scene
	stack []screen.Screen // the last is on top; never changed in place

	width, height int
	look          theme.Options
	mouse         bool
	said          screen.Say
	known         Remembered   // what is remembered for the next time
	saving        bool         // it is being saved
	undo          *order.Order // takes back what was done last; nil: nothing can
}

// New makes the screens of a group. Nothing happens before Init.
func New(ctx context.Context, group Group, o Options) Model {
	if o.Now == nil {
		o.Now = time.Now
	}
	m := Model{
		o: o, desk: newDesk(ctx, group), look: o.Theme, mouse: !o.NoMouse,
		width: 80, height: 24, stack: []screen.Screen{tasks.New()},
	}
	m.scene = screen.Scene{
		Now: o.Now(), Theme: theme.New(o.Theme), Context: o.Context, Flags: o.Flags, ReadOnly: o.ReadOnly, Sealed: o.Sealed, By: o.By,
		Contexts: o.Contexts, Picture: &follow.Picture{Link: follow.LinkLoading, Since: o.Now()},
	}
	if o.Memory != nil {
		m = m.recall(o.Memory.Load(o.Context))
	}
	return m.arranged()
}

// The messages. What comes from a desk that was left is dropped.
type (
	tickMsg    time.Time
	pictureMsg struct {
		from    *desk
		picture *follow.Picture
	}
	doneMsg struct {
		from *desk
		done order.Done
	}
	answerMsg struct {
		from   *desk
		answer ask.Answer
	}
	openedMsg struct {
		opened Opened
		known  Remembered
		err    error
	}
)

// Init begins to follow the group and the clock.
func (m Model) Init() tea.Cmd {
	return tea.Batch(m.desk.follow, m.desk.next, m.tick(), tea.RequestBackgroundColor)
}

// tick tells the time with each second.
func (m Model) tick() tea.Cmd {
	desk, now := m.desk, m.o.Now
	return func() tea.Msg { return desk.tick(now) }
}

func (m Model) top() screen.Screen { return m.stack[len(m.stack)-1] }

// Update takes a message in.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	next, cmd := m.update(msg)
	return next.arranged(), cmd
}

func (m Model) update(msg tea.Msg) (Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.look.Light = !msg.IsDark()
		m.scene.Theme = theme.New(m.look)
	case tickMsg:
		m.scene.Now = time.Time(msg)
		next, save := m.remember()
		return next, tea.Batch(m.tick(), save)
	case savedMsg:
		return m.saved(msg.err), nil
	case pictureMsg:
		if msg.from == m.desk {
			back := m.scene.Stale() && msg.picture.Link == follow.LinkLive
			m.scene.Picture = msg.picture
			if asking, ok := m.top().(screen.Asking); ok && back {
				return m, tea.Batch(m.desk.next, m.ask(asking.Question())) // what was answered is old
			}
			return m, m.desk.next
		}
	case doneMsg:
		if msg.from == m.desk {
			return m.done(msg.done)
		}
	case answerMsg:
		if msg.from == m.desk {
			m = m.heard(msg.answer)
		}
	case openedMsg:
		return m.opened(msg)
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		if typing(m.top()) {
			return m.give(intent.Intent{Action: intent.Insert, Text: msg.Content})
		}
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return m.give(intent.Intent{Action: intent.Click, Row: msg.Y - m.bodyTop(), Column: msg.X - bodyLeft})
		}
	case tea.MouseWheelMsg:
		const lines = 3
		switch msg.Button {
		case tea.MouseWheelDown:
			return m.give(intent.Intent{Action: intent.Scroll, Row: lines})
		case tea.MouseWheelUp:
			return m.give(intent.Intent{Action: intent.Scroll, Row: -lines})
		}
	}
	return m, nil
}

func typing(s screen.Screen) bool { return slices.Contains(s.Scopes(), intent.Typing) }

// modal tells whether a screen keeps all keys to itself: who types or answers is
// interrupted by no key of elsewhere.
func modal(s screen.Screen) bool {
	return typing(s) || slices.Contains(s.Scopes(), intent.Dialog)
}

// scopes of the keys, innermost first.
func (m Model) scopes() []intent.Scope {
	scopes := m.top().Scopes()
	if !modal(m.top()) {
		scopes = append(append([]intent.Scope{}, scopes...), intent.Everywhere)
	}
	return scopes
}

func (m Model) key(msg tea.KeyPressMsg) (Model, tea.Cmd) {
	m.said = screen.Say{}
	b, ok := intent.Resolve(msg.String(), m.scopes()...)
	switch {
	case ok && b.Action == intent.Back && msg.String() == "q" && len(m.stack) == 1 && !typing(m.top()):
		return m, tea.Quit
	case ok:
		return m.do(b)
	case typing(m.top()) && msg.Text != "":
		return m.give(intent.Intent{Action: intent.Insert, Text: msg.Text})
	}
	return m, nil
}

// do does what a binding asks for, or says why that does nothing now.
func (m Model) do(b intent.Binding) (Model, tea.Cmd) {
	why := ""
	if b.Writes {
		why = m.scene.Off()
	}
	if why == "" {
		why = m.top().Why(&m.scene, b.Action)
	}
	if why != "" {
		m.said = screen.Say{Text: intent.Shown(b.Keys[0]) + " is off: " + why, Bad: true}
		return m, nil
	}
	if next, cmd, ok := m.everywhere(b.Action); ok {
		return next, cmd
	}
	return m.give(intent.Intent{Action: b.Action})
}

// everywhere does what is the same on all screens.
func (m Model) everywhere(a intent.Action) (Model, tea.Cmd, bool) {
	switch a {
	case intent.Quit:
		return m, tea.Quit, true
	case intent.Suspend:
		return m, tea.Suspend, true
	case intent.Redraw:
		return m, tea.ClearScreen, true
	case intent.Help:
		if _, ok := m.top().(dialog.Page); ok {
			return m.close(), nil, true
		}
		return m.over(dialog.NewHelp(m.top().Scopes())), nil, true
	case intent.Palette:
		return m.over(dialog.NewPalette(m.top())), nil, true
	case intent.Command:
		lines := m.commands()
		if len(lines) == 0 {
			m.said = screen.Say{Text: "nothing here has a command line", Bad: true}
			return m, nil, true
		}
		return m.over(dialog.NewCommands(lines, m.top().Scopes())), nil, true
	case intent.Theme:
		m.look.Name = theme.After(m.scene.Theme.Name)
		m.scene.Theme = theme.New(m.look)
		m.said = screen.Say{Text: "theme " + m.scene.Theme.Name}
		return m, nil, true
	case intent.Mouse:
		m.mouse = !m.mouse
		m.said = screen.Say{Text: "the mouse selects text of the terminal"}
		if m.mouse {
			m.said.Text = "the mouse works here"
		}
		return m, nil, true
	case intent.Undo:
		next, cmd := m.back()
		return next, cmd, true
	case intent.GoTasks:
		m.stack = m.stack[:1]
		return m, nil, true
	}
	if place, ok := places[a]; ok {
		next, cmd := m.visit(place())
		return next, cmd, true
	}
	return m, nil, false
}

// places are the screens that have a key everywhere, beside the first.
var places = map[intent.Action]func() screen.Screen{
	intent.GoServices: func() screen.Screen { return services.New() },
	intent.GoRuns:     func() screen.Screen { return runs.New() },
	intent.GoCluster:  func() screen.Screen { return cluster.New() },
	intent.GoEvents:   func() screen.Screen { return events.New() },
	intent.GoTimeline: func() screen.Screen { return timeline.New() },
	intent.GoDoctor:   func() screen.Screen { return findings.NewDoctor() },
	intent.GoContexts: func() screen.Screen { return contexts.New() },
}

// over puts a screen above the one on top.
func (m Model) over(s screen.Screen) Model {
	m.stack = append(append([]screen.Screen{}, m.stack...), s)
	return m
}

// show is over, and asks what the screen wants to know.
func (m Model) show(s screen.Screen) (Model, tea.Cmd) {
	m = m.over(s)
	if asking, ok := s.(screen.Asking); ok {
		return m, m.ask(asking.Question())
	}
	return m, nil
}

// visit shows a screen in the place of all but the first.
func (m Model) visit(s screen.Screen) (Model, tea.Cmd) {
	m.stack = m.stack[:1]
	return m.show(s)
}

func (m Model) close() Model {
	if len(m.stack) > 1 {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return m
}

// give hands an intent to the screen on top, and does what it answers.
func (m Model) give(in intent.Intent) (Model, tea.Cmd) {
	top, effect := m.top().Update(&m.scene, in)
	m.stack = append(append([]screen.Screen{}, m.stack[:len(m.stack)-1]...), top)
	switch e := effect.(type) {
	case screen.Show:
		return m.show(e.Screen)
	case screen.Close:
		return m.settleDraft(m.top()).close(), nil
	case screen.Say:
		m.said = e
	case screen.Copy:
		m.said = screen.Say{Text: "copied " + cmp.Or(e.What, e.Text)}
		return m, tea.SetClipboard(e.Text)
	case screen.Ask:
		return m, m.ask(e.Question)
	case screen.Switch:
		return m, m.open(e.Context)
	case screen.Place:
		if e.Order.Weight() == order.Light {
			return m.carry(e.Order)
		}
		return m.over(dialog.NewConfirm(e.Order)), nil
	case screen.Carry:
		return m.close().carry(e.Order)
	case screen.Again:
		m = m.close()
		if b, ok := intent.Find(e.Action, m.scopes()...); ok {
			return m.do(b)
		}
	}
	return m, nil
}

// carry has an order carried out. It is the only way to a write, and refuses
// while nothing may be changed.
func (m Model) carry(o order.Order) (Model, tea.Cmd) {
	if off := m.scene.Off(); off != "" {
		m.said = screen.Say{Text: o.Title() + ": " + off, Bad: true}
		return m, nil
	}
	m.said = screen.Say{Text: o.Title() + " " + m.scene.Theme.Glyphs.Ellipsis}
	desk := m.desk
	return m, func() tea.Msg { return doneMsg{desk, desk.carry(o)} }
}
