package control

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Bounds of a timeline.
const (
	MaxCells  = 400
	MaxStrips = 1000
)

// TimelineAsk says what part of time to show of which tasks.
type TimelineAsk struct {
	Filter   TaskFilter
	Names    []string // only these; none: all that the filter lets pass
	From, To time.Time
	Cells    int
	Strips   int // at most so many tasks, by name
}

// TimelineView is what fired and what is to fire, in equal parts of time.
type TimelineView struct {
	From   time.Time   `json:"from"`
	To     time.Time   `json:"to"`
	Now    time.Time   `json:"now"`
	CellMS int64       `json:"cell_ms"`
	Tasks  []StripView `json:"tasks"`
	More   int         `json:"more"` // tasks that are not shown
}

// StripView is one task's part of a timeline.
type StripView struct {
	Task   string         `json:"task"`
	Tenant string         `json:"tenant"`
	Type   string         `json:"type"`
	State  contract.State `json:"state"`
	Cells  []CellView     `json:"cells"`
}

// CellView is what of a task lies in one cell. The past is as far as runs are
// kept.
type CellView struct {
	OK      int `json:"ok"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	Running int `json:"running"`
	// Planned: it is to fire there. Paused: it would, but for the pause. Closed: it
	// would, but for its calendars, which skip or defer it.
	Planned bool `json:"planned"`
	Paused  bool `json:"paused"`
	Closed  bool `json:"closed"`
}

// Timeline shows tasks over time. Codes: invalid, not_found (a task named),
// unavailable.
func (c *Control) Timeline(ctx context.Context, ask TimelineAsk) (TimelineView, error) {
	span := ask.To.Sub(ask.From)
	if ask.Cells < 1 || ask.Cells > MaxCells || span < time.Duration(ask.Cells)*time.Millisecond {
		return TimelineView{}, failure.Invalid("%d parts of %s: ask for 1 to %d parts of a millisecond at least", ask.Cells, span, MaxCells)
	}
	v := TimelineView{From: ask.From.UTC(), To: ask.To.UTC(), Now: c.now().UTC(), CellMS: (span / time.Duration(ask.Cells)).Milliseconds(), Tasks: []StripView{}}
	around, err := c.around(ctx)
	if err != nil {
		return v, failure.Wrap(err)
	}
	most := ask.Strips
	if most < 1 || most > MaxStrips {
		most = MaxStrips
	}
	named := make(map[string]bool, len(ask.Names)) // whether it was found
	for _, name := range ask.Names {
		named[name] = false
	}
	var mu sync.Mutex // guards v and named
	err = c.store.Snapshots(ctx, nil, func(snap store.Snapshot) error {
		r := c.replay(snap, around)
		mu.Lock()
		defer mu.Unlock()
		for i := range r.Defined {
			info := &r.Defined[i]
			if _, ok := named[info.Name]; info.Deleted || !ask.Filter.definition(info) || len(named) > 0 && !ok {
				continue
			}
			if len(named) > 0 {
				named[info.Name] = true
			}
			at, _ := slices.BinarySearchFunc(v.Tasks, info, func(s StripView, info *task.Info) int {
				return cmp.Or(strings.Compare(s.Task, info.Name), strings.Compare(s.Tenant, info.Tenant), strings.Compare(s.Type, info.Type))
			})
			if len(v.Tasks) == most {
				v.More++
				if at == most {
					continue
				}
				v.Tasks = v.Tasks[:most-1]
			}
			v.Tasks = slices.Insert(v.Tasks, at, c.strip(r, info, &v))
		}
		return nil
	})
	if err != nil {
		return v, failure.Wrap(err)
	}
	for _, name := range ask.Names {
		if !named[name] {
			return v, c.missing(ctx, task.Key{Name: name}, coordclient.ErrNotFound)
		}
	}
	return v, nil
}

// strip sorts a task's runs and coming instants into cells.
func (c *Control) strip(b standing.Bucket, info *task.Info, v *TimelineView) StripView {
	s := StripView{Task: info.Name, Tenant: info.Tenant, Type: info.Type, State: b.View(info).State}
	s.fill(info, b, &c.triggers, v)
	return s
}

// Strip gives a task's part of a timeline, as Timeline does, from what a picture
// shows: what v says of time, in cells of CellMS. False: there is no such task.
func (p *Picture) Strip(key task.Key, v *TimelineView) (StripView, bool) {
	info, ok := p.Definition(key)
	t, there := p.Task(key)
	if !ok || !there || v.CellMS < 1 {
		return StripView{}, false
	}
	s := StripView{Task: t.Name, Tenant: t.Tenant, Type: t.Type, State: t.State}
	s.fill(&info, p.where[info.Key].bucket, new(trigger.Compiler), v)
	return s, true
}

func (s *StripView) fill(info *task.Info, b standing.Bucket, triggers *trigger.Compiler, v *TimelineView) {
	cell := time.Duration(v.CellMS) * time.Millisecond
	s.Cells = make([]CellView, int(v.To.Sub(v.From)/cell))
	for _, run := range b.Runs(info) {
		if at := int(run.Scheduled.Sub(v.From) / cell); !run.Scheduled.Before(v.From) && at < len(s.Cells) {
			s.Cells[at].count(run)
		}
	}
	t, err := triggers.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return
	}
	windows, err := b.Book.Windows(info.Windows)
	if windows.Outside() == task.OutsideAgent {
		windows = nil // what it calls keeps to them
	}
	o := outlook{
		info: info, trigger: t, windows: windows, shut: err != nil,
		from: v.From, cell: cell, cells: s.Cells,
	}
	if b.Fault == nil && b.Queued(info.UID) > 0 {
		o.open(v.Now) // what was deferred
	}
	o.look(maxTime(v.From, v.Now))
}

// outlook sorts the instants to come into cells.
type outlook struct {
	info    *task.Info
	trigger trigger.Trigger
	windows *calendar.Windows // nil: always open
	shut    bool              // a calendar cannot be consulted, so nothing fires
	from    time.Time         // of the first cell
	cell    time.Duration
	cells   []CellView
}

// maxLooks bounds the times that one cell is looked at, as calendars may open and
// close often in it.
const maxLooks = 64

// look goes from one instant that decides something about its cell to the next.
func (o *outlook) look(now time.Time) {
	looks, before := 0, -1
	for after := now.Add(-time.Millisecond); ; {
		next, ok := o.trigger.Next(after)
		at := int(next.Sub(o.from) / o.cell)
		if !ok || at >= len(o.cells) {
			return
		}
		if looks++; at != before {
			looks, before = 1, at
		}
		end := o.from.Add(time.Duration(at+1)*o.cell - time.Millisecond)
		if after = o.instant(next, &o.cells[at], end); looks == maxLooks {
			after = end
		}
	}
}

// instant tells of its cell what becomes of an instant, and up to when that is all
// that the cell needs to know.
func (o *outlook) instant(next time.Time, c *CellView, end time.Time) time.Time {
	switch {
	case o.info.Standing(next).Paused:
		c.Paused = true
		if until := o.info.PauseUntil; until != nil && !until.After(end) {
			return until.Add(-time.Millisecond)
		}
		return end
	case o.shut:
		c.Closed = true
		return end
	}
	open, until := o.windows.Stretch(next, end)
	if open {
		c.Planned = true
		return end
	}
	c.Closed = true
	if outside := o.windows.Outside(); outside == task.OutsideDefer || outside == task.OutsideOnce {
		o.open(next)
	}
	return until
}

// open plans what is deferred at a time for the opening after it.
func (o *outlook) open(at time.Time) {
	opening, ok := o.windows.Opening(at)
	if !ok || o.windows.Open(at) || o.info.Standing(opening).Paused {
		return
	}
	if i := int(opening.Sub(o.from) / o.cell); !opening.Before(o.from) && i < len(o.cells) {
		o.cells[i].Planned = true
	}
}

func (c *CellView) count(run contract.RunView) {
	switch task.Outcome(run.Outcome) {
	case task.OK:
		c.OK++
	case task.Skipped:
		c.Skipped += max(1, run.Skips)
	case task.Running, task.Waiting:
		c.Running++
	default:
		c.Failed++
	}
}
