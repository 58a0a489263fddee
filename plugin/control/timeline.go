package control

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// TimelineAsk says what part of time to show of which tasks.
type TimelineAsk struct {
	Filter   TaskFilter
	Names    []string // only these; none: all that the filter lets pass
	From, To time.Time
	Cells    int
	Strips   int // at most so many tasks, by name
}

// Timeline shows tasks over time. Codes: invalid, not_found (a task named),
// unavailable.
func (c *Control) Timeline(ctx context.Context, ask TimelineAsk) (timeline.View, error) {
	span := ask.To.Sub(ask.From)
	if ask.Cells < 1 || ask.Cells > timeline.MaxCells || span < time.Duration(ask.Cells)*time.Millisecond {
		return timeline.View{}, failure.Invalid("%d parts of %s: ask for 1 to %d parts of a millisecond at least", ask.Cells, span, timeline.MaxCells)
	}
	v := timeline.View{From: ask.From.UTC(), To: ask.To.UTC(), Now: c.now().UTC(), CellMS: (span / time.Duration(ask.Cells)).Milliseconds(), Tasks: []timeline.Strip{}}
	around, err := c.around(ctx)
	if err != nil {
		return v, failure.Wrap(err)
	}
	most := ask.Strips
	if most < 1 || most > timeline.MaxStrips {
		most = timeline.MaxStrips
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
			at, _ := slices.BinarySearchFunc(v.Tasks, info, func(s timeline.Strip, info *task.Info) int {
				return cmp.Or(strings.Compare(s.Task, info.Name), strings.Compare(s.Tenant, info.Tenant), strings.Compare(s.Type, info.Type))
			})
			if len(v.Tasks) == most {
				v.More++
				if at == most {
					continue
				}
				v.Tasks = v.Tasks[:most-1]
			}
			v.Tasks = slices.Insert(v.Tasks, at, v.Strip(info, r.View(info).State, r, &c.triggers))
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
