package order

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxNamed bounds the tasks that are named one by one.
const maxNamed = 8

// Effects says what the order will change, as far as a picture tells.
func (o Order) Effects(p *follow.Picture, now time.Time) []string {
	switch o.Verb {
	case Create:
		return o.creates(p, now)
	case Edit:
		return append(changes(o.Was, o.Info), o.firesNext(p, now)...)
	case Pause, Anew, Resume, Run:
		return o.moves(p, now)
	case Delete:
		return o.deletes(p, now)
	case Cancel:
		return []string{"the run is asked to stop, and counts as CANCELLED once it has", "what it has done already is not undone"}
	case Try:
		return []string{"the operation is called once, now, beside every schedule"}
	case Drain:
		return o.drains(p)
	case Undrain:
		return []string{"the leader may place tasks there again"}
	}
	return []string{
		"the start-up barrier opens: what is there is enough",
		"tasks are placed on " + count(p.Cluster.Barrier.Present, "host") + ", and fire",
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

func (o Order) creates(p *follow.Picture, now time.Time) []string {
	lines := []string{"task " + o.Info.Name + " calls " + o.Info.Service + "." + o.Info.Operation}
	lines = append(lines, o.firesNext(p, now)...)
	return append(lines, "nothing that exists is changed")
}

// firesNext tells when the task of a definition fires.
func (o Order) firesNext(p *follow.Picture, now time.Time) []string {
	pre := preview.Of(o.Info, preview.Beside{Services: p.Services, Calendars: p.Book}, now, 1)
	if len(pre.Next) == 0 {
		return []string{"it never fires"}
	}
	text := pre.Text
	if text != "" {
		text += ": "
	}
	first := pre.Next[0]
	lines := []string{fmt.Sprintf("%s%s firings a year, the first %s", text, thousands(pre.Year), first.At.Format("Mon 2006-01-02 15:04:05 -0700"))}
	if _, why, _ := strings.Cut(first.Why, ": "); why != "" {
		if first.Runs != nil && !first.Runs.Equal(first.At) {
			why += ", " + first.Outcome()
		}
		lines = append(lines, "that first: "+why)
	}
	return lines
}

// outside is what becomes of what calendars keep from running; empty: there are
// none.
func outside(info task.Info) string {
	if info.Windows == nil {
		return ""
	}
	return string(cmp.Or(info.Windows.Outside, task.OutsideSkip))
}

// thousands writes a number with its groups apart.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// standing tells of each task how it stands.
func (o Order) standing(p *follow.Picture, now time.Time) []string {
	var lines []string
	for i, key := range o.Tasks {
		if i == maxNamed {
			lines = append(lines, fmt.Sprintf("and %d more", len(o.Tasks)-i))
			break
		}
		v, ok := p.Task(key)
		if !ok {
			lines = append(lines, key.Name+": it is not there any more")
			continue
		}
		line := fmt.Sprintf("%s is %s", v.Name, v.State)
		if o.Verb == Anew {
			line += pausedUntil(v)
		} else if v.Next != nil && o.Verb != Run {
			line += ", next fires in " + v.Next.Sub(now).Round(time.Second).String()
		}
		if o.Verb == Delete {
			line += o.stops(p, v, now)
		}
		lines = append(lines, line)
	}
	return lines
}

// moves tells of tasks what becomes of them.
func (o Order) moves(p *follow.Picture, now time.Time) []string {
	lines := o.standing(p, now)
	switch o.Verb {
	case Pause:
		lines = append(lines, o.Until.effect(now))
		lines = append(lines, o.meanwhile(p, now)...)
		lines = append(lines, "instants of the pause are not made up for", "a run that goes ends as usual")
	case Anew:
		lines = append(lines, o.Until.effect(now))
		lines = append(lines, o.meanwhile(p, now)...)
		if len(o.Tasks) > 1 {
			lines = append(lines, "! the reason of each is replaced by the one below")
		} else if o.Reason != o.Was.PauseReason {
			lines = append(lines, "reason: "+orNone(o.Was.PauseReason)+" → "+orNone(o.Reason))
		}
	case Resume:
		lines = append(lines, "it fires again from its next instant on")
	case Run:
		lines = append(lines, "it fires once now, beside its schedule")
	}
	return lines
}

// pausedUntil says how long a task is paused that is.
func pausedUntil(v contract.TaskView) string {
	if v.PausedUntil == nil {
		return " until it is resumed"
	}
	return " until " + stamp(*v.PausedUntil)
}

// meanwhile says of one task what a pause that ends leaves out, and what comes after
// it.
func (o Order) meanwhile(p *follow.Picture, now time.Time) []string {
	if len(o.Tasks) != 1 || o.Until.At.IsZero() {
		return nil
	}
	info, ok := p.Definition(o.Tasks[0])
	if !ok {
		return nil
	}
	line := count(preview.CountInstants(&info, now, o.Until.At.Add(-time.Millisecond)), "instant") + " of it until then"
	if next := preview.Instants(&info, o.Until.At.Add(-time.Millisecond), 1); len(next) > 0 {
		line += "; the first after it is " + next[0].At.Format("Mon 2006-01-02 15:04:05 -0700")
	} else {
		line += "; none after it"
	}
	return []string{line}
}

func (o Order) drains(p *follow.Picture) []string {
	others := 0
	tasks := 0
	for _, n := range p.Nodes {
		switch {
		case n.Name == o.Node:
			tasks = n.Tasks
		case n.State == contract.NodeHealthy:
			others++
		}
	}
	lines := []string{fmt.Sprintf("its %s move to other hosts; runs that go end here first", count(tasks, "task"))}
	if others == 0 {
		lines = append(lines, "! no other host is healthy: its tasks wait until one is, or until it is undrained")
	}
	return lines
}

// changes lists what differs between two definitions.
func changes(was, is task.Info) []string {
	var lines []string
	add := func(what, a, b string) {
		if a != b {
			lines = append(lines, fmt.Sprintf("%s: %s → %s", what, orNone(a), orNone(b)))
		}
	}
	add("operation", was.Service+"."+was.Operation, is.Service+"."+is.Operation)
	add("trigger", standing.Line(was.Trigger), standing.Line(is.Trigger))
	add("time zone", was.Trigger.TZ, is.Trigger.TZ)
	add("start", stamp(was.Trigger.Start), stamp(is.Trigger.Start))
	add("end", stamp(was.Trigger.End), stamp(is.Trigger.End))
	add("jitter", was.Trigger.Jitter.String(), is.Trigger.Jitter.String())
	v, w := cmp.Or(was.Windows, &task.Windows{}), cmp.Or(is.Windows, &task.Windows{})
	add("runs only in", strings.Join(v.Allow, ", "), strings.Join(w.Allow, ", "))
	add("never runs in", strings.Join(v.Forbid, ", "), strings.Join(w.Forbid, ", "))
	add("outside", outside(was), outside(is))
	add("misfire", string(was.Misfire), string(is.Misfire))
	add("overlap", string(was.Overlap), string(is.Overlap))
	add("delivery", string(was.Delivery), string(is.Delivery))
	add("retry", fmt.Sprint(was.Retry.Max), fmt.Sprint(is.Retry.Max))
	add("backoff", was.Retry.Backoff.String(), is.Retry.Backoff.String())
	add("timeout", was.Timeout.String(), is.Timeout.String())
	add("keep output", strconv.FormatBool(was.Output), strconv.FormatBool(is.Output))
	add("alerts", strings.Join(alerts(was), " "), strings.Join(alerts(is), " "))
	add("description", was.Description, is.Description)
	if len(lines) == 0 {
		lines = append(lines, "nothing differs")
	}
	return lines
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
