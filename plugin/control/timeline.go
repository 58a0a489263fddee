package control

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
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
	// Planned: an instant lies there, still to come. Paused: it would, but for
	// the pause.
	Planned bool `json:"planned"`
	Paused  bool `json:"paused"`
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
	var mu sync.Mutex // guards v.Tasks
	err = c.store.Snapshots(ctx, nil, func(snap store.Snapshot) error {
		r := c.replay(snap, around)
		for i := range r.Defined {
			info := &r.Defined[i]
			if info.Deleted || !ask.Filter.definition(info) || len(ask.Names) > 0 && !slices.Contains(ask.Names, info.Name) {
				continue
			}
			strip := c.strip(r, info, &v)
			mu.Lock()
			v.Tasks = append(v.Tasks, strip)
			mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return v, failure.Wrap(err)
	}
	for _, name := range ask.Names {
		if !slices.ContainsFunc(v.Tasks, func(s StripView) bool { return s.Task == name }) {
			return v, c.missing(ctx, task.Key{Name: name}, coordclient.ErrNotFound)
		}
	}
	slices.SortFunc(v.Tasks, func(a, b StripView) int { return strings.Compare(a.Task, b.Task) })
	most := ask.Strips
	if most < 1 || most > MaxStrips {
		most = MaxStrips
	}
	v.More = max(0, len(v.Tasks)-most)
	v.Tasks = v.Tasks[:min(most, len(v.Tasks))]
	return v, nil
}

// strip sorts a task's runs and coming instants into cells.
func (c *Control) strip(b standing.Bucket, info *task.Info, v *TimelineView) StripView {
	s := StripView{Task: info.Name, Tenant: info.Tenant, Type: info.Type, State: b.View(info).State}
	s.fill(info, b.Runs(info), &c.triggers, v)
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
	s.fill(&info, p.Runs(key), new(trigger.Compiler), v)
	return s, true
}

func (s *StripView) fill(info *task.Info, runs []contract.RunView, triggers *trigger.Compiler, v *TimelineView) {
	cell := time.Duration(v.CellMS) * time.Millisecond
	s.Cells = make([]CellView, int(v.To.Sub(v.From)/cell))
	for _, run := range runs {
		at := int(run.Scheduled.Sub(v.From) / cell)
		if run.Scheduled.Before(v.From) || at >= len(s.Cells) {
			continue
		}
		s.Cells[at].count(run)
	}
	t, err := triggers.Compile(info.Trigger, info.From, info.UID)
	if err != nil {
		return
	}
	// From one cell that has an instant on to the end of that cell.
	for after := maxTime(v.From, v.Now).Add(-time.Millisecond); ; {
		next, ok := t.Next(after)
		at := int(next.Sub(v.From) / cell)
		if !ok || at >= len(s.Cells) {
			return
		}
		paused := info.Standing(next).Paused
		s.Cells[at].Planned, s.Cells[at].Paused = !paused, paused
		after = v.From.Add(time.Duration(at+1)*cell - time.Millisecond)
	}
}

func (c *CellView) count(run contract.RunView) {
	switch task.Outcome(run.Outcome) {
	case task.OK:
		c.OK++
	case task.Skipped:
		c.Skipped += max(1, run.Skips)
	case task.Running:
		c.Running++
	default:
		c.Failed++
	}
}
