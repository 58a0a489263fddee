// Package services holds the screen of data services and their operations, from
// which an operation is scheduled.
package services

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/tui/form"
	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Screen shows the data services and their operations, from which an operation
// is scheduled.
type Screen struct {
	service, operation widget.Cursor
	onOperations       bool
	filter             screen.Filter
}

// New makes the screen.
func New() Screen { return Screen{} }

// Title is "Services".
func (Screen) Title() string { return "Services" }

// Scopes of its keys.
func (v Screen) Scopes() []intent.Scope { return v.filter.Scopes(intent.Services, intent.List) }

// deployed is a service as all nodes have it.
type deployed struct {
	contract.ServiceView
	nodes []string
}

// services joins what the nodes have, by name; of one that differs, the active.
func (v Screen) services(s *screen.Scene) []deployed {
	terms := v.filter.Terms()
	var all []deployed
	for _, one := range s.Picture.Services {
		if n := len(all) - 1; n >= 0 && all[n].Name == one.Name {
			all[n].nodes = append(all[n].nodes, one.Node)
			if all[n].Status != contract.StatusActive && one.Status == contract.StatusActive {
				all[n].ServiceView = one
			}
			continue
		}
		fields := [][2]string{{"name", one.Name}, {"state", one.Status}, {"node", one.Node}}
		for _, o := range one.Operations {
			fields = append(fields, [2]string{"operation", o.Name})
		}
		if terms.Match(fields...) {
			all = append(all, deployed{one, []string{one.Node}})
		}
	}
	return all
}

func (v Screen) within(s *screen.Scene, all []deployed) Screen {
	v.service = v.service.Within(len(all), v.seen(s))
	n := 0
	if len(all) > 0 {
		n = len(all[v.service.At].Operations)
	}
	v.operation = v.operation.Within(n, v.seen(s))
	return v
}

// seen is how many lines of the lists are seen.
func (v Screen) seen(s *screen.Scene) int { return max(1, s.Height-servicesFoot-2) }

// servicesFoot is how many lines tell of what is chosen.
const servicesFoot = 5

// leftWidth is the room of the list of services.
func leftWidth(s *screen.Scene) int { return max(22, min(40, s.Width/4)) }

// Update answers an intent.
func (v Screen) Update(s *screen.Scene, in intent.Intent) (screen.Screen, screen.Effect) {
	if f, ok := v.filter.Update(in); ok {
		v.filter = f
		return v.within(s, v.services(s)), nil
	}
	all := v.services(s)
	v = v.within(s, all)
	if len(all) == 0 {
		if in.Action == intent.Back {
			return v, screen.Close{}
		}
		return v, nil
	}
	here := all[v.service.At]
	if v.onOperations {
		if c, ok := v.operation.Move(in, len(here.Operations), v.seen(s)); ok {
			v.operation = c
			return v, nil
		}
	} else if c, ok := v.service.Move(in, len(all), v.seen(s)); ok {
		v.service, v.operation = c, widget.Cursor{}
		return v, nil
	}
	switch in.Action {
	case intent.Forward:
		v.onOperations = len(here.Operations) > 0
		return v, nil
	case intent.Backward:
		v.onOperations = false
		return v, nil
	case intent.Back:
		if v.onOperations {
			v.onOperations = false
			return v, nil
		}
		return v, screen.Close{}
	case intent.Copy:
		return v, screen.Copy{Text: here.Name}
	case intent.Click:
		return v.click(s, in, all), nil
	case intent.New:
		if !v.onOperations {
			v.onOperations = true
			if at := slices.IndexFunc(here.Operations, func(o contract.OperationView) bool { return o.Schedulable }); at >= 0 {
				v.operation = widget.Cursor{At: at}.Within(len(here.Operations), v.seen(s))
			}
			return v, nil
		}
		o := here.Operations[v.operation.At]
		return v, screen.Show{Screen: form.New(s, here.Name, o.Name)}
	case intent.Try:
		if o, ok := v.chosen(s); ok {
			return v, screen.Place{Order: order.Order{Verb: order.Try, Service: here.Name, Operation: o.Name}}
		}
	}
	return v, nil
}

func (v Screen) click(s *screen.Scene, in intent.Intent, all []deployed) Screen {
	if in.Row < 2 || in.Row >= 2+v.seen(s) {
		return v
	}
	v.onOperations = in.Column > leftWidth(s)
	if v.onOperations {
		v.operation.At = in.Row - 2 + v.operation.Top
	} else {
		v.service.At = in.Row - 2 + v.service.Top
	}
	return v.within(s, all)
}

// chosen is the operation under the cursor.
func (v Screen) chosen(s *screen.Scene) (contract.OperationView, bool) {
	all := v.services(s)
	v = v.within(s, all)
	if len(all) == 0 || v.operation.At >= len(all[v.service.At].Operations) {
		return contract.OperationView{}, false
	}
	return all[v.service.At].Operations[v.operation.At], true
}

// Why says why an action does nothing now.
func (v Screen) Why(s *screen.Scene, a intent.Action) string {
	o, ok := v.chosen(s)
	switch a {
	case intent.New, intent.Try, intent.Forward:
		switch {
		case !ok:
			return "there is no operation"
		case a == intent.New && v.onOperations && !o.Schedulable:
			return o.Name + " cannot be scheduled: " + o.Why
		case a == intent.Try && len(o.Parameters) > 0:
			return o.Name + " takes parameters: " + strings.Join(o.Parameters, ", ")
		}
	case intent.Copy:
		if len(v.services(s)) == 0 {
			return "there is no service"
		}
	}
	return ""
}

// Label is what a key does in the part that has the keys.
func (v Screen) Label(_ *screen.Scene, b intent.Binding) string {
	if b.Action == intent.New && !v.onOperations {
		return "its operations"
	}
	return b.Label
}

// Commands are those of what the keys do with the operation under the cursor.
func (v Screen) Commands(s *screen.Scene) []screen.Command {
	all := []screen.Command{{Action: intent.GoServices, Label: "list", Lines: []string{order.Line("service list")}}}
	on := v.services(s)
	v = v.within(s, on)
	if len(on) == 0 {
		return all
	}
	here := on[v.service.At]
	all = append(all, screen.Command{Action: intent.Forward, Lines: []string{order.Line("operation list", order.Quote(here.Name))}})
	if o, ok := v.chosen(s); ok {
		try := order.Order{Verb: order.Try, Service: here.Name, Operation: o.Name}
		all = append(all,
			screen.Command{Action: intent.New, Lines: form.New(s, here.Name, o.Name).Commands(s)[0].Lines},
			screen.Command{Action: intent.Try, Lines: try.Commands()})
	}
	return all
}

// View draws the screen.
func (v Screen) View(s *screen.Scene) []string {
	all := v.services(s)
	if len(s.Picture.Services) == 0 {
		return s.Nothing(
			s.Draw(theme.Title, "No data service is deployed."), "",
			"A data service is a file, NAME.dbs, that says which SQL each of its operations runs.",
			"Put one into the host's services folder: it is deployed within seconds, and appears here.",
		)
	}
	v = v.within(s, all)
	head := s.Draw(theme.Title, screen.Count(len(all), "service"))
	if l := v.filter.View(s, len(all), len(all)); l != "" {
		head = l
	}
	lines := []string{s.Fit(head)}
	if len(all) == 0 {
		return append(lines, "", "No service has these words. "+s.Key("esc")+" shows all.")
	}
	left := leftWidth(s)
	names := widget.Table{
		Columns: []widget.Column{{Title: "SERVICE", Width: 10, Grow: 1}, {Title: "OPS", Width: 3, Right: true}, {Title: "", Width: 1}},
		Len:     len(all), Cursor: v.service, Idle: v.onOperations || v.filter.Typing(),
		Row: func(i int) []widget.Cell {
			glyph, role := s.Theme.Glyphs.OK, theme.Good
			if all[i].Status != contract.StatusActive {
				glyph, role = s.Theme.Glyphs.Bad, theme.Bad
			}
			return []widget.Cell{{Text: all[i].Name}, {Text: strconv.Itoa(len(all[i].Operations))}, {Text: glyph, Role: role}}
		},
	}.View(s.Theme, left, v.seen(s)+1)
	right := v.operations(s, all[v.service.At], s.Width-left-3)
	bar := s.Draw(theme.Frame, s.Theme.Glyphs.Vertical)
	lines = append(lines, widget.Beside(names, left, " "+bar+" ", right, v.seen(s)+1)...)
	return append(append(lines, s.Rule("")), v.foot(s, all[v.service.At])...)
}

func (v Screen) operations(s *screen.Scene, of deployed, width int) []string {
	if len(of.Operations) == 0 {
		return []string{s.Draw(theme.Faint, widget.Cut("It has no operations.", width, ""))}
	}
	using := make(map[string]int)
	for _, t := range s.Picture.Tasks {
		if t.Service == of.Name {
			using[t.Operation]++
		}
	}
	return widget.Table{
		Columns: []widget.Column{
			{Title: "OPERATION", Width: 14, Grow: 2, Most: 44},
			{Title: "PARAMETERS", Width: 10, Grow: 1, Drop: 2, Most: 40},
			{Title: "TASKS", Width: 5, Right: true, Drop: 1},
			{Title: "SCHEDULABLE", Width: 18, Grow: 2},
		},
		Len: len(of.Operations), Cursor: v.operation, Idle: !v.onOperations || v.filter.Typing(),
		Row: func(i int) []widget.Cell {
			o := of.Operations[i]
			text, role := s.Theme.Glyphs.OK+" "+string(o.Delivery), theme.Good
			if !o.Schedulable {
				text, role = s.Theme.Glyphs.Bad+" "+why(o), theme.Faint
			}
			return []widget.Cell{{Text: o.Name}, {Text: screen.OrDash(strings.Join(o.Parameters, ",")), Role: theme.Faint}, {Text: strconv.Itoa(using[o.Name])}, {Text: text, Role: role}}
		},
	}.View(s.Theme, width, v.seen(s)+1)
}

// foot tells of the service, and of the operation that is chosen.
func (v Screen) foot(s *screen.Scene, of deployed) []string {
	line := of.Name + " " + of.Status
	if len(of.nodes) > 0 {
		line += " on " + strings.Join(of.nodes, ", ")
	}
	if of.File != "" {
		line += "   " + of.File
	}
	lines := []string{s.Line(theme.Plain, line)}
	switch {
	case of.Error != "":
		for _, l := range widget.Wrap(of.Error, s.Width)[:1] {
			lines = append(lines, s.Draw(theme.Bad, l))
		}
	case of.Description != "":
		lines = append(lines, s.Line(theme.Faint, of.Description))
	}
	o, ok := v.chosen(s)
	switch {
	case !ok:
	case !v.onOperations:
		lines = append(lines, s.Fit(s.Key("enter")+" goes to its operations"))
	case o.Schedulable:
		lines = append(lines, s.Fit(s.Key("enter")+" schedules "+o.Name+"   "+s.Key("T")+" calls it once now"))
	default:
		lines = append(lines, s.Line(theme.Warn, o.Name+" cannot be scheduled: "+why(o)))
	}
	return lines
}

// why says why an operation cannot be scheduled, without its name, which stands
// beside it.
func why(o contract.OperationView) string {
	text := strings.TrimPrefix(o.Why, "operation "+o.Name+" of service "+o.Service+" ")
	if len(o.Parameters) > 0 && text != o.Why {
		text += ": " + strings.Join(o.Parameters, ", ")
	}
	return text
}
