package follow

import (
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Link is what the connection behind a Picture is worth.
type Link string

// The links.
const (
	LinkLoading Link = "loading" // nothing was read yet
	LinkLive    Link = "live"    // it shows what is
	LinkStale   Link = "stale"   // it shows what was; the connection is being mended
	LinkLost    Link = "lost"    // it shows what was; the session is over, another must be opened
)

// Picture is everything that screens show, as it was at one moment. It is never
// changed: who follows is told a new one. Safe for concurrent use.
//
// Of a task it holds a Row; its definition and runs are packed by bucket, and
// unpacked when they are asked for. Pictures share what has not changed between
// them. So a task takes less than 512 bytes, beside what its bucket keeps of runs.
type Picture struct {
	Link  Link
	Since time.Time // of the link
	Fault string    // why the link is not live; may be empty
	// At is when it was last known to be so.
	At time.Time
	// Buckets there are, and Read of them have been read. As long as these
	// differ, tasks are missing.
	Buckets, Read int
	Tasks         []*Row // by name, tenant and type; not to be changed
	Cluster       contract.ClusterView
	Placement     contract.PlacementView
	Nodes         []contract.NodeView
	Services      []contract.ServiceView
	Calendars     []contract.CalendarView // by name
	Book          *calendar.Book          // the same, to be consulted; nil: not read yet
	Events        []contract.EventView    // newest last

	seen []*seen // by bucket; nil: not read
	lens *lens
}

// MaxRecent is how many runs Recent gives.
const MaxRecent = 200

// Count is how many tasks are in a state.
func (p *Picture) Count(state contract.State) int {
	n := 0
	for _, s := range p.seen {
		if s != nil {
			n += s.counts[state]
		}
	}
	return n
}

// Row gives a task as lists show it. False: there is none of this key.
func (p *Picture) Row(key task.Key) (*Row, bool) {
	key = key.Normal()
	i, ok := slices.BinarySearchFunc(p.Tasks, key, func(r *Row, k task.Key) int { return keyByName(&r.Key, &k) })
	if !ok {
		return nil, false
	}
	return p.Tasks[i], true
}

// Named gives the first task of a name. False: there is none.
func (p *Picture) Named(name string) (*Row, bool) {
	i, ok := slices.BinarySearchFunc(p.Tasks, name, func(r *Row, name string) int { return strings.Compare(r.Name, name) })
	if !ok {
		return nil, false
	}
	return p.Tasks[i], true
}

// look gives all of a task; nil: there is none of this key.
func (p *Picture) look(key task.Key) *sight {
	r, ok := p.Row(key)
	if !ok {
		return nil
	}
	return p.lens.look(p.seen[r.bucket], r)
}

// Definition gives what a task is. False: there is none of this key.
func (p *Picture) Definition(key task.Key) (task.Info, bool) {
	if s := p.look(key); s != nil {
		return s.info, true
	}
	return task.Info{}, false
}

// Task gives how a task stands. False: there is none of this key.
func (p *Picture) Task(key task.Key) (contract.TaskView, bool) {
	if s := p.look(key); s != nil {
		return s.view, true
	}
	return contract.TaskView{}, false
}

// Instants gives the first n instants of a task after a time, in its zone, paused or
// not, with what its calendars do to them as control.Control.Next tells it. Where a
// calendar cannot be consulted, none of them runs.
func (p *Picture) Instants(key task.Key, after time.Time, n int) []contract.NextView {
	s := p.look(key)
	if s == nil {
		return nil
	}
	next := preview.Instants(&s.info, after, n)
	windows, err := s.bucket.Book.Windows(s.info.Windows)
	fates := preview.Under(windows)
	for i := range next {
		if err != nil {
			next[i].Why = contract.Because(contract.ReasonNoCalendar, err.Error())
			continue
		}
		fates.Of(&next[i])
	}
	return next
}

// Coming gives the next instant of a task, with what its calendars do to it. False:
// none comes.
func (p *Picture) Coming(key task.Key) (contract.NextView, bool) {
	s := p.look(key)
	if s == nil {
		return contract.NextView{}, false
	}
	return coming(&s.bucket, &s.view)
}

// Runs gives those of a task that are kept, newest first. The caller may change
// the list.
func (p *Picture) Runs(key task.Key) []contract.RunView {
	s := p.look(key)
	if s == nil {
		return nil
	}
	runs := s.bucket.Runs(&s.info)
	slices.Reverse(runs)
	return runs
}

// Strip gives a task's part of a timeline, as control.Control.Timeline does, from what a picture
// shows: what v says of time, in cells of CellMS. False: there is no such task. One
// goroutine at a time may ask.
func (p *Picture) Strip(key task.Key, v *timeline.View) (timeline.Strip, bool) {
	s := p.look(key)
	if s == nil || v.CellMS < 1 {
		return timeline.Strip{}, false
	}
	return v.Strip(&s.info, s.view.State, s.bucket, &p.lens.compile), true
}

// Recent gives the latest runs of all tasks, newest first, at most MaxRecent, without
// what they were answered.
func (p *Picture) Recent() []contract.RunView {
	var all []contract.RunView
	for _, s := range p.seen {
		if s != nil {
			all = append(all, s.recent...)
		}
	}
	return slices.Clone(latest(all, MaxRecent))
}
