// Package timeline sorts what has fired and what is to fire into equal parts of
// time. It needs no store.
package timeline

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Bounds of a timeline.
const (
	MaxCells  = 400
	MaxStrips = 1000
)

// View is what fired and what is to fire, in equal parts of time.
type View struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Now    time.Time `json:"now"`
	CellMS int64     `json:"cell_ms"`
	Tasks  []Strip   `json:"tasks"`
	More   int       `json:"more"` // tasks that are not shown
}

// Strip is one task's part of a timeline.
type Strip struct {
	Task   string         `json:"task"`
	Tenant string         `json:"tenant"`
	Type   string         `json:"type"`
	State  contract.State `json:"state"`
	Cells  []Cell         `json:"cells"`
}

// Cell is what of a task lies in one cell. The past is as far as runs are
// kept.
type Cell struct {
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

// Strip makes a task's part of v: what of it has fired and is to fire, from v.Now on,
// in each of its cells.
func (v *View) Strip(info *task.Info, state contract.State, b standing.Bucket, triggers *trigger.Compiler) Strip {
	s := Strip{Task: info.Name, Tenant: info.Tenant, Type: info.Type, State: state}
	s.fill(info, b, triggers, v)
	return s
}

func (s *Strip) fill(info *task.Info, b standing.Bucket, triggers *trigger.Compiler, v *View) {
	cell := time.Duration(v.CellMS) * time.Millisecond
	s.Cells = make([]Cell, int(v.To.Sub(v.From)/cell))
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
	first := v.From
	if v.Now.After(first) {
		first = v.Now
	}
	o.look(first)
}

// outlook sorts the instants to come into cells.
type outlook struct {
	info    *task.Info
	trigger trigger.Trigger
	windows *calendar.Windows // nil: always open
	shut    bool              // a calendar cannot be consulted, so nothing fires
	from    time.Time         // of the first cell
	cell    time.Duration
	cells   []Cell
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
func (o *outlook) instant(next time.Time, c *Cell, end time.Time) time.Time {
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

func (c *Cell) count(run contract.RunView) {
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
