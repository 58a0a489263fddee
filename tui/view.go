package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// The least size that can be drawn in.
const (
	leastWidth  = 60
	leastHeight = 16
)

// bodyLeft is the column at which the body begins.
const bodyLeft = 2

// frame is what the body has above and below: two borders, a rule, the keys.
const frame = 4

// arranged settles how large the body is.
func (m Model) arranged() Model {
	m.scene.Width = max(1, m.width-2*bodyLeft)
	m.scene.Height = max(1, m.height-frame-len(m.banner()))
	return m
}

// bodyTop is the line at which the body begins.
func (m Model) bodyTop() int { return 1 + len(m.banner()) }

// View draws all.
func (m Model) View() tea.View {
	v := tea.NewView(m.Frame())
	v.AltScreen = true
	v.WindowTitle = "belfry " + widget.Clean(m.o.Context)
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// Frame is the screen as lines of text with styles.
func (m Model) Frame() string {
	if m.width < leastWidth || m.height < leastHeight {
		text := fmt.Sprintf("The screens need %d columns and %d lines; here are %d and %d. Enlarge the window, or use belfry task list.", leastWidth, leastHeight, m.width, m.height)
		lines := widget.Wrap(text, max(1, m.width))
		return strings.Join(lines[:min(len(lines), max(1, m.height))], "\n")
	}
	g := m.scene.Theme.Glyphs
	lines := []string{m.header()}
	body := append(m.banner(), m.top().View(&m.scene)...)
	side := m.draw(theme.Frame, g.Vertical)
	for i := range m.height - frame {
		text := ""
		if i < len(body) {
			text = body[i]
		}
		lines = append(lines, side+" "+widget.Fit(text, m.scene.Width, g.Ellipsis)+" "+side)
	}
	lines = append(lines,
		m.places(),
		side+" "+widget.Fit(m.keys(), m.scene.Width, "")+" "+side,
		m.foot(),
	)
	text := strings.Join(lines, "\n")
	if m.look.ASCII {
		text = theme.ToASCII(text)
	}
	return text
}

func (m Model) draw(r theme.Role, text string) string { return m.scene.Theme.Draw(r, text) }

// header is the upper border: where one is, and what the picture is worth.
func (m Model) header() string {
	g := m.scene.Theme.Glyphs
	title := g.Dot + " " + strings.ReplaceAll(widget.Clean(m.top().Title()), "›", g.Crumb) + " "
	right := " " + m.link() + " " + m.draw(theme.Frame, g.Horizontal+g.TopRight)
	room := m.width - widget.Width(right)
	role, mark := theme.Title, ""
	if m.o.Danger {
		role, mark = theme.Danger, "[PROD] "
	}
	// Of what does not fit, the name of the group gives way first.
	const least = 8
	before := " belfry " + g.Dot + " "
	spare := room - widget.Width(before+mark+title) - 4
	where := before + widget.Cut(widget.Clean(m.o.Context), max(least, spare), g.Ellipsis) + " " + mark
	left := m.draw(theme.Frame, g.TopLeft+g.Horizontal) + m.draw(role, where) + m.draw(theme.Title, title)
	left = widget.Cut(left, max(0, room-1), g.Ellipsis)
	fill := m.draw(theme.Frame, strings.Repeat(g.Horizontal, max(0, room-widget.Width(left))))
	return left + fill + right
}

// link says what the picture is worth.
func (m Model) link() string {
	p, g := m.scene.Picture, m.scene.Theme.Glyphs
	text := ""
	if m.scene.ReadOnly || m.scene.Sealed {
		text = m.draw(theme.Key, "[RO]") + " "
	}
	switch p.Link {
	case follow.LinkLive:
		text += m.draw(theme.Good, g.Live+" live")
		if p.Cluster.Cluster != "standalone" && p.Cluster.Leader.Present && m.width >= 100 {
			text += " " + g.Dot + " leader " + widget.Clean(p.Cluster.Leader.Node)
		}
		if n := len(p.Nodes); n > 0 {
			text += fmt.Sprintf(" %s %d/%d hosts", g.Dot, healthy(p), n)
		}
	case follow.LinkStale:
		text += m.draw(theme.Warn, g.Stale+" reconnecting "+widget.Span(m.since())) + m.asOf()
	case follow.LinkLost:
		text += m.draw(theme.Bad, g.Lost+" session lost "+widget.Span(m.since())) + m.asOf()
	default:
		text += m.draw(theme.Busy, g.Stale+" connecting")
	}
	return text
}

// since is how long the link is what it is, in whole seconds.
func (m Model) since() time.Duration {
	return max(0, m.scene.Now.Sub(m.scene.Picture.Since)).Truncate(time.Second)
}

func (m Model) asOf() string {
	if m.scene.Picture.At.IsZero() {
		return ""
	}
	return " " + m.scene.Theme.Glyphs.Dot + " as of " + m.scene.Picture.At.UTC().Format("15:04:05") + " UTC"
}

func healthy(p *follow.Picture) int {
	n := 0
	for _, v := range p.Nodes {
		if v.State == contract.NodeHealthy {
			n++
		}
	}
	return n
}

// banner says what is wrong with the picture; nothing, if it is live.
func (m Model) banner() []string {
	if !m.scene.Stale() {
		return nil
	}
	width := max(1, m.width-2*bodyLeft)
	e := m.scene.Theme.Glyphs.Ellipsis
	fault := m.scene.Picture.Fault
	if fault == "" {
		fault = "the connection is gone"
	}
	return []string{
		m.draw(theme.Warn, widget.Cut("! "+widget.Clean(fault), width, e)),
		m.draw(theme.Faint, widget.Cut("This is how it was "+widget.Ago(m.scene.Now.Sub(m.scene.Picture.At))+". Nothing can be changed until it is back.", width, e)),
	}
}

// places is the rule above the keys, which names the screens and their keys. Who
// types has none.
func (m Model) places() string {
	g := m.scene.Theme.Glyphs
	left := m.draw(theme.Frame, g.TeeLeft+g.Horizontal)
	text := ""
	for _, apart := range []string{"  ", " "} { // where there is little room, closer
		text = " "
		for _, b := range intent.Of(m.scopes()...) {
			if b.Action != intent.GoTasks && places[b.Action] == nil {
				continue
			}
			text += m.draw(theme.Key, b.Keys[0]) + m.draw(theme.Faint, " "+string(b.Action)) + apart
		}
		text = strings.TrimSuffix(text, apart) + " "
		if widget.Width(left)+widget.Width(text) < m.width {
			break
		}
	}
	if text == "  " {
		text = ""
	}
	text = widget.Cut(text, m.width-widget.Width(left)-1, "")
	fill := m.width - widget.Width(left) - widget.Width(text) - 1
	return left + text + m.draw(theme.Frame, strings.Repeat(g.Horizontal, max(0, fill))+g.TeeRight)
}

// labelled is a screen on which a key does now one thing, now another, or nothing:
// then its label is empty.
type labelled interface {
	Label(s *screen.Scene, b intent.Binding) string
}

// keys is the line of what can be pressed; what is off is faint.
func (m Model) keys() string {
	scopes := m.scopes()
	always := ""
	if b, ok := intent.Find(intent.Help, scopes...); ok {
		always = m.draw(theme.Key, intent.Shown(b.Keys[0])) + " help"
	}
	room := m.scene.Width - widget.Width(always) - 2
	line := ""
	for _, b := range intent.Of(scopes...) {
		if b.Label == "" || b.Action == intent.Help {
			continue
		}
		label := b.Label
		if l, ok := m.top().(labelled); ok {
			if label = l.Label(&m.scene, b); label == "" {
				continue
			}
		}
		item := m.draw(theme.Key, intent.Shown(b.Keys[0])) + " " + label
		if b.Writes && m.scene.Off() != "" || m.top().Why(&m.scene, b.Action) != "" {
			item = m.draw(theme.Faint, intent.Shown(b.Keys[0])+" ("+label+")")
		}
		if widget.Width(line)+widget.Width(item) > room {
			break
		}
		line += item + "  "
	}
	return line + always
}

// foot is the lower border, with what was said last.
func (m Model) foot() string {
	g := m.scene.Theme.Glyphs
	left := m.draw(theme.Frame, g.BottomLeft+g.Horizontal)
	text := ""
	if m.said.Text != "" {
		role := theme.Good
		if m.said.Bad {
			role = theme.Bad
		}
		text = m.draw(role, " "+widget.Cut(widget.Clean(m.said.Text), m.width-7, g.Ellipsis)+" ")
	}
	fill := m.width - widget.Width(left) - widget.Width(text) - 1
	return left + text + m.draw(theme.Frame, strings.Repeat(g.Horizontal, max(0, fill))+g.BottomRight)
}
