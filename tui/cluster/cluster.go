// Package cluster holds the screen of the hosts: who leads, what each owns, how
// clocks are.
package cluster

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Screen shows the hosts, the leader, where tasks are placed, and how clocks
// and sessions are.
type Screen struct{ cursor widget.Cursor }

// New makes the screen.
func New() Screen { return Screen{} }

// Title is "Cluster".
func (Screen) Title() string { return "Cluster" }

// Scopes of its keys.
func (Screen) Scopes() []intent.Scope { return []intent.Scope{intent.Cluster, intent.List} }

func (c Screen) seen(s *screen.Scene) int { return max(1, min(len(s.Picture.Nodes), s.Height-9)) }

func (c Screen) here(s *screen.Scene) (contract.NodeView, bool) {
	at := c.cursor.Within(len(s.Picture.Nodes), c.seen(s)).At
	if at >= len(s.Picture.Nodes) {
		return contract.NodeView{}, false
	}
	return s.Picture.Nodes[at], true
}

// Update answers an intent.
func (c Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if moved, ok := c.cursor.Move(in, len(s.Picture.Nodes), c.seen(s)); ok {
		c.cursor = moved
		return c, nil
	}
	switch in.Action {
	case intent.Back:
		return c, screen.Close{}
	case intent.Activate:
		return c, screen.Place{Order: order.Order{Verb: order.Activate, By: s.By}}
	}
	n, ok := c.here(s)
	if !ok {
		return c, nil
	}
	switch in.Action {
	case intent.Copy:
		return c, screen.Copy{Text: n.Name}
	case intent.Drain:
		return c, screen.Place{Order: draining(s, n)}
	case intent.Simulate:
		return c, screen.Show{Screen: NewLoss(n.Name)}
	case intent.Click:
		if at := in.Row - 4 + c.cursor.Top; in.Row >= 4 && at < len(s.Picture.Nodes) {
			c.cursor.At = at
		}
	}
	return c, nil
}

// draining is the order that drains a host, or takes that back.
func draining(s *screen.Scene, n contract.NodeView) order.Order {
	o := order.Order{Verb: order.Drain, Node: n.Name, By: s.By}
	if n.Drain != nil {
		o.Verb = order.Undrain
	}
	return o
}

// Commands are those of what the keys do to the host under the cursor.
func (c Screen) Commands(s *screen.Scene) []screen.Command {
	all := []screen.Command{{Action: intent.GoCluster, Label: "show", Lines: []string{order.Line("cluster show"), order.Line("node list"), order.Line("placement show")}}}
	if n, ok := c.here(s); ok {
		o := draining(s, n)
		all = append(all,
			screen.Command{Action: intent.Drain, Label: string(o.Verb), Lines: o.Commands()},
			screen.Command{Action: intent.Simulate, Lines: []string{NewLoss(n.Name).Question().Command()}})
	}
	return append(all, screen.Command{Action: intent.Activate, Lines: order.Order{Verb: order.Activate}.Commands()})
}

// Label is what a key does to the host under the cursor.
func (c Screen) Label(s *screen.Scene, b intent.Binding) string {
	if n, ok := c.here(s); ok && b.Action == intent.Drain && n.Drain != nil {
		return "undrain"
	}
	return b.Label
}

// Why says why an action does nothing now.
func (c Screen) Why(s *screen.Scene, a intent.Action) string {
	n, ok := c.here(s)
	switch a {
	case intent.Drain, intent.Simulate, intent.Copy:
		switch {
		case !ok:
			return "there is no host"
		case a == intent.Drain && n.Drain != nil && n.Drain.Stopping:
			return n.Name + " is being stopped"
		}
	case intent.Activate:
		if b := s.Picture.Cluster.Barrier; b.Open || b.Servers < 2 {
			return "nothing waits for servers"
		}
	}
	return ""
}

// View draws the screen.
func (c Screen) View(s *screen.Scene) []string {
	p := s.Picture
	if len(p.Nodes) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "No host has been here yet."), "",
			"Start one with "+s.Key("belfryd")+"; it appears here as soon as it has joined.",
		)
	}
	lines := []string{c.leader(s), c.barrier(s), s.Rule("hosts")}
	nodes := widget.Table{
		Columns: []widget.Column{
			{Title: "NODE", Width: 10, Grow: 1, Most: 24},
			{Title: "STATE", Width: 12},
			{Title: "ROLE", Width: 6},
			{Title: "TASKS", Width: 6, Right: true},
			{Title: "RUNS", Width: 4, Right: true, Drop: 3},
			{Title: "PARTS", Width: 9, Right: true, Drop: 4},
			{Title: "CLOCK", Width: 8, Right: true, Drop: 2},
			{Title: "UP", Width: 7, Right: true, Drop: 1},
			{Title: "VERSION", Width: 9, Drop: 7, Grow: 1, Most: 16},
			{Title: "ADDRESS", Width: 20, Drop: 6, Grow: 1, Most: 30},
		},
		Len: len(p.Nodes), Cursor: c.cursor,
		Row: func(i int) []widget.Cell { return c.row(s, p.Nodes[i]) },
	}
	lines = append(lines, nodes.View(s.Theme, s.Width, c.seen(s)+1)...)
	if n, ok := c.here(s); ok && n.Reason != "" {
		lines = append(lines, s.Line(theme.Warn, n.Name+": "+n.Reason))
	} else {
		lines = append(lines, "")
	}
	lines = append(lines, s.Rule("placement"))
	lines = append(lines, c.placement(s, s.Height-len(lines)-1)...)
	return append(lines, c.settled(s))
}

func (c Screen) leader(s *screen.Scene) string {
	p := s.Picture
	lead := "leader " + p.Cluster.Leader.Text()
	role := theme.Plain
	if p.Cluster.Leader.Node != "" && !p.Cluster.Leader.Present {
		role = theme.Warn
	}
	where := p.Cluster.Cluster
	if where == "standalone" {
		lead, role = "one host alone: it needs no leader", theme.Plain
	}
	return s.Fit(s.Draw(theme.Title, widget.Clean(where)) + "   " + s.Draw(role, widget.Clean(lead)) + s.Draw(theme.Faint, "   "+screen.Count(p.Cluster.Nodes, "host")+" in the group"))
}

func (c Screen) barrier(s *screen.Scene) string {
	p := s.Picture
	switch b := p.Cluster.Barrier; {
	case p.Cluster.Waiting != "" && b.Servers > 1 && !b.Open:
		return s.Fit(s.Draw(theme.Warn, "! "+p.Cluster.Waiting+": nothing fires until they are there") + "   " + s.Key("A") + " goes on without")
	case p.Cluster.Waiting != "":
		return s.Line(theme.Warn, "! "+p.Cluster.Waiting)
	}
	skew := int64(0)
	for _, n := range p.Nodes {
		if max(n.SkewMS, -n.SkewMS) > skew {
			skew = max(n.SkewMS, -n.SkewMS)
		}
	}
	return s.Line(theme.Faint, fmt.Sprintf("clocks are off by at most %s", time.Duration(skew)*time.Millisecond))
}

func (c Screen) row(s *screen.Scene, n contract.NodeView) []widget.Cell {
	g := s.Theme.Glyphs
	glyph, role := g.OK, theme.Good
	switch n.State {
	case contract.NodeHealthy:
	case contract.NodeJoining:
		glyph, role = g.Planned, theme.Busy
	case contract.NodeDraining, contract.NodeDrained, contract.NodeStopping:
		glyph, role = g.Paused, theme.Warn
	default:
		glyph, role = g.Bad, theme.Bad
	}
	place, up, clock := "", "", ""
	if n.Leader {
		place = "leader"
	}
	if n.Joined != nil {
		up = widget.Span(s.Now.Sub(*n.Joined))
		clock = fmt.Sprintf("%+dms", n.SkewMS)
	}
	return []widget.Cell{
		{Text: n.Name},
		{Text: glyph + " " + string(n.State), Role: role},
		{Text: place, Role: theme.Key},
		{Text: strconv.Itoa(n.Tasks)},
		{Text: strconv.Itoa(n.Running)},
		{Text: fmt.Sprintf("%d/%d", n.Owned, n.Placed)},
		{Text: clock},
		{Text: up},
		{Text: n.Version, Role: theme.Faint},
		{Text: n.Address, Role: theme.Faint},
	}
}

// placement draws how many tasks each host was given, at most so many lines.
func (c Screen) placement(s *screen.Scene, lines int) []string {
	p := s.Picture.Placement
	most := 1
	for _, m := range p.Members {
		most = max(most, m.Tasks)
	}
	var drawn []string
	room := max(10, s.Width-44)
	for _, m := range p.Members {
		bar := strings.Repeat(s.Theme.Glyphs.Block, (m.Tasks*room+most-1)/most)
		role := theme.Good
		if !m.Present {
			role = theme.Bad
		}
		drawn = append(drawn, s.Fit(widget.Fit(widget.Clean(m.Node), 12, s.Theme.Glyphs.Ellipsis)+" "+
			widget.FitRight(screen.Count(m.Tasks, "task"), 12, "")+" "+widget.FitRight(fmt.Sprintf("%.1f/min", m.PerMinute), 11, "")+"  "+s.Draw(role, bar)))
	}
	for _, u := range p.Without {
		drawn = append(drawn, s.Line(theme.Warn, fmt.Sprintf("! %d parts with %d tasks have no place: %s", len(u.Buckets), u.Tasks, u.Reason)))
	}
	if len(drawn) == 0 {
		drawn = append(drawn, s.Line(theme.Faint, "nothing is placed yet"))
	}
	if len(drawn) > lines {
		drawn = append(drawn[:max(0, lines-1)], s.Line(theme.Faint, fmt.Sprintf("and %d more", len(drawn)-lines+1)))
	}
	return drawn
}

func (c Screen) settled(s *screen.Scene) string {
	p := s.Picture.Cluster.PlacedView
	text := fmt.Sprintf("%d of %d parts are owned by whom they belong to", p.Settled, p.Buckets)
	role := theme.Good
	if p.Moving > 0 {
		text, role = text+fmt.Sprintf(", %d are moving", p.Moving), theme.Warn
	}
	if p.Unplaced > 0 {
		text, role = text+fmt.Sprintf(", %d have no place", p.Unplaced), theme.Warn
	}
	glyph := s.Theme.Glyphs.OK
	if role != theme.Good {
		glyph = "!"
	}
	return s.Line(role, glyph+" "+text)
}
