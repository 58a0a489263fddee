package follow

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
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
type Picture struct {
	Link  Link
	Since time.Time // of the link
	Fault string    // why the link is not live; may be empty
	// At is when it was last known to be so.
	At time.Time
	// Buckets there are, and Read of them have been read. As long as these
	// differ, tasks are missing.
	Buckets, Read int
	Tasks         []contract.TaskView // by name, tenant and type
	Cluster       contract.ClusterView
	Placement     contract.PlacementView
	Nodes         []contract.NodeView
	Services      []contract.ServiceView
	Calendars     []contract.CalendarView // by name
	Book          *calendar.Book          // the same, to be consulted; nil: not read yet
	Events        []contract.EventView    // newest last

	seen  []*seen // by bucket; nil: not read
	where map[task.Key]*seen
}

// seen is a bucket as it was read last. Only the follower's goroutine looks at
// the state through views, which cache; runs do not.
type seen struct {
	node    store.Node
	bucket  standing.Bucket
	defined []task.Info
	views   []contract.TaskView
	recent  []contract.RunView // newest first, at most MaxRecent
}

// MaxRecent is how many runs Recent gives.
const MaxRecent = 200

// recentPerBucket bounds the runs of one bucket among them.
const recentPerBucket = 40

// Definition gives what a task is. False: there is none of this key.
func (p *Picture) Definition(key task.Key) (task.Info, bool) {
	key = key.Normal()
	s := p.where[key]
	if s == nil {
		return task.Info{}, false
	}
	i := slices.IndexFunc(s.defined, func(info task.Info) bool { return info.Key == key && !info.Deleted })
	if i < 0 {
		return task.Info{}, false
	}
	return s.defined[i], true
}

// Task gives how a task stands. False: there is none of this key.
func (p *Picture) Task(key task.Key) (contract.TaskView, bool) {
	key = key.Normal()
	i, ok := slices.BinarySearchFunc(p.Tasks, key, func(t contract.TaskView, k task.Key) int {
		return cmp.Or(strings.Compare(t.Name, k.Name), strings.Compare(t.Tenant, k.Tenant), strings.Compare(t.Type, k.Type))
	})
	if !ok {
		return contract.TaskView{}, false
	}
	return p.Tasks[i], true
}

// Instants gives the first n instants of a task after a time, in its zone, paused or
// not, with what its calendars do to them as control.Control.Next tells it. Where a
// calendar cannot be consulted, none of them runs.
func (p *Picture) Instants(key task.Key, after time.Time, n int) []contract.NextView {
	info, ok := p.Definition(key)
	if !ok {
		return nil
	}
	next := preview.Instants(&info, after, n)
	windows, err := p.where[info.Key].bucket.Book.Windows(info.Windows)
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

// Coming gives the next instant of a task that p shows, with what its calendars do to
// it. False: none comes.
func (p *Picture) Coming(v *contract.TaskView) (contract.NextView, bool) {
	if v.Next == nil {
		return contract.NextView{}, false
	}
	n := contract.NextView{At: *v.Next, Runs: v.Next}
	s := p.where[task.Key{Tenant: v.Tenant, Type: v.Type, Name: v.Name}]
	if v.Windows == nil || s == nil {
		return n, true
	}
	if windows, err := s.bucket.Book.Windows(v.Windows); err == nil {
		fates := preview.Under(windows)
		fates.Of(&n)
	}
	return n, true
}

// Runs gives those of a task that are kept, newest first. The caller may change
// the list.
func (p *Picture) Runs(key task.Key) []contract.RunView {
	info, ok := p.Definition(key)
	s := p.where[info.Key]
	if !ok {
		return nil
	}
	runs := s.bucket.Runs(&info)
	slices.Reverse(runs)
	return runs
}

// Strip gives a task's part of a timeline, as control.Control.Timeline does, from what a picture
// shows: what v says of time, in cells of CellMS. False: there is no such task.
func (p *Picture) Strip(key task.Key, v *timeline.View) (timeline.Strip, bool) {
	info, ok := p.Definition(key)
	t, there := p.Task(key)
	if !ok || !there || v.CellMS < 1 {
		return timeline.Strip{}, false
	}
	return v.Strip(&info, t.State, p.where[info.Key].bucket, new(trigger.Compiler)), true
}

// Recent gives the latest runs of all tasks, newest first, at most MaxRecent.
func (p *Picture) Recent() []contract.RunView {
	var all []contract.RunView
	for _, s := range p.seen {
		if s != nil {
			all = append(all, s.recent...)
		}
	}
	sortRuns(all)
	return all[:min(len(all), MaxRecent)]
}

func sortRuns(runs []contract.RunView) {
	slices.SortStableFunc(runs, func(a, b contract.RunView) int {
		return cmp.Or(b.Moved().Compare(a.Moved()), strings.Compare(a.Task, b.Task), strings.Compare(b.FireID, a.FireID), cmp.Compare(b.Attempt, a.Attempt))
	})
}

// look settles what a bucket shows, as the owner's standing now is.
func (s *seen) look(g standing.Group, b int) {
	s.bucket.Owner = g.Owner(b, s.node)
	s.views = s.bucket.Views(func(*task.Info) bool { return true })
	s.recent = nil
	for i := range s.defined {
		if !s.defined[i].Deleted {
			s.recent = append(s.recent, s.bucket.Runs(&s.defined[i])...)
		}
	}
	sortRuns(s.recent)
	s.recent = slices.Clone(s.recent[:min(len(s.recent), recentPerBucket)])
}

// soonest tells when a bucket is worth another look because of its own tasks:
// the first instant to come, and whether something is under way.
func (s *seen) soonest() (next time.Time, busy bool) {
	for i := range s.views {
		v := &s.views[i]
		busy = busy || v.State == contract.Running || v.State == contract.Blocked
		for _, t := range []*time.Time{v.Next, v.PausedUntil} {
			if t != nil && (next.IsZero() || t.Before(next)) {
				next = *t
			}
		}
	}
	return next, busy
}
