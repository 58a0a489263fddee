package place

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Load is what a bucket holds, as far as its place depends on it. The zero
// value is an empty bucket, which may be anywhere.
type Load struct {
	Tasks     int     `json:"tasks,omitempty"`
	PerMinute float64 `json:"per_minute,omitempty"` // firings to be expected
	// Leaving counts the tasks that are to go to other buckets. What they demand
	// does not count.
	Leaving int `json:"leaving,omitempty"`
	// Demands of its tasks, each once, in order.
	Demands []Demand `json:"demands,omitempty"`
}

// Survey is what a leader found out about a bucket, as it keeps it for the next.
type Survey struct {
	// Resolver, with its settings, by which the demands were sorted.
	Resolver string `json:"resolver"`
	Load     Load   `json:"load"`
}

// Demand is what one or more tasks need of a member.
type Demand struct {
	// Class is what the Resolver said of the task.
	Class string `json:"class,omitempty"`
	// Service that must be deployed.
	Service string `json:"service,omitempty"`
}

// String names the demand as reasons do.
func (d Demand) String() string {
	what := "any host"
	if d.Service != "" {
		what = "service " + d.Service
	}
	if d.Class == "" {
		return what
	}
	return what + " (" + d.Class + ")"
}

// The weights of what makes a load.
const (
	weightTask   = 1000
	weightMinute = 1000 // of one firing a minute
	// maxPerMinute bounds the firings that count: 1000 a second of one bucket.
	maxPerMinute = 60_000
)

func (l Load) weight() int64 {
	return weightTask*int64(l.Tasks) + int64(weightMinute*max(0, min(l.PerMinute, maxPerMinute)))
}

// Meter measures loads. The zero value is ready. Safe for concurrent use.
type Meter struct{ compiler trigger.Compiler }

// Load measures what definitions make. Tombstones count for nothing, and tasks
// that are paused until somebody resumes them do not fire. Of each trigger it looks at the next few instants after
// now.
func (m *Meter) Load(definitions []task.Info, r Resolver, now time.Time) Load {
	var l Load
	m.add(&l, definitions, r, now)
	return l
}

// Amend adds to a load what some of its tasks, or new ones, have become since. It
// does not know what they were: what a task no longer makes or demands stays until
// the load is measured again.
func (m *Meter) Amend(l Load, edited []task.Info, r Resolver, now time.Time) Load {
	var fresh, changed Load
	for i := range edited {
		into := &changed
		if edited[i].Revision == 1 {
			into = &fresh
		}
		m.add(into, edited[i:i+1], r, now)
	}
	l.Tasks += fresh.Tasks
	l.PerMinute += fresh.PerMinute
	l.Leaving += fresh.Leaving + changed.Leaving
	l.Demands = slices.Concat(l.Demands, fresh.Demands, changed.Demands)
	l.Demands = distinct(l.Demands)
	return l
}

// distinct puts demands in order, each once.
func distinct(all []Demand) []Demand {
	slices.SortFunc(all, func(a, b Demand) int {
		return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Service, b.Service))
	})
	return slices.Compact(all)
}

func (m *Meter) add(l *Load, definitions []task.Info, r Resolver, now time.Time) {
	if r == nil {
		r = RoundRobin{}
	}
	demands := make(map[Demand]bool)
	for i := range definitions {
		info := &definitions[i]
		if info.Deleted {
			continue
		}
		l.Tasks++
		if !info.Paused || info.PauseUntil != nil {
			l.PerMinute += m.perMinute(info, now)
		}
		if info.Seat.To() != nil {
			l.Leaving++
			continue
		}
		demands[Demand{Class: r.Class(info.Key), Service: info.Needs()}] = true
	}
	for d := range demands {
		l.Demands = append(l.Demands, d)
	}
	l.Demands = distinct(l.Demands)
}

func (m *Meter) perMinute(info *task.Info, now time.Time) float64 {
	const look = 8
	t, err := m.compiler.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return 0 // it never fires
	}
	at, n := now, 0
	for n < look {
		next, ok := t.Next(at)
		if !ok {
			break
		}
		at, n = next, n+1
	}
	if n == 0 || !at.After(now) {
		return 0
	}
	return min(float64(n)/at.Sub(now).Minutes(), maxPerMinute)
}
