package screen

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Cluster shows the hosts, the leader, where tasks are placed, and how clocks
// and sessions are.
type Cluster struct{ cursor widget.Cursor }

// NewCluster makes the screen.
func NewCluster() Cluster { return Cluster{} }

// Title is "Cluster".
func (Cluster) Title() string { return "Cluster" }

// Scopes of its keys.
func (Cluster) Scopes() []intent.Scope { return []intent.Scope{intent.Cluster, intent.List} }

func (c Cluster) seen(s *Scene) int { return max(1, min(len(s.Picture.Nodes), s.Height-9)) }

func (c Cluster) here(s *Scene) (control.NodeView, bool) {
	at := c.cursor.Within(len(s.Picture.Nodes), c.seen(s)).At
	if at >= len(s.Picture.Nodes) {
		return control.NodeView{}, false
	}
	return s.Picture.Nodes[at], true
}

// Update answers an intent.
func (c Cluster) Update(s *Scene, in intent.Intent) (Screen, Effect) {
	if moved, ok := c.cursor.Move(in, len(s.Picture.Nodes), c.seen(s)); ok {
		c.cursor = moved
		return c, nil
	}
	switch in.Action {
	case intent.Back:
		return c, Close{}
	case intent.Activate:
		return c, Place{order.Order{Verb: order.Activate, By: s.By}}
	}
	n, ok := c.here(s)
	if !ok {
		return c, nil
	}
	o := order.Order{Verb: order.Drain, Node: n.Name, By: s.By}
	if n.Drain != nil {
		o.Verb = order.Undrain
	}
	switch in.Action {
	case intent.Copy:
		return c, Copy{n.Name}
	case intent.Drain:
		return c, Place{o}
	case intent.Command:
		return c, Explain{o}
	case intent.Click:
		if at := in.Row - 4 + c.cursor.Top; in.Row >= 4 && at < len(s.Picture.Nodes) {
			c.cursor.At = at
		}
	}
	return c, nil
}

// Label is what a key does to the host under the cursor.
func (c Cluster) Label(s *Scene, b intent.Binding) string {
	if n, ok := c.here(s); ok && b.Action == intent.Drain && n.Drain != nil {
		return "undrain"
	}
	return b.Label
}

// Why says why an action does nothing now.
func (c Cluster) Why(s *Scene, a intent.Action) string {
	n, ok := c.here(s)
	switch a {
	case intent.Drain, intent.Command, intent.Copy:
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
func (c Cluster) View(s *Scene) []string {
	p := s.Picture
	if len(p.Nodes) == 0 {
		return s.nothing(
			s.role(theme.Title, "No host has been here yet."), "",
			"Start one with "+s.key("belfryd")+"; it appears here as soon as it has joined.",
		)
	}
	lines := []string{c.leader(s), c.barrier(s), s.rule("hosts")}
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
		lines = append(lines, s.line(theme.Warn, n.Name+": "+n.Reason))
	} else {
		lines = append(lines, "")
	}
	lines = append(lines, s.rule("placement"))
	lines = append(lines, c.placement(s, s.Height-len(lines)-1)...)
	return append(lines, c.settled(s))
}

func (c Cluster) leader(s *Scene) string {
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
	return s.fit(s.role(theme.Title, widget.Clean(where)) + "   " + s.role(role, widget.Clean(lead)) + s.role(theme.Faint, "   "+count(p.Cluster.Nodes, "host")+" in the group"))
}

func (c Cluster) barrier(s *Scene) string {
	p := s.Picture
	switch b := p.Cluster.Barrier; {
	case p.Cluster.Waiting != "" && b.Servers > 1 && !b.Open:
		return s.fit(s.role(theme.Warn, "! "+p.Cluster.Waiting+": nothing fires until they are there") + "   " + s.key("A") + " goes on without")
	case p.Cluster.Waiting != "":
		return s.line(theme.Warn, "! "+p.Cluster.Waiting)
	}
	skew := int64(0)
	for _, n := range p.Nodes {
		if max(n.SkewMS, -n.SkewMS) > skew {
			skew = max(n.SkewMS, -n.SkewMS)
		}
	}
	return s.line(theme.Faint, fmt.Sprintf("clocks are off by at most %s", time.Duration(skew)*time.Millisecond))
}

func (c Cluster) row(s *Scene, n control.NodeView) []widget.Cell {
	g := s.Theme.Glyphs
	glyph, role := g.OK, theme.Good
	switch n.State {
	case control.NodeHealthy:
	case control.NodeJoining:
		glyph, role = g.Planned, theme.Busy
	case control.NodeDraining, control.NodeDrained, control.NodeStopping:
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
		{Text: itoa(n.Tasks)},
		{Text: itoa(n.Running)},
		{Text: fmt.Sprintf("%d/%d", n.Owned, n.Placed)},
		{Text: clock},
		{Text: up},
		{Text: n.Version, Role: theme.Faint},
		{Text: n.Address, Role: theme.Faint},
	}
}

// placement draws how many tasks each host was given, at most so many lines.
func (c Cluster) placement(s *Scene, lines int) []string {
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
		drawn = append(drawn, s.fit(widget.Fit(widget.Clean(m.Node), 12, s.Theme.Glyphs.Ellipsis)+" "+
			widget.FitRight(count(m.Tasks, "task"), 12, "")+" "+widget.FitRight(fmt.Sprintf("%.1f/min", m.PerMinute), 11, "")+"  "+s.role(role, bar)))
	}
	for _, u := range p.Without {
		drawn = append(drawn, s.line(theme.Warn, fmt.Sprintf("! %d parts with %d tasks have no place: %s", len(u.Buckets), u.Tasks, u.Reason)))
	}
	if len(drawn) == 0 {
		drawn = append(drawn, s.line(theme.Faint, "nothing is placed yet"))
	}
	if len(drawn) > lines {
		drawn = append(drawn[:max(0, lines-1)], s.line(theme.Faint, fmt.Sprintf("and %d more", len(drawn)-lines+1)))
	}
	return drawn
}

func (c Cluster) settled(s *Scene) string {
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
	return s.line(role, glyph+" "+text)
}
